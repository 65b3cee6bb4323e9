"""What a study has measured, kept on disk: an interrupted run goes on where it was."""

import re

import joblib
from _rules import digest_of


class Kept:
    """Results of one study by the rules of today, a file each.

    Parameters
    ----------
    folder : Path, or None
        Nothing is kept without one. Delete it where the code, not the rules, has changed.
    study : str
    quick : bool
        Small runs lie in a folder of their own.
    """

    def __init__(self, folder, study, quick=False):
        self.folder = folder and folder / f"{study}_{digest_of(study)}{'_quick' if quick else ''}"

    def __call__(self, name, compute):
        """What ``compute()`` gave for a name, now or in an earlier run."""
        if self.folder is None:
            return compute()
        file = self.folder / f"{re.sub('[^a-z0-9]+', '_', name.lower())}.joblib"
        if not file.exists():
            found = compute()
            self.folder.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_suffix(".part")
            joblib.dump(found, unfinished)
            unfinished.replace(file)
        return joblib.load(file)
