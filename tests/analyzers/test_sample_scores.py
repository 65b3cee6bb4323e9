"""SampleScoreAnalyzer: seven scores of a sample, where probabilities come from, and what is refused."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import Dynamics, DynamicsClassifier, LossTailAnalyzer, SampleScoreAnalyzer
from sklearn_nndyn.losses import LogLoss, get_loss, loss_header, loss_names
from tests import reference
from tests.analyzers.planted import header_of, scores_record, tailed_record
from tests.analyzers.saying import flat, verdicts
from tests.test_docstrings import entries

NAMES = [
    "area_under_margin",
    "confidence",
    "variability",
    "correctness",
    "el2n",
    "forgetting_events",
    "epoch_learned",
]
SOFTMAX = [name for name in loss_names() if hasattr(get_loss(name), "predict_proba")]
WITHOUT_PROBABILITIES = [name for name in NAMES if name not in ("confidence", "variability", "el2n")]
BY_HAND = ("0111", "1011", "1101", "0000", "1000", "0101", "1111")
X, Y = load_digits(return_X_y=True)


def with_scores(n_samples=60, n_classes=4, n_epochs=6, loss="log", seed=0, **changes):
    """Noisy scores that come to be right, of which one sample in six never is; loss that of the name."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n_samples)
    liked = np.where(np.arange(n_samples) % 6 == 5, (y + 1) % n_classes, y)
    growth = np.linspace(0, 3, n_epochs)[None, :, None]
    scores = growth * np.eye(n_classes)[liked][:, None] + rng.normal(size=(n_samples, n_epochs, n_classes))
    values = get_loss(loss).per_sample(torch.tensor(scores), torch.tensor(y)[:, None].expand(-1, n_epochs))
    fields = {"loss": values.numpy(), "header": header_of(loss), "probability": None}
    if hasattr(get_loss(loss), "predict_proba"):
        fields["probability"] = softmax(scores, axis=2)[np.arange(n_samples), :, y]
    return dataclasses.replace(scores_record(scores, y, **(fields | changes)), scores=scores)


def without_scores(*arguments, **changes):
    return dataclasses.replace(with_scores(*arguments, **changes), scores=None)


def slow_table(record, scores, last):
    """The table as the papers write it, sample by sample."""
    rows = []
    epochs = record.epochs.tolist()
    for margin, correct, o, c in zip(record.margin, record.correct, scores, record.target, strict=True):
        p = [reference.softmax(o_t)[c] for o_t in o]
        row = [
            reference.area_under_margin(margin.tolist(), epochs),
            reference.confidence(p, epochs),
            reference.variability(p, epochs),
            reference.correctness(correct.tolist(), epochs),
            reference.el2n(o, c, epochs, last),
            reference.forgetting_events(correct.tolist(), epochs),
            reference.epoch_learned(correct.tolist(), epochs),
        ]
        rows.append(row)
    return np.array(rows)


def by_hand(**changes):
    """Seven samples of two classes at epochs 0 to 3, right where there is a 1; margins 2 and -4, and 8 at the start."""
    correct = np.array([[letter == "1" for letter in row] for row in BY_HAND])
    margin = np.where(correct, 2.0, -4.0)
    margin[:, 0] = 8
    fields = {
        "y": [0] * 7,
        "classes": [0, 1],
        "epochs": [0, 1, 2, 3],
        "margin": margin,
        "prediction": np.where(correct, 0, 1),
        "loss": np.where(correct, np.log(2), np.log(4)),
        "probability": np.where(correct, 1 / 2, 1 / 4),
        "header": header_of("log"),
    }
    return Dynamics(**(fields | changes))


def column(record, name, **parameters):
    analyzer = SampleScoreAnalyzer(**parameters)
    return analyzer.fit_transform(record)[:, analyzer.get_feature_names_out().tolist().index(name)]


# ----------------------------------------------------------------------------------------- found


