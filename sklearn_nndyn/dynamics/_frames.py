"""A record as a pandas table or an xarray Dataset."""

import re
from importlib import import_module

import numpy as np

from sklearn_nndyn.dynamics._fields import AXES, named_arrays
from sklearn_nndyn.dynamics.files._json import to_json

ATTRIBUTE = re.compile(r"(?!header$)[A-Za-z]\w*", re.ASCII)


def to_frame(record):
    """See ``Dynamics.to_frame``."""
    pandas = _imported("pandas", "to_frame")
    n_samples, n_epochs = record.shape
    ids = {} if record.sample_ids is None else {"sample_id": np.repeat(record.sample_ids, n_epochs)}
    columns = {
        "sample": np.repeat(np.arange(n_samples), n_epochs),
        **ids,
        "epoch": np.tile(record.epochs, n_samples),
        "y": np.repeat(record.y, n_epochs),
    }
    frame = pandas.DataFrame(columns | {name: values.ravel() for name, values in _by_sample(record)})
    seen = record.seen
    return frame if seen.all() else frame[seen.ravel()].reset_index(drop=True)


def _by_sample(record):
    for name in ("loss", "margin", "probability", "gradient_norm"):
        if getattr(record, name) is not None:
            yield name, getattr(record, name)
    if record.prediction is not None:
        yield "prediction", record.classes[record.prediction]
        yield "correct", record.correct


def to_xarray(record):
    """See ``Dynamics.to_xarray``."""
    xarray = _imported("xarray", "to_xarray")
    more = {"iteration": ("epoch", record.iterations), "sample_id": ("sample", record.sample_ids)}
    more = {name: (axis, values) for name, (axis, values) in more.items() if values is not None}
    coordinates = {"sample": np.arange(record.n_samples), "epoch": record.epochs, "class": record.classes}
    variables = {
        _named(field, layer): (_dimensions(field, layer), array)
        for field, layer, array in named_arrays(record)
        if field not in ("classes", "sample_ids", "epochs", "iterations")
    }
    if record.prediction is not None:
        variables["correct"] = (AXES["prediction"], record.correct)
    if not record.seen.all():
        variables["seen"] = (AXES["loss"], record.seen)
    return xarray.Dataset(variables, coords=coordinates | more, attrs=_attributes(record.header))


def _named(field, layer):
    return field if layer is None else f"{field}_{layer}".replace("/", ":")  # netCDF names have no slash


def _dimensions(field, layer):
    return tuple(_named("width", layer) if axis == "width" else axis for axis in AXES[field])


def _attributes(header):
    """The header as netCDF can hold it: names of letters and digits; text, numbers of 32 bits and floats, or JSON."""
    nameable = {
        key: value for key, value in header.items() if isinstance(key, str) and ATTRIBUTE.fullmatch(key)
    }
    rest = {key: value for key, value in header.items() if key not in nameable}
    attributes = {key: _attribute(value) for key, value in nameable.items()}
    return {**attributes, "header": to_json(rest)} if rest else attributes


def _attribute(value):
    is_number = type(value) is float or (type(value) is int and abs(value) < 2**31)
    is_text = type(value) is str and value.isprintable()
    return value if is_number or is_text else to_json(value)


def _imported(name, method):
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f'{method} needs {name}: pip install "sklearn-nndyn[frames]"') from error
