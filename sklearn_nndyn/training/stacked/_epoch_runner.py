"""One epoch of several fits, as one program."""

from contextlib import ExitStack

import numpy as np
import torch

from sklearn_nndyn.losses._stacked import LossStack
from sklearn_nndyn.recording._geometry import weight_norms
from sklearn_nndyn.recording._stacked import StackedRecorder
from sklearn_nndyn.training._epoch_runner import SMALL_FULL_BATCH, needs_two_rows
from sklearn_nndyn.training.stacked._mlp_step import StackedMLPStep
from sklearn_nndyn.training.stacked._module_step import StackedModuleStep
from sklearn_nndyn.training.stacked._parameters import StackedParameters
from sklearn_nndyn.training.stacked._row_sampler import StackedLoader, equal_slices
from sklearn_nndyn.utils.modules import chunk_sizes, depends_on_the_batch, rows_per_chunk


class StackedFit:
    """One fit in a program.

    Parameters
    ----------
    estimator : DynamicsClassifier
        Prepared: its net is made.
    task : FitInputs
    feed : RowSampler
        Where its rows come from.
    epochs : int
    """

    def __init__(self, estimator, task, sampler, epochs):
        self.estimator, self.task, self.sampler = estimator, task, sampler
        self.net, self.data = estimator.net_, task.data
        self.recording, self.training = estimator._plan(task, epochs)
        self.recording.looks = False
        self.generator = torch.Generator(task.data.X.device)
        self.before = None

    @property
    def lr(self):
        """The learning rate, for a message."""
        return float(self.net.optimizer_.param_groups[0]["lr"])

    def all_finite(self):
        """Whether every parameter is a finite number, as the program found."""
        return self.finite

    @property
    def validation(self):
        """The watcher that measures the validation samples, or None."""
        return next((w for w in self.training.hooks if hasattr(w, "scores")), None)


class StackedEpochRunner:
    """Trains M networks, an epoch at a call.

    Parameters
    ----------
    members : list of StackedFit
        In the order of `in_order`.
    size : int or None
        Rows of a batch; None for full batches.
    """

    def __init__(self, members, size):
        self.members, self.size = members, size
        self.nets = [member.net for member in members]
        samplers = list(dict.fromkeys(member.sampler for member in members))
        sampler_of = [samplers.index(member.sampler) for member in members]
        self.samplers = samplers
        merge_last = needs_two_rows(members[0].net.module_)
        data = [member.data for member in members]
        dtype = next(members[0].net.module_.parameters()).dtype
        self.batches = StackedLoader(data, samplers, sampler_of, size, dtype, merge_last)
        self.stack = StackedParameters(self.nets, self.batches.steps)
        self.losses = LossStack([member.estimator.loss_ for member in members])
        self.step = self._make_step()
        for member in members:
            member.net.runner_ = member
        self.changed = False
        self.looks = [look for name in ("train", "validation") for look in self._make_looks(name)]

    def _make_step(self):
        data = self.members[0].data
        if not StackedMLPStep.takes(self.nets[0].module_, data.X.shape[1:]):
            return StackedModuleStep(self.stack, self.losses)
        dtype = computing_dtype(self.members[0], self.size)
        self.batches.convert(dtype)
        return StackedMLPStep(self.stack, self.losses, [member.generator for member in self.members], dtype)

    def _make_looks(self, name):
        """A look for each run of members that watch the same rows."""
        watched = [member.task.watched.get(name) for member in self.members]
        runs = equal_slices([None if data is None else data.X.data_ptr() for data in watched])
        return [Look(self, name, run) for run in runs if watched[run.start] is not None]

    def run_epoch(self):
        """Train on every row once; the mean loss of each fit, over its rows as of each one's batch."""
        with ExitStack() as streams:
            self._begin_epoch(streams)
            total = torch.zeros(len(self.members), dtype=torch.float64, device=self.members[0].data.X.device)
            with torch.no_grad():
                try:
                    for step, cuts in enumerate(self.batches()):
                        for run, x, y, weight in cuts:
                            total[run].add_(self.step(run, x, y, weight), alpha=y.shape[1])
                        self.stack.apply(self.step.collect(), step)
                finally:
                    self.stack.update.finish()
        finite = self.stack.finite()
        for member, is_finite in zip(self.members, finite, strict=True):
            member.finite = is_finite
        return [loss / n for loss, n in zip(total.tolist(), self.batches.n_rows, strict=True)]

    def _begin_epoch(self, streams):
        self.moment = self.stack.moment()
        for sampler in self.samplers:
            sampler.before = sampler.random_state.states
        for member in self.members:
            member.before = member.estimator._randomness.states
        self.changed = True
        for sampler in self.samplers:
            sampler.draw()
        for member in self.members if self.step.draws else ():
            streams.enter_context(member.estimator._randomness.as_generator(member.generator))
        self.stack.update.refresh()

    def accept(self):
        """The epoch is over: it will not be undone."""
        self.changed = False

    def release(self, i, undo=False):
        """Part with a member: its network, optimizer and random numbers are its own again.

        With ``undo`` as they were before an epoch that was not accepted.
        """
        undo = undo and self.changed
        member = self.members[i]
        self.stack.release(i, self.moment if undo else None)
        vars(member.net).pop("runner_", None)
        member.estimator._shuffling.states = (
            member.sampler.before if undo else member.sampler.random_state.states
        )
        if undo:
            member.estimator._randomness.states = member.before

    def close(self):
        """After all were released: give back the memory at once, and not when the garbage is collected."""
        vars(self).clear()
        self.members = []

    def look(self, epoch):
        """Look at all networks, at the rows that they watch."""
        with np.errstate(over="ignore"):  # a network that has diverged is looked at before that is found
            for look in self.looks:
                look(epoch)


