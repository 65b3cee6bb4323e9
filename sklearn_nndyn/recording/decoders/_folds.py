"""Cross-fitting: every sample is scored by something that has not seen it."""

import numpy as np
import torch

from sklearn_nndyn.utils.validation import is_count


def draw_folds(n_samples, cv, device):
    """The fold of each sample, shape (n_samples,): as equal in size as may be, the same at every look.

    Drawn by a generator of its own, so that rows laid out in a pattern do not make folds of one class each.
    """
    order = np.random.default_rng(0).permutation(n_samples)
    folds = np.empty(n_samples, np.int64)
    folds[order] = np.arange(n_samples) % min(cv, n_samples)
    return torch.from_numpy(folds).to(device)


def check_cv(cv, called):
    """At least two folds."""
    if not is_count(cv, 2):
        raise ValueError(f"{called}: cv must be an integer, 2 or greater, got {cv!r}.")


def check_enough_samples(n_samples, what):
    """Cross-fitting needs two samples."""
    if n_samples < 2:
        raise ValueError(
            f"{what} needs at least 2 samples, one to learn from and one to score, got {n_samples}."
        )
