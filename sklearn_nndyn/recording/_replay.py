"""Record stored weights: all epochs in one vectorized program where the module allows it."""

import torch
from torch.func import functional_call, vmap

from sklearn_nndyn.losses import is_known
from sklearn_nndyn.recording._geometry import weight_norms
from sklearn_nndyn.utils.modules import (
    capture_activations,
    inputs_of,
    rows_per_chunk,
    score_in_chunks,
    scores_of,
)
from sklearn_nndyn.utils.networks.copying import copy_module
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode
from sklearn_nndyn.utils.networks.modes import keeps_modes
from sklearn_nndyn.utils.random import fixed_generators
from sklearn_nndyn.utils.signals import raised_by_handler

STACK_BYTES = 64 * 2**20
MOST_NETWORKS = 64


def replay(recorder, module, snapshots, epochs):
    """Record ``module`` with the weights of each of ``epochs``.

    Parameters
    ----------
    recorder : Recorder
        The recorder to fill.
    module : torch.nn.Module
        A network with the same state layout; it is not changed.
    snapshots : Snapshots
        The weights.
    epochs : list of int
        Some of the epochs in ``snapshots``.
    """
    module, recorder.loss = copy_module(module), copy_module(recorder.loss, "loss")
    # A user's loss may change from epoch to epoch, and may draw random numbers.
    stackable = recorder.stackable and is_known(recorder.loss)
    for group in _groups(epochs, snapshots, recorder):
        if len(group) > 1 and stackable and _record_stack(recorder, module, snapshots, group):
            continue
        for epoch in group:
            module.load_state_dict(snapshots.state_dict(epoch))
            snapshots.load_loss(recorder.loss, epoch)
            if recorder.reference is not None:
                recorder.reference.record(module, epoch)
            recorder.record(module, epoch)


def staged_scores(module, snapshots, epochs, X):
    """Yield the scores (n_samples, n_classes) of ``X`` at each of ``epochs``, one network at a time."""
    module = keeps_modes(copy_module)(module)

    @keeps_modes
    def scores_at(epoch):
        module.load_state_dict(snapshots.state_dict(epoch))
        return score_in_chunks(module, X)

    yield from map(scores_at, epochs)


def _groups(epochs, snapshots, recorder):
    """Groups of epochs whose networks and activations fit in the CPU cache; larger groups are no faster."""
    if not recorder.holds_arrays:
        return [[epoch] for epoch in epochs]
    X = recorder.X
    rows = min(len(X), rows_per_chunk(X.shape[1:]))
    cost = snapshots.state_size + rows * X[:1].nbytes
    size = max(1, min(MOST_NETWORKS, STACK_BYTES // cost))
    alone = 0 if recorder.n_classes else 1  # the first network tells how many classes there are
    return [epochs[:alone]] * alone + [epochs[i : i + size] for i in range(alone, len(epochs), size)]


def _record_stack(recorder, module, snapshots, epochs):
    """Whether the module could be run as a stack; if not, nothing has been recorded."""
    states = {name: values.to(recorder.X.device) for name, values in snapshots.stacked(epochs).items()}
    maps = set()
    forward = vmap(_run_with_state(module, recorder.geometry is not None, maps), in_dims=(0, None))
    try:
        with torch.no_grad(), fixed_generators(recorder.X.device), evaluation_mode(module):
            recorder.record_stack(
                lambda x: (*forward(states, x), maps), epochs, _norms(module, states, len(epochs))
            )
    except Exception as error:
        if raised_by_handler(error):
            raise
        # What vmap cannot batch is run network by network; an error of the module itself is raised again there.
        return False
    return True


def _run_with_state(module, layers, maps):
    """The function that ``vmap`` runs; it notes which layers are feature maps."""

    def run(state, x):
        def call(x):
            return functional_call(module, state, *inputs_of(x))

        if not layers:
            return scores_of(call(x)), {}
        with capture_activations(module, call) as forward:
            found = forward(x)
            maps.update(forward.maps)
            return found

    return run


def _norms(module, states, n_networks):
    norms = []
    for i in range(n_networks):
        module.load_state_dict({name: values[i] for name, values in states.items()})
        norms.append(weight_norms(module))
    return norms
