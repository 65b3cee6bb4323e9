"""Cross-fitting: every sample is scored by something that has not seen it."""

import numpy as np
import torch

from sklearn_nndyn.utils.validation import is_count


def draw_folds(n_samples, cv, device):
    """The fold of each sample, shape (n_samples,): of nearly equal sizes, and the same at every recorded epoch.

    Drawn at random with a fixed seed, so that rows sorted by class do not make folds of one class each.
    """
    order = np.random.default_rng(0).permutation(n_samples)
    folds = np.empty(n_samples, np.int64)
    folds[order] = np.arange(n_samples) % min(cv, n_samples)
    return torch.from_numpy(folds).to(device)


def check_cv(cv, called):
    """Raise ValueError for fewer than two folds."""
    if not is_count(cv, 2):
        raise ValueError(f"{called}: cv must be an integer, 2 or greater, got {cv!r}.")


def check_enough_samples(n_samples, what):
    """Raise ValueError for fewer than the two samples that cross-fitting needs."""
    if n_samples < 2:
        raise ValueError(
            f"{what} needs at least 2 samples, one to learn from and one to score, got {n_samples}."
        )
