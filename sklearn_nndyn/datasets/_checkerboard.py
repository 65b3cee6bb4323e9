"""A checkerboard in the plane."""

import numpy as np
from sklearn.utils import check_random_state

from sklearn_nndyn.utils.validation import check_count, check_not_negative


def make_checkerboard(
    n_samples: int = 800,
    *,
    n_cells: int = 8,
    n_classes: int = 4,
    noise: float = 0.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Make points in a square of cells, in which neighbours have different labels.

    Parameters
    ----------
    n_samples : int, default=800
        Number of points. They are spread evenly: no two cells differ by more than one point.
    n_cells : int, default=8
        Number of cells along each side.
    n_classes : int, default=4
        Number of labels, two or more.
    noise : float, default=0.0
        Standard deviation of Gaussian noise that is added to the points once they are labelled. A cell is 2 / n_cells
        wide.
    random_state : int, RandomState instance or None, default=None
        Fixes the points, their order and the noise.

    Returns
    -------
    X : ndarray of shape (n_samples, 2)
        Points in the square from -1 to 1, in random order; without noise uniform in their cells.
    y : ndarray of int of shape (n_samples,)
        Labels 0 to n_classes - 1.

    Raises
    ------
    TypeError
        If a number of something is no whole number, or ``noise`` no number.
    ValueError
        If a parameter is out of its range, or if the board has too few cells for the classes.

    See Also
    --------
    make_spirals : Spiral arms in the plane.

    Notes
    -----
    The cell in column i and row j, each counted from 0, has the label

        (i + (n_classes // 2) j) mod n_classes.

    For two classes this is the chessboard; of four or more classes no two cells of one label touch, not even at
    a corner. The rule is our own.

    References
    ----------
    8 x 8 cells, four labels and 800 points: Janocha and Czarnecki (2017), arXiv 1702.05659.

    Examples
    --------
    >>> from sklearn_nndyn.datasets import make_checkerboard
    >>> X, y = make_checkerboard(random_state=0)
    >>> X.shape, sorted(set(y.tolist()))
    ((800, 2), [0, 1, 2, 3])
    """
    check_count("n_samples", n_samples, 1)
    check_count("n_cells", n_cells, 1)
    check_count("n_classes", n_classes, 2)
    check_not_negative("noise", noise)
    labels = _labels(n_cells, n_classes)
    rng = check_random_state(random_state)
    cell = rng.permutation(np.resize(rng.permutation(n_cells**2), n_samples))
    place = np.column_stack(divmod(cell, n_cells)) + rng.random_sample((n_samples, 2))
    X = 2 * place / n_cells - 1 + noise * rng.standard_normal((n_samples, 2))
    return X, labels[cell]


def _labels(n_cells, n_classes):
    """The label of cell i * n_cells + j, column i and row j; shape (n_cells**2,)."""
    column, row = np.divmod(np.arange(n_cells**2), n_cells)
    labels = (column + n_classes // 2 * row) % n_classes
    if len(np.unique(labels)) < n_classes:
        raise ValueError(
            f"n_classes must be fewer for {n_cells} x {n_cells} cells, got {n_classes}: not every label has a cell."
        )
    return labels