def test_samples_by_hand():
    """The start does not count, but for the epoch learned: a chance hit is not forgotten, nor is it learned."""
    found = SampleScoreAnalyzer().fit(by_hand())
    #               0111 1011 1101 0000 1000 0101 1111
    np.testing.assert_array_equal(found.forgetting_events_, [0, 0, 1, 3, 3, 1, 0])
    np.testing.assert_array_equal(found.epoch_learned_, [1, 2, 3, np.nan, np.nan, 3, 0])
    np.testing.assert_allclose(found.correctness_, np.array([3, 2, 2, 0, 0, 2, 3]) / 3)
    np.testing.assert_allclose(found.area_under_margin_, [2, 0, 0, -4, -4, 0, 2])
    np.testing.assert_allclose(found.confidence_, np.array([6, 5, 5, 3, 3, 5, 6]) / 12)
    np.testing.assert_allclose(
        found.variability_, np.array([0, 1, 1, 0, 0, 1, 0]) * np.sqrt(2) / 12, atol=1e-9
    )
    np.testing.assert_allclose(found.el2n_, np.sqrt(2) * (1 - found.confidence_))
    assert found.forgetting_events_.dtype.kind == "i"
    first = column(by_hand(), "el2n", el2n_epochs=1)
    np.testing.assert_allclose(first, np.sqrt(2) * (1 - np.array([2, 1, 2, 1, 1, 2, 2]) / 4))


def test_no_sample_that_was_learned_has_as_many_events_as_one_that_never_was():
    correct = np.random.default_rng(0).random((400, 9)) < 0.4
    correct[0] = [True, False] * 4 + [True]
    prediction = np.where(correct, 0, 1)
    fields = {"loss": None, "probability": None, "margin": np.ones((400, 9)), "epochs": np.arange(9)}
    events = column(by_hand(y=[0] * 400, prediction=prediction, **fields), "forgetting_events")
    never = ~correct[:, 1:].any(axis=1)
    assert never.any()
    assert (events[never] == 8).all()
    assert events[~never].max() <= 4


@pytest.mark.parametrize("last", [1, 4, 5, 100])
@pytest.mark.parametrize("kept", [[0, 2, 4, 6, 8, 10], [2, 4, 10], [0, 4]])
def test_every_column_equals_its_slow_definition(kept, last):
    """Of epochs 0, 2, 4, ... also where not all of them are there."""
    record = with_scores().select_epochs(kept)
    last = max(last, min(epoch for epoch in kept if epoch))
    expected = slow_table(record, record.scores, last)
    analyzer = SampleScoreAnalyzer(el2n_epochs=last)
    np.testing.assert_allclose(analyzer.fit_transform(record), expected, rtol=1e-9)
    assert analyzer.el2n_epochs_.tolist() == [epoch for epoch in kept if 1 <= epoch <= last]
    for name, values in zip(NAMES, expected.T, strict=True):
        np.testing.assert_allclose(getattr(analyzer, f"{name}_"), values, rtol=1e-9)


def test_single_precision_is_summed_in_double():
    record = with_scores(n_epochs=4)
    names = ("margin", "scores", "loss", "probability")
    fields = {name: getattr(record, name).astype(np.float32) for name in names}
    single = dataclasses.replace(record, **fields)
    table = SampleScoreAnalyzer().fit_transform(single)
    expected = [reference.area_under_margin(m.astype(float), record.epochs) for m in single.margin]
    np.testing.assert_allclose(table[:, 0], expected, rtol=1e-15)
    np.testing.assert_allclose(table, SampleScoreAnalyzer().fit_transform(record), rtol=1e-5, atol=1e-6)


def test_epoch_0_counts_for_nothing_but_the_epoch_learned():
    record = with_scores()
    rng = np.random.default_rng(1)
    at = {name: getattr(record, name).copy() for name in ("margin", "loss", "scores", "prediction")}
    for values in at.values():
        values[:, 0] = rng.integers(0, 4, values[:, 0].shape)
    at["probability"] = np.concatenate([rng.random((60, 1)), record.probability[:, 1:]], axis=1)
    table, other = (
        SampleScoreAnalyzer().fit_transform(r) for r in (record, dataclasses.replace(record, **at))
    )
    np.testing.assert_array_equal(table[:, :-1], other[:, :-1])


def test_a_sample_that_is_right_by_a_huge_margin():
    scores = np.zeros((3, 4, 5))
    scores[:, :, 2] = 1e4
    record = scores_record(scores, [2, 2, 0], epochs=np.arange(4))
    for own in (record, dataclasses.replace(record, scores=scores)):
        table = SampleScoreAnalyzer().fit_transform(own)
        np.testing.assert_array_equal(table[:2], [[1e4, 1, 0, 1, 0, 0, 0]] * 2)
        np.testing.assert_allclose(table[2], [-1e4, 0, 0, 0, np.sqrt(2), 3, np.nan])


