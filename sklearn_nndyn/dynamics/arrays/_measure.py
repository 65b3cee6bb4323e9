"""What a record keeps of samples, from their scores."""

import numpy as np

from sklearn_nndyn.dynamics._seen import NOT_SEEN
from sklearn_nndyn.utils.losses.arrays import ArrayLoss, log_softmax, true_class_values


def measure_samples(scores: np.ndarray, y_encoded: np.ndarray, loss: ArrayLoss) -> dict[str, np.ndarray]:
    """What a record keeps of samples, from their scores.

    Parameters
    ----------
    scores : array of shape (n_samples, n_classes)
        Raw scores; a row that is missing is nan.
    y_encoded : array of shape (n_samples,)
        Positions of the true classes.
    loss : ArrayLoss
        What is measured.

    Returns
    -------
    measured : dict of str to array of shape (n_samples,)
        ``"loss"``, ``"margin"``, ``"prediction"`` and, for a loss with a link, ``"probability"``; nan, and a
        prediction of -1, where the scores are missing.
    """
    scores = np.ascontiguousarray(scores.T, dtype=np.float64)
    own = true_class_values(scores, y_encoded)
    others = scores.copy()
    others[y_encoded, np.arange(len(y_encoded))] = -np.inf
    measured = {
        "margin": own - others.max(axis=0),
        "prediction": np.where(np.isnan(own), NOT_SEEN, scores.argmax(axis=0)),
    }
    if loss.link is None:
        return {"loss": loss.formula(scores, y_encoded), **measured}
    log_p = log_softmax(scores)
    values = loss.formula(log_p, y_encoded)
    return {"loss": values, **measured, "probability": np.exp(true_class_values(log_p, y_encoded))}


def measure_epochs(scores: np.ndarray, y_encoded: np.ndarray, loss: ArrayLoss) -> dict[str, np.ndarray]:
    """What a record keeps of samples, {name: (n_samples, n_epochs)}, from scores (n_samples, n_epochs, n_classes).

    A row of scores that is missing is nan; see `measure_samples`.
    """
    n_samples, n_epochs, n_classes = scores.shape
    rows = empty_rows(loss, (n_epochs, n_samples), n_classes)
    for epoch in range(n_epochs):
        for name, values in measure_samples(scores[:, epoch], y_encoded, loss).items():
            rows[name][epoch] = values
    return {name: values.T for name, values in rows.items()}


def empty_rows(
    loss: ArrayLoss, shape: tuple[int, ...], n_classes: int, empty=np.empty
) -> dict[str, np.ndarray]:
    """Room, of some ``shape``, for what `measure_samples` gives, in the types of a record.

    ``empty(shape, dtype)`` makes an array.
    """
    names = ["loss", "margin"] + ([] if loss.link is None else ["probability"])
    position = np.min_scalar_type(-n_classes)
    return {**{name: empty(shape, np.float32) for name in names}, "prediction": empty(shape, position)}
