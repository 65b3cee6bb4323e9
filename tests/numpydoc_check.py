"""Check that the docstrings of everything public are complete: ``python -m tests.numpydoc_check``.

Prints a line for each parameter or return that is not described, and exits 1 where there is one.
"""

import sys
from collections.abc import Iterator

from numpydoc.validate import validate

from tests.public import CALLABLES, CLASSES, METHODS

CODES = {
    "PR01",  # parameters not documented
    "PR02",  # documented parameters that do not exist
    "PR03",  # parameters in another order
    "PR04",  # a parameter without a type
    "PR07",  # a parameter without a description
    "PR08",  # a description without a capital letter
    "PR09",  # a description without a full stop
    "RT01",  # no Returns section
    "RT03",  # a return without a description
    "SS03",  # a summary without a full stop
}


def is_override(name: str) -> bool:
    """Whether a method is documented in full where a base class of ours defines it."""
    kind, _, method = name.rpartition(".")
    return name in METHODS and any(
        method in vars(base) and base.__module__.startswith("sklearn_nndyn")
        for base in CLASSES[kind].__mro__[1:]
    )


def problems() -> Iterator[str]:
    """A line for each fault in the docstring of a public class, function or method."""
    for name in CALLABLES:
        if is_override(name):
            continue
        for code, text in validate(name)["errors"]:
            if code in CODES:
                yield f"{name}: {code} {text}"


if __name__ == "__main__":
    found = sorted(set(problems()))
    print("\n".join(found) or "docstrings: complete")
    sys.exit(bool(found))
