"""Dynamics: what was seen of each sample at each recorded epoch.

A long file of short methods: what a user meets has its documentation here, where ``help(Dynamics)`` finds it.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklearn_nndyn.dynamics._fields import frozen_field, map_axis, read_only, recorded_fields, require_fields
from sklearn_nndyn.dynamics._frames import to_frame, to_xarray
from sklearn_nndyn.dynamics._layout import take
from sklearn_nndyn.dynamics._loss_facts import LossFacts, read_loss_facts
from sklearn_nndyn.dynamics._seen import accuracy_and_error, prediction_where_seen, seen_cells
from sklearn_nndyn.dynamics._selection import epochs_key, one_epoch, sample_key
from sklearn_nndyn.dynamics._text import as_html, as_text
from sklearn_nndyn.dynamics._validation import check_fields, positions
from sklearn_nndyn.dynamics.arrays._checks import as_numpy, check_labels, check_scores
from sklearn_nndyn.dynamics.arrays._measure import measure_epochs
from sklearn_nndyn.dynamics.arrays._staged import staged_scores
from sklearn_nndyn.dynamics.files._storage import save_record
from sklearn_nndyn.utils.losses.arrays import array_loss
from sklearn_nndyn.utils.text import counted
from sklearn_nndyn.utils.versions import versions

if TYPE_CHECKING:
    import pandas
    import xarray

    from sklearn_nndyn.displays import TrainingCurveDisplay


@dataclass(frozen=True, kw_only=True, eq=False)
class Dynamics:
    """What was seen of a training: read-only arrays, sample axis first.

    Epoch 0 is the network before its first update; epoch e is the network in evaluation mode, as if fit had
    stopped there. scikit-learn takes a record as an ``X``: it has a length and a shape, and its index is the
    sample.

    Parameters
    ----------
    y : array of shape (n_samples,)
        Labels as the user gave them: numbers, booleans or strings.
    classes : array of shape (n_classes,)
        The classes, sorted and without repeats.
    epochs : array of shape (n_epochs,)
        Recorded epochs, increasing. One within an epoch stands at a fraction: 0.5 is half of the first epoch's
        updates.
    sample_ids : array of shape (n_samples,), optional
        Names of the samples, integers or strings, each once: by them records of several runs, or of parts of a data
        set, are put together (see `align` and `concatenate_samples`).
    iterations : array of shape (n_epochs,), optional
        Updates of the weights before each recorded epoch, increasing integers.
    loss : array of shape (n_samples, n_epochs), optional
        The trained loss of each sample, float32, in the units of that loss (nats for ``"log"``).
    margin : array of shape (n_samples, n_epochs), optional
        Score of the true class minus the best other, float32, in the units of the network's outputs.
    prediction : array of shape (n_samples, n_epochs), optional
        Position of the predicted class in ``classes``, a small integer type; -1 where there is none.
    probability : array of shape (n_samples, n_epochs), optional
        Probability of the true class, float32, 0 to 1, by the link of the trained loss; None where it has none.
    scores : array of shape (n_samples, n_epochs, n_classes), optional
        Raw outputs of the network.
    gradient_norm : array of shape (n_samples, n_epochs), optional
        Euclidean norm of the gradient of each sample's loss in the parameters of the last layer (or of all
        layers, see :class:`~sklearn_nndyn.recording.Gradients`).
    centroids : dict of layer to array of shape (n_epochs, n_classes, width), optional
        Means of the unit-normalised activations of each class; nan for a class without samples.
    reconstruction : dict of layer to array of shape (n_samples, n_epochs), optional
        Squared error of giving the input back from the layer by a decoder that has not seen the sample, mean over
        the features (pixels) of the input, in their squared units.
    probe_accuracy : dict of layer to array of shape (n_epochs,), optional
        Accuracy, between 0 and 1, of a fresh classifier on the layer, on samples that it has not seen.
    weight_norms : dict of layer to array of shape (n_epochs,), optional
        Frobenius norms of the weights.
    header : dict, optional
        What else there is to tell of the fit: ``"loss"`` and ``"loss_facts"`` (see `loss_facts`), ``"split"``
        (``"train"`` or ``"validation"``), parameters, versions, seconds per epoch; ``"seed"``, which repeats the fit as
        ``random_state``, and ``"torch_seed"``, with which it seeded torch's generators. Kept as plain data: lists
        become tuples, NumPy scalars Python's, and what JSON cannot tell its ``repr``.

    Raises
    ------
    TypeError
        If a field holds the wrong kind of value. The message lists all of them.
    ValueError
        If shapes or values do not fit together. The message lists everything that does not.

    See Also
    --------
    load_dynamics : The record in a file written by ``save``.
    concatenate_epochs : One record of two that follow one another.

    Notes
    -----
    Arrays are read-only views, never copies: what is handed in keeps its memory layout.

    A cell, one sample at one epoch, that was never seen holds nan, and -1 in ``prediction``. Where loss, margin or
    scores are nan and the prediction is a class all the same (that of ``argmax``), -1 takes its place. What is
    derived leaves such cells out, see ``seen``.

    Examples
    --------
    >>> from sklearn_nndyn.dynamics import Dynamics
    >>> record = Dynamics(
    ...     y=["cat", "dog", "dog"],
    ...     classes=["cat", "dog"],
    ...     epochs=[0, 1],
    ...     loss=[[0.7, 0.2], [0.8, 0.9], [0.6, 0.1]],
    ...     prediction=[[0, 0], [0, 0], [1, 1]],
    ...     header={"loss": "log"},
    ... )
    >>> record
    Dynamics of 3 samples at 2 epochs
      epochs: 0, 1
      classes: 'cat', 'dog'
      trained loss: log
      fields: loss, prediction
    >>> record.correct[:, -1]
    array([ True, False,  True])
    >>> record[1:].loss
    array([[0.8, 0.9],
           [0.6, 0.1]])
    """

    y: np.ndarray
    classes: np.ndarray
    epochs: np.ndarray
    sample_ids: np.ndarray | None = None
    iterations: np.ndarray | None = None
    loss: np.ndarray | None = None
    margin: np.ndarray | None = None
    prediction: np.ndarray | None = None
    probability: np.ndarray | None = None
    scores: np.ndarray | None = None
    gradient_norm: np.ndarray | None = None
    centroids: Mapping[str, np.ndarray] = field(default_factory=dict)
    reconstruction: Mapping[str, np.ndarray] = field(default_factory=dict)
    probe_accuracy: Mapping[str, np.ndarray] = field(default_factory=dict)
    weight_norms: Mapping[str, np.ndarray] = field(default_factory=dict)
    header: Mapping = field(default_factory=dict)

    def __post_init__(self):
        self._freeze(self._values())
        check_fields(self)
        if self.prediction is not None:
            object.__setattr__(self, "prediction", read_only(prediction_where_seen(self)))

    def _freeze(self, values):
        for name, value in values.items():
            object.__setattr__(self, name, frozen_field(name, value))

    @classmethod
    def _trusted(cls, **values):
        """A record of labels and measurements that were checked before: they may be in a file, and are not read.

        That the fields exist, and have the types and shapes of a record, is checked all the same.
        """
        record = object.__new__(cls)
        missing = dict.fromkeys(one.name for one in dataclasses.fields(cls))
        unknown = values.keys() - missing.keys()
        if unknown:
            raise TypeError(f"got an unexpected keyword argument {min(unknown)!r}")
        record._freeze(missing | values)
        check_fields(record, values=False)
        return record

    def __reduce__(self):
        # Arrays come back writable from a pickle; made again, the record is read-only again.
        return _make, (type(self), self._values())

    def _values(self):
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}

    @classmethod
    def from_scores(
        cls,
        scores: Any,
        y: ArrayLike,
        *,
        classes: ArrayLike | None = None,
        epochs: ArrayLike | None = None,
        sample_ids: ArrayLike | None = None,
        loss: str | Callable = "log",
    ) -> Self:
        """A record of scores that lie in an array, from whatever training.

        Loss, margin, prediction and, for a loss with probabilities, the probability of the true class are computed,
        with NumPy alone.

        Parameters
        ----------
        scores : array of shape (n_samples, n_epochs, n_classes)
            Raw outputs, of NumPy or any library whose arrays have ``__array__`` or ``__dlpack__``; for probabilities
            give their logarithms. Nan in all columns where a sample was not seen. For two classes one column will do,
            (n_samples, n_epochs): the score of the second class against the first.
        y : array of shape (n_samples,)
            Labels: numbers, booleans or strings.
        classes : array of shape (n_classes,), optional
            All classes, sorted, in the order of the columns; by default those in ``y``.
        epochs : array of shape (n_epochs,), optional
            Numbers of the epochs; by default 0, 1, ..., of which 0 is the network before its first update.
        sample_ids : array of shape (n_samples,), optional
            Names of the samples, see `Dynamics`.
        loss : str or callable, default="log"
            A name that ``get_loss`` knows, with its default parameters; or a function of scores (n, n_classes) and
            positions of the true classes (n,), both arrays, that gives the losses (n,).

        Returns
        -------
        record : Dynamics
            A record with the fields ``loss``, ``margin``, ``prediction``, ``probability`` and ``scores``.

        Raises
        ------
        TypeError
            If something cannot be read as an array, or ``loss`` is neither a name nor a function.
        ValueError
            If shapes or values do not fit together, the scores are probabilities, or the loss is unknown.

        Examples
        --------
        >>> from sklearn_nndyn.dynamics import Dynamics
        >>> record = Dynamics.from_scores([[[0.0, 0.0], [2.0, 0.0]], [[0.0, 0.0], [0.5, 1.0]]], ["cat", "dog"])
        >>> record.loss.round(3)
        array([[0.693, 0.127],
               [0.693, 0.474]], dtype=float32)
        >>> record.accuracy
        array([0.5, 1. ])
        """
        scores = as_numpy("scores", scores)
        measure = array_loss(loss)
        y, classes = check_labels(y, classes)
        if scores.ndim not in (2, 3) or len(scores) != len(y):
            turned = scores.ndim == 3 and scores.shape[1] == len(y)
            raise ValueError(
                f"scores must be (n_samples, n_epochs, n_classes) with the {counted(len(y), 'sample')} of y; got "
                f"shape {scores.shape}.{' Give scores.swapaxes(0, 1): samples come first.' if turned else ''}"
            )
        epochs = np.arange(scores.shape[1]) if epochs is None else as_numpy("epochs", epochs)
        if epochs.shape != scores.shape[1:2]:
            raise ValueError(
                f"epochs must number the {counted(scores.shape[1], 'epoch')} of scores, its second axis; got shape "
                f"{epochs.shape}."
            )
        ids = None if sample_ids is None else as_numpy("sample_ids", sample_ids)
        bare = cls(y=y, classes=classes, epochs=epochs, sample_ids=ids)
        scores = check_scores(scores, (len(y), scores.shape[1]), len(classes), measure)
        header = {**measure.header(), "versions": versions()}
        fields: dict[str, Any] = {"scores": scores, **measure_epochs(scores, bare.target, measure)}
        return replace(bare, header=header, **fields)

    @classmethod
    def from_staged(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_ids: ArrayLike | None = None,
        loss: str | Callable = "log",
    ) -> Self:
        """A record of the stages of a fitted ensemble: the rounds of gradient boosting are the epochs.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``staged_predict_proba`` or ``staged_decision_function``, or a classifier of XGBoost or
            LightGBM, of which every round counts; or a Pipeline that ends in one, or a search over one.
        X : array-like of shape (n_samples, n_features)
            Samples, of the training or held out.
        y : array of shape (n_samples,)
            Their labels.
        sample_ids : array of shape (n_samples,), optional
            Names of the samples, see `Dynamics`.
        loss : str or callable, default="log"
            As in `from_scores`.

        Returns
        -------
        record : Dynamics
            At the epochs 1, 2, ..., the numbers of stages. Its scores are the decision function where its softmax
            gives the probabilities of the estimator, or where there are none; else logarithms of the probabilities.

        Raises
        ------
        TypeError
            If the estimator has no stages; those of a `DynamicsClassifier` are epochs, see its ``replay``.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        ValueError
            If ``X`` and ``y`` do not fit together, or ``y`` has labels that the estimator does not know.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.ensemble import GradientBoostingClassifier
        >>> from sklearn_nndyn.dynamics import Dynamics
        >>> X, y = load_iris(return_X_y=True)
        >>> boosted = GradientBoostingClassifier(n_estimators=20).fit(X, y)
        >>> Dynamics.from_staged(boosted, X, y).shape
        (150, 20)
        """
        y = as_numpy("y", y)
        scores, classes = staged_scores(estimator, X, len(y))
        epochs = np.arange(1, scores.shape[1] + 1)
        record = cls.from_scores(scores, y, classes=classes, epochs=epochs, sample_ids=sample_ids, loss=loss)
        return replace(record, header={**record.header, "estimator": type(estimator).__name__})

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.y)

    @property
    def n_epochs(self) -> int:
        """Number of recorded epochs."""
        return len(self.epochs)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def shape(self) -> tuple[int, int]:
        """(n_samples, n_epochs)."""
        return self.n_samples, self.n_epochs

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that were recorded."""
        return recorded_fields(self)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers whose activations were recorded, in the order of the forward pass."""
        return tuple(dict.fromkeys([*self.centroids, *self.reconstruction, *self.probe_accuracy]))

    @property
    def loss_facts(self) -> LossFacts:
        """The trained loss, as the header tells: ``name``, ``lower_bound``, ``unit``, ``proper`` and ``link``."""
        return read_loss_facts(self.header)

    @property
    def target(self) -> np.ndarray:
        """Position of each label in ``classes``, shape (n_samples,)."""
        return read_only(positions(self.y, self.classes)[0])

    @property
    def seen(self) -> np.ndarray:
        """Whether each sample was seen at each epoch, shape (n_samples, n_epochs): nothing of the cell is missing."""
        return read_only(seen_cells(self))

    @property
    def correct(self) -> np.ndarray:
        """Whether each sample was classified correctly, shape (n_samples, n_epochs); False where it was not seen."""
        prediction = self._recorded("prediction")
        return read_only(prediction == self.target.astype(prediction.dtype)[:, None])

    def _recorded(self, name: str) -> np.ndarray:
        require_fields(self, [name])
        return getattr(self, name)

    @property
    def error(self) -> np.ndarray:
        """Share of the seen samples misclassified, shape (n_epochs,): the error curve; nan where none was seen."""
        return read_only(accuracy_and_error(self._recorded("prediction"), self.target)[1])

    @property
    def accuracy(self) -> np.ndarray:
        """Share of the seen samples classified correctly, shape (n_epochs,); nan where none was seen."""
        return read_only(accuracy_and_error(self._recorded("prediction"), self.target)[0])

    def __len__(self) -> int:
        return self.n_samples

    def __getitem__(self, key: int | slice | Sequence | np.ndarray) -> Self:
        """The record of some samples; what belongs to layers as a whole stays as it is.

        Parameters
        ----------
        key : slice, int, sequence of int or of bool
            Samples by position, or by a mask. A slice gives views; a single int a record of one sample.

        Returns
        -------
        record : Dynamics
            The record of the chosen samples, at the same epochs.

        Raises
        ------
        TypeError
            If ``key`` reaches beyond the sample axis.
        IndexError
            If there is no such sample.
        """
        key = sample_key(key, self.n_samples)
        return self._selected("sample", key)

    def select_epochs(self, epochs: float | Sequence[float]) -> Self:
        """The record restricted to some of its epochs.

        Parameters
        ----------
        epochs : number or sequence of numbers
            Recorded epochs, in any order.

        Returns
        -------
        record : Dynamics
            The record of the same samples, at these epochs in increasing order. The header is not changed.

        Raises
        ------
        ValueError
            If an epoch was not recorded; the message names those that were.

        Examples
        --------
        >>> from sklearn_nndyn.dynamics import Dynamics
        >>> record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1, 2, 4], loss=[[4.0, 3.0, 2.0, 1.0]] * 2)
        >>> record.select_epochs([0, 4]).loss
        array([[4., 1.],
               [4., 1.]])
        """
        return self._at(epochs_key(epochs, self.epochs))

    def until(self, epoch: float) -> Self:
        """The record as if fit had stopped at ``epoch``, as views.

        Parameters
        ----------
        epoch : int or float
            A recorded epoch.

        Returns
        -------
        record : Dynamics
            The record of the same samples, at the epochs up to and including this one. The header is not changed.

        Raises
        ------
        ValueError
            If the epoch was not recorded; the message names those that were.

        Examples
        --------
        >>> from sklearn_nndyn.dynamics import Dynamics
        >>> record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1, 2, 4], loss=[[4.0, 3.0, 2.0, 1.0]] * 2)
        >>> record.until(2).epochs
        array([0, 1, 2])
        """
        return self._at(slice(0, epochs_key(one_epoch(epoch), self.epochs).stop))

    def _at(self, key):
        return self._selected("epoch", key)

    def _selected(self, axis, key):
        chosen = map_axis(axis, lambda position, array: take(array, key, position), self)
        return self._trusted(**self._values() | chosen)

    def save(self, path: str | os.PathLike) -> None:
        """Write the record to one safetensors file, from which ``load_dynamics`` makes it again.

        The file is written beside its place and moved there when it is whole and on the disk: a failure, a kill
        or a power cut leaves an older file as it was. There is no pickle in it.

        Parameters
        ----------
        path : str or os.PathLike
            File to write; by habit it ends in ``.safetensors``. ``~`` is the home folder, a link is followed. A file
            that is there keeps its mode; a new one has what the umask says.

        Raises
        ------
        TypeError
            If ``path`` is no path.
        FileNotFoundError
            If the folder of ``path`` does not exist.
        OSError
            If ``path`` is a folder (IsADirectoryError), a FIFO, a socket or a device, or cannot be written.
        ValueError
            If the labels are so long that a short file would take much memory when loaded (over 64 times its size).

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from sklearn_nndyn.dynamics import Dynamics, load_dynamics
        >>> record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0], loss=[[0.5], [1.5]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     record.save(Path(folder) / "record.safetensors")
        ...     again = load_dynamics(Path(folder) / "record.safetensors")
        >>> again.loss
        array([[0.5],
               [1.5]])
        """
        save_record(self, path)

    def to_frame(self) -> "pandas.DataFrame":
        """The samples as a long pandas table.

        Returns
        -------
        frame : pandas.DataFrame
            A row for each cell that was seen: n_samples * n_epochs rows where none is missing, sample by sample.
            Columns ``sample`` (position in this record), ``epoch``, ``y``, and of what was recorded ``loss``,
            ``margin``, ``probability``, ``gradient_norm``, ``prediction`` (the label) and ``correct``.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> from sklearn_nndyn.dynamics import Dynamics
        >>> record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1], loss=[[2.0, 1.0], [2.5, 0.5]])
        >>> record.to_frame()
           sample  epoch  y  loss
        0       0      0  0   2.0
        1       0      1  0   1.0
        2       1      0  1   2.5
        3       1      1  1   0.5
        """
        return to_frame(self)

    def to_xarray(self) -> "xarray.Dataset":
        """The whole record as an xarray Dataset of read-only arrays with named dimensions.

        Returns
        -------
        dataset : xarray.Dataset
            Dimensions ``sample``, ``epoch``, ``class``. Fields that belong to layers are named with theirs,
            ``centroids_<layer>``, whose last dimension is ``width_<layer>``; a colon stands for a slash. Where cells
            are missing, ``seen`` says which are not. The header is in ``attrs``, as netCDF can hold it: text and
            numbers as they are, all else as JSON; names that netCDF lacks together in ``attrs["header"]``.

        Raises
        ------
        ImportError
            If xarray is not installed.

        Examples
        --------
        >>> from sklearn_nndyn.dynamics import Dynamics
        >>> record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1], loss=[[2.0, 1.0], [2.5, 0.5]])
        >>> data = record.to_xarray()  # data.to_netcdf("run.nc") writes a file
        >>> data.loss.mean("sample").values
        array([2.25, 0.75])
        """
        return to_xarray(self)

    def plot(self, ax: Any = None, **style: Any) -> "TrainingCurveDisplay":
        """Draw mean and median loss of the samples, and accuracy, over the epochs.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of two of them, default=None
            Axes to draw on; None makes a new figure. See :meth:`TrainingCurveDisplay.plot`.
        **style : Any
            Keyword arguments of the lines.

        Returns
        -------
        display : TrainingCurveDisplay
            Drawn.

        Raises
        ------
        ValueError
            If loss or prediction was not recorded.

        Examples
        --------
        >>> from sklearn_nndyn.dynamics import Dynamics
        >>> loss, prediction = [[0.7, 0.3], [0.7, 0.9]], [[1, 0], [1, 0]]
        >>> record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1], loss=loss, prediction=prediction)
        >>> record.plot(linewidth=2).axes_[1].get_ylabel()
        'accuracy (share of samples)'
        """
        from sklearn_nndyn.displays import TrainingCurveDisplay

        return TrainingCurveDisplay.from_dynamics(self).plot(ax, **style)

    def __array__(self, *args, **kwargs):
        raise TypeError("A record is no array: give one that it holds, such as record.loss.")

    def __repr__(self):
        return as_text(self)

    def _repr_html_(self):
        return as_html(self)


def _make(kind, values):
    return kind(**values)
