"""The epoch loop of several fits."""

from contextlib import nullcontext

from tqdm import tqdm

from sklearn_nndyn.training._epoch_loop import Rollback
from sklearn_nndyn.training.stacked._epoch_runner import StackedEpochRunner, in_order
from sklearn_nndyn.utils.signals import Signals, raised_by_handler
from sklearn_nndyn.utils.warnings import warn_user


class StackedEpochLoop:
    """Train several fits together, as `EpochLoop` trains one.

    A member that stops early, diverges or fails leaves, as its own fit would have left it; the others go on. Where
    what they share fails, every member goes on by itself from the last whole epoch, and the one at fault fails there.

    Parameters
    ----------
    members : list of StackedFit
    size : int or None
        Rows of a batch; None for full batches.
    epochs : int
    progress : callable
        Called with the number of members that have finished one more epoch.

    Attributes
    ----------
    errors : dict
        {member: exception} of those that ended by one.
    signals : Signals
        Those that wait from one epoch to the next, and are heard within.
    """

    def __init__(self, members, size, epochs, progress):
        self.members, self.size, self.epochs, self.progress = in_order(members), size, epochs, progress
        self.errors = {}
        self.epoch = 0
        self.signals = Signals()
        self.all_members, self.checkpoint = self.members, None

    def run(self):
        """Train all of them."""
        verbose = sum(self._without_bar(member) for member in self.members) > 0
        with self._make_bar() if verbose else nullcontext() as self.bar:
            self.checkpoint = self.members[0].fit.checkpoint
            found = None if self.checkpoint is None else self._go_on()
            if not self.members:
                return
            self.runner = StackedEpochRunner(self.members, self.size, found is not None and found["began"])
            try:
                if found is None:
                    self._begin()
                while self.members and self.epoch < self.epochs:
                    self._run_epoch()
            except BaseException as error:
                self._leave(dict.fromkeys(self.members, error), undo=True)
                if not isinstance(error, Exception):
                    raise
            else:
                self._leave(dict.fromkeys(self.members))
                self._save(finished=True)

    def _go_on(self):
        """Go on from the state on the disk, where there is one; it is returned."""
        found = self.checkpoint.go_on([member.fit for member in self.all_members])
        if found is None:
            return None
        for member, state in zip(self.all_members, found["members"], strict=True):
            member.state.shuffling.states = state["shuffling"]
            member.loop.begun = True
        self.epoch = found["epoch"]
        pairs = zip(self.all_members, found["ended"], strict=True)
        self.members = [member for member, ended in pairs if not ended]
        for member in self.members:
            member.sampler.random_state.states = member.state.shuffling.states
        n_ended = len(self.all_members) - len(self.members)
        self.progress(n_ended * self.epochs + len(self.members) * self.epoch)
        if self.bar is not None:
            self.bar.update(self.epoch)
        return found

    def _save(self, finished=False):
        """Write the state of all members, also of those that have ended, where it is time."""
        if self.checkpoint is None or not (finished or self.checkpoint.is_due):
            return
        if self.members:
            self.runner.share_states()
        self.checkpoint.save(
            [member.state.shuffling.states for member in self.all_members],
            self.epoch,
            finished,
            ended=[member not in self.members for member in self.all_members],
            began=bool(self.members) and self.runner.began,
        )

    def _make_bar(self):
        """Only where it is shown: a hidden one takes a lock as well, which an interrupt can leave held."""
        description = f"Training {len(self.members)} networks"
        return tqdm(total=self.epochs, desc=description, unit="epoch", dynamic_ncols=True)

    @staticmethod
    def _without_bar(member):
        """One bar serves all; whether the member would have had one."""
        bar = member.fit.bar
        if bar is not None:
            member.fit.hooks.remove(bar)
        return bar is not None

    def _begin(self):
        try:
            try:
                self.signals.hear()
                self.runner.evaluate(0)
            finally:
                self.signals.held = True
            for member in self.members:
                member.loop.begin()
        except Exception as error:
            if raised_by_handler(error):
                raise
            self._separate(error, begun=False)
        else:
            if self.checkpoint is not None:
                self.checkpoint.check([member.state.shuffling.states for member in self.all_members])

    def _run_epoch(self):
        for member in self.members:
            member.loop.begin_epoch()
        try:
            self.signals.hear()
            losses, steps = self.runner.run_epoch(), self.runner.batches.steps
            for member, loss, own in zip(self.members, losses, steps, strict=True):
                member.net.note_loss(loss, len(member.data.X), own)
            self.runner.evaluate(self.epoch + 1)
        except Exception as error:
            self.signals.held = True
            if raised_by_handler(error):
                raise
            return self._separate(error)
        finally:
            self.signals.held = True
        self._end_epoch()

    def _end_epoch(self):
        leaving = {}
        for member in self.members:
            try:
                member.loop.end_epoch()
            except Exception as error:
                leaving[member] = error
        self._leave(leaving, undo=True)
        if self.members:
            self.runner.accept()
        self.epoch += 1
        self.progress(len(self.members))
        if self.bar is not None:
            self.bar.update()
        for member in self.members:
            member.loop.notify_epoch_end()
        self._leave(dict.fromkeys(member for member in self.members if member.loop.wants_to_stop))
        if self.members:
            self._save()

    def _leave(self, leaving, undo=False):
        """Let members leave, at the last whole epoch or, with ``undo``, as if this one had not begun."""
        if not leaving:
            return
        for i, member in enumerate(self.runner.members):
            # All get their own memory back: those that stay are put side by side anew.
            self.runner.release(i, undo and member in leaving)
        for member, error in leaving.items():
            self._end(member, error)
        self.members = [member for member in self.members if member not in leaving]
        self._close()
        if self.members:
            self.runner = StackedEpochRunner(self.members, self.size)

    def _close(self):
        self.runner.close()
        self.runner = None

    def _separate(self, error, begun=True):
        """End as of the last whole epoch; every member goes on by itself."""
        warn_user(
            f"Training {len(self.members)} networks together failed in epoch {self.epoch + begun} "
            f"({type(error).__name__}: {error}); each is now trained by itself.",
            RuntimeWarning,
        )
        members, self.members = self.members, []
        self.checkpoint = None  # the state before stays: whoever goes on from it fails as this one did
        for i in range(len(members)):
            self.runner.release(i, undo=True)
        self._close()
        interrupted = False
        for member in members:
            interrupted |= self._run_alone(member, begun, 0 if interrupted else self.epochs - self.epoch)
        if interrupted:
            raise KeyboardInterrupt

    def _run_alone(self, member, begun, epochs):
        """The rest of a member's fit; whether it was interrupted."""
        del member.net.history_[self.epoch :]
        member.fit.recording.forget_after(self.epoch if begun else -1)
        member.fit.recording.recorders_run = True
        member.fit.checkpoint, member.loop.signals = None, self.signals
        try:
            member.loop.run(epochs, begun)
        except Exception as error:
            self.errors[member] = error
            self.checkpoint = None
        self.progress(self.epochs - self.epoch)
        return member.loop.interrupted

    def _end(self, member, error):
        del member.net.history_[self.epoch :]
        member.loop.end()
        if error is None or isinstance(error, Rollback):
            member.loop.notify_end()
        else:
            self.errors[member] = error
            self.checkpoint = None
        self.progress(self.epochs - self.epoch)
