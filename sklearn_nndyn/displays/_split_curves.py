"""The curves of one split: mean, median and band of the loss, and accuracy."""

from dataclasses import dataclass

import numpy as np

from sklearn_nndyn.utils.results import ShortRepr


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TrainingCurves(ShortRepr):
    """What one split shows over the epochs.

    Parameters
    ----------
    epochs : array of shape (n_epochs,)
        Recorded epochs.
    loss_mean, loss_median : array of shape (n_epochs,)
        Over the samples, in the units of the loss.
    accuracy : array of shape (n_epochs,)
        Share of samples classified correctly.
    loss_band : array of shape (2, n_epochs), optional
        Lower and upper quantile over the samples.

    Examples
    --------
    >>> from sklearn_nndyn.displays import TrainingCurveDisplay, TrainingCurves
    >>> curves = TrainingCurves(
    ...     epochs=[0, 1], loss_mean=[0.7, 0.2], loss_median=[0.7, 0.1], accuracy=[0.5, 1.0]
    ... )
    >>> TrainingCurveDisplay(curves).train.accuracy
    [0.5, 1.0]
    """

    epochs: np.ndarray
    loss_mean: np.ndarray
    loss_median: np.ndarray
    accuracy: np.ndarray
    loss_band: np.ndarray | None = None


def training_curves(record, quantiles):
    """The curves of one record; bands where ``quantiles`` is not None."""
    return TrainingCurves(
        epochs=record.epochs,
        loss_mean=record.loss.mean(axis=0, dtype=np.float64),
        loss_median=np.median(record.loss, axis=0),
        loss_band=None if quantiles is None else np.quantile(record.loss, quantiles, axis=0),
        accuracy=record.accuracy,
    )
