"""find_label_errors: planted wrong labels, how many they are, and what is refused."""

import dataclasses
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import Dynamics, DynamicsClassifier, SampleScoreAnalyzer
from sklearn_nndyn.analyzers import LabelErrors, find_label_errors
from sklearn_nndyn.analyzers.sample_scores import label_error_interval, label_error_threshold, most_predicted
from tests import reference
from tests.analyzers.saying import figures_in, sentences_of
from tests.test_docstrings import entries

X, Y = load_digits(return_X_y=True)
WRONG = np.arange(0, 200, 10)


def planted(wrong=WRONG, n_samples=200, seed=0, **changes):
    """Margins of -3 where the label is wrong, of 4 elsewhere, give or take 1; the class predicted is the one before."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n_samples)
    is_wrong = np.isin(np.arange(n_samples), wrong)
    margin = np.where(is_wrong, -3.0, 4.0)[:, None] + rng.normal(size=(n_samples, 4))
    margin[:, 0] = 100 * rng.normal(size=n_samples)
    prediction = np.broadcast_to(np.where(is_wrong, (y - 1) % 3, y)[:, None], margin.shape)
    fields = {
        "y": y,
        "classes": [0, 1, 2],
        "epochs": [0, 1, 2, 4],
        "margin": margin,
        "prediction": prediction,
    }
    return Dynamics(**(fields | changes))


def one_line(text):
    """A summary without its line breaks, of which each is at most 100 columns from the last."""
    assert max(map(len, text.splitlines())) <= 100
    return " ".join(text.split())


def noisy_digits(rate, seed=0):
    rng = np.random.default_rng(seed)
    wrong = rng.random(len(Y)) < rate
    return np.where(wrong, (Y + rng.integers(1, 10, len(Y))) % 10, Y), wrong


# ------------------------------------------------------------------------------------------- found


def test_planted_errors_are_found():
    record = planted()
    found = find_label_errors(record)
    assert isinstance(found, LabelErrors)
    assert (found.n_errors, type(found.n_errors), found.source) == (20, int, "a record")
    np.testing.assert_array_equal(np.sort(found.indices), WRONG)
    np.testing.assert_array_equal(found.suggestions[WRONG], (record.y[WRONG] - 1) % 3)
    np.testing.assert_array_equal(np.delete(found.suggestions, WRONG), np.delete(record.y, WRONG))
    np.testing.assert_array_equal(found.epochs, [1, 2, 4])
    np.testing.assert_array_equal(found.y, record.y)


def test_the_score_is_the_area_under_the_margin():
    record = planted()
    found = find_label_errors(record)
    slow = [reference.area_under_margin(margin.tolist(), [0, 1, 2, 4]) for margin in record.margin]
    np.testing.assert_allclose(found.scores, slow, rtol=1e-12)
    np.testing.assert_array_equal(found.scores, SampleScoreAnalyzer().fit(record).area_under_margin_)
    assert found.ranking.tolist() == sorted(range(200), key=lambda i: (found.scores[i], i))


def test_equal_scores_keep_their_order():
    record = planted(margin=np.tile([1.0, 2, 3, 4], (200, 1)))
    assert find_label_errors(record).ranking.tolist() == list(range(200))


def test_what_was_found_hangs_together():
    found = find_label_errors(planted())
    assert found.n_errors == np.count_nonzero(found.scores <= found.threshold)
    assert found.threshold in found.scores
    assert found.threshold < 0
    np.testing.assert_array_equal(found.indices, found.ranking[:20])
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.n_errors = 3
    assert list(entries(LabelErrors, "Parameters")) == [
        field.name for field in dataclasses.fields(LabelErrors)
    ]


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("apart", [3.0, 4.0])
def test_the_threshold_equals_its_slow_definition(share, apart):
    rng = np.random.default_rng(0)
    low = rng.random(300) < share
    scores = np.where(low, rng.normal(-apart / 2, 1, 300), rng.normal(apart / 2, 0.6, 300))
    slow = reference.label_error_threshold(scores)
    fast = label_error_threshold(scores)
    between = np.count_nonzero((scores > min(slow, fast)) & (scores <= max(slow, fast)))
    assert between <= 2  # where the iterations end


@pytest.mark.parametrize("share", [0.06, 0.3])
def test_the_threshold_of_many_scores_is_that_of_all_of_them(share, monkeypatch):
    """Though neighbours were pooled at first."""
    rng = np.random.default_rng(0)
    low = rng.random(20_001) < share
    scores = np.where(low, rng.normal(-1.5, 1, 20_001), rng.normal(1.5, 0.6, 20_001))
    pooled = np.count_nonzero(scores <= label_error_threshold(scores))
    monkeypatch.setattr("sklearn_nndyn.analyzers.sample_scores._threshold.MANY", np.inf)
    assert pooled == pytest.approx(np.count_nonzero(scores <= label_error_threshold(scores)), rel=2e-3)
    assert label_error_threshold(scores[::-1]) == label_error_threshold(scores)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.4, 0.6])
def test_the_count_is_right_where_scores_are_normal(share):
    rng = np.random.default_rng(1)
    low = rng.random(4000) < share
    scores = np.where(low, rng.normal(-2, 0.8, 4000), rng.normal(3, 1.2, 4000))
    count = np.count_nonzero(scores <= label_error_threshold(scores))
    assert count == pytest.approx(low.sum(), rel=0.05)


def test_a_score_is_suspect_whenever_a_higher_one_is():
    """Also where the upper distribution is the wider one, and so the more likely again far below."""
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(8, 6, 900), rng.normal(-4, 0.5, 300)])
    threshold = label_error_threshold(scores)
    assert (scores[900:] <= threshold).mean() > 0.95
    assert scores.min() < -8
    assert -4 < threshold < 0


def test_of_two_groups_below_zero_the_lower_one_is_suspect():
    """And no score of the upper group, however wide the lower one is."""
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(-8, 4, 300), rng.normal(-3, 0.3, 900), [0.5, 1.0]])
    assert -4.5 < label_error_threshold(scores) < -3


def test_the_lower_group_may_be_the_one_that_reaches_further_up():
    """A narrow group in the midst of a wide one, whose mean is a little lower."""
    rng = np.random.default_rng(0)
    narrow = rng.normal(-0.05, 0.01, 500)
    scores = np.concatenate([narrow, rng.normal(-0.3, 2, 500)])
    threshold = label_error_threshold(scores)
    assert -0.2 < threshold < 0
    assert (narrow <= threshold).mean() < 0.05


@pytest.mark.parametrize("factor", [1e-6, 1e-3, 7.0, 1e5])
def test_the_unit_of_the_scores_is_of_no_account(factor):
    scores = find_label_errors(planted()).scores
    assert label_error_threshold(factor * scores) == pytest.approx(factor * label_error_threshold(scores))


def test_no_suspects_where_no_margin_is_negative():
    record = planted(wrong=[])
    found = find_label_errors(record)
    assert (found.scores > 0).all()
    assert (found.n_errors, found.threshold, found.indices.tolist()) == (0, -np.inf, [])
    assert "No group of samples stands out" in found.summary()


@pytest.mark.parametrize(
    "scores",
    [[1.0], [-1.0], [0.0, 0.0], [-1.0, -2.0, -3.0], [-1.0, 1.0], [-1.0] * 5 + [1.0] * 5, [-1.0] + [0.0] * 9],
)
def test_few_samples_and_equal_ones(scores):
    """A network that prefers another class for all has learned nothing that could tell a wrong label."""
    threshold = label_error_threshold(np.array(scores))
    assert threshold == (-1 if min(scores) < 0 <= max(scores) else -np.inf)


def test_the_upper_normal_may_be_all_there_is():
    """A few scores that are barely negative are the tail of the others."""
    scores = np.random.default_rng(0).normal(3, 1.2, 2000)
    assert (scores < 0).any()
    assert np.count_nonzero(scores <= label_error_threshold(scores)) < 30


def test_rows_follow_their_samples():
    record = planted()
    order = np.random.default_rng(2).permutation(200)
    found, other = find_label_errors(record), find_label_errors(record[order])
    np.testing.assert_array_equal(other.scores, found.scores[order])
    np.testing.assert_array_equal(order[other.ranking], found.ranking)
    np.testing.assert_array_equal(other.suggestions, found.suggestions[order])
    assert other.n_errors == found.n_errors


def test_labels_are_names():
    record = planted()
    names = np.array(["ant", "bee", "cow"])
    found = find_label_errors(dataclasses.replace(record, y=names[record.y], classes=names))
    np.testing.assert_array_equal(found.suggestions, names[find_label_errors(record).suggestions])
    np.testing.assert_array_equal(found.ranking, find_label_errors(record).ranking)


def test_the_suggestion_is_the_class_predicted_most_often():
    prediction = np.array([[0, 0, 2, 2], [2, 1, 0, 1], [1, 2, 0, 0], [2, 2, 2, 2], [2, 1, 1, 2]])
    assert most_predicted(prediction, 3).tolist() == [0, 1, 0, 2, 1]
    record = planted(n_samples=5, wrong=[], prediction=prediction)
    assert find_label_errors(record).suggestions.tolist() == [2, 1, 0, 2, 1]
    after_start = record.prediction[:, record.epochs > 0]
    expected = [np.mean(row == own) for row, own in zip(after_start, [2, 1, 0, 2, 1], strict=True)]
    np.testing.assert_allclose(find_label_errors(record).suggestion_shares, expected)
    assert find_label_errors(record.select_epochs([0, 1, 2])).suggestions.tolist() == [0, 0, 0, 2, 1]


# --------------------------------------------------------------------------------------- of models


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_wrong_labels_of_digits_come_first(rate):
    y, wrong = noisy_digits(rate)
    clf = DynamicsClassifier(max_epochs=15, batch_size=32, snapshots=False, random_state=0).fit(X / 16, y)
    found = find_label_errors(clf)
    assert found.source == "the training record of the model"
    assert average_precision_score(wrong, -found.scores) > 0.98
    assert found.n_errors == pytest.approx(wrong.sum(), rel=0.25)
    assert (found.suggestions[wrong] == Y[wrong]).mean() > 0.9


def test_of_clean_digits_few_are_suspect():
    """Not none: a sample that is hard to learn looks like one with a wrong label."""
    clf = DynamicsClassifier(max_epochs=15, batch_size=32, snapshots=False, random_state=0).fit(X / 16, Y)
    assert find_label_errors(clf).n_errors < 0.06 * len(Y)


def test_a_record_may_be_replayed_cut_or_held_in_a_pipeline():
    y, wrong = noisy_digits(0.2)
    half = np.arange(len(Y)) % 2 == 0
    pipe = make_pipeline(StandardScaler(), DynamicsClassifier(max_epochs=8, batch_size=32, random_state=0))
    pipe.fit(X[half], y[half])
    clf, held_out = pipe[-1], pipe[0].transform(X[~half])
    found = find_label_errors(clf.replay(held_out, y[~half]))
    assert found.source == "a record"
    assert average_precision_score(wrong[~half], -found.scores) > 0.9
    np.testing.assert_array_equal(find_label_errors(pipe).scores, find_label_errors(clf.dynamics_).scores)
    early = find_label_errors(clf.dynamics_.until(3))
    np.testing.assert_allclose(early.scores, clf.dynamics_.margin[:, 1:4].mean(axis=1), rtol=1e-5)
    validated = clf.set_params(max_epochs=1, shuffle=False).fit(
        X[:50], y[:50], X_val=X[50:90], y_val=y[50:90]
    )
    assert len(find_label_errors(validated).y) == 50


# --------------------------------------------------------------------------------------- how many


@pytest.mark.parametrize("kind", ["uniform", "to the next class"])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.2])
def test_the_interval_holds_the_number_of_planted_errors(rate, kind):
    rng = np.random.default_rng(5)
    wrong = rng.random(len(Y)) < rate
    by = rng.integers(1, 10, len(Y)) if kind == "uniform" else 1
    clf = DynamicsClassifier(max_epochs=15, batch_size=32, snapshots=False, random_state=3)
    found = find_label_errors(clf.fit(X / 16, np.where(wrong, (Y + by) % 10, Y)))
    low, high = found.count_interval
    assert low <= wrong.sum() <= high
    text = one_line(found.summary())
    assert not low or f"Between {low} and {high} of 1,797 labels are wrong, as far as" in text
    assert (low > 0) == (rate > 0)
    assert high - low <= len(Y) / 4


def test_an_unlearned_network_cannot_tell_how_many():
    found = find_label_errors(DynamicsClassifier(max_epochs=1, random_state=0).fit(X / 16, Y))
    assert found.count_interval is None
    few = "how many labels are wrong: 1 recorded epoch after the start is too few."
    assert f"It cannot be told from this run {few}" in one_line(found.summary())
    some = find_label_errors(DynamicsClassifier(max_epochs=4, lr=1e-4, random_state=0).fit(X / 16, Y))
    assert some.count_interval is None
    assert re.search(
        r"how many labels are wrong: it still gets [\d.]+ % of them wrong", one_line(some.summary())
    )


def test_a_network_that_has_learned_all_by_heart_cannot_tell_how_many():
    """At a third of the epochs next to nothing is wrong any more: that says nothing of the labels."""
    scores = np.linspace(-1, 9, 1000)
    assert label_error_interval(scores, [60, 20, 10, 5, 0, 0]) == (0, 121)
    assert label_error_interval(scores, [600, 200, 10, 5, 0, 0]) is None


def test_what_is_learned_by_heart_may_have_been_learned_early():
    """Where a third of what was wrong at a third of the epochs are right at the end, the first epoch is the bound."""
    scores = np.linspace(1, 3, 1000)
    assert label_error_interval(scores, [200, 130, 90, 80, 70, 60]) == label_error_interval(scores, [90] * 6)
    assert label_error_interval(scores, [200, 130, 90, 80, 70, 59]) == label_error_interval(scores, [200] * 6)
    prediction = np.where(np.arange(4) < 2, 1, 0)[None].repeat(
        200, 0
    )  # all wrong at epoch 1, and right afterwards
    text = find_label_errors(planted(wrong=[], prediction=prediction, y=np.zeros(200, int))).summary()
    text = one_line(text)
    assert "the network has learned nearly all labels by heart. " in text
    assert (
        "Read earlier epochs alone, by record.until(epoch); several networks tell more, by "
        "find_label_errors(clf, X, y, " in text
    )


def test_rows_and_units_of_the_scores_do_not_matter_to_the_interval():
    rng = np.random.default_rng(0)
    scores, wrong = np.r_[rng.normal(-3, 1, 100), rng.normal(4, 1, 900)], [400, 130, 110, 110]
    one = label_error_interval(scores, wrong)
    assert one[0] < 100 < one[1]
    assert label_error_interval(8 * rng.permutation(scores), wrong) == one
    assert label_error_interval(-np.abs(scores), wrong) is None


# ----------------------------------------------------------------------------------------- summary


def test_the_summary_has_the_figures_of_the_record():
    record = planted(wrong=[7, 30], n_samples=50)
    margin = np.where(np.isin(np.arange(50), [7, 30])[:, None], [0, -4.0, -4, -4], [0, 1.0, 2, 3])
    margin[7, 3], margin[5, 1] = -7, 4
    names = np.array(["ant", "bee", "cow"])
    y = np.tile([0, 1], 25)
    prediction = np.where(np.isin(np.arange(50), [7, 30])[:, None], 2, y[:, None]).repeat(4, axis=1)
    record = dataclasses.replace(record, y=names[y], classes=names, margin=margin, prediction=prediction)
    text = find_label_errors(record).summary()
    assert one_line(text) == (
        "At most 6 of 50 labels are wrong, as far as this one run can tell. 2 samples stand out by low margins, "
        "how far the score of the label lies above the highest other; the most suspect is "
        "sample 7 (labelled bee, predicted cow at 100 % of the epochs). Look at labels in the order "
        "of ranking, the most suspect first; several networks tell more, by find_label_errors(clf, X, y, runs=10). "
        "Read from a record, 3 recorded epochs after the start."
    )
    one = one_line(find_label_errors(record[8:31]).summary())
    assert (
        "1 sample stands out by its low margin, how far the score of the label lies above the highest other: sample 22 "
        "(labelled ant, predicted cow at 100 % of the epochs). Look" in one
    )
    none = one_line(find_label_errors(record[8:20]).summary())
    assert (
        "No group of samples stands out by low margins, how far the score of the label lies above the highest other; "
        "the most suspect is sample 0 (labelled ant, and predicted so "
        "at 100 % of the epochs). Look"
    ) in none


def test_the_summary_is_short():
    found = find_label_errors(planted())
    text, (low, high) = one_line(found.summary()), found.count_interval
    assert low == 0
    assert 20 < high < 35
    assert text.count(", predicted ") == 1
    assert (
        f"At most {high} of 200 labels are wrong, as far as this one run can tell. 20 samples stand" in text
    )
    assert len(sentences_of(text)) <= 6
    assert len(figures_in(text)) <= 10


# ----------------------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (planted()[:0], r"^The record has no samples, so there is nothing to score\.$"),
        (planted().select_epochs(0), r"^The record has epoch 0 only, the network before its first update: "),
        (dataclasses.replace(planted(), margin=None), "has no margin"),
        (dataclasses.replace(planted(), prediction=None), "has no prediction"),
    ],
)
def test_a_record_in_which_nothing_can_be_found(record, message):
    with pytest.raises(ValueError, match=message):
        find_label_errors(record)


def test_a_margin_that_is_not_finite_counts_unlike_a_loss():
    record = planted()
    margin = record.margin.copy()
    margin[9, 2] = np.nan
    with pytest.raises(
        ValueError, match=r"^The margin of sample 9 is not finite at epoch 2, .* there are 1\. "
    ):
        find_label_errors(dataclasses.replace(record, margin=margin))
    found = find_label_errors(dataclasses.replace(record, loss=np.full((200, 4), np.inf)))
    np.testing.assert_array_equal(found.ranking, find_label_errors(record).ranking)


def test_what_holds_no_record():
    with pytest.raises(TypeError):
        find_label_errors(np.zeros((3, 2)))
