"""The scale test: what vanishes with the growth of the scores, and what does not."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import t
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import Dynamics, DynamicsClassifier
from sklearn_nndyn.analyzers.loss_tails import sample_log_loss
from sklearn_nndyn.interventions import rescale_scores, scale_test, score_scale
from sklearn_nndyn.utils.text import figure
from tests import reference
from tests.analyzers.saying import flat

HEADER = {"loss": "log"}


def scores_at_the_turn(n=120, n_classes=4, seed=0):
    """Labels, and scores that are right for seven of eight samples."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n)
    right = np.where(np.arange(n) % 8 == 0, (y + 1) % n_classes, y)
    return y, 4 * np.eye(n_classes)[right] + rng.normal(scale=0.5, size=(n, n_classes))


def record_of(y, *scores, **changes):
    """A record of scores (n_samples, n_classes) of each epoch, epochs two apart."""
    fields = {
        "y": y,
        "classes": np.arange(scores[0].shape[1]),
        "epochs": 2 * np.arange(len(scores)),
        "scores": np.stack(scores, axis=1),
        "header": HEADER,
    }
    return Dynamics(**(fields | changes))


def figures(found):
    return np.array([found.temperature, found.rise, found.rise_at_turn_scale, found.share_vanished])


def grown(factor=3.0):
    """Scores that are nothing, then turn, then are multiplied."""
    y, z = scores_at_the_turn()
    return record_of(y, np.zeros_like(z), z, factor * z)


# --------------------------------------------------------------------------------------- found


def test_every_figure_equals_its_slow_definition():
    y, z = scores_at_the_turn()
    end = 2 * z + np.random.default_rng(1).normal(size=z.shape)
    found = scale_test(record_of(y, 0 * z, z, end))
    np.testing.assert_allclose(figures(found), reference.scale_test(z.tolist(), end.tolist(), y))
    np.testing.assert_allclose(found.scale, [reference.score_scale(one.tolist()) for one in (0 * z, z, end)])
    np.testing.assert_allclose(
        found.mean_loss, [reference.mean(reference.losses("log", one, y)) for one in (0 * z, z, end)]
    )
    assert (found.onset_epoch, found.n_samples, found.epochs.tolist()) == (2, len(y), [0, 2, 4])
    assert 0 < found.share_vanished < 1


@pytest.mark.parametrize("factor", [2.0, 3.0, 17.5])
def test_scores_multiplied_since_the_turn(factor):
    """The temperature is the factor, and the whole rise vanishes."""
    found = scale_test(grown(factor))
    assert found.onset_epoch == 2
    assert found.rise > 0.1
    assert found.temperature == pytest.approx(factor)
    assert found.rise_at_turn_scale == pytest.approx(0, abs=1e-12)
    assert found.share_vanished == pytest.approx(1)


def test_scores_of_the_same_scale():
    """Turn all score vectors by one angle: temperature 1 changes nothing."""
    y, z = scores_at_the_turn()
    z = z - z.mean(axis=1, keepdims=True)
    end = z[:, [1, 0, 3, 2]]
    found = scale_test(record_of(y, 0 * z, z, end))
    assert found.temperature == pytest.approx(1)
    assert found.rise == pytest.approx(found.rise_at_turn_scale)
    assert found.rise > 1
    assert found.share_vanished == pytest.approx(0, abs=1e-12)


def test_a_constant_added_to_the_scores_of_a_sample_changes_nothing():
    record = grown()
    shift = 100 * np.random.default_rng(0).normal(size=(len(record), record.n_epochs, 1))
    moved = scale_test(record_of(record.y, *np.moveaxis(record.scores + shift, 1, 0)))
    np.testing.assert_allclose(figures(moved), figures(scale_test(record)), atol=1e-9)


def test_the_order_of_samples_and_of_classes_changes_nothing():
    record = grown(2.5)
    order, names = np.random.default_rng(0).permutation(len(record)), np.array([2, 0, 3, 1])
    scores = record.scores[order][:, :, np.argsort(names)]
    permuted = scale_test(record_of(names[record.y[order]], *np.moveaxis(scores, 1, 0)))
    np.testing.assert_allclose(figures(permuted), figures(scale_test(record)), atol=1e-12)


