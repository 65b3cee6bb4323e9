"""Spiral arms in the plane."""

import numpy as np
from sklearn.utils import check_random_state

from sklearn_nndyn.utils.validation import check_count, check_finite, check_not_negative

INNER = 0.1  # the arms begin here: at the centre they would meet, and no label be right


def make_spirals(
    n_samples: int = 800,
    *,
    n_arms: int = 4,
    noise: float = 0.02,
    turns: float = 1.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Make interleaving spiral arms, one for each label.

    Parameters
    ----------
    n_samples : int, default=800
        Number of points, one or more for each arm. The arms share them evenly; what is left over goes to the first.
    n_arms : int, default=4
        Number of arms and labels, two or more.
    noise : float, default=0.02
        Standard deviation of Gaussian noise that is added to the points.
    turns : float, default=1.0
        How often an arm goes round the centre, counterclockwise; negative: clockwise.
    random_state : int, RandomState instance or None, default=None
        Fixes the order and the noise.

    Returns
    -------
    X : ndarray of shape (n_samples, 2)
        Points, without noise in the unit circle, in random order.
    y : ndarray of int of shape (n_samples,)
        The arm of each point, 0 to n_arms - 1.

    Raises
    ------
    TypeError
        If a number of something is no whole number, or another parameter no number.
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    make_checkerboard : A checkerboard in the plane.

    Notes
    -----
    The points of an arm are evenly spaced in s from 0 to 1. Without noise, arm k has

        radius 0.1 + 0.9 s,    angle 2 pi (k / n_arms + turns s),

    so that it is arm 0, rotated by 2 pi k / n_arms. Along a radius the arms lie 0.9 / (n_arms abs(turns)) apart. The
    shape is our own.

    References
    ----------
    Four arms and 800 points: Janocha and Czarnecki (2017), arXiv 1702.05659.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.datasets import make_spirals
    >>> X, y = make_spirals(random_state=0)
    >>> X.shape, np.bincount(y)
    ((800, 2), array([200, 200, 200, 200]))
    """
    check_count("n_arms", n_arms, 2)
    check_count("n_samples", n_samples, n_arms)
    check_not_negative("noise", noise)
    check_finite("turns", turns)
    rng = check_random_state(random_state)
    sizes = [len(part) for part in np.array_split(np.arange(n_samples), n_arms)]
    s = np.concatenate([np.linspace(0, 1, size) for size in sizes])
    y = np.repeat(np.arange(n_arms), sizes)
    radius, angle = INNER + (1 - INNER) * s, 2 * np.pi * (y / n_arms + turns * s)
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    X += noise * rng.standard_normal(X.shape)
    order = rng.permutation(n_samples)
    return X[order], y[order]
