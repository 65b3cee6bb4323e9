"""What a RefinementAnalyzer says of scores of which it is known what happens."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import Dynamics, DynamicsClassifier, LossTailAnalyzer, RefinementAnalyzer
from sklearn_nndyn.analyzers.refinement import decompose_loss, temperatures
from tests.analyzers.refinement.planted_scores import (
    AGAIN,
    APART,
    EPOCHS,
    SURE,
    planted_record,
    planted_scores,
)

RECORD = planted_record()
FITTED = RefinementAnalyzer().fit(RECORD)


def verdicts(analyzer):
    return {finding.code: finding.verdict for finding in analyzer.findings_}


# Curves


def test_the_curves_are_means_of_the_decomposition_and_add_up():
    found = decompose_loss(RECORD.scores, RECORD.target)
    np.testing.assert_allclose(FITTED.loss_curve_, RECORD.loss.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(FITTED.refinement_curve_, found.refined.mean(axis=0))
    np.testing.assert_allclose(FITTED.refinement_curve_ + FITTED.calibration_curve_, FITTED.loss_curve_)
    np.testing.assert_allclose(FITTED.temperature_curve_, temperatures(RECORD.scores, RECORD.target))
    assert FITTED.best_epoch_ == FITTED.refinement_curve_.argmin()
    assert FITTED.least_loss_epoch_ == FITTED.loss_curve_.argmin()


def test_what_is_too_sure_by_a_factor_is_calibration_alone():
    sure = RefinementAnalyzer().fit(planted_record(sure=SURE))
    as_it_is = RefinementAnalyzer().fit(planted_record(sure=np.ones(EPOCHS)))
    np.testing.assert_allclose(sure.refinement_curve_, as_it_is.refinement_curve_, rtol=1e-5)
    assert np.abs(as_it_is.calibration_curve_).max() < 0.01
    np.testing.assert_allclose(sure.temperature_curve_, SURE * as_it_is.temperature_curve_, rtol=1e-4)


# Findings


def test_a_rise_that_is_calibration_is_told_as_that():
    assert verdicts(FITTED) == {"RF1": "yes", "RF2": "yes", "RF3": "yes"}
    rise, epoch, end = FITTED.findings_
    assert rise.value > 1  # the refined loss falls
    assert FITTED.best_epoch_ > FITTED.least_loss_epoch_ >= 11
    assert epoch.interval[0] < epoch.value < epoch.interval[1]
    assert end.value == pytest.approx(FITTED.calibration_curve_[-1])
    assert 'CalibratedClassifierCV(FrozenEstimator(clf), method="temperature")' in " ".join(
        FITTED.summary().split()
    )


def test_a_rise_that_is_not_calibration_is_told_as_that():
    lost = RefinementAnalyzer().fit(planted_record(apart=AGAIN, sure=np.ones(EPOCHS)))
    assert verdicts(lost)["RF1"] == "no"
    assert lost.findings_[0].value == pytest.approx(0, abs=0.1)
    assert "is not calibration" in lost.summary()
    assert lost.best_epoch_ <= 13


def test_where_nothing_rises_there_is_nothing_to_explain():
    falls = RefinementAnalyzer().fit(planted_record(sure=np.ones(EPOCHS)))
    assert verdicts(falls) == {"RF1": "no", "RF2": "no", "RF3": "no"}
    assert falls.findings_[2].interval[1] > 0  # small enough to be called none
    assert "no rise is there to explain" in falls.summary()


def test_there_is_a_rise_where_the_loss_tails_see_one():
    for record in (RECORD, planted_record(sure=np.ones(EPOCHS)), planted_record(n_samples=30)):
        rise = RefinementAnalyzer().fit(record).findings_[0]
        seen = LossTailAnalyzer().fit(decompose_loss(record.scores, record.target).loss).rise_verdict_
        assert (rise.value is not None) == (seen == "yes")
        assert rise.verdict == seen or seen == "yes"


def test_what_is_calibrated_is_rarely_called_not_so():
    """Scores whose temperature is 1 at the end: at most one "yes" in twenty, and of what is said most is right."""
    message = [
        verdicts(RefinementAnalyzer().fit(planted_record(sure=np.ones(EPOCHS), n_samples=200, seed=seed)))[
            "RF3"
        ]
        for seed in range(100)
    ]
    assert message.count("yes") <= 8  # 5, and its chance
    assert message.count("no") > 0


def test_every_figure_of_the_summary_is_that_of_the_findings_and_there_are_few():
    text = FITTED.summary()
    assert max(map(len, text.splitlines())) <= 100
    assert text.count(". ") <= 6
    for finding in FITTED.findings_:
        assert " ".join(finding.statement.split()) in " ".join(text.split())


# The table


def test_the_table_has_a_row_for_each_sample():
    table = FITTED.transform(RECORD)
    names = FITTED.get_feature_names_out().tolist()
    by_name = dict(zip(names, table.T, strict=True))
    np.testing.assert_allclose(by_name["loss_at_end"], RECORD.loss[:, -1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(by_name["loss_at_least"].mean(), FITTED.loss_curve_.min(), rtol=1e-9)
    best = by_name["refined_loss_at_best"].mean()
    assert best == pytest.approx(FITTED.refinement_curve_.min(), rel=1e-3)
    calibration = by_name["loss_at_end"] - by_name["refined_loss_at_end"]
    np.testing.assert_allclose(by_name["calibration_at_end"], calibration)
    np.testing.assert_allclose(FITTED.transform(RECORD[5:9]), table[5:9])


def test_the_table_goes_into_a_frame():
    frame = clone(FITTED).set_output(transform="pandas").fit(RECORD).transform(RECORD)
    assert list(frame.columns) == FITTED.get_feature_names_out().tolist()


def test_other_epochs_are_refused():
    with pytest.raises(ValueError, match="but the analyzer was fitted on 24 epochs"):
        FITTED.transform(RECORD.until(5))


# Doors


def test_a_model_a_pipeline_and_a_search_give_their_validation_record():
    X, y = load_iris(return_X_y=True)
    clf = DynamicsClassifier(
        max_epochs=10, record=("samples", "scores"), validation_fraction=0.4, random_state=0
    )
    expected = RefinementAnalyzer().fit(clf.fit(X, y).validation_dynamics_)
    search = GridSearchCV(make_pipeline(StandardScaler(with_mean=False, with_std=False), clf), {}, cv=2)
    for model in (clf, search.fit(X, y)):
        found = RefinementAnalyzer().fit(model)
        assert found.source_ == "the validation record of the model"
        np.testing.assert_allclose(found.refinement_curve_, expected.refinement_curve_, rtol=1e-4)


def test_runs_are_averaged_and_the_intervals_are_over_them():
    runs = [planted_record(seed=seed, n_samples=600) for seed in range(4)]
    found = RefinementAnalyzer().fit(runs)
    own = [RefinementAnalyzer().fit(run) for run in runs]
    np.testing.assert_allclose(found.run_refinement_curves_, [one.refinement_curve_ for one in own])
    np.testing.assert_allclose(found.loss_curve_, np.mean([one.loss_curve_ for one in own], axis=0))
    np.testing.assert_allclose(
        1 / found.temperature_curve_, np.mean([1 / o.temperature_curve_ for o in own], axis=0)
    )
    assert found.n_runs_ == 4
    assert {finding.n_runs for finding in found.findings_} == {4}
    assert found.source_ == "4 runs, each a record"
    gains = np.array([one.findings_[1].value for one in own])
    half = 3.182 * gains.std(ddof=1) / 2  # Student's t of three degrees of freedom
    assert found.findings_[1].interval == pytest.approx((gains.mean() - half, gains.mean() + half), rel=1e-3)


def test_runs_that_only_wander_from_epoch_to_epoch_show_no_rise():
    """Each has an epoch of least loss, above which it ends: that every run does so is no evidence of a rise."""
    found = [RefinementAnalyzer().fit(_wandering_runs(8, seed)).findings_[0] for seed in range(8)]
    assert sum(finding.value is not None for finding in found) <= 1


def _wandering_runs(n_runs, seed):
    """A fall, then a plateau on which all scores of a run wander in their scale from epoch to epoch."""
    rng = np.random.default_rng(seed)
    fall = np.concatenate([np.linspace(0.3, 1, 4), np.ones(16)])
    wander = 0.2 * rng.normal(size=(n_runs, 20))
    return [
        planted_record(
            apart=np.full(20, 1.5), sure=(fall + 2) * np.exp(own), n_samples=90, seed=100 * seed + i
        )
        for i, own in enumerate(wander)
    ]


def test_runs_of_other_numbers_of_samples_are_told():
    runs = [planted_record(seed=seed, n_samples=n) for seed, n in enumerate((30, 60))]
    assert RefinementAnalyzer().fit(runs).summary().endswith("the scores of 30 to 60 samples.")


def test_the_turn_of_a_run_is_chosen_by_the_others():
    runs = [planted_record(seed=seed, n_samples=600) for seed in range(4)]
    found = RefinementAnalyzer().fit(runs)
    curves = found.run_loss_curves_
    rises = [own[-1] - own[np.argmin(sum(curves) - own)] for own in curves]
    assert found.findings_[0].verdict == "yes"
    assert f"rises by {np.mean(rises):.3g} nats" in " ".join(found.findings_[0].statement.split())


# Refusals


def unfit(loss, **changes):
    scores, y = planted_scores(n_samples=30)
    return Dynamics.from_scores(scores, y, loss=loss, **changes)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (RECORD.until(0), r"one epoch only, 0: .*record_epochs=\"all\""),
        (RECORD[:1], "one sample, but a temperature is chosen on one half"),
        (RECORD[:0], "no samples"),
        (Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1], loss=np.ones((2, 2))), r"no scores.*'scores'"),
        (
            unfit("hinge"),
            "trained with the hinge loss, where scores become probabilities in no way that is known",
        ),
        (unfit(lambda z, y: z[:, 0]), "trained with the loss, where"),
    ],
    ids=["one-epoch", "one-sample", "no-sample", "no-scores", "no-link", "own-loss"],
)
def test_what_cannot_be_decomposed_is_refused(record, message):
    with pytest.raises(ValueError, match=message):
        RefinementAnalyzer().fit(record)


def test_sigmoids_are_refused_and_the_way_out_works():
    clf = DynamicsClassifier(loss="log", max_epochs=3, record=("samples", "scores"), random_state=0)
    from sklearn_nndyn.losses import LogLoss

    clf.set_params(loss=LogLoss(link="sigmoid")).fit(*load_iris(return_X_y=True))
    record = clf.dynamics_
    with pytest.raises(ValueError, match=r"by their sigmoids.*Dynamics.from_scores\(record.scores"):
        RefinementAnalyzer().fit(record)
    softmax = Dynamics.from_scores(record.scores, record.y, epochs=record.epochs)
    assert RefinementAnalyzer().fit(softmax).loss_name_ == "log"


def test_cells_that_were_not_seen_are_refused_with_their_place():
    scores, y = planted_scores(n_samples=30)
    scores[[7, 8], 3] = np.nan
    with pytest.raises(
        ValueError, match=r"^2 cells of 720 .* never seen, the first of sample 7 at epoch 3\."
    ):
        RefinementAnalyzer().fit(Dynamics.from_scores(scores, y))


def test_losses_that_are_not_log_are_decomposed_by_log_loss():
    found = RefinementAnalyzer().fit(unfit("focal"))
    assert found.loss_name_ == "focal"
    np.testing.assert_allclose(
        found.refinement_curve_, RefinementAnalyzer().fit(unfit("log")).refinement_curve_
    )


def test_runs_at_other_epochs_are_refused():
    with pytest.raises(ValueError, match=r"runs\[1\] was recorded at other epochs"):
        RefinementAnalyzer().fit([RECORD, RECORD.until(9)])
    assert len(APART) == EPOCHS
