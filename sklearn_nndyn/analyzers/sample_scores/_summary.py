"""Which epochs count, in words."""

import numpy as np


def epochs_after_start(trained):
    """The epochs that count, in words."""
    if len(trained) == 1:
        return f"one epoch, {trained[0]}"
    some = f"the {len(trained)} epochs after the start, {trained[0]} to {trained[-1]}"
    missing = "" if (np.diff(trained) == 1).all() else " (not each of them is recorded)"
    return f"{some}{missing}"
