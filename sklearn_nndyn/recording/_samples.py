"""Loss, margin, prediction and probability of each sample, from its scores; and of which samples, and when."""

from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.base import BaseEstimator

from sklearn_nndyn.losses import faster_by_class
from sklearn_nndyn.utils.text import shown
from sklearn_nndyn.utils.validation import check_choice

WHEN = ("epoch", "training")


class Samples(BaseEstimator):
    """Record loss, margin, prediction and probability of some training samples: an entry of ``record``.

    The string ``"samples"`` stands for the default: all of them, at the end of recorded epochs.

    Parameters
    ----------
    indices : array of int or bool of shape (n_chosen,) or (n_samples,), default=None
        The training samples to record: rows of ``X`` by position, each once, or a mask; None is all of them. The record
        is then that of these rows alone, in this order: all that is recorded is of them (centroids, decoders), no
        other row is evaluated, and ``sample_ids`` are their positions in ``X``. Rows that ``validation_fraction`` holds
        out are left out; validation samples are all recorded.
    when : {"epoch", "training"}, default="epoch"
        ``"epoch"``: the network in evaluation mode, at the end of recorded epochs (by ``record_epochs``), as if ``fit``
        had stopped there. ``"training"``: as each sample's batch passed in these epochs, which costs no pass over the
        samples. That is the network as it went, before each update: in training mode with dropout and all, early in
        the epoch for some samples and late for others, and with ``batch_transform`` for the transformed batch. Epoch 0
        is not recorded. Samples of weight zero pass in no batch: their cells hold nan, and -1 in ``prediction``.
        Nothing can be recorded beside it that needs a pass (``"geometry"``, ...). Validation samples are recorded in
        evaluation mode.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.recording import Samples
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=2, record=[Samples(indices=range(0, 1797, 10))], random_state=0)
    >>> clf.fit(X / 16, y).dynamics_.sample_ids[:3]
    array([ 0, 10, 20])
    >>> clf.set_params(record=[Samples(when="training")]).fit(X / 16, y).dynamics_.epochs
    array([1, 2])
    """

    def __init__(self, indices: Any = None, when: str = "epoch") -> None:
        self.indices = indices
        self.when = when

    @property
    def in_training(self) -> bool:
        """Whether samples are recorded as their batches pass."""
        return self.when == "training"

    @property
    def is_default(self) -> bool:
        """Whether all samples are recorded at the end of epochs."""
        return self.indices is None and self.when == "epoch"

    def check(self) -> None:
        """Raise ValueError or TypeError for parameters that cannot be used."""
        check_choice("Samples: when", self.when, WHEN)
        if self.indices is None:
            return
        rows = np.asarray(self.indices)
        if rows.ndim != 1 or rows.dtype.kind not in "iub" or not rows.size:
            raise TypeError(
                f"Samples: indices must be positions of rows of X, as integers, or a mask; got {self.indices!r}."
            )

    def positions(self, n_samples: int) -> np.ndarray:
        """The chosen rows.

        Parameters
        ----------
        n_samples : int
            Number of rows of X.

        Returns
        -------
        rows : ndarray of int of shape (n_chosen,)
            Positions, in the given order.

        Raises
        ------
        ValueError
            If there is no such row, one was given twice, or a mask has another length.
        """
        rows = np.asarray(self.indices)
        if rows.dtype.kind == "b":
            if len(rows) != n_samples or not rows.any():
                raise ValueError(
                    f"Samples: indices is a mask of {len(rows)} entries, {np.count_nonzero(rows)} of them True, for "
                    f"{n_samples} rows of X: it needs one for each row, and one that is True."
                )
            return np.flatnonzero(rows)
        outside = rows[(rows < 0) | (rows >= n_samples)]
        if len(outside):
            raise ValueError(
                f"Samples: indices holds {shown(outside)}, but X has the rows 0 to {n_samples - 1}."
            )
        found, counts = np.unique(rows, return_counts=True)
        if len(found) < len(rows):
            raise ValueError(
                f"Samples: indices must hold each row once, but has several of {shown(found[counts > 1])}."
            )
        return rows.astype(np.intp)


class SampleMeasures(NamedTuple):
    """The recorded fields of the samples: tensors of shape (n_networks, n_samples)."""

    loss: torch.Tensor
    margin: torch.Tensor
    prediction: torch.Tensor
    probability: torch.Tensor | None


def measure_samples(scores, target, loss):
    """Measure each sample of a stack of networks.

    Parameters
    ----------
    scores : tensor of shape (n_networks, n_samples, n_classes)
        Raw outputs.
    target : tensor of shape (n_samples,) or (n_networks, n_samples)
        Class positions.
    loss : ClassificationLoss
        The trained loss.

    Returns
    -------
    measures : SampleMeasures
        The loss of each sample; the score of its true class minus the best other; the decided class position; and the
        probability of the true class, None where the loss has no probabilities.
    """
    target = target.expand(scores.shape[:-1])
    margin = margins(scores, target)
    values, probability = loss.value_and_probability(scores, target)
    return SampleMeasures(values, margin, loss.decide(scores), probability)


def stack_of(scores):
    """The scores of several networks, (n_networks, n_samples, n_classes), laid out as those of each.

    Sums over the classes then have the same order, and so the same bits.
    """
    if scores[0].stride(-1) == 1:
        return torch.stack(scores)
    return torch.stack([one.mT for one in scores]).mT


def margins(scores, target):
    """The score of each true class minus the best other."""
    column = target.unsqueeze(-1)
    own = scores.gather(-1, column).squeeze(-1)
    if faster_by_class(scores):
        others = scores.mT.clone(memory_format=torch.contiguous_format)
        return own - others.scatter_(-2, target.unsqueeze(-2), -torch.inf).amax(-2)
    return own - scores.scatter(-1, column, -torch.inf).amax(-1)
