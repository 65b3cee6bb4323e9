"""The size of what a fit will record, with a warning before it begins where it is large."""

import tempfile

from sklearn_nndyn.utils.text import in_words
from sklearn_nndyn.utils.warnings import warn_user

LARGE = 2**30
LESS = {
    "samples": "record_epochs, Samples(indices=...)",
    "centroids": "record_epochs, Geometry(layers=...)",
    "snapshots": 'snapshots=10 (every tenth), "trainable" or False',
}


class LargeRecordWarning(UserWarning):
    """Given before training where the samples, centroids or snapshots that a fit records will pass 1 GiB.

    Parameters
    ----------
    message : str
        What will be how large, where it will be written, and how to have less.

    Examples
    --------
    >>> import warnings
    >>> from sklearn_nndyn.recording import LargeRecordWarning
    >>> warnings.simplefilter("ignore", LargeRecordWarning)  # where it is known and wanted
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)


def warn_of_size(recorders, module, snapshots, capacity, n_snapshots):
    """Say what will be large, where it will be written, and how to have less.

    ``capacity`` and ``n_snapshots`` are the numbers of epochs to record, and of those with weights, at most.
    """
    row = 0 if snapshots is None else snapshots.row_size
    sizes = {
        "samples": capacity * sum(recorder.buffers.row_bytes for recorder in recorders),
        "centroids": capacity * _centroid_bytes(recorders, module, capacity),
        "snapshots": n_snapshots * row,
    }
    large = {name: size for name, size in sizes.items() if size >= LARGE}
    if large:
        root = getattr(snapshots, "root", None)
        places = {"snapshots": f"to {root}"} if root else {}
        parts = [
            f"{name} {size / 2**30:.1f} GiB {places.get(name, _temporary())}" for name, size in large.items()
        ]
        less = "; ".join(LESS[name] for name in large)
        warn_user(
            f"This fit will record up to {in_words(parts)}. To have less: {less}.",
            LargeRecordWarning,
        )


def _temporary():
    return f"to temporary files in {tempfile.gettempdir()}"


def _centroid_bytes(recorders, module, capacity):
    """Bytes of the centroids of an epoch; 0 where they cannot be much, which is known without a pass."""
    watching = [recorder for recorder in recorders if recorder.geometry is not None]
    if not watching:
        return 0
    geometry, n_classes = watching[0].geometry, watching[0].n_classes
    of_a_number = 4 * n_classes * len(watching)
    most = sum(p.numel() for p in module.parameters())
    if geometry.pool != "flat" and capacity * of_a_number * most < LARGE:
        return 0
    return of_a_number * watching[0].width_of_layers(module)
