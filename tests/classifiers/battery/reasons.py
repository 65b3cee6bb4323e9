"""Laws that a case does not keep, each with the reason."""

EXCEPTIONS = {}