# ------------------------------------------------------------------------------------ invariances


@pytest.mark.parametrize("make", [with_scores, without_scores], ids=["with scores", "without"])
def test_rows_follow_their_samples(make):
    record = make()
    analyzer = SampleScoreAnalyzer().fit(record)
    table = analyzer.transform(record)
    order = np.random.default_rng(0).permutation(len(record))
    np.testing.assert_array_equal(SampleScoreAnalyzer().fit_transform(record[order]), table[order])
    for few in (slice(10, 30), [5, 3], slice(7, 8)):
        np.testing.assert_array_equal(analyzer.transform(record[few]), table[few])


@pytest.mark.parametrize("names", [["ant", "bee", "cow", "dog"], [-3, 1, 5, 1000]])
def test_labels_are_names(names):
    record = with_scores()
    renamed = dataclasses.replace(record, y=np.array(names)[record.target], classes=names)
    np.testing.assert_array_equal(*(SampleScoreAnalyzer().fit_transform(r) for r in (record, renamed)))


def test_classes_in_another_order_change_nothing():
    record = with_scores()
    order = np.array([2, 0, 3, 1])
    scores = record.scores[:, :, order]
    other = dataclasses.replace(scores_record(scores, np.argsort(order)[record.y]), scores=scores)
    np.testing.assert_allclose(*(SampleScoreAnalyzer().fit_transform(r) for r in (record, other)), rtol=1e-12)


def test_a_constant_added_to_all_scores_of_a_sample_changes_nothing():
    record = with_scores()
    shifted = record.scores + np.random.default_rng(0).normal(scale=50, size=(60, 6, 1))
    other = dataclasses.replace(scores_record(shifted, record.y), scores=shifted)
    np.testing.assert_allclose(*(SampleScoreAnalyzer().fit_transform(r) for r in (record, other)), rtol=1e-9)


# ---------------------------------------------------------------------- where probabilities come from


@pytest.mark.parametrize("loss", SOFTMAX)
def test_the_recorded_probability_is_what_counts(loss):
    full = with_scores(loss=loss)
    analyzer = SampleScoreAnalyzer().fit(full)
    np.testing.assert_allclose(analyzer.transform(full), slow_table(full, full.scores, 10), rtol=1e-9)
    assert analyzer.probability_source_ == "the recorded probability"
    assert analyzer.el2n_source_ == "the softmax of the scores"
    assert analyzer.loss_name_ == loss
    bare = SampleScoreAnalyzer().fit(dataclasses.replace(full, scores=None, loss=None, header={}))
    np.testing.assert_array_equal(bare.confidence_, analyzer.confidence_)
    np.testing.assert_array_equal(bare.variability_, analyzer.variability_)


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_without_it_probabilities_follow_from_scores_by_the_link_of_the_loss(link):
    loss = LogLoss(link=link)
    record = with_scores(header=loss_header(loss), probability=None)
    analyzer = SampleScoreAnalyzer().fit(record)
    p = loss.predict_proba(torch.tensor(record.scores[:, 1:])).numpy()
    np.testing.assert_allclose(analyzer.confidence_, p[np.arange(60), :, record.y].mean(axis=1))
    error = np.linalg.norm(p - np.eye(4)[record.y][:, None], axis=2)
    np.testing.assert_allclose(analyzer.el2n_, error.mean(axis=1))
    assert link in analyzer.probability_source_
    assert analyzer.el2n_source_ == analyzer.probability_source_


@pytest.mark.parametrize(
    "make",
    [
        lambda: with_scores(loss="squared_hinge"),
        lambda: with_scores(probability=None, header={"loss": "log"}),
        lambda: without_scores(probability=None),
    ],
    ids=["a loss without probabilities", "a link that is not known", "neither probability nor scores"],
)
def test_a_record_without_probabilities_has_the_other_scores(make):
    """Nothing stands in for what is not there."""
    record = make()
    analyzer = SampleScoreAnalyzer().fit(record)
    table = analyzer.transform(record)
    assert analyzer.get_feature_names_out().tolist() == WITHOUT_PROBABILITIES
    full = SampleScoreAnalyzer().fit_transform(with_scores())
    np.testing.assert_array_equal(table, full[:, [NAMES.index(name) for name in WITHOUT_PROBABILITIES]])
    assert analyzer.confidence_ is analyzer.variability_ is analyzer.el2n_ is None
    assert analyzer.probability_source_ is analyzer.el2n_source_ is None
    text = flat(analyzer.summary())
    assert text.endswith("without probabilities, so that confidence, variability and EL2N are not given.")


