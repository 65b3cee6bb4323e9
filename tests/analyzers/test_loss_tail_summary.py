"""The paragraph: every figure in it is the slow definition's, and every case has its words."""

import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from sklearn_nndyn import LossTailAnalyzer
from sklearn_nndyn.analyzers.loss_tails import carrier_null
from sklearn_nndyn.dynamics import Dynamics
from sklearn_nndyn.utils.text import figure, percent
from tests import reference
from tests.analyzers.planted import planted_losses, planted_record, tailed_record


def figures_in(text):
    """All numbers of a text, in their order; "-" between digits is none's sign."""
    return [float(number.replace(",", "")) for number in re.findall(r"[-+]?\d[\d,]*\.?\d*(?:e-?\d+)?", text)]


def expected_figures(record, tail, clear):
    """The numbers of a summary with a clear rise, each from its slow definition."""
    rows, columns, epochs = record.loss.tolist(), record.loss.T.tolist(), record.epochs.tolist()
    n = len(rows)
    onset = reference.least_mean_epoch(rows, range(n))
    turns = reference.crossfitted_turns(rows)
    d = reference.rises(rows, turns)
    chosen = sorted({epochs[t] for t in turns})
    yield from (n, len(epochs), epochs[0], epochs[-1])
    yield from (epochs[onset], reference.mean(columns[onset]), reference.mean(columns[-1]))
    yield from (*chosen, reference.mean(d), reference.standard_error(d))
    yield from (reference.quantile(columns[onset], 0.5), reference.quantile(columns[-1], 0.5))
    yield from (10, reference.trimmed_mean(columns[onset]), reference.trimmed_mean(columns[-1]))
    yield from (99.9, reference.quantile(columns[onset], 0.999), reference.quantile(columns[-1], 0.999))
    share = {eps: 100 * sum(d_i > eps for d_i in d) / n for eps in (0, 0.01, 0.1, 1)}
    yield from (share[0], 0.01, share[0.01], 0.1, share[0.1], 1, share[1])
    k = reference.n_carriers(d)
    null = carrier_null(d)
    yield from (k, 100 * k / n, *(100 * np.quantile(null, q) for q in (0.5, 0.025, 0.975)))
    if clear:
        yield from (5, 100 * reference.gross_rise_share(d, 0.05))
    worst = [100 * reference.share_of_worst(columns[t], tail) for t in (onset, -1)]
    yield from (100 * tail, worst[0], epochs[onset], worst[1])
    yield from (reference.gini(columns[onset]), reference.gini(columns[-1]))
    before, after = [bool(record.correct[i, t]) for i, t in enumerate(turns)], record.correct[:, -1].tolist()
    names = [reference.transition(*both) for both in zip(before, after, strict=True)]
    for name in ("CC", "CW", "WC", "WW"):
        own = [d_i for d_i, one in zip(d, names, strict=True) if one == name]
        yield len(own)
        if own:
            yield reference.mean(own)
    yield from (100 * sum(before) / n, 100 * sum(after) / n)
    borderline, by_far, near = reference.borderline_shares(names, d, record.margin[:, -1].tolist())
    yield from (100 * borderline, near, 100 * by_far)


@pytest.mark.parametrize(("seed", "tail"), [(0, 0.01), (1, 0.05), (2, 0.1)])
def test_every_figure_equals_its_slow_definition(seed, tail):
    record = tailed_record(400, seed=seed)
    tails = LossTailAnalyzer(tail=tail).fit(record)
    text, clear = tails.summary(), tails.rise_verdict_ == "yes"
    found, expected = figures_in(text), list(expected_figures(record, tail, clear))
    assert "it rises by" in text
    assert ("more than chance gives" in text) == clear == ("small minority" in text)
    assert len(found) == len(expected) > 40, text
    np.testing.assert_allclose(found, expected, rtol=6e-3, err_msg=text)


def test_the_words_of_a_rise():
    text = LossTailAnalyzer().fit(planted_record()).summary()
    assert (
        "Measured from turns that the other half of the samples chose (epoch 2 for both), it rises by 0.422"
        in text
    )
    assert "2 samples (1 % of all) make up for the whole rise of the mean, where chance gives" in text
    assert "184 stayed right" in text
    assert "accuracy went from 96 % to 94.5 %" in text
    assert "This is not a matter of borderline samples, but of samples that are wrong by far" in text
    assert "say little" not in text


def with_margin(margin, **changes):
    record = planted_record()
    fields = {
        name: getattr(record, name) for name in ("y", "classes", "epochs", "loss", "prediction", "header")
    }
    return Dynamics(**(fields | {"margin": np.broadcast_to(margin, (200, 4))} | changes))


def test_the_other_verdicts_have_their_words():
    record = planted_record()
    right = np.repeat(record.target[:, None], 4, axis=1)
    near = np.where(np.arange(200) < 30, 0.1, 8.0)[:, None]
    text = LossTailAnalyzer(onset=2).fit(with_margin(near, prediction=right)).summary()
    assert "This is a matter of borderline samples: of all that rose, 100 %" in text
    text = LossTailAnalyzer(onset=2).fit(with_margin(8.0, prediction=right)).summary()
    assert "Neither borderline samples nor samples that are wrong by far explain most of this" in text


