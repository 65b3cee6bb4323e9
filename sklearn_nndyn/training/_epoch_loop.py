"""The epoch loop: order of callbacks, rollback of a failed epoch."""

from contextlib import contextmanager, nullcontext
from itertools import islice

import torch

from sklearn_nndyn.training._epoch_runner import EpochRunner
from sklearn_nndyn.training._rollback import TrainingCheckpoint
from sklearn_nndyn.training.checks._callbacks import restored_epoch
from sklearn_nndyn.utils.random import settled_generators
from sklearn_nndyn.utils.signals import Signals


class EpochLoop:
    """The epochs of one fit, with the hooks and skorch's notifications around each.

    `run` trains one fit. Where several are trained together, `StackedEpochLoop` calls `begin`, `begin_epoch`,
    `end_epoch`, `call_callbacks` and `end` of each.

    Parameters
    ----------
    fit : NetworkFit
    epochs : int, optional
        Number of epochs; None is ``fit.epochs``.

    Attributes
    ----------
    interrupted : bool
        Whether a keyboard interrupt ended the training; the interrupted epoch is rolled back.
    begun : bool
        Whether the network before its first update was seen by all hooks; before that there is nothing to keep.
    signals : Signals
        Those that wait from one epoch to the next, and are heard within.
    finished : bool
        Whether the state on the disk is one of a training that is over.
    """

    def __init__(self, fit, epochs=None):
        self.fit, self.net, self.epochs = fit, fit.net, fit.epochs if epochs is None else epochs
        fit.begin(self.epochs)
        self.datasets = {"dataset_train": fit.data, "dataset_valid": fit.validation}
        # Callbacks may draw random numbers: they draw the fit's own.
        self.around_callbacks = fit.state.randomness if fit.has_callbacks else nullcontext()
        self.interrupted = self.finished = self.begun = False
        self.signals = Signals()

    def run(self, epochs=None, begun=False):
        """Train this fit alone.

        Parameters
        ----------
        epochs : int, optional
            Number of epochs left to train; None is all.
        begun : bool, default=False
            Whether `begin` was called already, and earlier epochs were trained.
        """
        with self.fit.state.shuffling.as_generator(torch.Generator()) as generator:
            self.begun = begun
            try:
                trained = 0 if begun else self._begin_or_go_on(generator)
                self._run_epochs(
                    (self.epochs if epochs is None else epochs) - trained, generator, trained > 0
                )
            except StopTraining:
                self._save(generator, finished=not self.interrupted)
            else:
                self._save(generator, finished=True)
            finally:
                self.end()
            self.notify_end()

    def _begin_or_go_on(self, generator):
        """Before the first epoch, or after the last one of another process; the number of epochs that were trained."""
        try:
            self.signals.hear()
            self.notify_begin()
            found = None if self.fit.checkpoint is None else self.fit.checkpoint.go_on([self.fit])
            if found is None:
                self.begin_hooks()
                self._check_checkpoint(generator)
        finally:
            self.signals.held = True
        self.begun = True
        if found is None:
            return 0
        generator.set_state(found["members"][0]["shuffling"])
        self.finished = found["finished"]
        return found["epoch"]

    def _check_checkpoint(self, generator):
        if self.fit.checkpoint is not None:
            self.fit.checkpoint.check([generator.get_state()])

    def _save(self, generator, finished=False):
        """Write the state, where it is time."""
        checkpoint = self.fit.checkpoint
        if (
            checkpoint is not None
            and not self.finished
            and (finished or self.interrupted or checkpoint.is_due)
        ):
            checkpoint.save([generator.get_state()], len(self.net.history), finished)
            self.finished = finished

    def _run_epochs(self, epochs, generator, went_on=False):
        fit = self.fit
        runner = EpochRunner(self.net, fit.data, fit.state.randomness, went_on, fit.transform, fit.autocast)
        shuffler = generator if fit.shuffle else None
        for _ in range(epochs):
            if self.wants_to_stop or self.finished:
                break
            with self._undone_on_error(shuffler):
                try:
                    self.signals.hear()
                    self._run_epoch(runner, shuffler)
                finally:
                    self.signals.held = True
            self.call_callbacks()
            self._save(generator)

    def _run_epoch(self, runner, shuffler):
        self.begin_epoch()
        order = draw_order(self.fit.data.X, shuffler)
        watch = self.fit.recording.watch(self.net, order)
        if self.net.needs_batches:
            fit = self.fit
            changes = fit.transform, fit.autocast
            self.net.run_batches(order, self.datasets, fit.state.randomness, self._on_step, watch, *changes)
        else:
            loss = runner.run_epoch(order, self._on_step, watch)
            self.net.note_loss(loss, len(self.fit.data.X), runner.batches.steps)
        self.end_epoch()

    @contextmanager
    def _undone_on_error(self, shuffler):
        """Roll an epoch back that ends with an exception."""
        before = TrainingCheckpoint(self.net, shuffler, self.fit.generators)
        try:
            with settled_generators():
                yield
        except KeyboardInterrupt as interrupt:
            before.restore()
            self.interrupted = True
            raise StopTraining from interrupt
        except BaseException:
            before.restore()
            raise

    @property
    def _on_step(self):
        """The function to call after every update, or None."""
        watching = [hook for hook in self.fit.hooks if hook.watches_steps]
        if not watching:
            return None

        def on_step(step):
            for hook in watching:
                hook.on_step(self.net, step)

        return on_step

    @property
    def wants_to_stop(self):
        """Whether a hook asks for the end of training."""
        return any(hook.wants_to_stop for hook in self.fit.hooks)

    def begin(self):
        """Before the first epoch."""
        self.notify_begin()
        self.begin_hooks()
        self.begun = True

    def notify_begin(self):
        """The user's callbacks see the beginning of a training, also of one that goes on."""
        self._notify("on_train_begin", X=self.fit.data.X, y=self.fit.data.y)
        check_optimizer_holds_network(self.net, "on_train_begin")

    def begin_hooks(self):
        """The hooks see the network before its first update."""
        self._call_hooks("on_train_begin")

    def begin_epoch(self):
        """Before an epoch is trained."""
        self._call_hooks("on_epoch_begin")
        self._notify("on_epoch_begin", **self.datasets)
        if self.fit.has_callbacks:
            check_optimizer_holds_network(self.net, "on_epoch_begin")

    def end_epoch(self):
        """After an epoch was trained: the hooks complete its line of the history."""
        self._call_hooks("on_epoch_end")
        mark_best(self.net.history)

    def call_callbacks(self):
        """The user's callbacks see a finished epoch."""
        try:
            self.notify_epoch_end()
        except KeyboardInterrupt as request:
            # skorch's callbacks (EarlyStopping, ...) ask so for the end of training.
            raise StopTraining from request

    def notify_epoch_end(self):
        """skorch's callbacks see a finished epoch."""
        self._notify("on_epoch_end", **self.datasets)

    def end(self):
        """After the last epoch, whatever ended the training."""
        self._call_hooks("on_train_end", reversed)
        for parameter in (*self.net.module_.parameters(), *self.net.criterion_.parameters()):
            parameter.grad = None

    def notify_end(self):
        """The user's callbacks see the end of a training that did not fail."""
        self._notify("on_train_end", X=self.fit.data.X, y=self.fit.data.y)
        self.fit.restored_epoch = restored_epoch(self.net)

    def _call_hooks(self, event, in_order=iter):
        """Call the hooks that have something to do at this event."""
        for hook in in_order(self.fit.hooks):
            if hasattr(hook, event):
                getattr(hook, event)(self.net)

    def _notify(self, event, **arguments):
        """Call the user's callbacks, and skorch's own."""
        with self.around_callbacks:
            self.net.notify(event, **arguments)