@pytest.mark.parametrize("scale", [0.0, 0.3, 40.0])
def test_scores_are_brought_to_a_scale(scale):
    _, z = scores_at_the_turn()
    assert score_scale(rescale_scores(z, scale)) == pytest.approx(scale)
    assert score_scale(rescale_scores(0 * z, scale)) == 0


@pytest.mark.parametrize(
    ("start", "end", "temperature"), [(2.0, 6.0, 3), (0.0, 6.0, np.inf), (2.0, 0.0, 0), (0.0, 0.0, 1)]
)
def test_temperatures_in_the_limit(start, end, temperature):
    z = np.array([[1.0, -1.0], [1.0, -1.0]])
    assert scale_test(record_of(np.array([0, 1]), start * z, end * z), onset=0).temperature == pytest.approx(
        temperature
    )


def test_log_loss_stands_scores_of_any_size():
    scores = np.array([[1e4, -1e4, 0.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    np.testing.assert_allclose(sample_log_loss(scores, [1, 2]), [2e4, np.log(3)])
    epochs = np.stack([scores, 0 * scores], axis=1)
    np.testing.assert_allclose(sample_log_loss(epochs, [1, 2]), [[2e4, np.log(3)], [np.log(3)] * 2])


def test_a_given_turn():
    found = scale_test(grown(), onset=np.int64(0))
    assert (found.onset_epoch, found.temperature) == (0, np.inf)
    assert found.rise_at_turn_scale == pytest.approx(0, abs=1e-12)


# --------------------------------------------------------------------------------------- said


def long(y, *scores, **fields):
    """The same scores, each held for some epochs: what rises, rises at the tenth."""
    return record_of(y, *[own for own in scores for _ in range(6)], **fields)


def test_a_rise_that_is_all_scale():
    y, z = scores_at_the_turn()
    found = scale_test(long(y, 0 * z, z, 3 * z))
    (one,) = found.findings_
    assert (found.rise_verdict, one.verdict, one.null) == ("yes", "yes", 0)
    assert one.value == found.share_vanished == pytest.approx(1)
    assert one.interval == found.share_interval
    np.testing.assert_allclose(one.interval, 1, atol=1e-6)
    assert flat(found.summary()).startswith(
        "The rise of the mean log loss is a matter of the scale of the scores: "
    )
    assert "when the scores at the end are divided by 3, to their scale at epoch" in flat(found.summary())
    assert flat(found.summary()).endswith("Read from a record: the scores of 120 samples.")


def test_the_interval_is_that_of_the_ratio():
    y, z = scores_at_the_turn()
    some_wrong = np.eye(4)[np.where(np.arange(120) % 3, y, (y + 1) % 4)]
    end = 2 * z + 3 * some_wrong - 3 * np.eye(4)[y]
    found = scale_test(long(y, 0 * z, z, end))
    loss = [sample_log_loss(own, y) for own in (z, end)]
    rescaled = sample_log_loss(rescale_scores(end, score_scale(z)), y)
    parts, wholes = loss[1] - rescaled, loss[1] - loss[0]
    share = parts.sum() / wholes.sum()
    half = t.isf(0.025, 119) * (parts - share * wholes).std(ddof=1) / np.sqrt(120) / wholes.mean()
    np.testing.assert_allclose(found.share_interval, [share - half, share + half], rtol=1e-6)


def test_of_three_epochs_a_rise_cannot_be_told():
    found = scale_test(grown())
    assert (found.rise_verdict, found.findings_[0].verdict) == ("cannot tell", "cannot tell")
    assert "is a matter of scale cannot be told: " in flat(found.summary())


def test_the_summary_says_where_there_is_no_rise():
    y, z = scores_at_the_turn()
    fell = scale_test(record_of(y, 0 * z, z))
    assert np.isnan(fell.share_vanished)
    assert fell.share_interval is None
    assert fell.findings_[0].verdict == "no"
    assert "There is no rise of the mean log loss to test: it is least at the end." in flat(fell.summary())
    asked = scale_test(record_of(y, 0 * z, z), onset=0)
    assert asked.rise < 0
    assert np.isnan(asked.share_vanished)
    assert "no rise of the mean log loss to test: it has not risen since the turn." in flat(asked.summary())


def test_the_summary_says_when_more_or_less_than_nothing_vanishes():
    y, z = scores_at_the_turn()
    right = np.eye(4)[y]
    more = scale_test(long(y, 0 * z, z, 6 * (z + 0.05 * right)))
    assert more.share_vanished > 1
    assert "all of it vanishes when" in flat(more.summary())
    fall = figure(-more.rise_at_turn_scale)
    assert f"in place of a rise of {figure(more.rise)} nats the loss falls by {fall}." in flat(more.summary())
    assert more.findings_[0].verdict == "yes"
    some_wrong = np.eye(4)[np.where(np.arange(120) % 3, y, (y + 1) % 4)]
    less = scale_test(long(y, 0 * z, 0.3 * right, 0.33 * some_wrong))
    assert less.share_vanished < 0
    assert less.findings_[0].verdict == "no"
    assert "is not a matter of the scale of the scores: it grows even when" in flat(less.summary())


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ({"loss": "squared_hinge"}, "trained with the squared hinge loss; what is measured is the log loss"),
        ({"loss": "CrossEntropyLoss()"}, "trained with another loss, CrossEntropyLoss(); what is"),
        ({}, "the log loss of the scores, whatever loss was trained."),
    ],
)
def test_the_summary_says_what_was_trained(header, sentence):
    record = grown()
    found = scale_test(record_of(record.y, *np.moveaxis(record.scores, 1, 0), header=header))
    assert sentence in flat(found.summary())
    assert found.loss_facts.name == header.get("loss", "")


def test_what_was_found_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'rise'"):
        scale_test(grown()).rise = 0.0


# --------------------------------------------------------------------------------------- read and refused


def test_what_is_read_of_a_model():
    y, z = scores_at_the_turn()
    clf = DynamicsClassifier(max_epochs=3, record=("scores",), random_state=0)
    pipe = make_pipeline(StandardScaler(), clf).fit(z, y)
    found = scale_test(pipe)
    assert found.source == "the training record of the model"
    assert "which it was trained on" in flat(found.summary())
    assert "trained with" not in found.summary()
    clf.fit(z, y, X_val=z[:30], y_val=y[:30])
    found = scale_test(clf)
    assert (found.source, found.n_samples) == ("the validation record of the model", 30)
    np.testing.assert_array_equal(figures(found), figures(scale_test(clf.validation_dynamics_)))


def refused(error, message, X, **parameters):
    with pytest.raises(error, match=message):
        scale_test(X, **parameters)


def test_what_cannot_be_tested_is_refused():
    y, z = scores_at_the_turn()
    record = grown()
    losses = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1], loss=np.ones((2, 2)))
    refused(ValueError, r"This record has no scores: .* DynamicsClassifier\(record=.*'scores'", losses)
    refused(TypeError, "Expected a Dynamics, or a fitted model that holds one", z)
    refused(NotFittedError, "not fitted yet", DynamicsClassifier())
    refused(ValueError, "at one epoch only", record_of(y, z))
    refused(ValueError, "The record has no samples", record[:0])
    refused(TypeError, "onset must be 'auto' or a recorded epoch, got 'turn'", record, onset="turn")
    refused(ValueError, "onset=3 is not among the recorded epochs: 0, 2, 4", record, onset=3)


def test_scores_that_are_not_finite_are_refused_with_their_epoch():
    y, z = scores_at_the_turn()
    broken = z.copy()
    broken[7, 2] = np.inf
    message = r"The loss of sample 7 is (inf|NaN) at epoch 4, the first .* record\.until\(2\)"
    refused(ValueError, message, record_of(y, 0 * z, z, broken))
