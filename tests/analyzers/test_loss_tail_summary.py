"""Findings and paragraph: every figure is the slow definition's, and every case has its words."""

import re

import numpy as np
import pytest
from scipy.stats import binomtest, norm, t
from sklearn.base import BaseEstimator

from sklearn_nndyn import LossTailAnalyzer
from sklearn_nndyn.analyzers.loss_tails import rise_beyond_wander
from sklearn_nndyn.dynamics import Dynamics
from sklearn_nndyn.utils.text import figure, percent
from tests import reference
from tests.analyzers.planted import planted_losses, planted_record, tailed_record
from tests.analyzers.saying import figures_in, finding, flat, verdicts

FALL = np.r_[np.linspace(2, 0.5, 8), np.linspace(0.48, 0.4, 6)]


def ratio_interval(parts, wholes):
    """Of sum(parts) / sum(wholes), by the deviation of parts - share wholes."""
    n, share = len(wholes), sum(parts) / sum(wholes)
    own = [part - share * whole for part, whole in zip(parts, wholes, strict=True)]
    half = t.isf(0.025, n - 1) * reference.standard_error(own) * n / sum(wholes)
    return max(share - half, 0), min(share + half, 1)


def expected_findings(record):
    """(value, interval, null) of LT1 to LT4, each from its slow definition."""
    rows, n = record.loss.tolist(), len(record)
    turns = reference.crossfitted_turns(rows)
    d = reference.rises(rows, turns)
    mean, half = reference.mean(d), t.isf(0.025, n - 1) * reference.standard_error(d)
    curve = [reference.mean(column) for column in record.loss.T.tolist()]
    yield mean, (mean - half, mean + half), rise_beyond_wander(curve)[1]
    rose = [max(d_i, 0) for d_i in d]
    worst = sorted(rose)[-round(0.05 * n) :]
    share, q = sum(worst) / sum(rose), worst[0]
    spread = mean / np.std(d)
    null = (0.05 * spread + norm.pdf(norm.isf(0.05))) / (spread * norm.cdf(spread) + norm.pdf(spread))
    yield share, ratio_interval([max(r - q, 0) + 0.05 * q for r in rose], rose), null
    fell = sum(d_i < 0 for d_i in d)
    yield fell / n, tuple(binomtest(fell, n).proportion_ci(method="wilson")), 0.5
    before, after = (
        [bool(record.correct[i, at]) for i, at in enumerate(turns)],
        record.correct[:, -1].tolist(),
    )
    names = [reference.transition(*both) for both in zip(before, after, strict=True)]
    _, by_far, near = reference.borderline_shares(names, d, record.margin[:, -1].tolist())
    wrong = [
        name in ("CW", "WW") and abs(m) >= near for name, m in zip(names, record.margin[:, -1], strict=True)
    ]
    yield by_far, ratio_interval([r * w for r, w in zip(rose, wrong, strict=True)], rose), sum(wrong) / n


@pytest.mark.parametrize("seed", [1, 3, 6])
def test_every_figure_equals_its_slow_definition(seed):
    record = tailed_record(400, 14, seed=seed)
    tails = LossTailAnalyzer().fit(record)
    assert set(verdicts(tails).values()) == {"yes"}
    for own, (value, interval, null) in zip(tails.findings_, expected_findings(record), strict=True):
        np.testing.assert_allclose([own.value, own.null], [value, null], rtol=1e-6, err_msg=own.code)
        np.testing.assert_allclose(own.interval, interval, rtol=1e-5, err_msg=own.code)


@pytest.mark.parametrize("seed", [1, 3, 6])
def test_the_paragraph_has_the_figures_of_the_findings(seed):
    tails = LossTailAnalyzer().fit(tailed_record(400, 14, seed=seed))
    rise, minority, majority, where = tails.findings_
    shares = [100 * share for share in (minority.value, minority.null, majority.value, where.value)]
    expected = [tails.onset_epoch_, rise.value, *rise.interval, rise.null, *shares, 400]
    np.testing.assert_allclose(figures_in(tails.summary()), expected, rtol=6e-3)


def few_and_many():
    rng = np.random.default_rng(0)
    few, many = (FALL + 0.01 * rng.normal(size=(400, 14)) for _ in range(2))
    few[:16, 8:] += np.linspace(1, 12, 6)
    many[:, 8:] += np.linspace(0, 0.6, 6)
    return few, many


