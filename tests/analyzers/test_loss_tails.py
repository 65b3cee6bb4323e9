"""LossTailAnalyzer: what it reads, what it finds, what it refuses."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline, make_union
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_nndyn import DynamicsClassifier, LossTailAnalyzer
from sklearn_nndyn.dynamics import Dynamics
from sklearn_nndyn.modules import MLP
from tests import reference
from tests.analyzers.planted import (
    CARRIERS,
    RISERS,
    TRANSITIONS,
    header_of,
    planted_losses,
    planted_record,
    scores_record,
    tailed_record,
)
from tests.test_docstrings import entries

NAMES = ["start_loss", "least_loss", "final_loss", "rise", "least_epoch", "in_tail"]
MORE_NAMES = ["correct_at_turn", "correct_at_end", "margin_at_turn", "margin_at_end"]


@parametrize_with_checks([LossTailAnalyzer(), LossTailAnalyzer(tail=0.2, onset=0)])
def test_every_check_of_scikit_learn_passes(estimator, check):
    check(estimator)


def assert_same(one, other):
    """All attributes of two fitted analyzers."""
    assert list(vars(one)) == list(vars(other))
    for name, value in vars(one).items():
        np.testing.assert_equal(vars(other)[name], value, err_msg=name)


# --------------------------------------------------------------------------------------- found


def test_planted_truths_are_found():
    tails = LossTailAnalyzer().fit(planted_record())
    assert (tails.onset_epoch_, tails.onset_) == (2, 2)
    assert (tails.turn_ == 2).all()
    np.testing.assert_array_equal(np.flatnonzero(tails.rise_ > 0), RISERS)
    assert tails.rising_fractions_[0.0] == 0.05
    assert tails.rising_fractions_ == {0.0: 0.05, 0.01: 0.05, 0.1: 0.05, 1.0: 0.01}
    assert tails.mean_rise_ == 84.5 / 200
    np.testing.assert_array_equal(tails.carrier_indices_, CARRIERS)
    assert tails.carrier_fraction_ == 0.01
    np.testing.assert_array_equal(tails.tail_indices_, CARRIERS)
    assert tails.tail_share_ == 129 / (129 + 8 + 190 / 4)
    assert {name: row["count"] for name, row in tails.transitions_.items()} == TRANSITIONS
    assert tails.transitions_["WW"]["rise_sum"] == 128 - 0.25
    assert tails.transitions_["CW"] == {
        "count": 8, "rise_sum": 4.0, "rise_mean": 0.5, "margin_at_turn": 4.0, "margin_at_end": -8.0
    }  # fmt: skip
    assert tails.borderline_["verdict"] == "wrong by far"
    assert tails.borderline_["wrong_share"] == 1


def test_every_attribute_equals_its_slow_definition():
    record = tailed_record()
    tails = LossTailAnalyzer(tail=0.05).fit(record)
    rows = record.loss.tolist()
    turns = reference.crossfitted_turns(rows)
    d = reference.rises(rows, turns)
    columns = record.loss.T.tolist()
    assert tails.onset_ == reference.least_mean_epoch(rows, range(len(rows)))
    assert tails.onset_epoch_ == record.epochs[tails.onset_]
    np.testing.assert_array_equal(tails.turn_, turns)
    np.testing.assert_allclose(tails.rise_, d)
    assert tails.mean_rise_ == pytest.approx(reference.mean(d))
    assert tails.rising_fractions_[0.0] == sum(d_i > 0 for d_i in d) / len(d)
    assert len(tails.carrier_indices_) == reference.n_carriers(d) > 0
    for curve, definition in {
        "mean": reference.mean, "median": lambda v: reference.quantile(v, 0.5), "trimmed": reference.trimmed_mean,
        "gini": reference.gini, "tail_share": lambda v: reference.share_of_worst(v, 0.05),
    }.items():  # fmt: skip
        np.testing.assert_allclose(
            getattr(tails, f"{curve}_curve_"), [definition(v) for v in columns], err_msg=curve
        )
    assert tails.quantile_curves_.shape == (7, 8)
    for q, curve in zip(tails.quantiles_, tails.quantile_curves_.T, strict=True):
        np.testing.assert_allclose(curve, [reference.quantile(v, q) for v in columns])
    for worst, curve in zip(tails.fractions_, tails.share_curves_.T, strict=True):
        np.testing.assert_allclose(curve, [reference.share_of_worst(v, worst) for v in columns])
    np.testing.assert_allclose(
        tails.concentration_[:, 0], [max(columns[t]) / sum(columns[t]) for t in (tails.onset_, -1)]
    )
    at_turn = [record.correct[i, t] for i, t in enumerate(turns)]
    names = [reference.transition(*both) for both in zip(at_turn, record.correct[:, -1], strict=True)]
    for name, row in tails.transitions_.items():
        own = [i for i, one in enumerate(names) if one == name]
        assert row["count"] == len(own)
        assert row["rise_sum"] == pytest.approx(sum(d[i] for i in own))
        margins = [record.margin[i, -1] for i in own]
        np.testing.assert_allclose(row["margin_at_end"], np.median(margins) if own else np.nan)
        at_turns = [record.margin[i, turns[i]] for i in own]
        np.testing.assert_allclose(row["margin_at_turn"], np.median(at_turns) if own else np.nan)
    expected = reference.borderline_shares(names, d, record.margin[:, -1].tolist())
    found = tails.borderline_
    assert (found["borderline_share"], found["wrong_share"], found["near"]) == pytest.approx(expected)


def test_a_given_turn_is_that_of_every_sample():
    record = tailed_record()
    tails = LossTailAnalyzer(onset=np.int32(4)).fit(record)
    assert (tails.onset_, tails.onset_epoch_) == (2, 4)
    np.testing.assert_array_equal(tails.rise_, record.loss[:, -1] - record.loss[:, 2])


def test_losses_that_all_fall_have_no_rise():
    tails = LossTailAnalyzer().fit(planted_record().until(2))
    assert tails.onset_epoch_ == 2
    assert tails.rising_fractions_[0.0] == tails.mean_rise_ == tails.carrier_fraction_ == 0
    assert tails.carrier_indices_.tolist() == []
    assert tails.borderline_["verdict"] == "no rise"


def test_two_epochs_and_one_sample_in_the_tail():
    tails = LossTailAnalyzer(tail=0.2, onset=0).fit([[1.0, 0.5], [1.0, 0.5], [1.0, 9.0]])
    assert tails.tail_indices_.tolist() == tails.carrier_indices_.tolist() == [2]
    assert tails.tail_share_ == 0.9
    assert tails.mean_rise_ == pytest.approx(7 / 3)


def test_a_single_carrier_is_no_rise_that_the_other_half_would_foresee():
    """Whichever half it is in chooses the turn for the other; its own turn is chosen without it."""
    tails = LossTailAnalyzer().fit([[1.0, 0.5], [1.0, 0.5], [1.0, 0.5], [1.0, 9.0]])
    assert tails.onset_epoch_ == 0
    assert tails.turn_.tolist() == [0, 1, 0, 1]
    assert tails.mean_rise_ == -0.25
    assert tails.rise_verdict_ == "cannot tell"


def test_one_sample_is_its_own_other_half():
    tails = LossTailAnalyzer().fit([[2.0, 1.0, 3.0]])
    assert tails.turn_.tolist() == [1]
    assert tails.rise_.tolist() == [2]
    assert tails.carrier_fraction_ == tails.tail_share_ == 1


def test_equal_losses_are_all_in_the_tail_and_none_carries_more():
    tails = LossTailAnalyzer(tail=0.1).fit(np.full((30, 3), 0.5))
    assert tails.tail_indices_.tolist() == list(range(30))
    assert tails.tail_share_ == pytest.approx(0.1)
    np.testing.assert_allclose(tails.gini_curve_, 0, atol=1e-12)
    assert tails.transform(np.full((30, 3), 0.5))[:, 5].all()


def test_tanimoto_is_measured_above_its_least():
    record = planted_record()
    loss = record.loss / 100
    shifted = Dynamics(
        y=record.y, classes=record.classes, epochs=record.epochs, loss=loss - 1, header=header_of("tanimoto")
    )
    np.testing.assert_allclose(
        LossTailAnalyzer().fit(shifted).share_curves_, LossTailAnalyzer().fit(loss).share_curves_
    )
    unnamed = LossTailAnalyzer().fit(loss - 1)
    assert np.isnan(unnamed.share_curves_).all()
    assert np.isnan(unnamed.tail_share_)
    assert unnamed.rising_fractions_[0.0] == 0.05


# ---------------------------------------------------------------------------------------- laws


def test_permuted_samples_are_permuted_rows():
    record = tailed_record()
    order = np.random.default_rng(1).permutation(len(record))
    one, other = LossTailAnalyzer().fit(record), LossTailAnalyzer().fit(record[order])
    np.testing.assert_array_equal(other.transform(record[order]), one.transform(record)[order])
    np.testing.assert_array_equal(other.rise_, one.rise_[order])
    for name in ("carrier_indices_", "tail_indices_"):
        np.testing.assert_array_equal(order[getattr(other, name)], getattr(one, name))
    assert other.summary() == one.summary()


def test_a_constant_added_to_all_scores_of_a_sample_changes_nothing():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 80)
    scores = rng.normal(scale=3, size=(80, 5, 3)).round(3)
    one = LossTailAnalyzer().fit(scores_record(scores, y))
    shifted = scores_record(scores + rng.integers(-8, 8, (80, 1, 1)), y)
    other = LossTailAnalyzer().fit(shifted)
    assert other.summary() == one.summary()
    np.testing.assert_allclose(other.rise_, one.rise_, atol=1e-12)
    np.testing.assert_allclose(other.transform(shifted), one.transform(scores_record(scores, y)), atol=1e-12)
    np.testing.assert_array_equal(other.tail_indices_, one.tail_indices_)


def test_the_record_is_left_as_it_was_and_fitting_again_forgets():
    record = planted_record()
    tails = LossTailAnalyzer().fit(tailed_record())
    assert_same(tails.fit(record), LossTailAnalyzer().fit(planted_record()))
    np.testing.assert_array_equal(record.loss, planted_losses())
    frame = pd.DataFrame(planted_losses(), columns=list("abcd"))
    assert tails.fit(frame).feature_names_in_.tolist() == list("abcd")
    assert not hasattr(tails.fit(record), "feature_names_in_")


# --------------------------------------------------------------------------------------- table


def test_a_row_tells_of_its_sample():
    record = planted_record()
    tails = LossTailAnalyzer().fit(record)
    table = tails.transform(record)
    assert tails.get_feature_names_out().tolist() == NAMES + MORE_NAMES
    np.testing.assert_array_equal(table[20], [2, 0.5, 64.5, 64, 2, 1, 0, 0, -4, -8])
    np.testing.assert_array_equal(table[22], [2, 0.5, 1, 0.5, 2, 0, 1, 0, 4, -8])
    np.testing.assert_array_equal(table[1], [2, 0.25, 0.25, -0.25, 3, 0, 0, 1, -4, 8])
    np.testing.assert_array_equal(np.flatnonzero(table[:, 5]), np.sort(tails.tail_indices_))


def test_the_least_epoch_is_a_recorded_one():
    record = tailed_record()
    table = LossTailAnalyzer().fit_transform(record)
    np.testing.assert_array_equal(table[:, 4], record.epochs[record.loss.argmin(axis=1)])
    np.testing.assert_array_equal(table[:, 1], record.loss.min(axis=1))


def test_an_array_has_no_predictions_and_no_margins():
    tails = LossTailAnalyzer().fit(planted_losses())
    assert tails.transitions_ is None
    assert tails.borderline_ is None
    assert tails.get_feature_names_out().tolist() == NAMES
    full = LossTailAnalyzer().fit(planted_record())
    np.testing.assert_array_equal(tails.transform(planted_losses()), full.transform(planted_record())[:, :6])
    np.testing.assert_array_equal(tails.transform(planted_record()), tails.transform(planted_losses()))


def test_predictions_without_margins_still_give_transitions():
    record = planted_record()
    bare = Dynamics(
        y=record.y,
        classes=record.classes,
        epochs=record.epochs,
        loss=record.loss,
        prediction=record.prediction,
    )
    tails = LossTailAnalyzer().fit(bare)
    assert {name: row["count"] for name, row in tails.transitions_.items()} == TRANSITIONS
    assert tails.borderline_ is None
    assert tails.get_feature_names_out().tolist() == NAMES + MORE_NAMES[:2]


def test_it_works_among_transformers():
    record = tailed_record(90)
    union = make_union(LossTailAnalyzer(), LossTailAnalyzer(onset=2)).set_output(transform="pandas")
    table = union.fit_transform(record)
    assert table.shape == (90, 20)
    assert table.columns[0] == "losstailanalyzer-1__start_loss"
    one, other = train_test_split(record, random_state=0)
    assert LossTailAnalyzer().fit(one).transform(other).shape == (23, 10)
    model = make_pipeline(LossTailAnalyzer(), LogisticRegression(max_iter=10000))
    assert cross_val_score(model, record, record.correct[:, -1]).mean() > 0.9


# -------------------------------------------------------------------------------------- source


class Fitted(BaseEstimator):
    """Stands in for a classifier that records."""

    def __init__(self, record=("samples",)):
        self.record = record

    def fit(self, X, y=None):
        self.dynamics_ = X
        return self


def test_of_a_model_the_validation_record_is_read_where_there_is_one():
    train, validation = planted_record().until(2), planted_record()
    model = Fitted().fit(train)
    tails = LossTailAnalyzer().fit(model)
    assert tails.source_ == "the training record of the model"
    np.testing.assert_array_equal(tails.epochs_, [0, 1, 2])
    model.validation_dynamics_ = validation
    for holder in (model, make_pipeline("passthrough", model)):
        tails = LossTailAnalyzer().fit(holder)
        assert tails.source_ == "the validation record of the model"
        np.testing.assert_array_equal(tails.transform(holder), tails.transform(validation))
    assert LossTailAnalyzer().fit(train).source_ == "a record"
    assert LossTailAnalyzer().fit(planted_losses().tolist()).source_ == "an array of losses"


def test_one_call_on_a_classifier():
    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    y = np.where(X[:, 0] > 0, "yes", "no")
    clf = DynamicsClassifier(MLP((4,)), max_epochs=3, validation_fraction=0.5, random_state=0).fit(X, y)
    tails = LossTailAnalyzer().fit(clf)
    assert len(tails.rise_) == 30
    assert tails.loss_name_ == "log"
    assert "Read from the validation record of the model: 30 samples" in tails.summary()


# --------------------------------------------------------------------------------------- named


def test_documented_attributes_are_there_after_fit_and_no_others():
    documented = set(entries(LossTailAnalyzer, "Attributes"))
    assert not [name for name in documented if hasattr(LossTailAnalyzer(), name)]
    tails = LossTailAnalyzer().fit(pd.DataFrame(planted_losses(), columns=list("abcd")))
    assert {name for name in vars(tails) if name.endswith("_")} == documented


def test_a_clone_is_not_fitted():
    tails = clone(LossTailAnalyzer(tail=0.1, onset=1).fit(planted_losses()))
    assert (tails.tail, tails.onset) == (0.1, 1)
    for call in (tails.summary, tails.get_feature_names_out, lambda: tails.transform(planted_losses())):
        with pytest.raises(NotFittedError, match="This LossTailAnalyzer instance is not fitted yet"):
            call()


# ------------------------------------------------------------------------------------- refused


def spoiled(sample, epoch, value):
    loss = planted_losses()
    loss[sample, epoch] = value
    return loss


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (planted_losses()[0], r"but this has shape \(4,\). Reshape your data to \(n_samples, n_epochs\)"),
        (planted_losses()[None], r"a column for each epoch, but this has shape \(1, 200, 4\)"),
        (
            planted_losses()[:, :1],
            "Losses at one epoch only .*, epoch 0: a rise needs two. Fit again with Dyn",
        ),
        (planted_record().until(0), r"Losses at one epoch only .*record_epochs=\"all\""),
        (planted_record()[:0], "The record has no samples, so there is nothing to analyse"),
        (planted_losses()[:0], r"0 sample\(s\)"),
        (
            spoiled(7, 3, np.nan),
            r"sample 7 is NaN at epoch 3, the first .*; there is 1 of 800. .*record.until\(2\)",
        ),
        (
            spoiled([9, 4], 1, -np.inf),
            "sample 4 is -inf at epoch 1, the first .* not finite; there are 2 of 800.$",
        ),
        (spoiled(7, 0, np.inf), "sample 7 is inf at epoch 0"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_losses_that_cannot_be_analysed(X, message):
    with pytest.raises(ValueError, match=message):
        LossTailAnalyzer().fit(X)


def test_losses_that_cannot_be_transformed():
    tails = LossTailAnalyzer().fit(planted_losses())
    with pytest.raises(ValueError, match="sample 7 is NaN at epoch 3"):
        tails.transform(spoiled(7, 3, np.nan))
    with pytest.raises(ValueError, match="X has 3 features, but LossTailAnalyzer is expecting 4"):
        tails.transform(planted_losses()[:, :3])


@pytest.mark.parametrize("tail", [0, 1, 1.5, -0.1, np.nan])
def test_the_tail_is_a_share(tail):
    with pytest.raises(ValueError, match=f"tail must be between 0 and 1, a share of the samples; got {tail}"):
        LossTailAnalyzer(tail=tail).fit(planted_losses())


@pytest.mark.parametrize("tail", ["1 %", None, True])
def test_the_tail_is_a_number(tail):
    with pytest.raises(TypeError, match=f"tail must be a number between 0 and 1, got {tail!r}"):
        LossTailAnalyzer(tail=tail).fit(planted_losses())


def test_the_turn_is_a_recorded_epoch_before_the_last():
    record = tailed_record()
    with pytest.raises(ValueError, match="onset=3 is not among the recorded epochs: 0, 2, 4, 6, 8, 10, 12"):
        LossTailAnalyzer(onset=3).fit(record)
    with pytest.raises(ValueError, match="onset=12 is the last recorded epoch: a rise needs one after it"):
        LossTailAnalyzer(onset=12).fit(record)


def test_what_the_analyzer_found_can_be_asked_for_where_epochs_are_fractions():
    record = tailed_record(epochs=[0, 0.25, 0.5, 1, 2, 3, 4])
    tails = LossTailAnalyzer().fit(record)
    again = LossTailAnalyzer(onset=tails.onset_epoch_).fit(record)
    assert (again.onset_epoch_, again.onset_) == (tails.onset_epoch_, tails.onset_)
    assert LossTailAnalyzer(onset=np.float64(0.25)).fit(record).onset_ == 1
    assert LossTailAnalyzer(onset=2.0).fit(tailed_record()).onset_epoch_ == 2
    with pytest.raises(ValueError, match=r"onset=0\.75 is not among the recorded epochs: 0\.0, 0\.25, 0\.5"):
        LossTailAnalyzer(onset=0.75).fit(record)


@pytest.mark.parametrize("onset", [np.nan, "first", None, False])
def test_the_turn_is_a_number(onset):
    with pytest.raises(TypeError, match=f"onset must be 'auto' or a recorded epoch, got {onset!r}"):
        LossTailAnalyzer(onset=onset).fit(tailed_record())


def test_a_record_without_samples_names_the_call():
    bare = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1], weight_norms={"z": [1.0, 2.0]})
    model = Fitted().fit(planted_record())
    model.validation_dynamics_ = bare
    for X in (bare, model):
        with pytest.raises(
            ValueError, match=r"no loss.*DynamicsClassifier\(record=\('samples', 'geometry'\)\)"
        ):
            LossTailAnalyzer().fit(X)


def test_a_model_without_a_record_is_sent_back():
    with pytest.raises(NotFittedError, match="This Fitted instance is not fitted yet"):
        LossTailAnalyzer().fit(Fitted())
    with pytest.raises(ValueError, match=r"The model recorded nothing\. Fit again with DynamicsClassifier"):
        LossTailAnalyzer().fit(Fitted().fit(None))
    with pytest.raises(TypeError, match="got LogisticRegression"):
        LossTailAnalyzer().fit(LogisticRegression().fit([[0], [1]], [0, 1]))


def test_transform_wants_the_epochs_and_the_fields_of_fit():
    record = planted_record()
    tails = LossTailAnalyzer().fit(record)
    with pytest.raises(
        ValueError, match=r"has 3 epochs, 0, 1, 2, but the analyzer was fitted on 4 epochs, 0, 1, 2, ..."
    ):
        tails.transform(record.until(2))
    with pytest.raises(ValueError, match="fitted on a record with predictions; an array of losses has none"):
        tails.transform(record.loss)
    bare = Dynamics(y=record.y, classes=record.classes, epochs=record.epochs, loss=record.loss)
    with pytest.raises(ValueError, match="This record has no prediction and margin: it holds loss"):
        tails.transform(bare)
