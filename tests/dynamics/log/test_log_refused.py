"""Logs that make no sense are refused in words, before anything is written."""

import numpy as np
import pytest
import torch

from sklearn_nndyn import DynamicsLog, EntanglementAnalyzer, LossTailAnalyzer, SampleScoreAnalyzer

S = np.zeros((2, 3))
ILL_FORMED = {
    "unknown id": (
        (3, [0, 60], S),
        ValueError,
        r"ids has 1 id of no sample: 60\. Samples are called by their positions, 0 to 59; give sample_ids",
    ),
    "negative id": ((3, [0, -1], S), ValueError, "ids has 1 id of no sample: -1"),
    "id twice": (
        (3, [4, 4], S),
        ValueError,
        "ids has 4 more than once. Of several views .* log one, or the mean",
    ),
    "ids of text": (
        (3, ["a", "b"], S),
        TypeError,
        "ids must be integers, as the samples are called; got <U1: 'a', 'b'",
    ),
    "ids of floats": ((3, [0.0, 1.0], S), TypeError, "ids must be integers, .* got float64"),
    "a mask": ((3, [True, False], S), TypeError, "ids must be integers, .* got bool"),
    "two axes of ids": ((3, [[0, 1]], S), ValueError, r"ids must have one axis, .* got shape \(1, 2\)"),
    "no ids": ((3, None, S), TypeError, "ids must be an array of numbers or of strings, got NoneType"),
    "few rows": ((3, [0, 1, 2], S), ValueError, r"scores has shape \(2, 3\), expected \(3, 3\)"),
    "other width": (
        (3, [0, 1], np.zeros((2, 4))),
        ValueError,
        r"scores has shape \(2, 4\), expected \(2, 3\): a score for each of the 3 classes",
    ),
    "one column": ((3, [0, 1], [0.0, 1.0]), ValueError, r"scores has shape \(2,\), expected \(2, 3\)"),
    "nan": (
        (3, [0, 1], S * np.nan),
        ValueError,
        "scores are nan in 2 rows, the first is 0: leave out samples without",
    ),
    "a nan": ((3, [0, 1], [[0, np.nan, 0], [0, 0, 0]]), ValueError, "nan for some classes only, in 1 row"),
    "infinite": (
        (3, [0, 1], [[0, 0, 0], [0, np.inf, 0]]),
        ValueError,
        r"scores are infinite.*the first is \[1\]",
    ),
    "scores of text": ((3, [0, 1], [["a"] * 3] * 2), TypeError, "scores must be numbers, got <U1"),
    "no scores": (
        (3, [0, 1], None),
        TypeError,
        "scores must be an array of numbers or of strings, got NoneType",
    ),
    "epoch back": (
        (1, [0, 1], S),
        ValueError,
        r"epoch 1 comes after epoch 3, .* DynamicsLog\(y, epochs=\.\.\.\)",
    ),
    "negative epoch": ((-1, [0, 1], S), ValueError, "epoch must be 0 or more, got -1"),
    "epoch nan": ((float("nan"), [0, 1], S), TypeError, "epoch must be a finite number, got nan"),
    "named epoch": (("3", [0, 1], S), TypeError, "epoch must be a finite number, got '3'"),
    "one id alone": ((3, 0, S[:1]), ValueError, r"ids must have one axis, .* got shape \(\)"),
    "ragged scores": (
        (3, [0, 1], [[0.0, 1.0, 2.0], [0.0]]),
        TypeError,
        "scores cannot be read as an array: ValueE",
    ),
    "complex scores": ((3, [0, 1], S * 1j), TypeError, "scores must be numbers, got complex128"),
    "scores without values": (
        (3, [0, 1], torch.zeros(2, 3, device="meta")),
        TypeError,
        "scores cannot be read as an array: NotImplementedError",
    ),
    "classes in front": (
        (3, [0, 1], S.T),
        ValueError,
        r"scores has shape \(3, 2\), expected \(2, 3\)",
    ),
    "too many axes": (
        (3, [0, 1], S[:, :, None]),
        ValueError,
        r"scores has shape \(2, 3, 1\), expected \(2, 3\)",
    ),
    "no epoch": ((None, [0, 1], S), TypeError, "epoch must be a finite number, got None"),
    "epoch True": ((True, [0, 1], S), TypeError, "epoch must be a finite number, got True"),
}
LAYERS = {"z": np.zeros((2, 5)), "conv": np.zeros((2, 2, 3))}
ILL_ACTIVATED = {
    "no mapping": (
        np.zeros((2, 5)),
        TypeError,
        "activations must be a dictionary from a layer's name to an array",
    ),
    "no names": ({0: np.zeros((2, 5))}, TypeError, "activations must be a dictionary from a layer's name"),
    "few layers": (
        {"z": np.zeros((2, 5))},
        ValueError,
        "activations has the layers 'z'; before they were 'z', 'conv'",
    ),
    "other width": (
        LAYERS | {"z": np.zeros((2, 6))},
        ValueError,
        r"activations\['z'\] has 6 values for each sample; before there were 5",
    ),
    "few rows": (
        LAYERS | {"z": np.zeros((1, 5))},
        ValueError,
        r"activations\['z'\] must be \(2 samples, width\), got",
    ),
    "flat": (LAYERS | {"z": np.zeros(2)}, ValueError, r"activations\['z'\] must be \(2 samples, width\)"),
    "nan": (
        LAYERS | {"conv": np.full((2, 2, 3), np.nan)},
        ValueError,
        r"activations\['conv'\] holds values that are",
    ),
    "text": (
        LAYERS | {"z": np.full((2, 5), "a")},
        TypeError,
        r"activations\['z'\] must hold numbers, got <U1",
    ),
}


