"""What reads files of others: records, and the states and journals of checkpoints."""

import json
import struct
import warnings

import numpy as np
from safetensors.numpy import load, save

from sklearn_nndyn import Checkpoint
from sklearn_nndyn.dynamics import load_dynamics
from sklearn_nndyn.training.checkpoint import Place
from sklearn_nndyn.training.checkpoint._encoding import encode
from sklearn_nndyn.training.checkpoint._files import _digest
from tests.classifiers.checkpoint.comparing import every_epoch
from tests.dynamics.conftest import _assert_same, _make_record
from tests.dynamics.test_mutants import changed, mutate_bytes, mutate_description, mutate_header
from tests.problems import PROBLEMS

X, y = PROBLEMS[0].data(20)


class Records:
    """`load_dynamics`: refused with a ValueError that names the file, or the record that was saved."""

    def __init__(self, folder):
        self.path, self.record = folder / "record", _make_record()
        small = self.record[:2].select_epochs([0])
        self.seeds = [self._saved(self.record), self._saved(small)]
        self.records = [self.record, small]

    def _saved(self, record):
        record.save(self.path)
        return self.path.read_bytes()

    def mutate(self, content, rng):
        kind = [mutate_bytes, mutate_header, mutate_description][rng.integers(3)]
        return kind(content, rng), kind is mutate_description

    def size(self, content):
        return len(content)

    def try_out(self, content, forged):
        self.path.write_bytes(content)
        outcomes = [self._loaded(lazy, forged) for lazy in (False, True)]
        return " / ".join(outcomes)

    def _loaded(self, lazy, forged):
        try:
            found = load_dynamics(self.path, lazy=lazy)
        except ValueError as error:
            return _refused(error, self.path)
        if lazy or forged:  # nobody compares the digest, or it is right
            return "another"
        assert any(_is_same(found, record) for record in self.records), "damage was taken for sound"
        return "the same"


def _refused(error, path):
    assert str(path) in str(error), "the message does not name the file"
    return "refused"


def _is_same(found, record):
    try:
        _assert_same(found, record)
    except AssertionError:
        return False
    return True


class Places:
    """A place whose newer state or journal is another: told, and the state before or none; and a list of what is there.

    A forged state, under a digest made anew, is still data: reading it may fail only as damage does.
    """

    files = ("state-0.safetensors", "journal", "description.json")

    def __init__(self, folder):
        self.folder = folder / "places"
        PROBLEMS[0].classifier(max_epochs=3, record=("samples",), checkpoint=every_epoch(self.folder)).fit(
            X, y
        )
        (self.place,) = self.folder.iterdir()
        self.contents = {name: (self.place / name).read_bytes() for name in self.files}
        self.seeds = [name.encode() + b"\0" + content for name, content in self.contents.items()]
        self.sound = self._loaded()
        assert self.sound is not None
        other = self.place / "state-1.safetensors"
        kept = other.read_bytes()
        (self.place / "state-0.safetensors").write_bytes(b"")
        self.earlier = self._loaded()
        other.write_bytes(kept)

    def size(self, content):
        return sum(file.stat().st_size for file in self.place.iterdir())

    def mutate(self, content, rng):
        name, _, content = content.partition(b"\0")
        kinds = [mutate_bytes]
        if name.startswith(b"state"):
            kinds += [mutate_header, forge_state]
        if name.startswith(b"description"):
            kinds += [mutate_json]
        kind = kinds[rng.integers(len(kinds))]
        return name + b"\0" + kind(content, rng), kind is forge_state

    def try_out(self, content, forged):
        name, _, content = content.partition(b"\0")
        for own, whole in self.contents.items():
            (self.place / own).write_bytes(content if own == name.decode() else whole)
        Checkpoint(self.folder).summary()
        found = self._loaded()
        if forged:
            return "forged"
        assert found in (self.sound, self.earlier, None), "damage was taken for sound"
        return {self.sound: "the same", self.earlier: "the state before", None: "afresh"}[found]

    def _loaded(self):
        """The state and the journal as text."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "checkpoint: in ", RuntimeWarning)
            found = Place(self.folder, self.place.name).load()
        if found is None:
            return None
        tree, entries = found
        trees = [encode(own) for own in (tree, *entries)]
        return json.dumps([[text, _digest(text, arrays)] for text, arrays in trees])


def mutate_json(content, rng):
    return json.dumps(changed(json.loads(content), rng)).encode()


def forge_state(content, rng):
    """Another tree, or other facts, under a right digest."""
    length = struct.unpack("<Q", content[:8])[0]
    about, arrays = json.loads(content[8 : 8 + length])["__metadata__"], load(content)
    if rng.random() < 0.3:
        key = ["epoch", "finished", "version", "format"][rng.integers(4)]
        about[key] = ["", "x", "-1", "1e9", "9" * 5000, "True", "٣"][rng.integers(7)]
    else:
        parts = about["tree"].split("\n")  # sizes, and the tree
        part = int(rng.random() > 0.2)
        parts[part] = json.dumps(changed(json.loads(parts[part]), rng))
        about["tree"] = "\n".join(parts)
    arrays = {name: np.ascontiguousarray(values) for name, values in arrays.items() if rng.random() > 0.02}
    return save(arrays, about | {"digest": _digest(about["tree"], arrays)})
