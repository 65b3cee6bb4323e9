"""All that one fit is at the end of an epoch, as plain data: a state, and what its record and history gained."""

from functools import cache
from itertools import islice

import torch

from sklearn_nndyn.losses import changing_state, is_known, load_changing_state
from sklearn_nndyn.recording import read_record, read_snapshots, restore_record, restore_snapshots
from sklearn_nndyn.training.checkpoint._attributes import attributes_of, load_attributes
from sklearn_nndyn.utils.digests import parameters_of

OF_MODULES = frozenset(vars(torch.nn.Module()))


@cache
def _of_optimizers():
    """Attributes of every optimizer; not found at the import, for the first optimizer has torch import its compiler."""
    return frozenset(vars(torch.optim.SGD([torch.zeros(1)], lr=1.0))) | {"_params", "_numel_cache"}


def state_of(fit, shuffling):
    """What training changes, beside record and history, at the end of an epoch; plain data, or a CannotSave.

    ``shuffling`` is the state of the generator that orders the rows.
    """
    net = fit.net
    return {
        "module": _state_of_module(net.module_, "module"),
        "loss": _state_of_loss(net.criterion_),
        "optimizer": _state_of_optimizer(net.optimizer_),
        "callbacks": _states_of_callbacks(net.callbacks_),
        "shuffling": shuffling,
        "generators": [generator.states for generator in fit.generators],
        "hooks": {name: hook.state_dict() for name, hook in fit.named_hooks().items()},
    }


def load_state(fit, state):
    """Bring a fit that has not begun to a state; the generator that orders the rows is left to the caller."""
    net = fit.net
    _load_module(net.module_, state["module"])
    _load_loss(net.criterion_, state["loss"])
    _load_optimizer(net.optimizer_, state["optimizer"])
    for (_, callback), own in zip(net.callbacks_, state["callbacks"], strict=True):
        load_attributes(callback, own)
    for generator, own in zip(fit.generators, state["generators"], strict=True):
        generator.states = own
    for name, hook in fit.named_hooks().items():
        hook.load_state_dict(net, state["hooks"][name])


def _parts(module):
    """(name, part) of the parts of a module that may have attributes of their own."""
    return [
        (name, part)
        for name, part in module.named_modules()
        if not type(part).__module__.startswith(("torch.nn.", "sklearn_nndyn.losses."))
    ]


def _state_of_module(module, where):
    saved = module.state_dict()
    others = {name: value for name, value in module.named_buffers() if name not in saved}
    return {
        "saved": dict(saved),
        "buffers": others,
        "trained": {name: p.requires_grad for name, p in module.named_parameters()},
        "attributes": {
            name: attributes_of(part, f"{where} {name}".rstrip(), OF_MODULES) for name, part in _parts(module)
        },
    }


def _load_module(module, state):
    module.load_state_dict(state["saved"])
    buffers, parts = dict(module.named_buffers()), dict(module.named_modules())
    with torch.no_grad():
        for name, value in state["buffers"].items():
            buffers[name].copy_(value)
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(state["trained"][name])
    for name, attributes in state["attributes"].items():
        load_attributes(parts[name], attributes)


def _state_of_loss(loss):
    if is_known(loss):
        return None
    return {"changing": changing_state(loss), "module": _state_of_module(loss, "loss")}


def _load_loss(loss, state):
    if state is not None:
        _load_module(loss, state["module"])
        load_changing_state(loss, state["changing"])


def _state_of_optimizer(optimizer):
    return {
        "kind": type(optimizer).__qualname__,
        **dict(optimizer.state_dict()),
        "attributes": attributes_of(optimizer, f"optimizer {type(optimizer).__name__}", _of_optimizers()),
    }


def _load_optimizer(optimizer, state):
    """Restore dtypes and memory layout of each parameter's state too; torch's own loading would convert it."""
    if state["kind"] != type(optimizer).__qualname__:
        raise ValueError(f"it holds the state of {state['kind']}, not of {type(optimizer).__qualname__}")
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer.state.clear()
    for place, own in state["state"].items():
        parameter = parameters[place]
        optimizer.state[parameter] = {name: _laid_out(value, parameter) for name, value in own.items()}
    for group, own in zip(optimizer.param_groups, state["param_groups"], strict=True):
        group.update({name: value for name, value in own.items() if name != "params"})
    load_attributes(optimizer, state["attributes"])


def _laid_out(value, parameter):
    if not torch.is_tensor(value):
        return value
    if value.shape == parameter.shape:
        return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
    return value.to(parameter.device) if value.ndim else value


def _states_of_callbacks(callbacks):
    return [
        attributes_of(
            callback, f"callbacks: {name} ({type(callback).__name__})", given=parameters_of(type(callback))
        )
        for name, callback in callbacks
    ]


class FitJournal:
    """What a fit's history and record gained since they were last read.

    Parameters
    ----------
    fit : NetworkFit
    """

    def __init__(self, fit):
        self.fit = fit
        self._written = dict.fromkeys(["history", "times", "iterations", "snapshots", *self._recorders], 0)

    @property
    def _recorders(self):
        return self.fit.recording.recorders

    def gained(self):
        """What was gained, as plain data, and how much it then is in all: `accept` it once it is written."""
        history, recording, start = self.fit.net.history, self.fit.recording, self._written
        entry = {
            "history": [dict(line) for line in history[start["history"] :]],
            "times": _later(recording.times, start["times"]),
            "iterations": _later(recording.iterations, start["iterations"]),
            "records": {name: read_record(own, start[name]) for name, own in self._recorders.items()},
            "snapshots": read_snapshots(recording.snapshots, start["snapshots"]),
        }
        return entry, self._lengths()

    def _lengths(self):
        recording = self.fit.recording
        snapshots = recording.snapshots
        return {
            "history": len(self.fit.net.history),
            "times": len(recording.times),
            "iterations": len(recording.iterations),
            "snapshots": 0 if snapshots is None else len(snapshots.epochs),
            **{name: len(recorder.epochs) for name, recorder in self._recorders.items()},
        }

    def accept(self, lengths):
        """What was gained is written."""
        self._written = lengths

    def restore(self, entry):
        """Give the fit what it once gained; entries in their order."""
        recording = self.fit.recording
        self.fit.net.history_.extend(entry["history"])
        recording.times.update(entry["times"])
        recording.iterations.update(entry["iterations"])
        for name, own in entry["records"].items():
            restore_record(self._recorders[name], own)
        if entry["snapshots"] is not None:
            restore_snapshots(recording.snapshots, entry["snapshots"])
        self.accept(self._lengths())


def _later(items, start):
    return [list(item) for item in islice(items.items(), start, None)]
