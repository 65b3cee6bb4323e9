"""Record stored weights, network by network; of few samples, several networks are measured together."""

from sklearn_nndyn.utils.modules import rows_per_chunk, score_in_chunks
from sklearn_nndyn.utils.networks.copying import copy_module
from sklearn_nndyn.utils.networks.evaluation import has_loading_hooks, is_plain, keeps_modes, unchanged
from sklearn_nndyn.utils.private_names import copy_all

STACK_BYTES = 64 * 2**20
MOST_NETWORKS = 64


def replay(recorder, module, snapshots, epochs):
    """Record ``module`` with the weights of each of ``epochs``.

    Every network runs alone, as in training, so that the record has the same bits; ``module`` is not changed.
    """
    module, recorder.loss = copy_module(module), copy_module(recorder.loss, "loss")
    start = 0
    while start < len(epochs):
        group = epochs[start : start + _size_of_group(recorder, module, snapshots)]
        if len(group) > 1:
            recorder._record_together(module, group, _loader(module, snapshots.stacked(group)))
        else:
            _record_alone(recorder, module, snapshots, *group)
        start += len(group)


def _record_alone(recorder, module, snapshots, epoch):
    module.load_state_dict(snapshots.state_dict(epoch))
    snapshots.load_loss(recorder.loss, epoch)
    if recorder.reference is not None:
        recorder.reference.record(module, epoch)
    recorder.record(module, epoch)


def _size_of_group(recorder, module, snapshots):
    """How many networks are measured together: as many as fit in the CPU cache."""
    if not (_is_small(recorder) and recorder._leaves_no_trace(module)):
        return 1
    cost = snapshots.state_size + 4 * len(recorder.y) * recorder.n_classes
    return max(1, min(MOST_NETWORKS, STACK_BYTES // cost))


def _is_small(recorder):
    """Whether the samples go through a network at once, and their scores are all that is measured."""
    samples = recorder.X
    return (
        recorder.stackable
        and recorder.holds_arrays
        and recorder.n_classes is not None
        and len(samples) <= rows_per_chunk(samples.shape[1:])
    )


def _loader(module, states):
    """``load(i)`` gives a module the i-th of some stacked states."""
    targets = module.state_dict()
    rows = [states[name].to(target.device).unbind() for name, target in targets.items()]
    if is_plain(module) and not has_loading_hooks(module):  # then this is all that load_state_dict does
        return lambda i: copy_all(list(targets.values()), [row[i] for row in rows])
    return lambda i: module.load_state_dict(dict(zip(targets, [row[i] for row in rows], strict=True)))


def staged_scores(module, snapshots, epochs, X):
    """Yield the scores (n_samples, n_classes) of ``X`` at each of ``epochs``, one network at a time."""
    module = keeps_modes(copy_module)(module)

    @keeps_modes
    def scores_at(epoch):
        module.load_state_dict(snapshots.state_dict(epoch))
        with unchanged(module):
            return score_in_chunks(module, X)

    yield from map(scores_at, epochs)
