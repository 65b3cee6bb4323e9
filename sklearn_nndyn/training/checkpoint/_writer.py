"""When the state of a program is written, and how it goes on from one."""

import time

from sklearn_nndyn.training.checkpoint._network import FitJournal, load_state, state_of
from sklearn_nndyn.utils.warnings import warn_user

MOST_TIME = 0.03  # of the training


class CheckpointWriter:
    """Writes the state of a program at the ends of epochs.

    Parameters
    ----------
    place : Place
        Opened by the caller for the time of the training.
    every_seconds : float or None
        Seconds from one state to the next at least; None is as often as it takes three percent of the time.
    """

    def __init__(self, place, every_seconds):
        self.place, self.every_seconds = place, every_seconds
        self._due = 0.0
        self._told = False

    def go_on(self, members):
        """Bring members that have not begun to the last state there is, and return it: epoch, end, their states.

        None where there is no state yet.
        """
        self.journals = [FitJournal(member) for member in members]
        found = self.place.load()
        if found is None:
            return None
        state, entries = found
        for entry in entries:
            for journal, own in zip(self.journals, entry["members"], strict=True):
                journal.restore(own)
        for member, own in zip(members, state["members"], strict=True):
            load_state(member, own)
        return state

    def check(self, shufflings):
        """Raise where something of the members cannot be saved, before any is trained."""
        self._tree(shufflings, 0, False, {})

    @property
    def is_due(self):
        """Whether it is time to write."""
        return time.perf_counter() >= self._due

    def save(self, shufflings, epoch, finished=False, **more):
        """Write the state of all members, and ``more`` of the program; warn, once, where the disk does not take it.

        ``shufflings`` are the states of the generators that order each member's rows.
        """
        begun = time.perf_counter()
        try:
            self._save(shufflings, epoch, finished, more)
        except (OSError, TypeError) as error:
            self._warn(error)
        now = time.perf_counter()
        self._due = now + ((now - begun) / MOST_TIME if self.every_seconds is None else self.every_seconds)

    def _save(self, shufflings, epoch, finished, more):
        tree = self._tree(shufflings, epoch, finished, more)
        gained = [journal.gained() for journal in self.journals]
        self.place.journal.append({"members": [entry for entry, _ in gained]})
        for journal, (_, lengths) in zip(self.journals, gained, strict=True):
            journal.accept(lengths)
        self.place.save(tree, epoch, finished)

    def _tree(self, shufflings, epoch, finished, more):
        fits = [journal.fit for journal in self.journals]
        members = [state_of(fit, own) for fit, own in zip(fits, shufflings, strict=True)]
        return {"epoch": epoch, "finished": finished, "members": members, **more}

    def _warn(self, error):
        if not self._told:
            self._told = True
            warn_user(
                f"The checkpoint in {self.place.path} could not be written: {error}. Training goes on; what was "
                "written last stays, and writing is tried again.",
                RuntimeWarning,
            )
