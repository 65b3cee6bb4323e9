"""Warnings that point to the user's own line."""

import sys
import warnings

OURS = ("sklearn_nndyn", "sklearn", "skorch")


def warn_user(message, category):
    """Warn, with the first line outside of this package and of those it is called through as the place."""
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in OURS:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