def state(log):
    record = log.dynamics()
    return [record.epochs, record.loss, record.margin, record.prediction, *record.centroids.values()]


def assert_refused_and_nothing_lost(log, call, error, message):
    before = state(log)
    with pytest.raises(error, match=message):
        call()
    after = state(log)
    assert len(before) == len(after)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ILL_FORMED)
def test_an_ill_formed_batch_is_refused_and_nothing_is_lost(full_log, name):
    arguments, error, message = ILL_FORMED[name]
    assert_refused_and_nothing_lost(full_log, lambda: full_log.add(*arguments), error, message)


@pytest.mark.parametrize("name", ILL_ACTIVATED)
def test_ill_formed_activations_are_refused_and_nothing_is_lost(full_log, name):
    activations, error, message = ILL_ACTIVATED[name]
    call = lambda: full_log.add(3, [0, 1], S, activations=activations)  # noqa: E731
    assert_refused_and_nothing_lost(full_log, call, error, message)


def test_a_loss_that_fails_loses_nothing(training, log_all):
    broken = []

    def loss(scores, y_encoded):
        if broken:
            raise ZeroDivisionError("broken")
        return scores[:, 0]

    log = log_all(DynamicsLog(training.y, loss=loss), training)
    broken.append(True)
    assert_refused_and_nothing_lost(log, lambda: log.add(3, [0, 1], S), ZeroDivisionError, "broken")


def test_what_follows_a_file_is_checked_as_what_came_before_it(full_log, tmp_path):
    full_log.save(tmp_path / "log")
    loaded = DynamicsLog.load(tmp_path / "log")
    for name in ("epoch back", "unknown id", "other width"):
        arguments, error, message = ILL_FORMED[name]
        assert_refused_and_nothing_lost(
            loaded, lambda arguments=arguments: loaded.add(*arguments), error, message
        )
    call = lambda: loaded.add(3, [0, 1], S, activations={"z": np.zeros((2, 6))})  # noqa: E731
    assert_refused_and_nothing_lost(
        loaded, call, ValueError, "has the layers 'z'; before they were 'z', 'conv'"
    )


def test_a_log_of_a_training_with_other_labels_cannot_go_on_with_this_one(training, full_log, tmp_path):
    """Labels that were corrected between two runs are those of another log."""
    full_log.save(tmp_path / "log")
    corrected = training.y.copy()
    corrected[[3, 8]] = np.where(corrected[[3, 8]] == "ant", "bee", "ant")
    later = DynamicsLog(corrected)
    later.add(4, [0, 1], S)
    call = lambda: later.merge(DynamicsLog.load(tmp_path / "log"))  # noqa: E731
    assert_refused_and_nothing_lost(later, call, ValueError, "the labels of 2 samples differ")


def test_everything_that_differs_is_said_at_once(training, full_log):
    other = DynamicsLog(np.roll(training.y, 1), loss="focal", sample_ids=np.arange(60))
    message = r"(?s)- the labels of 60 .*- their sample_ids differ.*- one measures the loss 'log', the other 'focal'"
    assert_refused_and_nothing_lost(full_log, lambda: full_log.merge(other), ValueError, message)


