"""What a loop tells batch by batch is the record of the whole."""

import os
import pickle

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from sklearn_nndyn import Dynamics, DynamicsClassifier, DynamicsLog
from sklearn_nndyn.analyzers import EntanglementAnalyzer, LossTailAnalyzer, SampleScoreAnalyzer
from tests.reference import centroids

MEASURED = ("loss", "margin", "prediction", "probability")


def assert_same_samples(found, expected):
    for name in MEASURED:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("batch", [1, 7, 60])
def test_batches_in_any_order_make_the_record_of_all_scores(training, log_all, batch):
    record = log_all(DynamicsLog(training.y), training, batch=batch).dynamics()
    assert_same_samples(record, Dynamics.from_scores(training.scores, training.y))
    assert record.epochs.tolist() == [0, 1, 2, 3]
    assert record.seen.all()


@pytest.mark.parametrize("loss", ["log", "focal", "l2"])
def test_it_is_the_record_of_the_classifier_up_to_rounding(loss):
    X, y = load_digits(return_X_y=True)
    record = ("samples", "scores", "geometry")
    clf = DynamicsClassifier(loss=loss, record=record, max_epochs=3, random_state=0).fit(X[:300], y[:300])
    expected, log = clf.dynamics_, DynamicsLog(y[:300], loss=loss)
    for t, epoch in enumerate(expected.epochs):
        for some in np.array_split(np.random.default_rng(t).permutation(300), 9):
            log.add(epoch, some, expected.scores[some, t])
    found = log.dynamics()
    assert found.loss_facts == expected.loss_facts
    for name in MEASURED:
        one, other = getattr(found, name), getattr(expected, name)
        if other is not None:
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-6 * abs(other).max(), err_msg=name)
            assert one.dtype == other.dtype


def test_centroids_are_those_of_the_classifier():
    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32)
    clf = DynamicsClassifier(max_epochs=2, random_state=0, record_epochs=[2]).fit(X[:300], y[:300])
    log = DynamicsLog(y[:300])
    hidden = next(iter(clf.dynamics_.centroids))
    with torch.no_grad():
        for some in np.array_split(np.random.default_rng(0).permutation(300), 5):
            kept = {}
            layer = clf.module_.get_submodule(hidden)
            handle = layer.register_forward_hook(
                lambda module, inputs, output, kept=kept: kept.update(h=output)
            )
            scores = clf.module_(torch.from_numpy(X[some]))
            handle.remove()
            log.add(
                2,
                some,
                scores,
                activations={hidden: kept["h"].relu()},
            )
    found = log.dynamics().centroids[hidden]
    np.testing.assert_allclose(found, clf.dynamics_.select_epochs(2).centroids[hidden], rtol=1e-4, atol=1e-5)


def test_centroids_are_the_slow_definition(full_log, training):
    record = full_log.dynamics()
    assert record.layers == ("z", "conv")
    for layer, values in training.layers.items():
        for t in range(4):
            rows = values[:, t].reshape(60, -1)
            expected = centroids(rows, np.arange(60) % 3, 3)
            np.testing.assert_allclose(record.centroids[layer][t], expected, rtol=1e-5, atol=1e-6)


def test_a_class_without_activations_has_no_centroid(training, log_all):
    rows = np.flatnonzero(training.y != "bee")
    record = log_all(DynamicsLog(training.y), training, rows, activations=True).dynamics()
    assert np.isnan(record.centroids["z"][:, 1]).all()
    assert np.isfinite(record.centroids["z"][:, [0, 2]]).all()


def test_an_activation_of_zeros_counts_and_adds_nothing():
    log = DynamicsLog([0, 0, 1])
    log.add(0, [0, 1, 2], np.zeros((3, 2)), activations={"z": [[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]]})
    np.testing.assert_allclose(log.dynamics().centroids["z"][0], [[0.3, 0.4], [1.0, 0.0]])


# ---------------------------------------------------------------------------- some missing, some twice


@pytest.fixture
def gappy(training, log_all):
    """At each epoch other samples are left out; the last sample is never seen."""
    log = DynamicsLog(training.y)
    seen = np.random.default_rng(3).random((60, 4)) > 0.3
    seen[-1] = False
    for epoch in range(4):
        log_all(log, training, np.flatnonzero(seen[:, epoch]), [epoch])
    return log, seen


