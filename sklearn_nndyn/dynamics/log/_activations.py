"""What is checked of the activations of a batch."""

from collections.abc import Mapping

import numpy as np

from sklearn_nndyn.dynamics.arrays._checks import as_numpy
from sklearn_nndyn.dynamics.log._cells import unit_rows
from sklearn_nndyn.utils.text import listed


def check_activations(activations, n_rows, widths):
    """Unit activations {layer: (batch, width)}; empty where none were given.

    ``widths`` are those of the layers logged before, empty at first.
    """
    if activations is None:
        return {}
    if not isinstance(activations, Mapping) or not all(isinstance(layer, str) for layer in activations):
        raise TypeError("activations must be a dictionary from a layer's name to an array.")
    if widths and set(activations) != set(widths):
        raise ValueError(
            f"activations has the layers {listed(activations)}; before they were {listed(widths)}."
        )
    return {layer: _checked(layer, values, n_rows, widths) for layer, values in activations.items()}


def _checked(layer, values, n_rows, widths):
    name = f"activations[{layer!r}]"
    values = as_numpy(name, values)
    if values.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold numbers, got {values.dtype}.")
    if values.ndim < 2 or len(values) != n_rows:
        raise ValueError(f"{name} must be ({n_rows} samples, width), got shape {values.shape}.")
    width = int(np.prod(values.shape[1:]))
    if widths.get(layer, width) != width:
        raise ValueError(f"{name} has {width} values for each sample; before there were {widths[layer]}.")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds values that are not finite.")
    return unit_rows(values)
