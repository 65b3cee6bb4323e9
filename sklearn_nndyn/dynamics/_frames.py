"""A record as a pandas table or an xarray Dataset."""

from importlib import import_module

import numpy as np

from sklearn_nndyn.dynamics._fields import AXES, named_arrays


def to_frame(record):
    """See ``Dynamics.to_frame``."""
    pandas = _imported("pandas", "to_frame")
    n_samples, n_epochs = record.shape
    columns = {
        "sample": np.repeat(np.arange(n_samples), n_epochs),
        "epoch": np.tile(record.epochs, n_samples),
        "y": np.repeat(record.y, n_epochs),
    }
    return pandas.DataFrame(columns | {name: values.ravel() for name, values in _by_sample(record)})


def _by_sample(record):
    for name in ("loss", "margin", "gradient_norm"):
        if getattr(record, name) is not None:
            yield name, getattr(record, name)
    if record.prediction is not None:
        yield "prediction", record.classes[record.prediction]
        yield "correct", record.correct


def to_xarray(record):
    """See ``Dynamics.to_xarray``."""
    xarray = _imported("xarray", "to_xarray")
    if record.iterations is not None:
        iterations = {"iteration": ("epoch", record.iterations)}
    else:
        iterations = {}
    coordinates = {"sample": np.arange(record.n_samples), "epoch": record.epochs, "class": record.classes}
    variables = {
        field if layer is None else f"{field}_{layer}": (_dimensions(field, layer), array)
        for field, layer, array in named_arrays(record)
        if field not in ("classes", "epochs", "iterations")
    }
    if record.prediction is not None:
        variables["correct"] = (AXES["prediction"], record.correct)
    return xarray.Dataset(variables, coords=coordinates | iterations, attrs=dict(record.header))


def _dimensions(field, layer):
    return tuple(f"width_{layer}" if axis == "width" else axis for axis in AXES[field])


def _imported(name, method):
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f'{method} needs {name}: pip install "sklearn-nndyn[frames]"') from error