def test_what_was_not_logged_is_missing(gappy, training):
    log, seen = gappy
    record, whole = log.dynamics(), Dynamics.from_scores(training.scores, training.y)
    np.testing.assert_array_equal(record.seen, seen)
    for name in MEASURED:
        np.testing.assert_array_equal(getattr(record, name)[seen], getattr(whole, name)[seen])
    assert np.isnan(record.loss[~seen]).all()
    assert (record.prediction[~seen] == -1).all()


def test_missing_cells_can_be_what_was_seen_last(gappy):
    log, seen = gappy
    record, gaps = log.dynamics("last"), log.dynamics()
    carried = 0
    for i in range(60):
        for t in range(4):
            before = [s for s in range(t + 1) if seen[i, s]]
            carried += bool(before) and not seen[i, t]
            for name in MEASURED:
                expected = getattr(gaps, name)[i, before[-1] if before else t]
                np.testing.assert_array_equal(getattr(record, name)[i, t], expected)
    assert record.header["cells_carried_on"] == carried > 0
    assert not record.seen[-1].any(), "there is nothing to carry on of a sample that was never seen"


def test_missing_cells_can_be_refused(gappy, full_log):
    log, seen = gappy
    with pytest.raises(
        ValueError, match=rf"^{(~seen).sum()} cells were not seen: \d+ at epoch 0, .*missing=\"nan\""
    ):
        log.dynamics("raise")
    assert full_log.dynamics("raise").seen.all()


def test_of_a_sample_logged_again_the_last_scores_count_and_the_first_activations(training):
    log, first = DynamicsLog(training.y), training.scores[:, 0]
    log.add(0, np.arange(60), first + 1, activations={"z": training.layers["z"][:, 0]})
    log.add(0, np.arange(30), first[:30], activations={"z": training.layers["z"][:30, 1]})
    log.add(0, np.arange(30, 60), first[30:])
    assert_same_samples(log.dynamics(), Dynamics.from_scores(training.scores[:, :1], training.y))
    expected = centroids(training.layers["z"][:, 0], np.arange(60) % 3, 3)
    np.testing.assert_allclose(log.dynamics().centroids["z"][0], expected, rtol=1e-5, atol=1e-6)


def test_epochs_that_are_named_may_come_in_any_order(training, log_all):
    log = DynamicsLog(training.y, epochs=[0, 1, 2, 3])
    for epoch in (2, 0, 3, 1):
        log_all(log, training, epochs=[epoch])
    assert_same_samples(log.dynamics(), Dynamics.from_scores(training.scores, training.y))
    assert log.epochs == (0, 1, 2, 3)


def test_named_epochs_that_did_not_come_are_not_in_the_record(training, log_all):
    assert log_all(DynamicsLog(training.y, epochs=range(9)), training).dynamics().epochs.tolist() == [
        0,
        1,
        2,
        3,
    ]


def test_epochs_may_be_fractions(training, log_all):
    log = DynamicsLog(training.y)
    for epoch in (0, 0.5, np.float32(1), np.int64(2)):
        log.add(epoch, [0], training.scores[:1, 0])
    assert log.epochs == (0, 0.5, 1, 2)
    assert [type(epoch) for epoch in log.epochs] == [int, float, int, int]


# ------------------------------------------------------------------------------------ ids and arrays

NAMES = {
    "text": np.array([f"sample {i}" for i in range(60)]),
    "objects": np.array([f"s{i}" * (i % 3 + 1) for i in range(60)], dtype=object),
    "numbers": 1000 - 7 * np.arange(60),
    "unsigned": np.arange(60, dtype=np.uint64) + 2**63,
}


@pytest.mark.parametrize("kind", NAMES)
def test_samples_are_called_by_their_ids(training, log_all, kind):
    names = NAMES[kind]
    record = log_all(DynamicsLog(training.y, sample_ids=names), training, names=names).dynamics()
    assert_same_samples(record, Dynamics.from_scores(training.scores, training.y))
    np.testing.assert_array_equal(record.sample_ids, names)