def test_a_log_merged_with_itself_has_its_activations_twice(full_log, training, log_all):
    message = "both hold activations of 60 samples at epoch 0: log those of each sample in one of them"
    assert_refused_and_nothing_lost(full_log, lambda: full_log.merge(full_log), ValueError, message)
    plain = log_all(DynamicsLog(training.y), training)
    before = state(plain)
    for one, other in zip(state(plain.merge(plain)), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_contradiction_at_a_late_epoch_leaves_the_early_ones_unmerged(training):
    one, other = DynamicsLog(training.y), DynamicsLog(training.y)
    one.add(2, [0, 1], S)
    other.add(0, [5], S[:1])
    other.add(2, [1], [[1.0, 0.0, 0.0]])
    message = "1 cell at epoch 2 differs, the first of sample 1"
    assert_refused_and_nothing_lost(one, lambda: one.merge(other), ValueError, message)
    assert one.epochs == (2,)


def test_named_ids_are_offered(training):
    log = DynamicsLog(training.y, sample_ids=[f"s{i}" for i in range(60)])
    with pytest.raises(
        ValueError, match=r"ids has 1 id of no sample: 's60'\. The sample_ids are 's0', 's1', .* 's9'"
    ):
        log.add(0, ["s1", "s60"], S)
    with pytest.raises(TypeError, match="ids must be strings, as the samples are called; got int64: 1, 2"):
        log.add(0, [1, 2], S)


def test_an_epoch_that_was_not_named_is_refused(training):
    with pytest.raises(ValueError, match=r"epoch 7 is not among those to be logged, 1, 2, 3\."):
        DynamicsLog(training.y, epochs=[1, 2, 3]).add(7, [0, 1], S)


def test_one_column_needs_a_loss_with_probabilities():
    with pytest.raises(ValueError, match="the loss 'hinge' needs the score of each class"):
        DynamicsLog([0, 1], loss="hinge").add(0, [0, 1], [0.5, 1.0])


MADE = {
    "labels": ({"y": [[0, 1]]}, ValueError, r"y must hold a label for each sample, .* got shape \(1, 2\)"),
    "classes": ({"classes": ["ant"]}, ValueError, "y has labels that are not among the classes"),
    "ids twice": ({"sample_ids": [1] * 60}, ValueError, "sample_ids must name each sample once"),
    "few ids": ({"sample_ids": [1, 2]}, ValueError, "sample_ids has shape"),
    "epochs": ({"epochs": [3, 1]}, ValueError, "epochs must increase from 0 or later, got 3, 1"),
    "no epochs": ({"epochs": []}, ValueError, "epochs is empty"),
    "loss": ({"loss": "logg"}, ValueError, "Unknown loss 'logg'; the nearest name is 'log'"),
    "no loss": ({"loss": None}, TypeError, "loss must be a name, or a function of scores"),
    "memory": ({"memory_limit": -1}, ValueError, "memory_limit must be 0 or more, got -1"),
    "no memory": ({"memory_limit": "1GB"}, TypeError, "memory_limit must be a whole number, got '1GB'"),
}


@pytest.mark.parametrize("name", MADE)
def test_a_log_is_checked_when_it_is_made(training, name):
    changes, error, message = MADE[name]
    given = {"y": training.y} | changes
    with pytest.raises(error, match=message):
        DynamicsLog(given.pop("y"), **given)


def test_a_record_of_nothing_is_refused(training):
    with pytest.raises(
        ValueError, match=r"Nothing was logged: call add\(epoch, ids, scores\) for each batch first"
    ):
        DynamicsLog(training.y).dynamics()


def test_missing_has_three_words(full_log):
    with pytest.raises(ValueError, match="missing must be one of 'nan', 'last', 'raise'; got 'zero'"):
        full_log.dynamics("zero")


@pytest.mark.parametrize("analyzer", [LossTailAnalyzer(), SampleScoreAnalyzer(), EntanglementAnalyzer()])
def test_a_log_is_no_record_yet(full_log, analyzer):
    with pytest.raises(TypeError, match=r"log\.dynamics\(\)"):
        analyzer.fit(full_log)


def test_probabilities_are_told_from_small_batches_too():
    p = np.random.default_rng(0).dirichlet(np.ones(3), size=12)
    log = DynamicsLog(np.arange(12) % 3)
    log.add(0, [0, 1, 2, 3], p[:4])
    for _ in range(2):
        with pytest.raises(ValueError, match="scores are probabilities, it seems"):
            log.add(0, [4, 5, 6, 7], p[4:8])
    assert "4 of 12 cells seen" in repr(log)
    log = DynamicsLog(np.arange(12) % 3)
    for rows in np.split(np.arange(12), 6):
        log.add(0, rows, np.log(p[rows]))
    np.testing.assert_allclose(
        log.dynamics().probability[:, 0], p[np.arange(12), np.arange(12) % 3], rtol=1e-5
    )