class Look:
    """Some members of a program, and rows that they all watch.

    Parameters
    ----------
    program : StackedEpochRunner
    name : {"train", "validation"}
    run : slice
        Of the members.
    """

    def __init__(self, program, name, run):
        self.program, self.name, self.run = program, name, run
        self.members = program.members[run]
        self.X = self.members[0].task.watched[name].X
        self.record_schedule = self.members[0].recording.record_schedule
        recorders = [member.recording.recorders.get(name) for member in self.members]
        self.joint = None
        if recorders[0] is not None:
            small_chunks = not depends_on_the_batch(program.nets[0].module_)
            self.joint = StackedRecorder(recorders, program.losses.of(run), small_chunks)

    def __call__(self, epoch):
        with torch.no_grad():
            looks = self.joint is not None and self.record_schedule.schedule(epoch)
            if looks:
                geometry = "geometry" in self.joint.record
                norms = [weight_norms(member.net.module_) if geometry else {} for member in self.members]
                self.joint.look(self._forward(), epoch, norms)
            if self.name == "validation" and not (looks and "samples" in self.joint.record):
                self._validate()

    def _validate(self):
        X = self.X.flatten(1) if isinstance(self.program.step, StackedMLPStep) else self.X
        chunks = X.split(chunk_sizes(len(X), rows_per_chunk(X.shape[1:])))
        scores = [self.program.step.look(self.run, x)[0] for x in chunks]
        for member, own in zip(self.members, torch.cat(scores, 1), strict=True):
            member.validation.scores = own

    def _forward(self):
        step = self.program.step
        if not isinstance(step, StackedMLPStep):
            return lambda rows: step.look(self.run, self.X[rows])
        if self._is_the_batch():
            return _slices(*self._look_at_batch())
        X = self.X.flatten(1)
        return lambda rows: step.look(self.run, X[rows])

    def _is_the_batch(self):
        """Whether the next step's forward pass is over these very rows, with nothing dropped."""
        step, own = self.program.step, self.members[0].data.X
        return (
            self.program.size is None
            and self.name == "train"
            and own.data_ptr() == self.X.data_ptr()
            and len(own) == len(self.X)
            and step.own_dtype
            and not step.draws
        )

    def _look_at_batch(self):
        for run, x, y, _ in next(self.program.batches()):
            if run.start <= self.run.start < run.stop:
                own = slice(self.run.start - run.start, self.run.stop - run.start)
                scores, layers = self.program.step.look_at_batch(run, x, y.shape[1])
                return scores[own], {name: layer[own] for name, layer in layers.items()}
        raise AssertionError("every member has a batch")


def _slices(scores, layers):
    return lambda rows: (scores[:, rows], {name: layer[:, rows] for name, layer in layers.items()})


def computing_dtype(member, size):
    """In which a step of a chain is computed, as in a fit by itself."""
    n_rows = len(member.data.X)
    if size is None and n_rows <= SMALL_FULL_BATCH:
        return torch.float64
    return next(member.net.module_.parameters()).dtype


def in_order(members):
    """Sorted so that what is done for several at once concerns neighbours."""
    seen = {}
    place = lambda key: seen.setdefault(key, len(seen))  # noqa: E731
    keys = {
        member: (
            -len(member.data.X),
            member.lr,
            float(member.net.optimizer_.param_groups[0].get("weight_decay", 0)),
            place(member.task.watched["train"].X.data_ptr()),
            place(member.sampler),
        )
        for member in members
    }
    return sorted(members, key=keys.__getitem__)
