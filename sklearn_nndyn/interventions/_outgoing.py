"""What leaves the hidden units of the last hidden layer, and on which samples they are active."""

import numpy as np
from numpy.typing import ArrayLike


def share_on_correct(activations: ArrayLike, correct: ArrayLike) -> np.ndarray:
    """Share of each unit's activation that falls on samples classified correctly.

    a_j = sum over the correct samples i of |h_ij| / sum over all i of |h_ij|.

    Parameters
    ----------
    activations : array of shape (n_samples, n_units)
        Activations h_ij of a hidden layer.
    correct : array of bool of shape (n_samples,)
        Whether a sample is classified correctly, such as at the turning epoch of the loss.

    Returns
    -------
    share : array of shape (n_units,)
        0 to 1; nan for units that are silent on all samples.

    Examples
    --------
    >>> from sklearn_nndyn.interventions import share_on_correct
    >>> share_on_correct([[0.0, 1.0], [0.0, 3.0]], [True, False])
    array([ nan, 0.25])
    """
    size = np.abs(activations).astype(np.float64)
    total = size.sum(axis=0)
    on_correct = size[np.asarray(correct, dtype=bool)].sum(axis=0)
    return np.divide(on_correct, total, out=np.full(len(total), np.nan), where=total > 0)


def outgoing_norms(weight: ArrayLike) -> np.ndarray:
    """Euclidean norm of the weights that leave each hidden unit: of the columns of a layer's weights.

    Parameters
    ----------
    weight : array of shape (n_classes, n_units)
        Weight of the layer after the units, as in torch.

    Returns
    -------
    norms : array of shape (n_units,)
        float64.

    Examples
    --------
    >>> from sklearn_nndyn.interventions import outgoing_norms
    >>> outgoing_norms([[3.0, 0.0], [4.0, 1.0]])
    array([5., 1.])
    """
    return np.linalg.norm(np.asarray(weight, dtype=np.float64), axis=0)


def restore_norms(weight: ArrayLike, norms: ArrayLike, units: ArrayLike) -> np.ndarray:
    """Weights in which some units have outgoing norms of an earlier epoch again.

    Directions stay as they are, so a unit without outgoing weights stays without.

    Parameters
    ----------
    weight : array of shape (n_classes, n_units)
        Weight of the layer after the units.
    norms : array of shape (n_units,)
        ``outgoing_norms`` of the earlier epoch.
    units : array of int or bool
        Which units are brought back, as positions or a mask.

    Returns
    -------
    restored : array of shape (n_classes, n_units)
        float64; the columns of other units are as they were.

    Examples
    --------
    >>> from sklearn_nndyn.interventions import restore_norms
    >>> restore_norms([[3.0, 1.0], [4.0, 1.0]], [2.5, 9.0], [0])
    array([[1.5, 1. ],
           [2. , 1. ]])
    """
    weight, norms = np.asarray(weight, dtype=np.float64), np.asarray(norms, dtype=np.float64)
    own = outgoing_norms(weight)
    factor = np.ones(len(own))
    factor[np.asarray(units)] = np.divide(norms, own, out=np.ones(len(own)), where=own > 0)[np.asarray(units)]
    return weight * factor
