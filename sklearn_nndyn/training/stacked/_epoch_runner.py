"""One epoch of several fits, run as one."""

from contextlib import ExitStack

import numpy as np
import torch

from sklearn_nndyn.losses import LossStack
from sklearn_nndyn.recording import StackedRecorder
from sklearn_nndyn.training._epoch_loop import EpochLoop
from sklearn_nndyn.training._epoch_runner import computing_dtype
from sklearn_nndyn.training._hooks import first_rows
from sklearn_nndyn.training.batches._cutting import needs_two_rows
from sklearn_nndyn.training.stacked._mlp_step import StackedMLPStep
from sklearn_nndyn.training.stacked._module_step import StackedModuleStep
from sklearn_nndyn.training.stacked._parameters import StackedParameters, rate_and_decay
from sklearn_nndyn.training.stacked._row_sampler import StackedLoader, equal_slices
from sklearn_nndyn.utils.modules import (
    chunk_sizes,
    depends_on_the_batch,
    rows_per_chunk,
    weight_matrices,
    weight_norms,
)
from sklearn_nndyn.utils.networks.devices import sum_dtype


class StackedFit:
    """One fit among several.

    Parameters
    ----------
    fit : NetworkFit
    sampler : RowSampler
        The source of its rows.
    epochs : int

    Attributes
    ----------
    loop : EpochLoop
        Its own, for what is done for each network by itself.
    """

    def __init__(self, fit, sampler, epochs):
        self.fit, self.sampler = fit, sampler
        self.net, self.data, self.state = fit.net, fit.data, fit.state
        self.loop = EpochLoop(fit, epochs)
        self.fit.recording.recorders_run = False
        self.generator = torch.Generator(fit.data.X.device)
        self.before = None


class StackedEpochRunner:
    """Trains M networks, an epoch at a call.

    Parameters
    ----------
    members : list of StackedFit
        In the order of `in_order`.
    size : int or None
        Rows of a batch; None for full batches.
    began : bool, default=False
        Whether their first update together was made in another process.
    """

    def __init__(self, members, size, began=False):
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
        self.stack.update.began = began
        self.losses = LossStack([net.criterion_ for net in self.nets])
        self.step = self._make_step()
        self.is_mlp = isinstance(self.step, StackedMLPStep)
        self.changed = False
        self.evaluations = [one for name in ("train", "validation") for one in self._make_evaluations(name)]

    def _make_step(self):
        data = self.members[0].data
        if not StackedMLPStep.supports(self.nets[0].module_, data.X.shape[1:]):
            return StackedModuleStep(self.stack, self.losses)
        n_samples = len(data.X)
        own = next(self.nets[0].module_.parameters()).dtype
        loss = self.nets[0].criterion_
        dtype = computing_dtype(own, n_samples, self.size or n_samples, loss, data.X.device)
        self.batches.convert(dtype)
        return StackedMLPStep(self.stack, self.losses, [member.generator for member in self.members], dtype)

    def _make_evaluations(self, name):
        """An evaluation for each slice of members that record the same rows."""
        watched = [member.fit.watched.get(name) for member in self.members]
        slices = equal_slices([None if data is None else data.X.data_ptr() for data in watched])
        return [Evaluation(self, name, own) for own in slices if watched[own.start] is not None]

    def run_epoch(self):
        """Train on every row once; the mean loss of each fit, over its rows as of each one's batch."""
        with ExitStack() as streams:
            self._begin_epoch(streams)
            device = self.members[0].data.X.device
            total = torch.zeros(len(self.members), dtype=sum_dtype(device), device=device)
            with torch.no_grad():
                try:
                    for step, cuts in enumerate(self.batches()):
                        for run, x, y, weight in cuts:
                            total[run].add_(self.step(run, x, y, weight), alpha=y.shape[1])
                        self.stack.apply(self.step.collect(), step, self.step.keeps_gradients)
                finally:
                    self.stack.update.finish()
                    self.losses.train(False)
        finite = self.stack.finite()
        for member, is_finite in zip(self.members, finite, strict=True):
            member.fit.guard.finite = is_finite
        return [loss / n for loss, n in zip(total.tolist(), self.batches.n_rows, strict=True)]

    def _begin_epoch(self, streams):
        self.checkpoint = None  # not two at a time
        self.checkpoint = self.stack.checkpoint()
        for sampler in self.samplers:
            sampler.before = sampler.random_state.states
        for member in self.members:
            member.before = member.state.randomness.states
        self.changed = True
        for sampler in self.samplers:
            sampler.draw()
        for member in self.members if self.step.draws else ():
            streams.enter_context(member.state.randomness.as_generator(member.generator))
        self.losses.train()
        self.stack.update.refresh()

    def accept(self):
        """The epoch is over: it will not be undone."""
        self.changed = False

    @property
    def began(self):
        """Whether the first update was made."""
        return self.stack.update.began

    def share_states(self):
        """Give every network's optimizer and generator its own state, for others to read."""
        for i, member in enumerate(self.members):
            self.stack.share_state(i)
            member.state.shuffling.states = member.sampler.random_state.states

    def release(self, i, undo=False):
        """Detach one network: give it its own parameters, optimizer state and generator.

        With ``undo`` as they were before an epoch that was not accepted.
        """
        undo = undo and self.changed
        member = self.members[i]
        self.stack.release(i, self.checkpoint if undo else None)
        member.fit.guard.finite = member.fit.guard.losses = None
        member.state.shuffling.states = member.sampler.before if undo else member.sampler.random_state.states
        if undo:
            member.state.randomness.states = member.before

    def close(self):
        """After all were released: let go of the memory at once, and not when the garbage is collected."""
        self.evaluations.clear()
        self.members, self.checkpoint = [], None

    def evaluate(self, epoch):
        """Record all networks on the rows that they watch."""
        with np.errstate(over="ignore"):  # a network that has diverged is recorded before that is found
            norms = self._weight_norms(epoch)
            for evaluation in self.evaluations:
                evaluation(epoch, norms[evaluation.slice])
            self._measure_first_rows(epoch)

    def _weight_norms(self, epoch):
        """The weight norms of every network, read once for all evaluations; none where no geometry is recorded now."""
        if not any(one.is_due(epoch) and one.has_geometry for one in self.evaluations):
            return [{} for _ in self.nets]
        return weight_norms([weight_matrices(net.module_) for net in self.nets])

    def _measure_first_rows(self, epoch):
        """The losses by which `DivergenceGuard` judges the first and the last epoch, where they are not recorded."""
        fit = self.members[0].fit
        if epoch not in (0, fit.guard.last_epoch) or fit.recording.recorder_of("train", epoch) is not None:
            return
        for own in equal_slices([(member.data.X.data_ptr(), len(member.data.X)) for member in self.members]):
            members = self.members[own]
            first = first_rows(members[0].data.X)
            X = members[0].data.X[first]
            y = torch.stack([member.data.y[first] for member in members])
            with torch.no_grad():
                scores, _ = self.step.evaluate(own, X.flatten(1) if self.is_mlp else X)
                losses, _ = self.losses.of(own).value_and_probability(scores, y)
            for member, own_losses in zip(members, losses, strict=True):
                member.fit.guard.losses = own_losses


