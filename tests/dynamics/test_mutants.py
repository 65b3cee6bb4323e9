"""Damaged and forged files: each is refused with a ValueError, or is the record that was saved.

Mutants of three kinds: bytes of the file (flipped, cut, repeated, inserted), entries of its header (lengths, offsets,
types, shapes, names), and the description of the record under a digest that was made anew, as a forger would. A file
of n bytes may take 100 n bytes of memory and half a megabyte.
"""

import json
import struct
import time
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import save

from sklearn_nndyn.dynamics import load_dynamics
from sklearn_nndyn.dynamics.files._described import digest

FACTOR, FLOOR = 100, 2**19
MOST_SECONDS = 5  # of computing, for a busy machine waits
ODD = [
    None,
    True,
    0,
    -1,
    1,
    2**31,
    2**63,
    2**64,
    1e308,
    "",
    "x",
    "é" * 50,
    "\ud800",
    [],
    {},
    [[]],
    [0, 0],
    [1, 0],
]
ODD += [
    {"$float": "nan"},
    {"$float": []},
    {"$items": [[1]]},
    {"$items": 3},
    {"a": {"b": [1, 2, 3]}},
    "<U999999999",
]
ODD += [
    "|O",
    "O",
    "V8",
    "<f2",
    "<M8[s]",
    "(9,9)f4",
    [1] * 70,
    [2**40, 0],
    "I64",
    "F64",
    "F8_E5M2",
    "BOOL",
    "C64",
]


def mutate_bytes(content, rng):
    at, length = rng.integers(len(content)), int(rng.choice([1, 8, 100]))
    mutants = [
        content[:at] + bytes([content[at] ^ (1 << rng.integers(8))]) + content[at + 1 :],
        content[:at],
        content[:at] + content[at + length :],
        content[:at] + rng.bytes(length) + content[at:],
        content[:at] + rng.bytes(length) + content[at + length :],
        content[:at] + content[at : at + length] * 3 + content[at + length :],
        struct.pack("<Q", int(rng.choice([0, 1, 2**20, 2**40, 2**63]))) + content[8:],
        content + rng.bytes(length),
    ]
    return mutants[rng.integers(len(mutants))]


def mutate_header(content, rng):
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    text = json.dumps(changed(header, rng)).encode()
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def mutate_description(content, rng):
    """A forger makes the digest anew."""
    length = struct.unpack("<Q", content[:8])[0]
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    tensors = {name: array for name, array in _tensors(content).items() if rng.random() > 0.02}
    text = json.dumps(changed(json.loads(metadata["record"]), rng))
    return save(tensors, metadata | {"record": text, "digest": digest(text, tensors)})


