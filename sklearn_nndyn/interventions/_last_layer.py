"""The last layer of a fitted classifier as arrays, by its public methods: all that is known here of a network."""

import numpy as np

from sklearn_nndyn.analyzers.loss_tails import sample_log_loss, turning_position
from sklearn_nndyn.utils.validation import is_finite

METHODS = ("replay", "at_epoch", "activations")


def replay_scores(model, X, y, onset):
    """A record with ``scores`` as of the epochs that count, and the position of the turning epoch in it.

    With ``"auto"`` all recorded epochs are replayed, else ``onset`` and the last, which also stands for a turning epoch
    where the loss has none.
    """
    if is_finite(onset):
        last = model.at_epoch(-1).n_iter_
        if not 0 <= onset <= last:
            raise ValueError(f"onset must be a recorded epoch, the last is {last}; got {onset}.")
        record = model.replay(X, y, record=("scores",), epochs=sorted({onset, last}))
        if record.n_epochs == 1:
            return record, 0
    else:
        record = model.replay(X, y, record=("scores",))
    return record, turning_position(sample_log_loss(record.scores, record.target), record.epochs, onset)


def last_layer(model, X, scores, epoch):
    """H (n_samples, n_units), W (n_classes, n_units) and b with which the scores of ``X`` at an epoch are H W' + b.

    In float64; a layer without bias has zeros.
    """
    activations = _last_activations(model, X, epoch)
    state = {name: _array(values) for name, values in model.at_epoch(epoch).module_.state_dict().items()}
    shape = (scores.shape[1], activations.shape[1])
    names = [name for name, values in state.items() if values.shape == shape]
    for name in reversed(names):
        weight = state[name].astype(np.float64)
        bias = _bias_of(name, state, len(weight))
        if _gives(activations, weight, bias, scores):
            return activations, weight, bias
    raise ValueError(_not_linear(shape, names, state))


def _last_activations(model, X, epoch):
    try:
        activations = model.activations(X, layer=-1, epoch=epoch)
    except ValueError as error:
        if "hidden layers are" not in str(error):
            raise
        raise ValueError(
            "The network has no hidden layer, so there are no features that could grow. Use one with "
            "hidden layers, such as MLP((100,))."
        ) from error
    return activations.reshape(len(activations), -1).astype(np.float64)


def _array(tensor):
    """A tensor, wherever it lies, as an array: the only place where one is met."""
    return np.asarray(tensor.detach().cpu() if hasattr(tensor, "detach") else tensor)


def _bias_of(name, state, n_classes):
    bias = state.get(f"{name.removesuffix('weight')}bias", np.zeros(n_classes))
    return bias.astype(np.float64)


def _gives(activations, weight, bias, scores):
    """Whether H W' + b are the scores, up to the rounding of the sum that makes them."""
    rounding = 1e-3 * (np.abs(activations) @ np.abs(weight).T + np.abs(bias)).max()
    return bool((np.abs(activations @ weight.T + bias - scores) <= rounding).all())


def _not_linear(shape, names, state):
    tried = f"of {', '.join(names)}" if names else f"of shape {shape}, of which the network has none"
    return (
        "The last layer is not linear on the last hidden layer: with its activations H, scores are not H W' + b for "
        f"weights W {tried}. Growth can be measured where a network ends in a linear layer; its parameters are "
        f"{', '.join(state)}."
    )
