"""A record and snapshots that go on in another process: what they gained, as plain data, and back."""

import numpy as np


def read_record(recorder, start):
    """What a recorder has recorded from its ``start``-th epoch on: epochs, and rows of the arrays by name."""
    buffers, stop = recorder.buffers, len(recorder.epochs)
    groups = {name: getattr(buffers, name) for name in ("fields", "centroids", "weight_norms")}
    rows = {name: {own: array[start:stop] for own, array in group.items()} for name, group in groups.items()}
    decoded = [
        {layer: values[start:stop] for layer, values in reader.values.items()} for reader in recorder.readers
    ]
    return {"epochs": recorder.epochs[start:], **rows, "decoded": decoded}


def restore_record(recorder, gained):
    """Give a recorder what `read_record` read."""
    buffers = recorder.buffers
    groups = {"centroids": buffers.centroids, "weight_norms": buffers.weight_norms}
    for name, group in groups.items():
        for layer, rows in gained[name].items():
            buffers.array_of_layer(group, layer, rows.shape[1:])
    new = buffers.new_rows(len(gained["epochs"]))
    for name, group in {**groups, "fields": buffers.fields}.items():
        for own, rows in gained[name].items():
            group[own][new] = rows
    for reader, decoded in zip(recorder.readers, gained["decoded"], strict=True):
        for layer, values in decoded.items():
            reader.values.setdefault(layer, []).extend(values)
    buffers.epochs.extend(gained["epochs"])


def read_snapshots(snapshots, start):
    """The snapshots from the ``start``-th on, as plain data; None where none are kept."""
    if snapshots is None:
        return None
    stop = len(snapshots.epochs)
    rows = [np.array(snapshots.row(i)) for i in range(start, stop)]
    return {"epochs": snapshots.epochs[start:], "rows": rows, "complete": snapshots.complete}


def restore_snapshots(snapshots, gained):
    """Give snapshots what `read_snapshots` read."""
    for epoch, row in zip(gained["epochs"], gained["rows"], strict=True):
        snapshots.add_row(row, epoch)
    snapshots.complete = snapshots.complete and gained["complete"]