def test_without_scores_el2n_is_bounded_by_the_probability():
    full = with_scores(n_classes=4)
    analyzer = SampleScoreAnalyzer().fit(dataclasses.replace(full, scores=None))
    true = column(full, "el2n")
    assert analyzer.el2n_source_ == "an upper bound"
    assert (analyzer.el2n_ > true).all()
    assert (analyzer.el2n_ < np.sqrt(2 - 2 / 4) * true).all()
    assert "without probabilities" not in analyzer.summary()


def test_the_bound_is_reached_by_two_classes_and_left_most_by_equal_others():
    full = with_scores(n_classes=2)
    bare = SampleScoreAnalyzer().fit(dataclasses.replace(full, scores=None))
    np.testing.assert_allclose(bare.el2n_, column(full, "el2n"))
    assert bare.el2n_source_ == "exact for two classes"
    scores = np.zeros((2, 3, 4))
    scores[:, :, 1] = 1
    record = scores_record(scores, [1, 1])
    exact = column(dataclasses.replace(record, scores=scores), "el2n")
    np.testing.assert_allclose(column(record, "el2n"), np.sqrt(1.5) * exact)


# --------------------------------------------------------------------------------------- of models


@pytest.fixture(scope="module")
def clf():
    return DynamicsClassifier(max_epochs=12, random_state=0).fit(
        X[:300] / 16, Y[:300], X_val=X[300:400], y_val=Y[300:400]
    )


def test_of_a_model_the_training_record_is_read(clf):
    analyzer = SampleScoreAnalyzer().fit(clf)
    assert analyzer.source_ == "the training record of the model"
    np.testing.assert_array_equal(analyzer.transform(clf), SampleScoreAnalyzer().fit_transform(clf.dynamics_))
    assert analyzer.transform(clf.validation_dynamics_).shape == (100, 7)


