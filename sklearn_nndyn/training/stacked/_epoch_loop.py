"""Several fits led through their epochs together."""

from tqdm import tqdm

from sklearn_nndyn.classifiers._results import keep_results
from sklearn_nndyn.training._epoch_loop import Rollback
from sklearn_nndyn.training._hooks import ProgressBar
from sklearn_nndyn.training.stacked._epoch_runner import StackedEpochRunner, in_order
from sklearn_nndyn.utils.warnings import warn_user


class StackedEpochLoop:
    """The way of several fits through their epochs, as `EpochLoop` is that of one.

    A member that stops early, diverges or fails leaves, as its own fit would have left it; the others go on. Where
    the program itself fails, every member goes on by itself from the last whole epoch, and whose failure it was ends
    by it.

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
    """

    def __init__(self, members, size, epochs, progress):
        self.members, self.size, self.epochs, self.progress = in_order(members), size, epochs, progress
        self.errors = {}
        self.epoch = 0

    def run(self):
        """Train all of them."""
        verbose = sum(self._without_bar(member) for member in self.members) > 0
        with tqdm(
            total=self.epochs,
            desc=f"Training {len(self.members)} networks",
            unit="epoch",
            dynamic_ncols=True,
            disable=not verbose,
        ) as self.bar:
            self.program = StackedEpochRunner(self.members, self.size)
            try:
                self._begin()
                while self.members and self.epoch < self.epochs:
                    self._run_epoch()
            except BaseException as error:
                self._leave(dict.fromkeys(self.members, error), undo=True)
                if not isinstance(error, Exception):
                    raise
            else:
                self._leave(dict.fromkeys(self.members))

    @staticmethod
    def _without_bar(member):
        """One bar serves all; whether the member would have had one."""
        hooks = member.training.hooks
        bars = [hook for hook in hooks if isinstance(hook, ProgressBar)]
        for bar in bars:
            hooks.remove(bar)
        return bool(bars)

    def _begin(self):
        try:
            self.program.look(0)
            for member in self.members:
                member.training.begin()
        except Exception as error:
            self._part(error, begun=False)

    def _run_epoch(self):
        for member in self.members:
            member.training.begin_epoch()
        try:
            for member, loss in zip(self.members, self.program.run_epoch(), strict=True):
                member.net.note_loss(loss, member.data)
            self.program.look(self.epoch + 1)
        except Exception as error:
            return self._part(error)
        self._end_epoch()

    def _end_epoch(self):
        leaving = {}
        for member in self.members:
            try:
                member.training.end_epoch()
            except Exception as error:
                leaving[member] = error
        self._leave(leaving, undo=True)
        self.program.accept()
        self.epoch += 1
        self.progress(len(self.members))
        self.bar.update()
        for member in self.members:
            member.training.tell_callbacks()
        self._leave(dict.fromkeys(member for member in self.members if member.training.wants_to_stop))

    def _leave(self, leaving, undo=False):
        """Part with members, at the last whole epoch or, with ``undo``, as if this one had not begun."""
        if not leaving:
            return
        for i, member in enumerate(self.program.members):
            # All get their own memory back: those that stay are put side by side anew.
            self.program.release(i, undo and member in leaving)
        for member, error in leaving.items():
            self._end(member, error)
        self.members = [member for member in self.members if member not in leaving]
        self.program.close()
        if self.members:
            self.program = StackedEpochRunner(self.members, self.size)

    def _part(self, error, begun=True):
        """End the program as of its last whole epoch; every member goes on by itself."""
        warn_user(
            f"Training {len(self.members)} networks together failed in epoch {self.epoch + begun} "
            f"({type(error).__name__}: {error}); each is now trained by itself.",
            RuntimeWarning,
        )
        members, self.members = self.members, []
        for i in range(len(members)):
            self.program.release(i, undo=True)
        self.program.close()
        interrupted = False
        for member in members:
            interrupted |= self._run_alone(member, begun, 0 if interrupted else self.epochs - self.epoch)
        if interrupted:
            raise KeyboardInterrupt

    def _run_alone(self, member, begun, epochs):
        """The rest of a member's fit; whether it was interrupted."""
        del member.net.history_[self.epoch :]
        member.recording.forget_after(self.epoch if begun else -1)
        member.recording.looks = True
        try:
            member.estimator._run(member.training, member.task, member.recording, epochs, begun)
        except Exception as error:
            self.errors[member] = error
        self.progress(self.epochs - self.epoch)
        return member.training.interrupted

    def _end(self, member, error):
        del member.net.history_[self.epoch :]
        member.training.end()
        keep_results(member.estimator, member.task, member.recording)
        if error is None or isinstance(error, Rollback):
            member.net.notify("on_train_end", X=member.data.X, y=member.data.y)
        else:
            self.errors[member] = error
        self.progress(self.epochs - self.epoch)
