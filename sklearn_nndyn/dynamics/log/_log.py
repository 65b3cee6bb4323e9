"""DynamicsLog: a record of any training, written by the loop itself.

A long file of short methods: what a user meets has its documentation here, where ``help(DynamicsLog)`` finds it.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.dynamics._dynamics import Dynamics
from sklearn_nndyn.dynamics.arrays._checks import (
    LEAST_ROWS,
    as_numpy,
    check_labels,
    check_scores,
    refuse_probabilities,
)
from sklearn_nndyn.dynamics.arrays._measure import measure_samples
from sklearn_nndyn.dynamics.log._activations import check_activations
from sklearn_nndyn.dynamics.log._cells import EpochCells
from sklearn_nndyn.dynamics.log._file import read_log, save_log
from sklearn_nndyn.dynamics.log._freeze import freeze
from sklearn_nndyn.dynamics.log._index import SampleIndex
from sklearn_nndyn.dynamics.log._memory import BoundedMemory
from sklearn_nndyn.dynamics.log._merge import merge_logs
from sklearn_nndyn.utils.losses.arrays import array_loss
from sklearn_nndyn.utils.text import counted, samples, shown
from sklearn_nndyn.utils.validation import check_choice, check_count, is_finite


class DynamicsLog:
    """A log of what each sample is given by a network in training, for any training loop.

    The loop tells the scores of each batch, from whatever library, and gets a record; NumPy does the rest. Within an
    epoch samples come in any order, some not at all, some more than once. Where a sample is logged again at the
    same epoch, the last scores count, and for centroids its first activations. A call that is refused changes nothing.

    Parameters
    ----------
    y : array of shape (n_samples,)
        Labels of all samples that may be logged: numbers, booleans or strings.
    classes : array of shape (n_classes,), optional
        All classes, sorted, in the order of the columns of the scores; by default those in ``y``.
    sample_ids : array of shape (n_samples,), optional
        Names of the samples, integers or strings, each once; by default their positions, from 0.
    loss : str or callable, default="log"
        What to measure of each sample: a name that ``get_loss`` knows, with its default parameters; or a function of
        scores (n, n_classes) and positions of the true classes (n,), both arrays, that gives the losses (n,).
    epochs : array of shape (n_epochs,), optional
        The epochs that will be logged: others are refused, and these may come in any order. By default any epoch is
        taken that is not before an earlier one.
    memory_limit : int, default=1000000000
        Bytes to keep in memory. What goes beyond, 13 bytes a sample and epoch (up to 127 classes), lies in temporary
        files.

    Raises
    ------
    TypeError
        If something cannot be read as an array, or ``loss`` is neither a name nor a function.
    ValueError
        If labels, classes, ids and epochs do not make a record, or the loss is unknown.

    See Also
    --------
    Dynamics.from_scores : A record of scores that lie in one array.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.dynamics import DynamicsLog
    >>> log = DynamicsLog(["cat", "dog", "dog"])
    >>> log.add(0, [2, 0], [[0.0, 1.0], [0.5, 0.0]])
    >>> log.add(0, [1], [[3.0, 0.0]])
    >>> log.add(1, [0, 1], [[2.0, 0.0], [0.0, 2.0]])
    >>> log
    DynamicsLog of 3 samples at 2 epochs: 5 of 6 cells seen
    >>> log.dynamics().prediction
    array([[ 0,  0],
           [ 0,  1],
           [ 1, -1]], dtype=int8)
    """

    def __init__(
        self,
        y: ArrayLike,
        *,
        classes: ArrayLike | None = None,
        sample_ids: ArrayLike | None = None,
        loss: str | Callable = "log",
        epochs: ArrayLike | None = None,
        memory_limit: int = 10**9,
    ):
        y, classes = check_labels(y, classes)
        ids = None if sample_ids is None else as_numpy("sample_ids", sample_ids)
        check_count("memory_limit", memory_limit, 0)
        declared = None if epochs is None else as_numpy("epochs", epochs)
        # A record of nothing: what does not fit together is refused in its words.
        self._samples = Dynamics(
            y=y, classes=classes, epochs=np.zeros(1, int) if declared is None else declared, sample_ids=ids
        )
        self._declared = None if declared is None else tuple(self._samples.epochs.tolist())
        self._target = self._samples.target
        self._index = SampleIndex(self._samples.sample_ids, len(y))
        self._loss = array_loss(loss)
        self._memory = BoundedMemory(memory_limit)
        self._cells: dict[float, EpochCells] = {}
        self._widths: dict[str, int] = {}
        self._first_rows = np.empty((0, len(classes)))

    @property
    def epochs(self) -> tuple[float, ...]:
        """The epochs logged so far, increasing."""
        return tuple(sorted(self._cells))

    def add(
        self, epoch: float, ids: ArrayLike, scores: Any, *, activations: Mapping[str, Any] | None = None
    ) -> None:
        """Log a batch.

        Parameters
        ----------
        epoch : int or float
            As of which epoch the network is: 0 before its first update, 1 after the first epoch, 0.5 half way.
        ids : array of shape (batch,)
            Names of the samples, each once.
        scores : array of shape (batch, n_classes)
            Raw outputs, of any library, on any device; for probabilities give their logarithms. For two classes one
            column will do, (batch,) or (batch, 1): the score of the second class against the first.
        activations : dict of layer to array of shape (batch, ...), optional
            Outputs of hidden layers; their class centroids are recorded, as ``"geometry"`` does.

        Raises
        ------
        TypeError
            If something cannot be read as an array, or the ids are of another kind.
        ValueError
            If an epoch, an id or a shape is not as it must be, a value is not finite, or the scores are
            probabilities. Nothing is logged then, and nothing that was logged before is lost.

        Examples
        --------
        >>> from sklearn_nndyn.dynamics import DynamicsLog
        >>> log = DynamicsLog([0, 1, 1])
        >>> log.add(1, [0, 3], [[1.0, 0.0], [0.0, 1.0]])
        Traceback (most recent call last):
        ...
        ValueError: ids has 1 id of no sample: 3. Samples are called by their positions, 0 to 2; give sample_ids for
        other names.
        """
        epoch = self._check_epoch(epoch)
        places = self._index.places(ids)
        scores = check_scores(scores, (len(places),), self._samples.n_classes, self._loss)
        _check_finite(scores)
        first = self._check_first_rows(scores)
        units = check_activations(activations, len(places), self._widths)
        measured = measure_samples(scores, self._target[places], self._loss)
        cells = self._cells_of(epoch)
        cells.put(places, measured)
        self._first_rows = first
        if units:
            self._widths = {layer: unit.shape[1] for layer, unit in units.items()}
            cells.add_activations(places, self._target, units)

    def dynamics(self, missing: Literal["nan", "last", "raise"] = "nan") -> Dynamics:
        """What was logged so far, as a record.

        Parameters
        ----------
        missing : {"nan", "last", "raise"}, default="nan"
            What becomes of cells, a sample at an epoch, that were not seen. ``"nan"`` leaves them missing.
            ``"last"`` takes what was last seen of the sample at an earlier epoch, if anything; the header says of how
            many, in ``"cells_carried_on"``. ``"raise"`` refuses to make a record.

        Returns
        -------
        record : Dynamics
            A record with copied arrays: the log can go on.

        Raises
        ------
        ValueError
            If nothing was logged; or, with ``"raise"``, if cells are missing.

        Examples
        --------
        >>> from sklearn_nndyn.dynamics import DynamicsLog
        >>> log = DynamicsLog([0, 1])
        >>> log.add(0, [0, 1], [[1.0, 0.0], [0.0, 1.0]])
        >>> log.add(1, [0], [[2.0, 0.0]])
        >>> log.dynamics("last").margin
        array([[1., 2.],
               [1., 1.]], dtype=float32)
        """
        check_choice("missing", missing, ("nan", "last", "raise"))
        if not self._cells:
            raise ValueError("Nothing was logged: call add(epoch, ids, scores) for each batch first.")
        if missing == "raise":
            self._refuse_gaps()
        return freeze(self, carry_on=missing == "last")

    def merge(self, other: "DynamicsLog", *, overlap: Literal["raise", "first", "last"] = "raise") -> Self:
        """Take in what another log holds of the same samples, such as that of another process.

        Parameters
        ----------
        other : DynamicsLog
            A log with the same labels, classes, ids and loss; it is not changed.
        overlap : {"raise", "first", "last"}, default="raise"
            What counts where both logs hold a sample at an epoch, and differ by more than rounding: neither, this
            log, or the other one. Equal ones, as where a sampler fills up its last batch, are one.

        Returns
        -------
        log : DynamicsLog
            This log.

        Raises
        ------
        TypeError
            If ``other`` is no log.
        ValueError
            If they do not belong together; the message lists everything that differs. Nothing is merged then.

        Examples
        --------
        >>> from sklearn_nndyn.dynamics import DynamicsLog
        >>> one, other = DynamicsLog([0, 1]), DynamicsLog([0, 1])
        >>> one.add(0, [0], [[1.0, 0.0]])
        >>> other.add(0, [1], [[0.0, 1.0]])
        >>> one.merge(other)
        DynamicsLog of 2 samples at 1 epoch: 2 of 2 cells seen
        """
        if not isinstance(other, DynamicsLog):
            raise TypeError(f"merge takes another DynamicsLog, got {type(other).__name__}.")
        check_choice("overlap", overlap, ("raise", "first", "last"))
        merge_logs(self, other, overlap)
        return self

    def save(self, path: str | os.PathLike) -> None:
        """Write what was logged so far to one file, whole or not at all, as `Dynamics.save` does.

        Parameters
        ----------
        path : str or os.PathLike
            File to write; one that is there is replaced.

        Raises
        ------
        TypeError
            If ``path`` is no path.
        OSError
            If the file cannot be written.
        ValueError
            As of `Dynamics.save`.

        Examples
        --------
        >>> import tempfile
        >>> from sklearn_nndyn.dynamics import DynamicsLog
        >>> log = DynamicsLog([0, 1])
        >>> log.add(0, [1], [[1.0, 0.0]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     log.save(f"{folder}/log")
        ...     DynamicsLog.load(f"{folder}/log")
        DynamicsLog of 2 samples at 1 epoch: 1 of 2 cells seen
        """
        save_log(self, path)

    @classmethod
    def load(
        cls, path: str | os.PathLike, *, loss: Callable | None = None, memory_limit: int = 10**9
    ) -> Self:
        """A log in a file written by `save`, to go on with.

        Parameters
        ----------
        path : str or os.PathLike
            The file.
        loss : callable, optional
            The function that was the log's loss, where it was one: a file holds its name alone.
        memory_limit : int, default=1000000000
            Bytes to keep in memory.

        Returns
        -------
        log : DynamicsLog
            The log as it was saved.

        Raises
        ------
        OSError
            If there is no such file, or it cannot be read.
        ValueError
            If the file is damaged or holds no log, or ``loss`` is missing or of another name.
        """
        return read_log(cls, path, loss, memory_limit)

    def __repr__(self):
        n_samples, n_epochs = self._samples.n_samples, len(self._cells)
        seen = sum(int(np.count_nonzero(cells.seen)) for cells in self._cells.values())
        cells = f"{seen:,} of {counted(n_samples * n_epochs, 'cell')} seen"
        return f"DynamicsLog of {samples(n_samples)} at {counted(n_epochs, 'epoch')}: {cells}"

    def __array__(self, *args, **kwargs):
        raise TypeError("A DynamicsLog is no array, and no record yet: give log.dynamics().")

    def _check_first_rows(self, scores):
        """The first rows that were logged, this batch included: of few rows probabilities cannot be told."""
        first = np.concatenate([self._first_rows, scores])[:LEAST_ROWS]
        refuse_probabilities(first, self._loss)
        return first

    def _check_epoch(self, epoch):
        if not is_finite(epoch):
            raise TypeError(f"epoch must be a finite number, got {epoch!r}.")
        if epoch < 0:
            raise ValueError(f"epoch must be 0 or more, got {epoch!r}.")
        if self._declared is not None and epoch not in self._declared:
            raise ValueError(f"epoch {epoch} is not among those to be logged, {shown(self._samples.epochs)}.")
        latest = max(self._cells, default=0)
        if self._declared is None and epoch < latest:
            raise ValueError(
                f"epoch {epoch} comes after epoch {latest}, but epochs are logged in their order. To log them in any "
                "order, name them first: DynamicsLog(y, epochs=...)."
            )
        return int(epoch) if epoch == int(epoch) else float(epoch)

    def _cells_of(self, epoch):
        if epoch not in self._cells:
            n_samples, n_classes = self._samples.n_samples, self._samples.n_classes
            self._cells[epoch] = EpochCells(self._loss, n_samples, n_classes, self._memory.empty)
        return self._cells[epoch]

    def _name_of(self, place):
        ids = self._samples.sample_ids
        return int(place) if ids is None else ids[place].item() if hasattr(ids[place], "item") else ids[place]

    def _refuse_gaps(self):
        gaps = {epoch: int(np.count_nonzero(~cells.seen)) for epoch, cells in sorted(self._cells.items())}
        gaps = {epoch: count for epoch, count in gaps.items() if count}
        if gaps:
            counts = ", ".join(f"{count:,} at epoch {epoch}" for epoch, count in list(gaps.items())[:5])
            raise ValueError(
                f"{sum(gaps.values()):,} cells were not seen: {counts}{', ...' if len(gaps) > 5 else ''}. Log them, or "
                'take missing="nan" or "last".'
            )


def _check_finite(scores):
    missing = np.isnan(scores).any(axis=1)
    if missing.any():
        raise ValueError(
            f"scores are nan in {counted(int(missing.sum()), 'row')}, the first is {int(missing.argmax())}: leave out "
            "samples without scores; where the training diverged, stop."
        )