def test_scores_are_those_of_the_staged_predictions(clf):
    analyzer = SampleScoreAnalyzer().fit(clf)
    proba = np.stack(list(clf.staged_predict_proba(X[:300] / 16)), axis=1)[:, 1:]
    own = np.take_along_axis(proba, clf.dynamics_.target[:, None, None], 2)[:, :, 0]
    np.testing.assert_allclose(analyzer.confidence_, own.mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(analyzer.variability_, own.std(axis=1), rtol=1e-3, atol=1e-6)
    exact = np.linalg.norm(proba - np.eye(10)[Y[:300], None], axis=2)[:, :10].mean(axis=1)
    replayed = SampleScoreAnalyzer().fit(clf.replay(X[:300] / 16, Y[:300], record=("samples", "scores")))
    np.testing.assert_allclose(replayed.el2n_, exact, rtol=1e-4)
    np.testing.assert_allclose(replayed.confidence_, analyzer.confidence_, rtol=1e-4)


def test_a_pipeline_and_a_loss_without_probabilities():
    pipe = make_pipeline(StandardScaler(), DynamicsClassifier(loss="hinge", max_epochs=4, random_state=0))
    analyzer = SampleScoreAnalyzer().fit(pipe.fit(X[:200], Y[:200]))
    assert analyzer.probability_source_ is None
    np.testing.assert_allclose(
        analyzer.area_under_margin_, pipe[-1].dynamics_.margin[:, 1:].mean(axis=1), rtol=1e-5
    )


# ------------------------------------------------------------------------------- with scikit-learn


def test_documented_attributes_are_there_after_fit_and_no_others():
    analyzer = SampleScoreAnalyzer()
    documented = set(entries(analyzer, "Attributes"))
    assert not [name for name in documented if hasattr(analyzer, name)]
    analyzer.fit(with_scores())
    assert {name for name in vars(analyzer) if name.endswith("_")} == documented


def test_it_is_a_transformer_like_any_other():
    record = tailed_record()
    analyzer = SampleScoreAnalyzer(el2n_epochs=3)
    copy = clone(analyzer)
    assert copy.get_params() == {"el2n_epochs": 3}
    with pytest.raises(NotFittedError):
        copy.transform(record)
    with pytest.raises(NotFittedError):
        copy.get_feature_names_out()
    frame = copy.set_output(transform="pandas").fit_transform(record)
    assert list(frame.columns) == NAMES == list(copy.get_feature_names_out())
    assert copy.n_features_in_ == record.n_epochs
    union = make_union(SampleScoreAnalyzer(), LossTailAnalyzer()).set_output(transform="pandas")
    table = union.fit_transform(record)
    assert table.columns[0] == "samplescoreanalyzer__area_under_margin"
    assert "losstailanalyzer__rise" in table.columns
    np.testing.assert_array_equal(
        table["samplescoreanalyzer__confidence"], SampleScoreAnalyzer().fit(record).confidence_
    )
    names = make_pipeline(SampleScoreAnalyzer(), "passthrough").fit(record).get_feature_names_out()
    assert list(names) == NAMES


def test_what_follows_can_learn_from_the_table():
    record = with_scores(n_samples=120)
    learned = make_pipeline(SampleScoreAnalyzer(), FirstSix(), LogisticRegression())
    assert cross_val_score(learned, record, np.arange(120) % 6 == 5).mean() > 0.95


class FirstSix(StandardScaler):
    """The scores without the epoch learned, which may be nan."""

    def fit(self, X, y=None):
        return super().fit(X[:, :6])

    def transform(self, X):
        return super().transform(X[:, :6])


# ----------------------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (by_hand()[:0], r"^The record has no samples, so there is nothing to score\.$"),
        (
            by_hand().select_epochs(0),
            r"^The record has epoch 0 only, .* DynamicsClassifier\(record_epochs=\"all\"\); in another",
        ),
        (dataclasses.replace(by_hand(), margin=None), "has no margin"),
        (dataclasses.replace(by_hand(), prediction=None), "has no prediction"),
    ],
)
def test_a_record_that_cannot_be_scored(record, message):
    with pytest.raises(ValueError, match=message):
        SampleScoreAnalyzer().fit(record)


@pytest.mark.parametrize(
    ("field", "what"), [("margin", "The margin"), ("probability", "The probability"), ("scores", "A score")]
)
def test_a_value_that_is_not_finite(field, what):
    record = with_scores()
    values = getattr(record, field).copy()
    values[3, 0] = np.nan  # the start does not count
    values[[7, 4], [3, 5]] = np.nan
    broken = dataclasses.replace(record, **{field: values})
    message = (
        rf"^{what} of sample 7 is not finite at epoch 6, the first epoch of which that is so; there are 2\. "
    )
    with pytest.raises(ValueError, match=message + r"Give the epochs before it, by record\.until\.$"):
        SampleScoreAnalyzer().fit(broken)
    SampleScoreAnalyzer().fit(broken.until(4))


@pytest.mark.parametrize("last", ["all", 2.0, True, None])
def test_el2n_epochs_of_the_wrong_type(last):
    with pytest.raises(TypeError, match=r"^el2n_epochs must be a whole number of epochs, got "):
        SampleScoreAnalyzer(el2n_epochs=last).fit(by_hand())


def test_el2n_epochs_that_are_not_there():
    with pytest.raises(ValueError, match=r"^el2n_epochs must be 1 or more, got 0\.$"):
        SampleScoreAnalyzer(el2n_epochs=0).fit(by_hand())
    message = (
        r"^No epoch from 1 to el2n_epochs=1 is recorded; the first after the start is 2: give that or more\.$"
    )
    with pytest.raises(ValueError, match=message):
        SampleScoreAnalyzer(el2n_epochs=1).fit(by_hand().select_epochs([0, 2, 3]))
    assert SampleScoreAnalyzer(el2n_epochs=np.int64(1)).fit(by_hand()).el2n_epochs_.tolist() == [1]


