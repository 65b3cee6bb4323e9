"""Logs of several processes merged are the log of one that saw everything."""

import numpy as np
import pytest

from sklearn_nndyn import DynamicsLog
from tests.dynamics.log.test_log import MEASURED, assert_same_samples


def assert_same_record(one, other):
    assert_same_samples(one, other)
    assert one.epochs.tolist() == other.epochs.tolist()
    assert one.layers == other.layers
    for layer, means in one.centroids.items():
        np.testing.assert_allclose(means, other.centroids[layer], rtol=1e-6, atol=1e-7)


@pytest.fixture
def shards(training, log_all):
    """``shards(n, activations)``: logs of n processes, each of its own samples, shuffled anew at each epoch."""

    def make(n, activations=True, **parameters):
        logs = [DynamicsLog(training.y, **parameters) for _ in range(n)]
        for epoch in range(4):
            order = np.random.default_rng(epoch).permutation(60)
            for rank, log in enumerate(logs):
                log_all(log, training, order[rank::n], [epoch], activations=activations)
        return logs

    return make


@pytest.mark.parametrize("n", [2, 3, 5])
def test_shards_make_the_whole(shards, full_log, n):
    first, *others = shards(n)
    for other in others:
        assert first.merge(other) is first
    assert_same_record(first.dynamics(), full_log.dynamics())
    assert first.dynamics().seen.all()


def test_the_order_of_merging_makes_no_difference(shards):
    one, other = (shards(3) for _ in range(2))
    forward = one[0].merge(one[1]).merge(one[2]).dynamics()
    backward = other[2].merge(other[1]).merge(other[0]).dynamics()
    assert_same_record(forward, backward)


def test_the_other_log_stays_as_it_is(shards):
    one, other = shards(2)
    before = other.dynamics()
    one.merge(other)
    one.add(3, np.arange(60), np.ones((60, 3)))
    assert_same_record(other.dynamics(), before)


def test_an_empty_log_takes_all_and_gives_nothing(training, full_log):
    expected = full_log.dynamics()
    assert_same_record(DynamicsLog(training.y).merge(full_log).dynamics(), expected)
    assert_same_record(full_log.merge(DynamicsLog(training.y)).dynamics(), expected)


def test_samples_that_filled_up_a_batch_are_seen_once(training, log_all, full_log):
    """A sampler for several processes repeats some samples, so that all have batches of one size."""
    one = log_all(DynamicsLog(training.y), training, np.arange(0, 35))
    other = log_all(DynamicsLog(training.y), training, np.arange(30, 60))
    assert_same_samples(one.merge(other).dynamics(), full_log.dynamics())


def test_what_a_killed_process_did_not_write_is_missing(training, tmp_path):
    lost = DynamicsLog(training.y)
    lost.add(0, [1, 2], training.scores[[1, 2], 0])
    lost.save(tmp_path / "log")
    lost.add(0, [4], training.scores[[4], 0])  # killed before it was saved again
    merged = DynamicsLog(training.y).merge(DynamicsLog.load(tmp_path / "log"))
    assert np.flatnonzero(merged.dynamics().seen[:, 0]).tolist() == [1, 2]


def test_logs_go_on_after_merging(shards, training, full_log):
    one, other = shards(2)
    one.merge(other).add(4, np.arange(60), training.scores[:, 0])
    assert_same_samples(one.dynamics().select_epochs([0, 1, 2, 3]), full_log.dynamics())


@pytest.mark.parametrize(("overlap", "wins"), [("first", 0), ("last", 1)])
def test_where_logs_differ_one_of_them_can_be_chosen(training, overlap, wins):
    logs = [DynamicsLog(training.y) for _ in range(2)]
    logs[0].add(0, np.arange(40), training.scores[:40, 0])
    logs[1].add(0, np.arange(20, 60), training.scores[20:, 1])
    expected = [log.dynamics() for log in logs]
    record = logs[0].merge(logs[1], overlap=overlap).dynamics()
    for name in MEASURED:
        np.testing.assert_array_equal(getattr(record, name)[20:40], getattr(expected[wins], name)[20:40])
        np.testing.assert_array_equal(getattr(record, name)[:20], getattr(expected[0], name)[:20])
        np.testing.assert_array_equal(getattr(record, name)[40:], getattr(expected[1], name)[40:])


FOREIGN = {
    "labels": (lambda t: {"y": np.roll(t.y, 1)}, "the labels of 60 samples differ"),
    "classes": (lambda t: {"classes": ["ant", "bee", "cow", "yak"]}, "their classes differ"),
    "fewer": (lambda t: {"y": t.y[:30]}, "one is of 60 samples, the other of 30"),
    "ids": (
        lambda t: {"sample_ids": np.arange(60)[::-1]},
        "their sample_ids differ, or one of them has none",
    ),
    "loss": (lambda t: {"loss": "focal"}, "one measures the loss 'log', the other 'focal'"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_logs_are_refused_and_nothing_is_lost(training, full_log, kind):
    change, message = FOREIGN[kind]
    given = {"y": training.y} | change(training)
    other = DynamicsLog(given.pop("y"), **given)
    before = full_log.dynamics()
    with pytest.raises(ValueError, match=rf"These logs cannot be merged:\n- {message}"):
        full_log.merge(other)
    assert_same_record(full_log.dynamics(), before)


def test_contradictions_are_named(training):
    one, other = DynamicsLog(training.y), DynamicsLog(training.y)
    one.add(0, np.arange(5), training.scores[:5, 0])
    other.add(0, np.arange(3, 9), training.scores[3:9, 1])
    with pytest.raises(
        ValueError, match=r'2 cells at epoch 0 differ, the first of sample 3: choose overlap="first" or'
    ):
        one.merge(other)
    assert np.count_nonzero(one.dynamics().seen) == 5


def test_activations_of_a_sample_belong_in_one_log(full_log, training, log_all):
    other = log_all(DynamicsLog(training.y), training, [7], [2], activations=True)
    with pytest.raises(
        ValueError, match="both hold activations of 1 sample at epoch 2: log those of each sample in"
    ):
        full_log.merge(other)


def test_other_layers_are_refused(training, full_log):
    other = DynamicsLog(training.y)
    other.add(9, [0], training.scores[:1, 0], activations={"z": np.ones((1, 4))})
    with pytest.raises(ValueError, match=r"the layers are z \(5\), conv \(6\) in one, z \(4\) in the other"):
        full_log.merge(other)


def test_epochs_that_were_not_named_are_refused(training, full_log):
    with pytest.raises(ValueError, match=r"the other holds epochs that are not to be logged: 0, 2"):
        DynamicsLog(training.y, epochs=[1, 3]).merge(full_log)


@pytest.mark.parametrize("nonsense", [None, 3, "log", {}])
def test_only_logs_are_merged(full_log, nonsense):
    with pytest.raises(TypeError, match="merge takes another DynamicsLog, got"):
        full_log.merge(nonsense)


def test_overlap_has_three_words(full_log, training):
    with pytest.raises(ValueError, match="overlap must be one of 'raise', 'first', 'last'; got 'mean'"):
        full_log.merge(DynamicsLog(training.y), overlap="mean")
