"""The rules of a study: one committed file each, told by its digest."""

import hashlib
import json
from pathlib import Path

FOLDER = Path(__file__).parent / "rules"


def load_rules(study):
    """What the file of a study says."""
    return json.loads((FOLDER / f"{study}.json").read_text())


def digest_of(study):
    """First twelve hexadecimal digits of the file's sha256."""
    return hashlib.sha256((FOLDER / f"{study}.json").read_bytes()).hexdigest()[:12]