def test_a_rise_that_few_carry_and_one_that_many_do():
    few, many = (LossTailAnalyzer().fit(loss) for loss in few_and_many())
    assert verdicts(few) == {"LT1": "yes", "LT2": "yes", "LT3": "yes", "LT4": "cannot tell"}
    assert verdicts(many) == {"LT1": "yes", "LT2": "no", "LT3": "no", "LT4": "cannot tell"}
    text = flat(few.summary())
    assert text.startswith("The mean loss rises from epoch 7 to the end by 0.")
    assert "A small minority carries the rise: one sample in twenty has 100 % of all increases" in text
    assert "Look at the samples that rise most, carrier_indices_" in text
    text = flat(many.summary())
    assert "It is not a small minority that carries the rise: one sample in twenty has 5." in text
    assert "carrier_indices_" not in text
    assert "Compare other seeds" in text


def with_margin(margin, **changes):
    record = planted_record()
    fields = {
        name: getattr(record, name) for name in ("y", "classes", "epochs", "loss", "prediction", "header")
    }
    return Dynamics(**(fields | {"margin": np.broadcast_to(margin, (200, 4))} | changes))


def test_where_the_rise_falls_has_its_words():
    loss, _ = few_and_many()
    loss = loss[:200]
    y = np.zeros(200, dtype=int)
    right = np.repeat(y[:, None], 14, axis=1)
    carries = np.arange(200) < 16

    def said(margin, prediction=right):
        record = Dynamics(
            y=y, classes=[0, 1], epochs=np.arange(14), loss=loss, prediction=prediction,
            margin=np.repeat(margin[:, None], 14, axis=1),
        )  # fmt: skip
        tails = LossTailAnalyzer().fit(record)
        return finding(tails, "LT4").verdict, flat(tails.summary())

    verdict, text = said(np.where(carries, 0.1, 8.0))
    assert (verdict, "The rise is on borderline samples: only 0 % of it is on" in text) == ("no", True)
    verdict, text = said(np.full(200, 8.0))
    assert (verdict, "Neither borderline samples nor those wrong by far (0 % of it)" in text) == (
        "cannot tell",
        True,
    )
    verdict, text = said(np.where(carries, -8.0, 8.0), np.where(carries[:, None], 1, right))
    assert (verdict, "The rise is not on borderline samples: 100 % of it is on" in text) == ("yes", True)


@pytest.mark.parametrize("seed", range(10))
def test_a_rise_is_not_denied_where_the_mean_ends_above_its_least_value(seed):
    """A plateau that wanders: whatever the halves chose, the text may say that it cannot tell."""
    rng = np.random.default_rng(seed)
    loss = 1 + 0.02 * rng.normal(size=60) + 0.3 * rng.normal(size=(300, 60))
    tails = LossTailAnalyzer().fit(loss)
    assert tails.mean_curve_[-1] > tails.mean_curve_.min()
    assert tails.rise_verdict_ == finding(tails, "LT1").verdict != "no"
    assert not re.search("not rise|not risen|nothing of the kind|never turned", flat(tails.summary()))


@pytest.mark.parametrize("fall", [0, 0.1], ids=["level", "falling"])
@pytest.mark.parametrize("seed", range(8))
def test_of_what_cannot_be_told_from_chance_nothing_more_is_said(seed, fall):
    """Where the mean falls, what one half rises from its own least epoch, the other half falls."""
    rng = np.random.default_rng(seed)
    loss = 1 + 0.02 * rng.normal(size=60) + 0.3 * rng.normal(size=(300, 60)) - fall * np.linspace(0, 1, 60)
    tails = LossTailAnalyzer().fit(loss)
    assert [verdicts(tails)[code] for code in ("LT1", "LT2", "LT4")] == ["cannot tell"] * 3
    claim = (
        r"the rise of 0\.\d+ from chance"
        if tails.mean_rise_ > 0
        else r"whether by more than chance: on samples that .* it fell by 0\.\d+ from there to the end"
    )
    assert re.match(
        rf"The mean loss ends above its least value, of epoch \d+, but this run cannot tell {claim}\. "
        r"Do not stop earlier for it: more held-out samples or several seeds would tell\. Read from",
        flat(tails.summary()),
    )


def test_losses_that_fall_until_the_end():
    tails = LossTailAnalyzer().fit(planted_record().until(2))
    assert verdicts(tails) == {"LT1": "no", "LT2": "no", "LT3": "cannot tell", "LT4": "cannot tell"}
    assert flat(tails.summary()) == (
        "The mean log loss does not rise: it is least at the end, epoch 2. A rise may still come with longer training. "
        "Read from a record: 200 samples."
    )


