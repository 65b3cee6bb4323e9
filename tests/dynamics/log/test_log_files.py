"""A log and its file are the same thing, and a training goes on from it."""

import json
import struct

import numpy as np
import pytest
from safetensors.numpy import save as to_bytes

from sklearn_nndyn import DynamicsLog, load_dynamics
from sklearn_nndyn.dynamics.files._described import digest
from tests.dynamics.log.test_merged_logs import assert_same_record
from tests.dynamics.test_mutants import MUTATE


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log"


def again(log, path, **parameters):
    log.save(path)
    return DynamicsLog.load(path, **parameters)


def test_load_gives_what_was_saved(full_log, path):
    loaded = again(full_log, path)
    assert_same_record(loaded.dynamics(), full_log.dynamics())
    assert repr(loaded) == repr(full_log)
    assert loaded.dynamics().header == full_log.dynamics().header


@pytest.mark.parametrize("names", [np.array([f"s{i}" * (1 + i % 2) for i in range(60)]), 3 * np.arange(60)])
def test_ids_are_kept(training, log_all, path, names):
    log = log_all(DynamicsLog(training.y, sample_ids=names), training, names=names)
    loaded = again(log, path)
    np.testing.assert_array_equal(loaded.dynamics().sample_ids, names)
    loaded.add(4, names[[3]], training.scores[[3], 0])


def test_a_training_goes_on_from_the_file(training, log_all, path, full_log):
    half = log_all(DynamicsLog(training.y), training, epochs=[0, 1], activations=True)
    log = log_all(again(half, path), training, epochs=[2, 3], activations=True)
    assert_same_record(log.dynamics(), full_log.dynamics())


def test_a_file_within_an_epoch(training, log_all, path, full_log):
    half = log_all(DynamicsLog(training.y), training, np.arange(30), [0], activations=True)
    log = log_all(again(half, path), training, np.arange(30, 60), [0], activations=True)
    one, other = log.dynamics(), full_log.dynamics().until(0)
    assert_same_record(one, other)


def test_an_empty_log(training, path):
    assert again(DynamicsLog(training.y), path).epochs == ()


def test_named_epochs_are_kept(training, path):
    log = again(DynamicsLog(training.y, epochs=[1, 2.5]), path)
    with pytest.raises(ValueError, match="epoch 2 is not among those to be logged"):
        log.add(2, [0], training.scores[:1, 0])
    log.add(2.5, [0], training.scores[:1, 0])


def test_beyond_the_limit_too(full_log, path):
    loaded = again(full_log, path, memory_limit=0)
    assert loaded._memory.used == 0
    assert_same_record(again(loaded, path).dynamics(), full_log.dynamics())


def distance(scores, y_encoded):
    return scores.max(axis=1) - scores[np.arange(len(y_encoded)), y_encoded]


def test_a_function_is_given_again(training, log_all, path):
    log = log_all(DynamicsLog(training.y, loss=distance), training)
    assert_same_record(again(log, path, loss=distance).dynamics(), log.dynamics())
    with pytest.raises(
        ValueError, match=r"its loss is a function called 'distance': give it, DynamicsLog.load\(path"
    ):
        DynamicsLog.load(path)
    with pytest.raises(ValueError, match="its loss is a function called 'distance'"):
        DynamicsLog.load(path, loss=np.mean)


def test_a_named_loss_needs_no_function(full_log, path):
    with pytest.raises(ValueError, match="its loss is 'log', which needs no function: leave loss out"):
        again(full_log, path, loss=distance)


def test_records_and_logs_are_told_apart(full_log, path):
    full_log.save(path)
    with pytest.raises(
        ValueError, match=r"is a safetensors file, but not of a record: those are written by Dynamics\.save"
    ):
        load_dynamics(path)
    full_log.dynamics().save(path)
    with pytest.raises(ValueError, match=r"but not of a log: those are written by DynamicsLog\.save"):
        DynamicsLog.load(path)


def test_damage_is_noticed(full_log, path):
    full_log.save(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="does not hold the log that was saved: its digest differs"):
        DynamicsLog.load(path)
    path.write_bytes(content[:-3])
    with pytest.raises(ValueError, match="cannot be read as safetensors"):
        DynamicsLog.load(path)
    with pytest.raises(FileNotFoundError):
        DynamicsLog.load(path.with_name("missing"))


FORGED = {
    "an epoch twice": ({"epochs": [0, 0, 1, 2]}, "it has an epoch twice"),
    "no such epoch": ({"epochs": [0, 1, 2, 3, 4]}, "'4/rows/loss'"),
    "epochs back": ({"epochs": [0, 2, 1, 3]}, "epoch 1 comes after epoch 2"),
    "a width": ({"widths": {"z": 4, "conv": 6}}, r"sums/z is float64 of shape \(3, 5\), expected float64 of"),
    "a layer": ({"widths": {"other": 5}}, "sums/other"),
    "no loss": ({"loss": "ll"}, "Unknown loss 'll'"),
    "no classes": ({"classes": ["ant"]}, "out of bounds"),
    "no epochs": ({"epochs": 3}, "not iterable"),
    "no widths": ({"widths": 3}, "items"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_description_is_refused(full_log, path, kind):
    changes, message = FORGED[kind]
    full_log.save(path)
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__")
    types = {"F32": np.float32, "F64": np.float64, "I8": np.int8, "BOOL": bool}
    tensors = {
        name: np.frombuffer(
            content[8 + length :][slice(*entry["data_offsets"])], types[entry["dtype"]]
        ).reshape(entry["shape"])
        for name, entry in header.items()
    }
    text = json.dumps(json.loads(metadata["log"]) | changes)
    path.write_bytes(to_bytes(tensors, metadata | {"log": text, "digest": digest(text, tensors)}))
    with pytest.raises(ValueError, match=f"(?s)does not hold the log that was saved: .*{message}"):
        DynamicsLog.load(path)


def loaded_or_message(path):
    try:
        return DynamicsLog.load(path)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("kind", ["bytes", "header"])
def test_mutants_are_refused_or_the_same(full_log, path, kind):
    rng, expected = np.random.default_rng(0), full_log.dynamics()
    full_log.save(path)
    content, refused = path.read_bytes(), 0
    for _ in range(150):
        path.write_bytes(MUTATE[kind](content, rng))
        found = loaded_or_message(path)
        if isinstance(found, str):
            assert str(path) in found
            refused += 1
        else:
            assert_same_record(found.dynamics(), expected)
    assert refused > 100