def test_a_record_whose_probabilities_come_from_elsewhere():
    analyzer = SampleScoreAnalyzer().fit(with_scores())
    message = (
        r"^This record has probabilities from the recorded probability \(EL2N: an upper bound\), but the analyzer was "
        r"fitted on one with probabilities from the recorded probability \(EL2N: the softmax of the scores\): fit on "
        r"this record\.$"
    )
    with pytest.raises(ValueError, match=message):
        analyzer.transform(without_scores())
    with pytest.raises(ValueError, match=r"^The record has 2 epochs, "):
        analyzer.transform(with_scores().select_epochs([0, 2]))


# ----------------------------------------------------------------------------------------- summary


def test_where_most_samples_are_wrong_it_is_not_their_labels_that_are_to_be_looked_at():
    """As after the first epochs: the advice is to train longer."""
    prediction = np.array([[1, 1]] * 3 + [[1, 0]] * 2, dtype=np.int8)
    margin = np.where(prediction == 0, 1.0, -1.0)
    record = Dynamics(y=[0] * 5, classes=[0, 1], epochs=[0, 1], prediction=prediction, margin=margin)
    assert "Train longer, or a larger network" in flat(SampleScoreAnalyzer().fit(record).summary())
    assert "Look for wrong labels" in flat(SampleScoreAnalyzer().fit(record[1:]).summary())


def test_the_summary_has_the_figures_of_the_record():
    scores = SampleScoreAnalyzer().fit(by_hand())
    assert flat(scores.summary()) == (
        "2 samples (28.6 %) are still wrong at the end. 2 samples (28.6 %) were never right after the start. 2 "
        "samples (28.6 %) are closer to another class than to the label, by scores averaged over the epochs. 2 samples "
        "(28.6 %) were forgotten at least once after having been right. Look for wrong labels: find_label_errors "
        "ranks samples by how wrong theirs look. Read from a record: 7 samples."
    )
    assert verdicts(scores) == dict.fromkeys(("SS1", "SS2", "SS3", "SS4"), "yes")
    assert [one.value for one in scores.findings_] == [2 / 7] * 4
    chance = {1: 1 - np.bincount(by_hand().target).max() / 7, 2: 0.5**3, 3: 0.5}
    assert by_hand().n_classes == 2
    assert {i: scores.findings_[i - 1].null for i in chance} == pytest.approx(chance)


def test_the_summary_of_records_in_which_little_happens():
    always = SampleScoreAnalyzer().fit(by_hand()[[6]].select_epochs([0, 2]))
    assert verdicts(always) == {"SS1": "no", "SS2": "no", "SS3": "no", "SS4": "cannot tell"}
    assert flat(always.summary()) == (
        "Every sample is right at the end. Every sample was right at least once after the start. No sample is "
        "closer to another class than to its label, by scores averaged over the epochs. How it does on others, "
        "held-out "
        "samples tell: fit with X_val and y_val. Read from a record: 1 sample."
    )
    assert verdicts(SampleScoreAnalyzer().fit(by_hand()[[1]]))["SS3"] == "no"  # it is zero
    never = flat(SampleScoreAnalyzer().fit(by_hand()[[3]].select_epochs([1, 3])).summary())
    assert never.startswith("1 sample (100 %) is still wrong at the end. 1 sample (100 %) was never right")


def test_the_softmax_is_that_of_scipy():
    """The oracle."""
    scores = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose([reference.softmax(o) for o in scores], softmax(scores, axis=1))


@pytest.mark.parametrize("make", [with_scores, without_scores])
def test_blocks_of_samples_change_nothing(make, monkeypatch):
    record = make()
    expected = SampleScoreAnalyzer().fit(record).transform(record)
    monkeypatch.setattr("sklearn_nndyn.analyzers.sample_scores._analyzer.BLOCK_CELLS", 50)
    found = SampleScoreAnalyzer().fit(record)
    np.testing.assert_array_equal(found.transform(record), expected)
    np.testing.assert_array_equal(found.area_under_margin_, expected[:, 0])


def test_memory_does_not_grow_with_the_record(monkeypatch):
    """Ten times the samples: beside the table itself, the same few blocks."""
    monkeypatch.setattr("sklearn_nndyn.analyzers.sample_scores._analyzer.BLOCK_CELLS", 2**14)
    record = with_scores(n_samples=20_000, n_classes=2, n_epochs=40)
    record = dataclasses.replace(record, scores=None)
    tracemalloc.start()
    SampleScoreAnalyzer().fit(record)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < record.margin.nbytes