def test_a_mean_that_does_not_rise_since_the_epoch_asked_for():
    tails = LossTailAnalyzer(onset=1).fit(np.tile([3.0, 2.0, 1.0], (200, 1)))
    assert verdicts(tails) == {"LT1": "no", "LT2": "no", "LT3": "yes", "LT4": "cannot tell"}
    assert "From epoch 1, as asked, to the end the mean loss has not risen: it fell by 1." in tails.summary()


def test_least_at_the_end_is_no_rise_whatever_the_halves_chose():
    loss = np.tile(np.linspace(3, 1, 12), (40, 1))
    loss[::2, -1] += 0.5
    loss[1::2, -1] -= 0.6
    loss[:, 0] += np.repeat([0, 1], 20)
    tails = LossTailAnalyzer().fit(loss)
    assert tails.onset_ == 11
    assert tails.rise_verdict_ == "no"


def test_a_mean_that_stands_still_at_its_least_value_does_not_rise():
    """As of a network whose rate has fallen to nothing; so much longer is the record, and the verdict the same."""
    fallen = np.tile(FALL, (40, 1)) * np.linspace(0.5, 1.5, 40)[:, None]
    still = np.concatenate([fallen, np.repeat(fallen[:, -1:], 10, axis=1)], axis=1)
    assert verdicts(LossTailAnalyzer().fit(still)) == verdicts(LossTailAnalyzer().fit(fallen))
    assert "does not rise: it is least at the end, epoch 23." in flat(LossTailAnalyzer().fit(still).summary())


def test_of_fewer_than_nine_epochs_the_wander_is_not_known():
    few, _ = few_and_many()
    at_nine = [0, 3, 6, 7, 8, 9, 10, 11, 13]
    assert LossTailAnalyzer().fit(few[:, at_nine]).rise_verdict_ == "yes"
    tails = LossTailAnalyzer().fit(few[:, at_nine[1:]])
    assert tails.rise_verdict_ == "cannot tell"
    assert np.isnan(tails.rise_null_)
    assert finding(tails, "LT1").null is None
    assert "but of 8 recorded epochs its wander is not known" in flat(tails.summary())
    assert "Record nine epochs or more" in flat(tails.summary())


class Fitted(BaseEstimator):
    """Stands in for a classifier that records."""

    def __init__(self, record=("samples",)):
        self.record = record

    def fit(self, X, y=None):
        self.dynamics_ = X
        return self


def test_it_says_which_record_was_read():
    model = Fitted().fit(planted_record())
    text = flat(LossTailAnalyzer().fit(model).summary())
    assert text.endswith(
        "Read from the training record of the model, for want of a validation record: 200 samples that it was trained "
        "on."
    )
    model.validation_dynamics_ = planted_record()
    text = flat(LossTailAnalyzer().fit(model).summary())
    assert text.endswith("Read from the validation record of the model: 200 samples.")


def test_few_samples_say_little():
    assert (
        LossTailAnalyzer().fit(planted_losses()[:99]).summary().endswith("99 samples, too few to say much.")
    )
    assert "too few" not in LossTailAnalyzer().fit(planted_losses()[:100]).summary()


def test_one_sample_has_findings():
    tails = LossTailAnalyzer().fit([[2.0, 1.0, 3.0] * 4])
    assert set(verdicts(tails).values()) == {"cannot tell"}
    assert finding(tails, "LT1").interval is None
    assert flat(tails.summary()).endswith("1 sample, too few to say much.")


@pytest.mark.parametrize("name", ["squared_hinge", "L(p=2)", None])
def test_the_loss_has_its_name_where_it_is_one(name):
    text = flat(LossTailAnalyzer().fit(with_margin(8.0, header={"loss": name})).summary())
    assert ("mean squared hinge loss ends" if name == "squared_hinge" else "mean loss ends") in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (12.345, "12.3"), (999.4, "999"), (999.6, "1,000"), (-12345.6, "-12,346")],
)
def test_figures_have_three_digits(value, text):
    assert figure(value) == text


def test_percent():
    assert percent(0.0123) == "1.23 %"


@pytest.mark.parametrize(("n_samples", "share"), [(100, 0.05), (50, 0.06), (7, 1 / 7)])
def test_where_all_rise_alike_chance_gives_each_the_same(n_samples, share):
    """One sample in twenty is the nearest whole number of them, in value, interval and chance alike."""
    alike = np.tile(np.abs(np.linspace(-1, 1, 21)), (n_samples, 1))
    nearly = alike + 1e-9 * np.arange(n_samples)[:, None] * np.arange(21)
    for loss in (alike, nearly):
        minority = finding(LossTailAnalyzer().fit(loss), "LT2")
        assert minority.verdict == "no"
        np.testing.assert_allclose([minority.value, minority.null, *minority.interval], share, rtol=1e-5)