def _tensors(content):
    length = struct.unpack("<Q", content[:8])[0]
    types = {"F32": np.float32, "F64": np.float64, "I8": np.int8, "I64": np.int64}
    entries = json.loads(content[8 : 8 + length])
    del entries["__metadata__"]
    arrays = {}
    for name, entry in entries.items():
        start, stop = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(content[start:stop], types[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def changed(value, rng):
    """A copy of a JSON value in which one thing, however deep, is another, doubled, gone or of another name."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.1:
        return ODD[rng.integers(len(ODD))]
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = keys[rng.integers(len(keys))]
    value = value.copy()
    turn = rng.random()
    if turn < 0.1:
        del value[key]
    elif turn < 0.2 and isinstance(value, dict):
        value[str(rng.choice(["z", "loss/z", "y", "other", "", "$float"]))] = value.pop(key)
    elif turn < 0.3 and isinstance(value, list):
        value = value * int(rng.choice([2, 1000]))
    else:
        value[key] = changed(value[key], rng)
    return value


MUTATE = {"bytes": mutate_bytes, "header": mutate_header, "description": mutate_description}


def loaded_or_message(path):
    """The record in a file, or the words in which it is refused; any other error goes through."""
    try:
        return load_dynamics(path)
    except ValueError as error:
        return str(error)


def outcome(path, assert_same, record, *, forged):
    """What becomes of a file: "refused", "the same" or, where it was forged well, "another record"."""
    found = loaded_or_message(path)
    if isinstance(found, str):
        assert str(path) in found
        return "refused"
    if forged:
        return "another record"
    assert_same(found, record)
    return "the same"


def check_mutants(record, assert_same, path, kind, n_mutants, seed=0):
    rng = np.random.default_rng(seed)
    record.save(path)
    content, outcomes, greatest = path.read_bytes(), {}, 0.0
    tracemalloc.start()
    try:
        for number in range(n_mutants):
            path.write_bytes(MUTATE[kind](content, rng))
            size = path.stat().st_size
            tracemalloc.reset_peak()
            before, start = tracemalloc.get_traced_memory()[0], time.process_time()
            found = outcome(path, assert_same, record, forged=kind == "description")
            taken = tracemalloc.get_traced_memory()[1] - before
            assert taken < FACTOR * size + FLOOR, f"mutant {number} of {size} bytes took {taken}"
            assert time.process_time() - start < MOST_SECONDS, f"mutant {number}"
            outcomes[found] = outcomes.get(found, 0) + 1
            greatest = max(greatest, taken / (size + FLOOR / FACTOR))
    finally:
        tracemalloc.stop()
    return outcomes, greatest


@pytest.mark.parametrize("kind", MUTATE)
def test_mutants_are_refused_or_the_same(record, assert_same, tmp_path, kind):
    outcomes, _ = check_mutants(record, assert_same, tmp_path / "record", kind, 150)
    assert outcomes["refused"] > 100


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "n_mutants"), [("bytes", 8000), ("header", 6000), ("description", 6000)])
def test_twenty_thousand_mutants(record, assert_same, tmp_path, kind, n_mutants):
    outcomes, greatest = check_mutants(record, assert_same, tmp_path / "record", kind, n_mutants, seed=1)
    print(f"{n_mutants} mutants of {kind}: {outcomes}; memory at most {greatest:.0f} times the file")
    assert sum(outcomes.values()) == n_mutants


def hostile(record, path, **changes):
    """The file of a record whose description was changed under a right digest."""
    record.save(path)
    content = path.read_bytes()
    tensors = _tensors(content)
    metadata = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])["__metadata__"]
    text = json.dumps(json.loads(metadata["record"]) | changes)
    path.write_bytes(save(tensors, metadata | {"record": text, "digest": digest(text, tensors)}))


@pytest.mark.parametrize("which", ["y", "classes"])
def test_labels_beyond_their_type_are_refused(record, tmp_path, which):
    """In words, not by a warning and an infinite label."""
    path, types = tmp_path / "record", {"y": "<f8", "classes": "<f8"}
    hostile(record, path, classes=[0.0, 1.0, 1e300], label_types={**types, which: "<f4"})
    words = {"y": "float32 does not hold them all", "classes": "overflow"}
    assert words[which] in loaded_or_message(path)


HOSTILE = {
    "many small lists": {"header": {"it": [[] for _ in range(20_000)]}},
    "many small dictionaries": {"header": {"it": [{"a": 0} for _ in range(20_000)]}},
    "many keys": {"header": {str(n): n for n in range(20_000)}},
    "deep": {"header": {"it": json.loads("[" * 300 + "]" * 300)}},
    "many classes": {"classes": [str(n) for n in range(20_000)]},
    "a long class": {"classes": ["a", "b", "c" * 100_000]},
    "long types": {"label_types": {"y": "<U100000000", "classes": "<U100000000"}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_made_to_fill_the_memory_does_not(record, tmp_path, name):
    path = tmp_path / "record"
    hostile(record, path, **HOSTILE[name])
    tracemalloc.start()
    try:
        loaded_or_message(path)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken < FACTOR * path.stat().st_size + FLOOR
