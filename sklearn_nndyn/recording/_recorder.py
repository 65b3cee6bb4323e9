"""The only place where networks are evaluated for a record, live or replayed.

Long, for half of it is what a user of the class reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from sklearn_nndyn.dynamics import Dynamics
from sklearn_nndyn.losses import get_loss, is_known, loss_header
from sklearn_nndyn.recording._activations import SCORES, activations_of
from sklearn_nndyn.recording._buffers import RecordBuffers
from sklearn_nndyn.recording._geometry import Centroids, pooling_of_maps
from sklearn_nndyn.recording._given import check_decoded, placed, samples_and_labels
from sklearn_nndyn.recording._record import check_all_samples, check_record, layer_recordings, what_to_record
from sklearn_nndyn.recording._replay import replay
from sklearn_nndyn.recording._samples import measure_samples, stack_of
from sklearn_nndyn.recording._snapshots import Snapshots
from sklearn_nndyn.recording.decoders._base import LayerReader
from sklearn_nndyn.utils.modules import (
    as_stack_of_one,
    capture_activations,
    chunk_sizes,
    rows_per_chunk,
    weight_matrices,
    weight_norms,
)
from sklearn_nndyn.utils.networks.devices import few_copies
from sklearn_nndyn.utils.networks.evaluation import Evaluator, keeps_modes, unchanged
from sklearn_nndyn.utils.rows.arrays import Rows, whole
from sklearn_nndyn.utils.versions import versions


class Recorder:
    """Evaluate networks on the same samples at several epochs, and record loss, margin and more of each sample.

    For your own training loop: call `record` as often as the samples are to be recorded, and `dynamics` at the end.
    Networks are run in evaluation mode; neither they nor the global random generators are changed.

    Parameters
    ----------
    X : DataLoader, Dataset, array of shape (n_samples, ...), or dict of such
        The samples, of the training or held out. Of a loader its dataset and ``collate_fn`` are taken, not the order of
        its batches: row i of the record is sample i of the dataset, which gives (x, y), or a dict with ``"labels"``,
        and the same each time. Arrays by name are given to ``forward`` by name. A tensor, on the device of the network,
        is given to it as it is; what else there is goes to its device, floats in the dtype of its parameters.
    y : array of shape (n_samples,), default=None
        Class positions, 0 to n_classes - 1; left out where a dataset gives them.
    loss : str, ClassificationLoss, torch module or callable, default="log"
        Its per-sample value is recorded, without weights; see :func:`~sklearn_nndyn.losses.get_loss`.
    n_classes : int, default=None
        Number of classes; None takes the number of scores that the first network gives.
    record : collection of str or objects, default=("samples", "geometry")
        What to record: ``"samples"``, ``"geometry"``, ``"scores"``, ``"gradients"``, ``"reconstruction"``, ``"probe"``;
        in place of them also ``Geometry``, ``Gradients``, ``Reconstruction``, ``Probe``.
    capacity : int, default=32
        Number of epochs to allocate memory for; with more epochs the record is copied to larger arrays.
    reference : Recorder, default=None
        The recorder of the samples that decoders and probes learn from; call its `record` first at each epoch. Without
        one, they learn from the other folds of ``X``.
    score : bool, default=True
        Whether decoders and probes score ``X``; False for a recorder that is only a reference.

    Notes
    -----
    ``"samples"`` takes 13 bytes a sample and epoch (up to 127 classes), or 9 where the loss has no probabilities.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_nndyn.recording import Recorder
    >>> X, y = map(torch.tensor, load_iris(return_X_y=True))
    >>> net = torch.nn.Linear(4, 3, dtype=X.dtype)
    >>> optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    >>> recorder = Recorder(X, y)
    >>> for epoch in range(6):
    ...     recorder.record(net, epoch)
    ...     optimizer.zero_grad()
    ...     torch.nn.functional.cross_entropy(net(X), y).backward()
    ...     _ = optimizer.step()
    >>> recorder.dynamics().shape
    (150, 6)

    From the loader of a training:

    >>> from torch.utils.data import DataLoader, TensorDataset
    >>> loader = DataLoader(TensorDataset(X, y), batch_size=50, shuffle=True)
    >>> recorder = Recorder(loader)
    >>> recorder.record(net, 6)
    >>> recorder.dynamics().shape
    (150, 1)
    """

    def __init__(
        self,
        X: Any,
        y: Any = None,
        loss: Any = "log",
        *,
        n_classes: int | None = None,
        record: Sequence[Any] = ("samples", "geometry"),
        capacity: int = 32,
        reference: Recorder | None = None,
        score: bool = True,
    ) -> None:
        check_record(record)
        check_all_samples(record, "Recorder")
        samples, y = samples_and_labels(X, y)
        check_decoded(layer_recordings(record), samples)
        self._begin(samples, y, get_loss(loss), record, n_classes, capacity, reference, score)
        self._is_placed = samples is X

    def _begin(self, X, y, loss, record, n_classes, capacity, reference=None, score=True):
        self.X, self.y, self.loss, self._is_placed = X, y, loss, True
        named, recordings = what_to_record(record), layer_recordings(record)
        self.entries, self.gradients = frozenset(named), named.get("gradients")
        self.geometry = named.get("geometry")
        self.reference, self._evaluator = reference, Evaluator(self.y.device, is_known(self.loss))
        self._pool = None if recordings else pooling_of_maps(self.geometry)
        self.n_classes, self._capacity = n_classes, capacity
        self.readers: list[LayerReader] = [
            LayerReader(recording, self.X, self.y, reference and reference.readers[i], score)
            for i, recording in enumerate(recordings)
        ]
        self._buffers = None if n_classes is None else self._make_buffers()

    evaluates = True  # whether samples are recorded as the network gives them at the recorded epoch
    header_entries: Mapping[str, Any] = {}  # further ones of the record

    def _place(self, module):
        """Bring samples that were no tensor to the network."""
        if not self._is_placed:
            self.X, self.y = placed(self.X, self.y, module)
            self._evaluator = Evaluator(self.y.device, is_known(self.loss))
            for reader in self.readers:
                reader.place(self.X, self.y)
            self._is_placed = True

    def _make_buffers(self):
        probability = hasattr(self.loss, "predict_proba")
        return RecordBuffers(self.y, self.n_classes, self.entries, probability, self._capacity)

    @property
    def epochs(self) -> list[float]:
        """The recorded epochs."""
        return [] if self._buffers is None else self._buffers.epochs

    @property
    def buffers(self) -> RecordBuffers:
        """The arrays that hold the record."""
        if self._buffers is None:
            raise ValueError("Nothing has been recorded yet: call record(module, epoch) first.")
        return self._buffers

    @keeps_modes
    def record(self, module: torch.nn.Module, epoch: float, call: Callable | None = None) -> None:
        """Record one network.

        Parameters
        ----------
        module : torch.nn.Module
            The network.
        epoch : int or float
            The epoch of this record; greater than the last recorded one.
        call : callable, optional
            ``call(chunk)`` runs the network on a chunk of samples; None is ``module(chunk)``.

        Raises
        ------
        ValueError
            Where ``epoch`` does not come after the last recorded one, or the module gives no score for each class.
        """
        self._record(module, epoch, call)

    def _record(self, module, epoch, call=None):
        for last in self.epochs[-1:]:
            _check_follows(epoch, last)
        self._place(module)
        runs_alone = call is None and self.stackable and self.holds_arrays
        with self._evaluating(module, call, runs_alone) as captured:
            forward = captured
            if self.n_classes is None:
                with unchanged(module):
                    self._learn_n_classes(forward)
            if self.gradients is not None:
                self._measure_gradients(module, captured.layout)
            if self.readers:
                activations = activations_of(self.X, forward)
                forward = self._caching(activations)
            norms = weight_norms([captured.weights])[0] if self.geometry is not None else {}
            self._record_pass(as_stack_of_one(forward, captured), epoch, norms)
            for reader in self.readers:
                reader.read(reader.activations(activations, module), len(self.epochs) - 1)

    @contextmanager
    def _evaluating(self, module, call=None, runs_alone=True):
        """The forward pass of a network in evaluation, which also gives the hidden layers that are needed."""
        needs_layers = self.geometry is not None or bool(self.readers)
        with (
            self._evaluator(module, self.loss, runs_alone),
            capture_activations(module, call, needs_layers, self._pool) as captured,
        ):
            yield captured

    def _leaves_no_trace(self, module):
        """Whether an evaluation changes and draws nothing; False also where the first record has yet to show it."""
        return self._evaluator.loss_is_known and self._evaluator.leaves_no_trace(module)

    @keeps_modes
    def _record_together(self, module, epochs, load):
        """Record one network with several weights: each runs alone, and all are measured together.

        The network leaves no trace; ``load(i)`` gives it the weights of the i-th epoch.
        """
        runs = []
        with self._evaluating(module) as forward:
            for i in range(len(epochs)):
                load(i)
                runs.append(self._run_whole(module, forward))
            scores, means, norms = zip(*runs, strict=True)
            self._store_together(stack_of(scores), means, norms, epochs)

    def _run_whole(self, module, forward):
        """Scores, centroids and weight norms of a network that is run on all samples at once."""
        centroids = self._new_centroids()
        scores, layers, maps = as_stack_of_one(forward, forward)(whole(self.X))
        if centroids is None:
            return scores[0], {}, {}
        centroids.add(scores, layers, self.y, maps)
        return scores[0], centroids.means(), weight_norms([weight_matrices(module)])[0]

    def _store_together(self, scores, means, norms, epochs):
        new = self.buffers.new_rows(len(epochs))
        with few_copies(self.y.device) as write:
            self._store_samples(write, new, slice(0, len(self.y)), scores)
            stacked = {name: torch.cat([own[name] for own in means]) for name in means[0]}
            self.buffers.store_geometry(write, new, stacked, norms)
        self.epochs.extend(epochs)

    def replay(
        self, module: torch.nn.Module, snapshots: Snapshots, epochs: Sequence[float] | None = None
    ) -> None:
        """Record stored weights: these samples at epochs that were trained before.

        Parameters
        ----------
        module : torch.nn.Module
            The network whose weights were stored; it is not changed.
        snapshots : Snapshots
            The weights at some epochs.
        epochs : sequence of numbers, default=None
            Which of them, in their order; None is all.

        Raises
        ------
        ValueError
            For epochs of which there is no snapshot, or that do not come after the last recorded one.
        """
        epochs = snapshots.epochs if epochs is None else list(epochs)
        absent = [epoch for epoch in epochs if epoch not in snapshots.epochs]
        if absent:
            raise ValueError(f"There is no snapshot of epoch {absent[0]}; those kept are {snapshots.epochs}.")
        for last, epoch in pairwise([*self.epochs[-1:], *epochs]):
            _check_follows(epoch, last)
        self._place(module)
        replay(self, module, snapshots, epochs)

    def _learn_n_classes(self, forward):
        x, _ = next(iter(self._chunks()))
        scores, _ = forward(x)
        if scores.ndim != 2 or scores.shape[1] <= int(self.y.max()):
            raise ValueError(
                f"module must give a score for each class, (n_samples, n_classes), with y up to {int(self.y.max())}; "
                f"it gives {tuple(scores.shape)}."
            )
        self.n_classes = scores.shape[1]
        self._buffers = self._make_buffers()

    @property
    def stackable(self) -> bool:
        """Whether several networks can be recorded in one program."""
        return not self.readers and self.gradients is None

    @property
    def holds_arrays(self) -> bool:
        """Whether the samples are read without a loader, which may draw random numbers."""
        return isinstance(self.X, (torch.Tensor, Rows))

    def _measure_gradients(self, module, layout):
        start, new = 0, self.buffers.new_rows(1).start
        with few_copies(self.y.device) as write:
            for x, y in self._chunks():
                place = self.buffers.fields["gradient_norm"][new, start : start + len(y)]
                write(place, self.gradients.norms(module, self.loss, layout(x), y))
                start += len(y)

    def _caching(self, activations):
        """The forward pass of ``activations``, which also caches the layers that the readers use."""

        def forward(x):
            scores, layers = activations.forward(x)
            for reader in self.readers:
                reader.choose(list(layers))
            wanted = {name for reader in self.readers if reader.uses_cache for name in reader.layers}
            activations.cache_chunk({**layers, SCORES: scores}, wanted)
            return scores, layers

        return forward

    def _record_pass(self, forward, epoch, norms):
        """Record one network, chunk by chunk."""
        buffers, start = self.buffers, 0
        new, centroids = buffers.new_rows(1), self._new_centroids()
        with few_copies(self.y.device) as write:
            for x, y in self._chunks():
                scores, layers, maps = forward(x)
                self._store_samples(write, new, slice(start, start + len(y)), scores)
                if centroids is not None:
                    centroids.add(scores, layers, y, maps)
                start += len(y)
            if centroids is not None:
                buffers.store_geometry(write, new, centroids.means(), [norms])
        buffers.epochs.append(epoch)

    def _store_samples(self, write, new, samples, scores):
        """Write what scores (n_networks, n_samples, n_classes) say about a slice of the samples."""
        measured = {}
        if "samples" in self.entries:
            measured = measure_samples(scores, self.y[samples], self.loss)._asdict()
        self.buffers.store_samples(write, new, samples, scores, measured)

    def width_of_layers(self, module: torch.nn.Module) -> int:
        """Numbers in the centroids of a class, over all layers, found by a pass over two samples.

        Parameters
        ----------
        module : torch.nn.Module
            The network.

        Returns
        -------
        width : int
            The sum over the layers.
        """
        with self._evaluator(module, self.loss, False), capture_activations(module) as forward:
            scores, layers = forward(self.X[:2])
        named = {**layers, SCORES: scores}
        widths = [
            self.geometry.flatten(named[name][None], name in forward.maps).shape[-1]
            for name in self.geometry.choose(list(layers))
        ]
        return sum(widths)

    def _new_centroids(self):
        if self.geometry is None:
            return None
        return Centroids(self._counts, self.geometry)

    @cached_property
    def _counts(self):
        """Samples of each class; read once, for their number depends on the values."""
        return torch.bincount(self.y, minlength=self.n_classes)

    @cached_property
    def _positions(self):
        """Class positions on the host."""
        return self.y.cpu().numpy()

    def _chunks(self):
        if not self.holds_arrays:
            return self.X.chunks()
        if len(self._chunk_sizes) == 1:
            return [(whole(self.X), self.y)]
        return zip(self.X.split(self._chunk_sizes), self.y.split(self._chunk_sizes), strict=True)

    @cached_property
    def _chunk_sizes(self):
        return chunk_sizes(len(self.X), rows_per_chunk(self.X.shape[1:]))

    @property
    def losses(self) -> np.ndarray:
        """Losses in the last recorded epoch, (n_samples,)."""
        return self.buffers.fields["loss"][len(self.epochs) - 1]

    def mean_loss(self, weight: np.ndarray | None = None) -> float:
        """Mean loss in the last recorded epoch.

        Parameters
        ----------
        weight : ndarray of shape (n_samples,), default=None
            Weights of the samples; None for equal ones.

        Returns
        -------
        loss : float
            Over all samples.
        """
        values = self.losses
        return float(values.mean(dtype=np.float64) if weight is None else np.average(values, weights=weight))

    def accuracy(self, weight: np.ndarray | None = None) -> float:
        """Accuracy in the last recorded epoch.

        Parameters
        ----------
        weight : ndarray of shape (n_samples,), default=None
            Weights of the samples; None for equal ones.

        Returns
        -------
        accuracy : float
            Share of the samples, 0 to 1.
        """
        correct = self.buffers.fields["prediction"][len(self.epochs) - 1] == self._positions
        return float(np.average(correct, weights=weight))

    def dynamics(
        self,
        y: Any = None,
        classes: Any = None,
        header: Mapping[str, Any] | None = None,
        iterations: Any = None,
        sample_ids: Any = None,
    ) -> Dynamics:
        """Freeze what has been recorded so far.

        Parameters
        ----------
        y : array of shape (n_samples,), optional
            Labels as the user gave them; by default the class positions.
        classes : array of shape (n_classes,), optional
            The classes, in the order of the network's outputs; by default their positions.
        header : dict, optional
            Further entries of the record's header; the facts about the loss and the versions are added.
        iterations : dict, optional
            Updates before each recorded epoch, by epoch.
        sample_ids : array of shape (n_samples,), optional
            Names of the samples.

        Returns
        -------
        dynamics : Dynamics
            Views of the buffers, sample axis first.

        Raises
        ------
        ValueError
            If nothing has been recorded.
        """
        if not self.epochs:
            raise ValueError("Nothing has been recorded yet: call record(module, epoch) first.")
        return Dynamics(
            y=self._positions if y is None else y,
            classes=np.arange(self.buffers.n_classes) if classes is None else classes,
            sample_ids=sample_ids,
            iterations=None if iterations is None else np.array([iterations[epoch] for epoch in self.epochs]),
            **{reader.field: reader.recorded(len(self.epochs)) for reader in self.readers},
            **self.buffers.recorded(),
            header={
                **loss_header(self.loss),
                "versions": versions(),
                **self.header_entries,
                **(header or {}),
            },
        )


def _check_follows(epoch, last):
    if not epoch > last:
        raise ValueError(f"epoch must come after {last:g}, the last recorded one, got {epoch!r}.")


def recorder_of_fit(X, y, loss, record, **sizes):
    """A `Recorder` of what a fit has checked: samples and class positions on the device of its network."""
    recorder = Recorder.__new__(Recorder)
    recorder._begin(X, y, loss, record, **sizes)
    return recorder


def record_in_fit(recorder, module, epoch):
    """`Recorder.record` within a call that puts torch's modes and the generators back at its own end."""
    recorder._record(module, epoch)
