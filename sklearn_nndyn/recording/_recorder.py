"""The only place that looks at a network, live or replayed."""

import numpy as np
import torch

from sklearn_nndyn.dynamics import Dynamics
from sklearn_nndyn.losses._facts import loss_header
from sklearn_nndyn.recording._activations import activations_of, named_layers
from sklearn_nndyn.recording._geometry import Centroids, weight_norms
from sklearn_nndyn.recording._record import layer_recordings, what_to_record
from sklearn_nndyn.recording._samples import measure_samples
from sklearn_nndyn.recording.decoders._base import LayerReader
from sklearn_nndyn.utils.modules import (
    capture_activations,
    chunk_sizes,
    evaluation_mode,
    rows_per_chunk,
    scores_of,
)
from sklearn_nndyn.utils.random import untouched_generators


class Recorder:
    """Looks at networks in evaluation mode and keeps what it sees of each sample.

    Knows nothing of who trains them. Arrays are laid out epoch by epoch, so a look writes where memory is
    contiguous, and handed out sample first; ``"samples"`` costs 13 bytes a sample and epoch (up to
    127 classes), or 9 where the loss has no probabilities.

    Parameters
    ----------
    X : tensor of shape (n_samples, ...)
        What is looked at, on the device of the network; or an object whose ``chunks()`` yields ``(x, y)`` of all rows
        in every pass.
    y : tensor of shape (n_samples,)
        Class positions.
    loss : ClassificationLoss
        Its per-sample value is recorded, without weights.
    n_classes : int
        Number of classes.
    record : collection of {"samples", "geometry", "scores", "gradients", "reconstruction", "probe"}
        What to keep; in place of the last three also ``Gradients``, ``Reconstruction``, ``Probe``.
    capacity : int
        Number of looks to make room for; more than that move what was seen to a larger place.
    reference : Recorder, optional
        Of the samples that decoders and probes learn from; it looks first. Without one, they learn from other folds
        of ``X``.
    score : bool, default=True
        Whether decoders and probes score ``X``; False for a recorder that only serves as a reference.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import get_loss
    >>> from sklearn_nndyn.recording import Recorder
    >>> X, y = torch.tensor([[0.0], [1.0]]), torch.tensor([0, 1])
    >>> recorder = Recorder(X, y, get_loss("l2"), n_classes=2, record=("samples",), capacity=1)
    >>> net = torch.nn.Linear(1, 2)
    >>> _ = torch.nn.init.zeros_(net.weight), torch.nn.init.zeros_(net.bias)
    >>> recorder.look(net, epoch=0)
    >>> recorder.mean_loss(), recorder.accuracy()
    (1.0, 0.5)
    """

    def __init__(self, X, y, loss, *, n_classes, record, capacity, reference=None, score=True):
        self.X, self.y, self.loss, self.reference = X, y, loss, reference
        named = what_to_record(record)
        self.n_classes, self.record, self.gradients = n_classes, frozenset(named), named.get("gradients")
        self.readers = [
            LayerReader(recording, X, y, reference and reference.readers[i], score)
            for i, recording in enumerate(layer_recordings(record))
        ]
        self.epochs = []
        self.rows = self._make_room(capacity)
        self.centroids, self.weight_norms = {}, {}
        self._capacity = capacity

    def _make_room(self, capacity):
        n = len(self.y)
        rows = {}
        if "samples" in self.record:
            position = np.min_scalar_type(-max(self.n_classes, 2))
            rows = {
                "loss": np.empty((capacity, n), np.float32),
                "margin": np.empty((capacity, n), np.float32),
                "prediction": np.empty((capacity, n), position),
            }
            if hasattr(self.loss, "predict_proba"):
                rows["probability"] = np.empty((capacity, n), np.float32)
        if "scores" in self.record:
            rows["scores"] = np.empty((capacity, n, self.n_classes), np.float32)
        if self.gradients is not None:
            rows["gradient_norm"] = np.empty((capacity, n), np.float32)
        return rows

    def look(self, module, epoch, call=None):
        """Look at one network: nothing of it, nor of the global generators, is changed.

        Parameters
        ----------
        module : torch.nn.Module
            The network.
        epoch : int or float
            The epoch to note.
        call : callable, optional
            How to run it on a chunk of rows, where that is not ``module(chunk)``.
        """
        taps = capture_activations(module, call) if self._needs_layers else _untapped(call or module)
        with torch.no_grad(), untouched_generators(self.y.device), evaluation_mode(module), taps as forward:
            if self.gradients is not None:
                self._measure_gradients(module)
            if self.readers:
                held = activations_of(self.X, forward)
                forward = self._holding(held)
            self.look_at_stack(_as_stack_of_one(forward), [epoch], [weight_norms(module)])
            for reader in self.readers:
                reader.read(reader.activations(held, module), len(self.epochs) - 1)

    @property
    def can_look_together(self):
        """Whether several networks can be looked at in one program."""
        return not self.readers and self.gradients is None

    @property
    def _needs_layers(self):
        return "geometry" in self.record or bool(self.readers)

    def _measure_gradients(self, module):
        start, new = 0, self.make_place(1).start
        for x, y in self._chunks():
            _copy(
                self.gradients.norms(module, self.loss, x, y),
                self.rows["gradient_norm"][new, start : start + len(y)],
            )
            start += len(y)

    def _holding(self, held):
        """Run the network as ``held`` does, and hold what the readers will ask for."""

        def forward(x):
            scores, layers = held.forward(x)
            for reader in self.readers:
                reader.choose(list(layers))
            wanted = {name for reader in self.readers if reader.takes_held for name in reader.layers}
            held.hold(named_layers(scores, layers), wanted)
            return scores, layers

        return forward

    def look_at_stack(self, forward, epochs, norms):
        """Look at several networks in one program.

        Parameters
        ----------
        forward : callable
            ``forward(x) -> (scores, layers)`` with a first axis for the networks.
        epochs : list of int
            The epoch of each network.
        norms : list of dict
            The weight norms of each network, by layer.
        """
        new = self.make_place(len(epochs))
        centroids = self.new_centroids()
        start = 0
        for x, y in self._chunks():
            scores, layers = forward(x)
            self.keep_samples(new, slice(start, start + len(y)), scores, self._measure(scores, y))
            if centroids is not None:
                centroids.add(layers, y)
            start += len(y)
        if centroids is not None:
            self.keep_geometry(new, centroids.means(), norms)
        self.epochs.extend(epochs)

    def _chunks(self):
        if not isinstance(self.X, torch.Tensor):
            return self.X.chunks()
        sizes = chunk_sizes(len(self.X), rows_per_chunk(self.X.shape[1:]))
        return zip(self.X.split(sizes), self.y.split(sizes), strict=True)

    def make_place(self, looks):
        """The next places in the arrays, a slice; there is room for them afterwards."""
        new = slice(len(self.epochs), len(self.epochs) + looks)
        if new.stop > self._capacity:
            self._grow(max(new.stop, 2 * self._capacity))
        return new

    def new_centroids(self):
        """Where the sums of a look come together, or None where geometry is not recorded."""
        return (
            Centroids(torch.bincount(self.y, minlength=self.n_classes)) if "geometry" in self.record else None
        )

    def _measure(self, scores, y):
        return measure_samples(scores, y, self.loss)._asdict() if "samples" in self.record else {}

    def _grow(self, capacity):
        for group in (self.rows, self.centroids, self.weight_norms):
            for name, array in group.items():
                group[name] = np.empty((capacity, *array.shape[1:]), array.dtype)
                group[name][: len(self.epochs)] = array[: len(self.epochs)]
        self._capacity = capacity

    def keep_samples(self, places, samples, scores, measured):
        """Write what was seen of some samples.

        Parameters
        ----------
        places, samples : slice
            Of the arrays' first and second axes.
        scores : tensor of shape (n_networks, n_samples, n_classes)
        measured : dict of str to tensors or arrays of shape (n_networks, n_samples)
            By field; empty where samples are not recorded.
        """
        for name in ("loss", "margin", "prediction", "probability") if measured else ():
            if name in self.rows:
                _copy(measured[name], self.rows[name][places, samples])
        if "scores" in self.record:
            _copy(scores, self.rows["scores"][places, samples])

    def keep_geometry(self, places, means, norms):
        """Write {layer: (n_networks, n_classes, width)} and a list of {layer: norm}."""
        for name, values in means.items():
            if name not in self.centroids:
                self.centroids[name] = np.empty((self._capacity, *values.shape[1:]), np.float32)
            _copy(values, self.centroids[name][places])
        for position, of_one in zip(range(places.start, places.stop), norms, strict=True):
            for name, value in of_one.items():
                self.weight_norms.setdefault(name, np.empty(self._capacity, np.float32))[position] = value

    def mean_loss(self):
        """Mean loss of the last look."""
        return float(self.rows["loss"][len(self.epochs) - 1].mean(dtype=np.float64))

    def accuracy(self):
        """Accuracy of the last look."""
        return float((self.rows["prediction"][len(self.epochs) - 1] == self.y.cpu().numpy()).mean())

    def dynamics(self, y, classes, header, iterations=None):
        """Freeze what has been seen so far.

        Parameters
        ----------
        y : array of shape (n_samples,)
            Labels as the user gave them.
        classes : array of shape (n_classes,)
            The classes, in the order of the network's outputs.
        header : dict
            What else to tell of the run; what there is to tell of the loss is added.
        iterations : dict, optional
            Updates before each look, by epoch.

        Returns
        -------
        dynamics : Dynamics
            Views of the recorded rows, sample axis first.
        """
        seen = len(self.epochs)
        rows = {name: array[:seen].swapaxes(0, 1) for name, array in self.rows.items()}
        return Dynamics(
            y=y,
            classes=classes,
            epochs=np.array(self.epochs),
            iterations=None if iterations is None else [iterations[epoch] for epoch in self.epochs],
            centroids={name: array[:seen] for name, array in self.centroids.items()},
            weight_norms={name: array[:seen] for name, array in self.weight_norms.items()},
            header={**loss_header(self.loss), **header},
            **{reader.field: reader.recorded(seen) for reader in self.readers},
            **rows,
        )


class _untapped:
    """Stands in for ``capture_activations`` where the hidden layers are not asked for."""

    def __init__(self, call):
        self.call = call

    def __enter__(self):
        return lambda x: (scores_of(self.call(x)), {})

    def __exit__(self, *_):
        pass


def _as_stack_of_one(forward):
    def stacked(x):
        scores, layers = forward(x)
        return scores[None], {name: activation[None] for name, activation in layers.items()}

    return stacked


def _copy(values, array):
    if isinstance(values, np.ndarray):
        array[...] = values
    else:
        torch.from_numpy(array).copy_(values)
