"""How unevenly a total is shared: of losses, or gradients, that are sorted already."""

import numpy as np


def shares_of_worst(ordered, counts):
    """Share of the total that the worst ``counts`` carry, of increasing losses (n_samples,) above their bound."""
    n_samples, total = len(ordered), ordered.sum()
    if is_below_bound(ordered):
        return np.full(len(counts), np.nan)
    if total <= 0:
        return np.asarray(counts) / n_samples
    return np.array([ordered[n_samples - k :].sum() for k in counts]) / total


def gini_of_ordered(ordered):
    """Gini coefficient of increasing losses (n_samples,) above their bound."""
    n_samples, total = len(ordered), ordered.sum()
    if is_below_bound(ordered):
        return np.nan
    return np.arange(1 - n_samples, n_samples, 2) @ ordered / (n_samples * total) if total > 0 else 0.0


def is_below_bound(ordered):
    """Whether a loss is below its bound, by more than the rounding of float32."""
    return ordered[0] < -1e-6 * max(1.0, ordered[-1])
