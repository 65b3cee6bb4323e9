"""Several fits led through their epochs together."""

from tqdm import tqdm

from sklearn_nndyn.classifiers._results import keep_results
from sklearn_nndyn.classifiers._stacked_program import StackedProgram, in_order
from sklearn_nndyn.classifiers._training import Undo
from sklearn_nndyn.classifiers._watchers import ProgressBar


class JointTraining:
    """The way of several fits through their epochs, as `Training` is that of one.

    A member that stops early, diverges or fails leaves, as its own fit would have left it; the others go on.

    Parameters
    ----------
    members : list of Member
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
            self.program = StackedProgram(self.members, self.size)
            try:
                self.program.look(0)
                for member in self.members:
                    member.training.begin()
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
        watchers = member.training.watchers
        bars = [watcher for watcher in watchers if isinstance(watcher, ProgressBar)]
        for bar in bars:
            watchers.remove(bar)
        return bool(bars)

    def _run_epoch(self):
        for member in self.members:
            member.training.begin_epoch()
        for member, loss in zip(self.members, self.program.run_epoch(), strict=True):
            member.net.note_loss(loss, member.data)
        self.program.look(self.epoch + 1)
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
            self.program = StackedProgram(self.members, self.size)

    def _end(self, member, error):
        del member.net.history_[self.epoch :]
        member.training.end()
        keep_results(member.estimator, member.task, member.recording)
        if error is None or isinstance(error, Undo):
            member.net.notify("on_train_end", X=member.data.X, y=member.data.y)
        else:
            self.errors[member] = error
        self.progress(self.epochs - self.epoch)
