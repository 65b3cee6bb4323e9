"""A place on the disk for the state of one program: a fit, or several that are trained together."""

import json
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from sklearn_nndyn.training.checkpoint._files import Journal, read_facts, read_state, write_state
from sklearn_nndyn.training.checkpoint._lock import holder, locked
from sklearn_nndyn.utils.files import draft_of, replaced_file, sweep
from sklearn_nndyn.utils.warnings import warn_user

STATES = ("state-0.safetensors", "state-1.safetensors")
JOURNAL, DESCRIPTION, LOCK = "journal", "description.json", "lock"
RESULT = "result.json"  # of a fit of a search, in place of states


class Place:
    """A folder with the last two states and the journal of one program.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of all places.
    name : str
        Digest of parameters and data.
    description : dict, optional
        Parameters and data in words, as JSON holds them.
    """

    def __init__(self, folder, name, description=None):
        self.path, self.name, self.description = Path(folder) / name, name, description
        self.journal = Journal(self.path / JOURNAL)
        self._number = 0

    @contextmanager
    def opened(self):
        """Hold the place for the time of a training; made where it is not there yet."""
        self.path.mkdir(parents=True, exist_ok=True)
        with locked(self.path / LOCK, f"checkpoint: {self.path}"):
            self._sweep()
            if _description_in(self.path) is None:
                with replaced_file(self.path / DESCRIPTION) as draft:
                    draft.write_text(json.dumps(self.description, indent=1))
            yield self

    def _sweep(self):
        """Remove what a killed process left, which nobody writes to while the place is held."""
        sweep(self.path)
        for name in STATES:
            draft_of(self.path / name).unlink(missing_ok=True)

    def load(self):
        """The last state that is sound and the trees of its journal; None where there is none.

        Returns
        -------
        found : (dict, iterator of dict) or None
        """
        states, damage = [], []
        for name in STATES:
            with suppress(FileNotFoundError):
                try:
                    (self.path / name).stat()
                    states.append(read_state(self.path / name))
                except ValueError as error:
                    damage.append(str(error))
        for state in sorted(states, key=lambda state: -state["number"]):
            try:
                entries = self.journal.read(state["journal"])
            except ValueError as error:
                damage.append(str(error))
                continue
            self._number = state["number"]
            self._tell(damage, f"goes on from epoch {state['epoch']}, the last state that is sound")
            return state["tree"], entries
        self.journal = Journal(self.path / JOURNAL)
        self._tell(damage, "begins afresh, for no state there is sound")
        return None

    def _tell(self, damage, outcome):
        if damage:
            found = "; ".join(dict.fromkeys(damage))
            warn_user(f"checkpoint: in {self.path}, {found}. Training {outcome}.", RuntimeWarning)

    def save(self, tree, epoch, finished):
        """Write a state, which holds the journal as it is; where the disk does not take it, the states before stay."""
        number = self._number + 1
        whole = {"number": number, "journal": list(self.journal.mark), "epoch": epoch, "tree": tree}
        write_state(self.path / STATES[number % 2], whole, epoch, finished)
        self._number = number


def facts_of(path):
    """What can be read of a place in a moment, by name; None for a folder that is no place."""
    description = _description_in(path)
    if description is None:
        return None
    found = []
    for name in STATES:
        with suppress(ValueError):
            found.append(read_facts(path / name))
    epoch, finished = max(found, default=(0, False))
    made = (path / DESCRIPTION).stat().st_mtime
    files = [entry.stat() for entry in os.scandir(path) if entry.is_file()]
    return {
        "description": description,
        "epoch": epoch,
        "finished": finished or (path / RESULT).exists(),
        "made": made,
        "process": holder(path / LOCK),
        "nbytes": sum(one.st_size for one in files),
        "changed": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(max(one.st_mtime for one in files))),
    }


def _description_in(path):
    """The description of a place; None where there is none, or it is damaged."""
    try:
        description = json.loads((path / DESCRIPTION).read_text())
        words = [description[part] for part in ("parameters", "data", "versions")]
        sound = type(description["n_fits"]) is int and all(
            type(text) is str for own in words for text in own.values()
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return description if sound else None
