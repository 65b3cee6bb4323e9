"""Checkpoint: a folder with a place for each fit, what is there, and what may go."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sklearn_nndyn.training.checkpoint import Place, facts_of
from sklearn_nndyn.utils.files import user_path
from sklearn_nndyn.utils.text import counted
from sklearn_nndyn.utils.validation import is_finite


@dataclass(frozen=True)
class CheckpointPlace:
    """What a folder of checkpoints holds of one fit, or of several that are trained together.

    Parameters
    ----------
    name : str
        Name of the folder inside: a digest of parameters and data.
    n_fits : int
        Number of fits.
    epoch : int
        Epochs of the last state written.
    finished : bool
        Whether the training is over; the same ``fit`` then loads its result.
    process : int or None
        Number of the process that trains there now.
    nbytes : int
        Size on the disk.
    changed : str
        When it was written last.
    parameters : dict
        {parameter, or part of the data: in words}; of several fits those of the first.
    differs : dict
        The part of ``parameters`` in which the places of the folder differ.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_nndyn import Checkpoint, DynamicsClassifier
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clf = DynamicsClassifier(max_epochs=3, random_state=0, checkpoint=folder)
    ...     clf = clf.fit(*load_iris(return_X_y=True))
    ...     (place,) = Checkpoint(folder).places()
    >>> place.epoch, place.finished, place.parameters["random_state"]
    (3, True, '0')
    """

    name: str
    n_fits: int
    epoch: int
    finished: bool
    process: int | None
    nbytes: int
    changed: str
    parameters: dict = field(repr=False)
    differs: dict


@dataclass(frozen=True)
class Checkpoint:
    """A folder in which fits keep their state, to go on after a kill: a value of ``checkpoint``.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder; made where there is none. Each fit has a place of its own in it, named by a digest of its parameters
        and data, so that folds, seeds and candidates share one folder.
    every_seconds : float, default=None
        Seconds from one written state to the next at least, always at the end of an epoch; 0 is every epoch. None is as
        often as it takes no more than three percent of the time: every epoch, if they are not very short.

    See Also
    --------
    sklearn_nndyn.DynamicsClassifier : Its parameter ``checkpoint`` takes a folder, or one of these.

    Notes
    -----
    A place holds the last two states (safetensors) and a journal of what was recorded, written by appending. Nothing in
    it is executed when it is read. A state holds weights, optimizer, random numbers, order, early stopping and
    callbacks; history, record and snapshots are in the journal.

    A place whose fit is finished holds its result: ``fit`` loads it and trains nothing. It may be deleted as soon as
    nobody needs to fit the same again: ``remove(finished=True)``.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_nndyn import Checkpoint, DynamicsClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for lr in (0.1, 0.01):
    ...         clf = DynamicsClassifier(lr=lr, max_epochs=3, random_state=0, checkpoint=folder).fit(X, y)
    ...     checkpoint = Checkpoint(folder)
    ...     for place in checkpoint.places():
    ...         print(place.epoch, place.finished, place.differs)
    ...     removed = checkpoint.remove(finished=True)
    3 True {'lr': '0.1'}
    3 True {'lr': '0.01'}
    >>> len(removed)
    2
    """

    folder: str | os.PathLike
    every_seconds: float | None = None

    def places(self) -> list[CheckpointPlace]:
        """What is in the folder, the oldest first.

        Returns
        -------
        places : list of CheckpointPlace
            One for each fit, or for fits that were trained together.
        """
        found = {path.name: facts_of(path) for path in self._folders()}
        found = {name: facts for name, facts in found.items() if facts is not None}
        words = {name: _words(facts["description"]) for name, facts in found.items()}
        several = {key for own in words.values() for key in own if _differs(key, words.values())}
        places = [
            CheckpointPlace(
                name,
                facts["description"].get("n_fits", 1),
                **{key: facts[key] for key in ("epoch", "finished", "process", "nbytes", "changed")},
                parameters=words[name],
                differs={key: value for key, value in words[name].items() if key in several},
            )
            for name, facts in found.items()
        ]
        return sorted(places, key=lambda place: found[place.name]["made"])

    def summary(self) -> str:
        """What is in the folder, in words.

        Returns
        -------
        summary : str
            A line for each place, and what may be deleted.
        """
        places = self.places()
        lines = [f"{self.folder}: {counted(len(places), 'place')}"]
        lines += [f"  {_line(place)}" for place in places]
        done = sum(place.finished for place in places)
        if done:
            lines.append(
                f"{done} finished: they hold results, which the same fit loads. remove(finished=True) deletes them."
            )
        return "\n".join(lines)

    def remove(self, *names: str, finished: bool = False) -> list[str]:
        """Delete places.

        Parameters
        ----------
        *names : str
            Names of places, see `places`.
        finished : bool, default=False
            Whether to delete all places whose training is over.

        Returns
        -------
        removed : list of str
            Names of the places that are gone.

        Raises
        ------
        ValueError
            For names that are not there; nothing is deleted.
        RuntimeError
            Where a process trains in one of them; nothing is deleted.
        """
        places = {place.name: place for place in self.places()}
        unknown = [name for name in names if name not in places]
        if unknown:
            raise ValueError(
                f"{self.folder} has no place {', '.join(unknown)}; places() lists those that are there."
            )
        chosen = [place for place in places.values() if place.name in names or (finished and place.finished)]
        busy = [place for place in chosen if place.process is not None]
        if busy:
            raise RuntimeError(f"{busy[0].name} is in use by process {busy[0].process}: nothing was deleted.")
        for place in chosen:
            shutil.rmtree(user_path(self.folder) / place.name)
        return [place.name for place in chosen]

    def _folders(self):
        with suppress(FileNotFoundError):
            return [Path(entry.path) for entry in os.scandir(user_path(self.folder)) if entry.is_dir()]
        return []

    def _place(self, name, description):
        return Place(user_path(self.folder), name, description)


def as_checkpoint(checkpoint) -> Checkpoint | None:
    """A parameter ``checkpoint`` as a `Checkpoint`, None where there is none.

    Raises
    ------
    ValueError, TypeError
        For what is neither a folder nor a `Checkpoint`, or seconds that are none.
    """
    if checkpoint is None:
        return None
    if isinstance(checkpoint, (str, os.PathLike)):
        checkpoint = Checkpoint(checkpoint)
    if not isinstance(checkpoint, Checkpoint) or not isinstance(checkpoint.folder, (str, os.PathLike)):
        raise TypeError(
            f"checkpoint must be None, a folder, or Checkpoint(folder, every_seconds=...), got {checkpoint!r}."
        )
    seconds = checkpoint.every_seconds
    if seconds is not None and not (is_finite(seconds) and seconds >= 0):
        raise ValueError(
            f"checkpoint: every_seconds must be None or a number, 0 or greater, got {seconds!r}."
        )
    _check_folder(checkpoint.folder)
    return checkpoint


def _check_folder(folder):
    """Refuse a folder that is none and cannot be made."""
    if not os.fspath(folder) or "\0" in str(folder):
        raise ValueError(f"checkpoint must be a folder, got {folder!r}.")
    path = user_path(folder)
    there = next((own for own in (path, *path.parents) if os.path.lexists(own)), None)
    if there is not None and not there.is_dir():
        kind = "a file" if there.exists() else "a link to nothing"
        raise ValueError(f"checkpoint must be a folder, but {there} is {kind}.")


def _words(description):
    """{what: in words} of a place."""
    return {**description["parameters"], **description["data"], **description["versions"]}


def _differs(key, all_words):
    return len({own.get(key) for own in all_words}) > 1


def _line(place):
    state = "finished" if place.finished else "to go on"
    if place.process is not None:
        state = f"in use by process {place.process}"
    fits = "" if place.n_fits == 1 else f", {place.n_fits} fits together"
    differs = ", ".join(f"{name}={value}" for name, value in place.differs.items())
    return (
        f"{place.name}: {state}, epoch {place.epoch}{fits}, {place.nbytes / 1e6:.1f} MB, {place.changed}"
        + (f" ({differs})" if differs else "")
    )