def test_a_rise_that_few_carry_and_one_that_many_do():
    rng = np.random.default_rng(0)
    fall, scatter = np.tile([2.0, 1.0, 0.5, 0.4], (400, 1)), 0.01 * rng.normal(size=(400, 4))
    few, many = fall + scatter, fall + scatter
    few[:16, 3] += 12
    many[:, 3] += 0.6
    text = LossTailAnalyzer(onset=2).fit(few).summary()
    assert "more than chance gives" in text
    assert (
        "A small minority makes the mean rise: the 5 % of greatest rise carry 100 % of all that rose" in text
    )
    text = LossTailAnalyzer(onset=2).fit(many).summary()
    assert re.search(
        r"It is not a small minority .*: the 5 % .* carry 5.\d+ % of all .* and the median rose\.", text
    )


@pytest.mark.parametrize("seed", range(10))
def test_a_rise_is_not_denied_where_the_mean_ends_above_its_least_value(seed):
    """A plateau that wanders: whatever the halves chose, the text may say that it cannot tell."""
    rng = np.random.default_rng(seed)
    loss = 1 + 0.02 * rng.normal(size=60) + 0.3 * rng.normal(size=(300, 60))
    tails = LossTailAnalyzer().fit(loss)
    assert tails.mean_curve_[-1] > tails.mean_curve_.min()
    assert tails.rise_verdict_ != "no"
    assert not re.search("not rise|has not risen|nothing of the kind|never turned", tails.summary())


def test_losses_that_fall_until_the_end():
    text = LossTailAnalyzer().fit(planted_record().until(2)).summary()
    assert "The mean loss was least at the end (0.5, from 2 at the start): it never turned" in text
    assert "nothing of the kind happens here" in text
    assert "The worst 1 % carry 1 % of the total loss at the end; the Gini coefficient is 0." in text
    assert not re.search("rises|borderline|the whole rise", text)


def test_a_mean_that_does_not_rise():
    text = LossTailAnalyzer(onset=1).fit(np.tile([3.0, 2.0, 1.0], (200, 1))).summary()
    assert "From epoch 1, as asked, the mean loss went from 2 to 1. Since then it changes by -1" in text
    assert "Since then it changes by -1 (standard error 0): it has not risen." in text
    assert not re.search("the whole rise|minority", text)


def test_a_rise_within_chance_is_called_so():
    loss = np.random.default_rng(0).normal(5, 1, (200, 2))
    loss[:, 1] += 0.05 - (loss[:, 1] - loss[:, 0]).mean()
    text = LossTailAnalyzer(onset=0).fit(loss).summary()
    assert re.search(
        r"it rises by 0.05 \(standard error 0.\d+\), which this run cannot tell from chance\.", text
    )
    assert "minority" not in text


def test_what_is_not_known_is_said():
    text = LossTailAnalyzer().fit(planted_losses()).summary()
    assert text.startswith("Read from an array of losses: the loss of 200 samples at 4 epochs, 0 to 3.")
    assert "Without predictions, nothing can be said of samples that are right or wrong." in text
    assert "Without margins, nothing can be said of the border between the classes." in text
    text = LossTailAnalyzer().fit(planted_losses() - 1).summary()
    assert "Losses are negative in part, so shares of their total have no meaning here." in text


class Fitted(BaseEstimator):
    """Stands in for a classifier that records."""

    def __init__(self, record=("samples",)):
        self.record = record

    def fit(self, X, y=None):
        self.dynamics_ = X
        return self


def test_it_says_which_record_was_read():
    model = Fitted().fit(planted_record())
    text = LossTailAnalyzer().fit(model).summary()
    assert text.startswith(
        "Read from the training record of the model: the log loss of 200 samples at 4 epochs"
    )
    assert "The model has no validation record, so these are samples it was trained on." in text
    model.validation_dynamics_ = planted_record()
    text = LossTailAnalyzer().fit(model).summary()
    assert text.startswith("Read from the validation record of the model: ")
    assert "trained on" not in text


def test_few_samples_say_little():
    assert (
        LossTailAnalyzer()
        .fit(planted_losses()[:99])
        .summary()
        .endswith("With 99 samples these figures say little.")
    )
    assert "say little" not in LossTailAnalyzer().fit(planted_losses()[:100]).summary()


def test_one_sample_has_a_summary():
    text = LossTailAnalyzer().fit([[2.0, 1.0, 3.0]]).summary()
    assert (
        "Measured on the sample that the turn was chosen on, it rises by 2, which this run cannot tell from chance. "
        in text
    )
    assert "1 sample (100 % of all) make up for the whole rise" in text
    assert text.endswith("With 1 sample these figures say little.")


@pytest.mark.parametrize("name", ["squared_hinge", "L(p=2)", None])
def test_the_loss_has_its_name_where_it_is_one(name):
    text = LossTailAnalyzer().fit(with_margin(8.0, header={"loss": name})).summary()
    assert ("the squared hinge loss of" if name == "squared_hinge" else ": the loss of") in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (12.345, "12.3"), (999.4, "999"), (999.6, "1,000"), (-12345.6, "-12,346")],
)
def test_figures_have_three_digits(value, text):
    assert figure(value) == text


def test_percent():
    assert percent(0.0123) == "1.23 %"