class Evaluation:
    """Some members of a stack, and rows that they all watch.

    Parameters
    ----------
    runner : StackedEpochRunner
    name : {"train", "validation"}
    own : slice
        Slice of the members.
    """

    def __init__(self, runner, name, own):
        self.runner, self.name, self.slice = runner, name, own
        self.members = runner.members[own]
        self.X = self.members[0].fit.watched[name].X
        self.schedule = self.members[0].fit.schedule
        recorders = [member.fit.recording.recorders.get(name) for member in self.members]
        self.recorder = None
        if recorders[0] is not None:
            small_chunks = not depends_on_the_batch(runner.nets[0].module_)
            self.recorder = StackedRecorder(recorders, runner.losses.of(own), small_chunks)

    @property
    def has_geometry(self):
        """Whether centroids and weight norms are recorded."""
        return "geometry" in self.recorder.entries

    def is_due(self, epoch):
        """Whether to record at this epoch."""
        return self.recorder is not None and self.schedule.is_due(epoch, None)

    def __call__(self, epoch, norms):
        with torch.no_grad():
            is_due = self.is_due(epoch)
            if is_due:
                own = norms if self.has_geometry else [{} for _ in norms]
                self.recorder.record(self._forward(), epoch, own)
            if self.name == "validation" and not (is_due and "samples" in self.recorder.entries):
                self._validate()

    def _validate(self):
        X = self.X.flatten(1) if self.runner.is_mlp else self.X
        chunks = X.split(chunk_sizes(len(X), rows_per_chunk(X.shape[1:])))
        scores = [self.runner.step.evaluate(self.slice, rows)[0] for rows in chunks]
        for member, own in zip(self.members, torch.cat(scores, 1), strict=True):
            member.fit.validator.scores = own

    def _forward(self):
        step = self.runner.step
        if not self.runner.is_mlp:
            return lambda rows: (*step.evaluate(self.slice, self.X[rows]), step.maps)
        if self._is_the_batch():
            return _slices(*self._evaluate_batch())
        X = self.X.flatten(1)
        return lambda rows: (*step.evaluate(self.slice, X[rows]), ())

    def _is_the_batch(self):
        """Whether the next step's forward pass is over these very rows, with nothing dropped."""
        step, own = self.runner.step, self.members[0].data.X
        return (
            self.runner.size is None
            and self.name == "train"
            and own.data_ptr() == self.X.data_ptr()
            and len(own) == len(self.X)
            and step.own_dtype
            and not step.draws
        )

    def _evaluate_batch(self):
        for run, x, y, _ in next(self.runner.batches()):
            if run.start <= self.slice.start < run.stop:
                own = slice(self.slice.start - run.start, self.slice.stop - run.start)
                scores, layers = self.runner.step.evaluate_batch(run, x, y.shape[1])
                return scores[own], {name: layer[own] for name, layer in layers.items()}
        raise AssertionError("every member has a batch")


def _slices(scores, layers):
    return lambda rows: (scores[:, rows], {name: layer[:, rows] for name, layer in layers.items()}, ())


def in_order(members):
    """Sorted so that what is done for several at once concerns neighbours."""
    seen = {}
    place = lambda key: seen.setdefault(key, len(seen))  # noqa: E731
    keys = {
        member: (
            -len(member.data.X),
            *rate_and_decay(member.net),
            place(member.fit.watched["train"].X.data_ptr()),
            place(member.sampler),
        )
        for member in members
    }
    return sorted(members, key=keys.__getitem__)
