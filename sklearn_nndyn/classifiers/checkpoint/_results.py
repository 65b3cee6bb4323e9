"""Results of finished fits of a search, small, in places of their own."""

import json
from contextlib import suppress

from sklearn_nndyn.dynamics import load_dynamics
from sklearn_nndyn.training.checkpoint import DESCRIPTION, RESULT
from sklearn_nndyn.utils.files import replaced_file, user_path
from sklearn_nndyn.utils.warnings import warn_user

RECORD = "record.safetensors"


class SavedResults:
    """What is known of fits that were trained and scored before.

    Parameters
    ----------
    checkpoint : Checkpoint
    """

    def __init__(self, checkpoint):
        self.folder = user_path(checkpoint.folder)

    def load(self, name):
        """The result of a fit, with its record under ``"dynamics"``; None where there is none, or it is damaged."""
        place = self.folder / name
        with suppress(OSError, ValueError):
            result = json.loads((place / RESULT).read_text())
            has_record = result.pop("has_record")
            return {**result, "dynamics": load_dynamics(place / RECORD) if has_record else None}
        return None

    def save(self, name, description, result):
        """Write it; warn where the disk does not take it."""
        place, record = self.folder / name, result["dynamics"]
        numbers = {key: value for key, value in result.items() if key != "dynamics"}
        try:
            place.mkdir(parents=True, exist_ok=True)
            _write(place / DESCRIPTION, {**description, "n_fits": 1})
            if record is not None:
                record.save(place / RECORD)
            _write(place / RESULT, {**numbers, "has_record": record is not None})
        except OSError as error:
            warn_user(
                f"checkpoint: a result could not be written: {error}. The search goes on.", RuntimeWarning
            )


def _write(path, content):
    with replaced_file(path) as draft:
        draft.write_text(json.dumps(content, indent=1, default=float))
