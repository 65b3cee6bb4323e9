"""What tells one fit from another: its parameters, its data, and the versions of what computes it."""

from numbers import Integral

import numpy as np

from sklearn_nndyn.utils.digests import digest_of, digest_of_rows
from sklearn_nndyn.utils.validation import reraise_as
from sklearn_nndyn.utils.versions import versions

# They change nothing of what a fit computes.
BESIDE = ("checkpoint", "num_workers", "verbose", "warm_start")
LONGEST = 300  # characters of a parameter in a description


def check_checkpoint(estimator):
    """Whether the parameters allow to go on in another process.

    Raises
    ------
    ValueError
    """
    if estimator.checkpoint is None:
        return
    if not isinstance(estimator.random_state, (Integral, np.integer)):
        raise ValueError(
            f"checkpoint needs random_state to be a whole number, got {estimator.random_state!r}: another process "
            "cannot draw the same numbers, so it could not go on to the same result. Set random_state=0, for example."
        )
    if estimator.warm_start:
        raise ValueError(
            "checkpoint is of a whole fit, warm_start=True goes on from one: set warm_start=False, or leave checkpoint "
            "out."
        )


def identity_of(prepared, shared):
    """Digest and description (estimator, parameters and data in words) of a fit that is ready to be trained.

    ``shared`` is kept between the calls for several fits, so that the same rows are read once.
    """
    estimator = prepared.estimator
    parameters = {
        name: value for name, value in estimator.get_params(deep=False).items() if name not in BESIDE
    }
    data = _data(prepared.inputs, shared)
    kind = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    of_parameters = {name: digest_of(value, name) for name, value in parameters.items()}
    whole = {"kind": kind, "parameters": of_parameters, "data": data, "versions": versions()}
    return digest_of(whole, "the fit"), {
        "estimator": kind,
        "parameters": {name: _in_words(value, of_parameters[name]) for name, value in parameters.items()},
        "data": data,
        "versions": versions(),
    }


def _in_words(value, digest):
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    text = repr(value)
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return f"{text} ({digest[:8]})"


def _data(inputs, shared):
    """{name: text} of all that a fit is given beside its parameters."""
    found = {}
    for name, data in inputs.watched.items():
        found[f"{name} X"] = f"{tuple(data.X.shape)} {data.X.dtype} {_rows(data.X, shared)}"
        found[f"{name} y"] = digest_of(np.asarray(inputs.labels[name]), "y")
        if data.weight is not None:
            found[f"{name} weight"] = digest_of(data.weight, "sample_weight")
    if inputs.data.X is not inputs.watched["train"].X:
        found["trained rows"] = f"{tuple(inputs.data.X.shape)} {_rows(inputs.data.X, shared)}"
        found["trained labels"] = digest_of(inputs.data.y, "y")
    if inputs.data.weight is not None:
        found["weight"] = digest_of(inputs.data.weight, "sample_weight")
    others = [inputs.classes, inputs.dtype, inputs.seed, inputs.seen, inputs.rows, str(inputs.data.X.device)]
    others.append([len(inputs.data.X), str(inputs.data.X.dtype)])
    return {**found, "others": digest_of(others, "the data")}


def _rows(X, shared):
    """The digest of rows, found once for one object."""
    key = "digest", id(X)
    if key not in shared:
        with reraise_as("checkpoint: X cannot be read"):
            shared[key] = X, digest_of_rows(X)
    return shared[key][1]