def test_arrays_of_torch_are_taken_also_with_a_gradient(training):
    log = DynamicsLog(torch.arange(60) % 3)
    scores = torch.tensor(training.scores[:, 0], requires_grad=True)
    log.add(0, torch.arange(60), scores * 1, activations={"z": torch.ones(60, 2, requires_grad=True) * 2})
    expected = Dynamics.from_scores(training.scores[:, :1], np.arange(60) % 3)
    assert_same_samples(log.dynamics(), expected)


def test_two_classes_may_have_one_column():
    one, two = DynamicsLog([0, 1]), DynamicsLog([0, 1])
    one.add(0, [0, 1], [0.5, -2.0])
    two.add(0, [0, 1], [[0.0, 0.5], [0.0, -2.0]])
    assert_same_samples(one.dynamics(), two.dynamics())


def test_an_empty_batch_is_nothing(training):
    log = DynamicsLog(training.y)
    log.add(0, [], np.zeros((0, 3)))
    assert not log.dynamics().seen.any()


def test_what_is_handed_in_is_neither_kept_nor_changed(training):
    scores, layer = training.scores[:, 0].copy(), training.layers["z"][:, 0].copy()
    log = DynamicsLog(training.y)
    log.add(0, np.arange(60), scores, activations={"z": layer})
    np.testing.assert_array_equal(scores, training.scores[:, 0])
    np.testing.assert_array_equal(layer, training.layers["z"][:, 0])
    before = log.dynamics()
    scores[...], layer[...] = 9, 9
    log.add(0, np.arange(30), scores[:30])
    assert before.seen.all()
    assert_same_samples(before, Dynamics.from_scores(training.scores[:, :1], training.y))


def test_a_loss_of_ones_own(training, log_all):
    record = log_all(DynamicsLog(training.y, loss=distance), training).dynamics()
    np.testing.assert_allclose(
        record.loss, 1 - training.scores[np.arange(60), :, np.arange(60) % 3], rtol=1e-6
    )
    assert record.probability is None
    assert record.loss_facts.name == "distance"


# ---------------------------------------------------------------------------------------------- memory


@pytest.mark.skipif(os.name != "posix", reason="counts open files")
def test_beyond_the_limit_cells_lie_in_files_without_a_name(training, log_all, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    in_memory = log_all(DynamicsLog(training.y), training, activations=True)
    before = len(os.listdir("/dev/fd"))
    on_disk = log_all(DynamicsLog(training.y, memory_limit=0), training, activations=True)
    assert len(os.listdir("/dev/fd")) == before + 1, "all arrays share a file"
    assert list(tmp_path.iterdir()) == []
    one, other = in_memory.dynamics(), on_disk.dynamics()
    assert_same_samples(one, other)
    np.testing.assert_array_equal(one.centroids["z"], other.centroids["z"])


def distance(scores, y_encoded):
    return 1 - scores[np.arange(len(y_encoded)), y_encoded]


@pytest.mark.parametrize("loss", ["log", "l2", "hinge", distance])
@pytest.mark.parametrize("memory_limit", [0, 10**9])
def test_a_copy_goes_on_by_itself(training, log_all, loss, memory_limit):
    log = log_all(DynamicsLog(training.y, loss=loss, memory_limit=memory_limit), training, epochs=[0, 1])
    copied = pickle.loads(pickle.dumps(log))
    log_all(copied, training, epochs=[2, 3])
    assert log.epochs == (0, 1)
    assert_same_samples(copied.dynamics(), log_all(log, training, epochs=[2, 3]).dynamics())


def test_analyzers_take_the_record_of_a_log(full_log, training):
    record = full_log.dynamics()
    for analyzer in (LossTailAnalyzer(), SampleScoreAnalyzer(), EntanglementAnalyzer(layer="z")):
        assert len(analyzer.fit(record).transform(record)) == 60


def test_it_says_what_it_holds(gappy):
    log, seen = gappy
    assert repr(log) == f"DynamicsLog of 60 samples at 4 epochs: {seen.sum()} of 240 cells seen"
    assert repr(DynamicsLog([0, 1])) == "DynamicsLog of 2 samples at 0 epochs: 0 of 0 cells seen"
