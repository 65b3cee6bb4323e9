"""What was logged at one epoch: a row for each sample, and sums over classes for each layer."""

import numpy as np

from sklearn_nndyn.dynamics._seen import NOT_SEEN
from sklearn_nndyn.dynamics.arrays._measure import empty_rows


class EpochCells:
    """One epoch of a log.

    Parameters
    ----------
    loss : ArrayLoss
        What is measured.
    n_samples, n_classes : int
        How many there are.
    empty : callable
        ``empty(shape, dtype)`` makes an array.
    """

    def __init__(self, loss, n_samples, n_classes, empty):
        self.rows = empty_rows(loss, (n_samples,), n_classes, empty)
        for name, row in self.rows.items():
            row[...] = NOT_SEEN if name == "prediction" else np.nan
        self.n_classes, self.empty = n_classes, empty
        self.sums, self.activated = {}, None

    @property
    def seen(self):
        """Whether each sample was logged, (n_samples,)."""
        return self.rows["prediction"] != NOT_SEEN

    def put(self, places, measured):
        """Write what was measured of a batch; it takes the place of what was logged of the same samples before."""
        for name, values in measured.items():
            self.rows[name][places] = values

    def add_activations(self, places, y_encoded, units):
        """Add unit activations {layer: (batch, width)} of the samples of which none were added before."""
        new = np.ones(len(places), bool) if self.activated is None else ~self.activated[places]
        activated = np.zeros(len(self.seen), bool)
        activated[places[new]] = True
        classes = y_encoded[places[new]]
        self.add_sums(
            {layer: class_sums(unit[new], classes, self.n_classes) for layer, unit in units.items()},
            activated,
        )

    def add_sums(self, sums, activated):
        """Add sums over classes {layer: (n_classes, width)}, of samples ``activated`` (n_samples,) that are all new."""
        if self.activated is None:
            self.activated = self.empty(activated.shape, bool)
            self.activated[...] = False
        self.activated |= activated
        for layer, more in sums.items():
            self.sums[layer] = self.sums[layer] + more if layer in self.sums else more

    def centroid(self, layer, y_encoded):
        """Mean unit activation of each class, (n_classes, width), nan for a class without samples; None without any."""
        if layer not in self.sums:
            return None
        counts = np.bincount(y_encoded[self.activated], minlength=self.n_classes)
        with np.errstate(invalid="ignore"):
            return self.sums[layer] / counts[:, None]


def class_sums(units, y_encoded, n_classes):
    """Sum of the rows of each class, (n_classes, width), in double precision."""
    order = np.argsort(y_encoded, kind="stable")
    present, starts = np.unique(y_encoded[order], return_index=True)
    sums = np.zeros((n_classes, units.shape[1]))
    if len(present):
        sums[present] = np.add.reduceat(units[order].astype(np.float64), starts, axis=0)
    return sums


def unit_rows(activation):
    """Rows divided by their Euclidean norms, in double precision; a row of zeros stays one."""
    activation = activation.reshape(len(activation), -1).astype(np.float64)
    norms = np.linalg.norm(activation, axis=1, keepdims=True)
    return np.divide(activation, norms, out=activation, where=norms > 0)