def check_optimizer_holds_network(net, event):
    """Refuse a network, or layers put in by hand, of which the optimizer holds no parameter: they would not learn.

    Parameters
    ----------
    net : DynamicsNet
    event : str
        What callbacks have just heard.

    Raises
    ------
    ValueError
    """
    held = [id(p) for group in net.optimizer_.param_groups for p in group["params"]]
    own = {id(p): name for name, p in net.module_.named_parameters()}
    learning = {id(p) for p in net.module_.parameters() if p.requires_grad}
    if not learning and not any(p.requires_grad for p in net.criterion_.parameters()):
        raise ValueError(
            f"every parameter of the network is frozen (requires_grad=False) after {event}: there is nothing to train. "
            "Leave the last layer at least to be trained."
        )
    if own.keys().isdisjoint(held):
        raise ValueError(
            f"callbacks: after {event} the optimizer holds no parameter of net.module_, so that nothing of it "
            "would be trained. Give the network as module, or set net.optimizer_ for the network that was put in."
        )
    # What the optimizer was not given may be meant; what took the place of something that it holds is not.
    left_out = learning.difference(held)
    if left_out and not own.keys() | {id(p) for p in net.criterion_.parameters()} >= set(held):
        raise ValueError(
            f"the parameters {', '.join(own[p] for p in own if p in left_out)} were put into the network after its "
            f"optimizer was made (seen after {event}), and would not be trained: give the network as module, or make "
            "the optimizer anew, net_.initialize_optimizer()."
        )


class StopTraining(Exception):
    """Raised to end training."""


class Rollback(StopTraining):
    """Raised to undo the last epoch and end training."""


def draw_order(X, shuffler):
    """A new order of the rows, or None for their given order."""
    if shuffler is None:
        return None
    return torch.randperm(len(X), generator=shuffler).to(X.device)


def mark_best(history):
    """Mark in the last line of the history whether its values are the best so far, as skorch's callbacks expect."""
    last = next(reversed(history))  # `history[-1]` copies the list of all lines first
    for column, sign in (("train_loss", -1), ("valid_loss", -1), ("valid_acc", 1), ("valid_score", 1)):
        if column in last:
            earlier = islice(reversed(history), 1, None)
            best = next((line[column] for line in earlier if line.get(f"{column}_best")), None)
            last[f"{column}_best"] = best is None or sign * last[column] > sign * best
