"""Processes that train one network each log their own rows: merged they are the record of one process."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from sklearn_nndyn import DynamicsLog, load_dynamics
from tests.dynamics.log.test_merged_logs import assert_same_record
from tests.recording.integrations.ranks import EPOCHS, N_SAMPLES, RANKS, batches, shares, train_alone
from tests.recording.integrations.spread import spread_task
from tests.recording.integrations.test_frameworks import ROUNDING
from tests.recording.integrations.trainings import need, worst
from tests.recording.integrations.twin import twin_record

pytestmark = pytest.mark.slow
PATIENCE = 300  # seconds


def train(folder, *words):
    """The exit codes of both ranks, and their logs."""
    program = [sys.executable, "-m", "tests.recording.integrations.ranks"]
    started = [subprocess.Popen([*program, str(rank), str(folder), *words]) for rank in range(RANKS)]
    codes = [process.wait(PATIENCE) for process in started]
    return codes, [DynamicsLog.load(folder / f"log.{rank}") for rank in range(RANKS)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    codes, logs = train(tmp_path_factory.mktemp("whole"))
    assert codes == [0, 0]
    return logs


def merged(logs, **parameters):
    return DynamicsLog(logs[0].dynamics().y).merge(logs[0]).merge(logs[1], **parameters)


def test_the_sampler_gives_one_sample_to_both_and_the_last_batch_is_short():
    for epoch in range(1, EPOCHS + 1):
        _, counts = np.unique(shares(epoch), return_counts=True)
        assert (len(counts), counts.max(), (counts == 2).sum()) == (N_SAMPLES, 2, 1)
        assert len(batches(0, epoch)[-1]) < len(batches(0, epoch)[0])


def test_merged_logs_are_bitwise_the_log_of_one_process_that_saw_the_same_batches(whole):
    found, expected = merged(whole, overlap="last").dynamics("raise"), train_alone().dynamics("raise")
    assert_same_record(found, expected)
    assert found.epochs.tolist() == [1, 2, 3, 4]
    assert found.accuracy[-1] > found.accuracy[0]


def test_each_rank_logged_its_own_rows_alone(whole):
    for rank, log in enumerate(whole):
        for t, seen in enumerate(log.dynamics().seen.T, start=1):
            np.testing.assert_array_equal(np.flatnonzero(seen), np.unique(shares(t)[rank]))


def test_the_sample_of_both_was_seen_by_two_networks_and_one_has_to_be_chosen(whole):
    with pytest.raises(ValueError, match=r'1 cell at epoch 1 differ.*choose overlap="first" or "last"'):
        merged(whole)
    twice = np.intersect1d(*shares(1))
    first = merged(whole, overlap="first").dynamics().loss[twice, 0]
    np.testing.assert_array_equal(first, whole[0].dynamics().loss[twice, 0])


def test_of_a_rank_that_was_killed_only_the_rows_since_the_last_file_are_missing(whole, tmp_path):
    codes, logs = train(tmp_path, "killed")
    assert codes[1] == -9
    assert codes[0] not in (0, -9), "the other one cannot go on alone, and ends with an error"
    log = merged(logs, overlap="last")
    record, expected = log.dynamics(), merged(whole, overlap="last").dynamics().until(2)
    assert_same_record(record.select_epochs([1, 2]), expected)
    kept = np.concatenate(batches(0, 3)[:5])
    np.testing.assert_array_equal(np.flatnonzero(record.seen[:, 2]), np.sort(kept))
    n_missing = N_SAMPLES - len(kept)
    with pytest.raises(
        ValueError, match=rf"^{n_missing} cells were not seen: {n_missing} at epoch 3\. Log them"
    ):
        log.dynamics("raise")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def spread(framework, folder):
    """The record of the first process, and the logs of both."""
    program = [sys.executable, "-m", "tests.recording.integrations.spread", framework, str(folder)]
    common = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    ranks = [{}]  # Lightning starts the other one itself
    if framework == "accelerate":
        ranks = [{"WORLD_SIZE": "2", "RANK": str(i), "LOCAL_RANK": str(i)} for i in range(RANKS)]
    started = [subprocess.Popen(program, env=common | own) for own in ranks]
    assert [process.wait(PATIENCE) for process in started] == [0] * len(started)
    return load_dynamics(folder / "record"), [DynamicsLog.load(folder / f"log.{i}") for i in range(RANKS)]


@pytest.mark.parametrize("framework", ["accelerate", "lightning"])
def test_a_framework_that_spreads_a_training_has_the_record_of_one_process(framework, tmp_path):
    need(framework)
    record, logs = spread(framework, tmp_path)
    task = spread_task()
    assert max(worst(record, twin_record(task)).values()) < ROUNDING
    n_logged = [int(log.dynamics().seen.sum()) for log in logs]
    assert n_logged == ([1024 * 3] * 2 if framework == "accelerate" else [512 * 3] * 2)
    log = merged(logs)
    assert log.dynamics("raise").n_epochs == 3
