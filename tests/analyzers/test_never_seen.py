"""A cell that was never seen is called so: skipped and counted, or refused in words; and what to do in other loops."""

import numpy as np
import pytest

from sklearn_nndyn import (
    Dynamics,
    DynamicsLog,
    EntanglementAnalyzer,
    LearningPhaseAnalyzer,
    LossTailAnalyzer,
    SampleScoreAnalyzer,
)
from sklearn_nndyn.analyzers import (
    RefinementAnalyzer,
    find_label_errors,
    scale_test,
    straggler_stability,
    worst_shares,
)
from sklearn_nndyn.dynamics import check_dynamics
from tests.analyzers.planted_entanglement import planted_record

N, EPOCHS, CLASSES = 120, 12, 3
Y = np.arange(N) % CLASSES


def scores():
    rng = np.random.default_rng(0)
    found = rng.normal(size=(N, EPOCHS, CLASSES))
    found[np.arange(N), :, Y] += np.linspace(0, 3, EPOCHS)
    return found


SEEN = np.random.default_rng(1).random((N, EPOCHS)) > 0.02
SEEN[5, 3] = False


def gappy(seen=SEEN):
    """The record of a log in which some samples were not seen at some epochs."""
    log, rng = DynamicsLog(Y), np.random.default_rng(2)
    for epoch in range(EPOCHS):
        rows = np.flatnonzero(seen[:, epoch])
        layers = {"z": rng.normal(size=(len(rows), 4)) + np.eye(4)[Y[rows]]}
        log.add(epoch, rows, scores()[rows, epoch], activations=layers)
    return log.dynamics()


def with_scores(seen=SEEN):
    return Dynamics.from_scores(np.where(seen[:, :, None], scores(), np.nan), Y)


REFUSING = {
    "loss tails": (lambda record: LossTailAnalyzer().fit(record), 0),
    "sample scores": (lambda record: SampleScoreAnalyzer().fit(record), 1),
    "wrong labels": (find_label_errors, 1),
    "phases": (lambda record: LearningPhaseAnalyzer().fit(record), 0),
    "refinement": (lambda record: RefinementAnalyzer().fit(record), 0),
    "scale": (scale_test, 0),
    "worst shares": (lambda record: worst_shares(record).size, 0),
}


@pytest.mark.parametrize("name", REFUSING)
def test_what_needs_every_cell_says_how_many_were_never_seen(name):
    refuse, first = REFUSING[name]
    if name == "phases":
        record = Dynamics(**{**vars(with_scores()), "reconstruction": {"z": np.ones((N, EPOCHS))}})
    else:
        record = with_scores()
    seen = SEEN[:, first:]
    whole = int(seen.all(axis=1).sum())
    message = (
        rf"^{(~seen).sum()} cells of {seen.size:,} \(a sample at an epoch\) were never seen, the first of sample "
        rf"{np.argwhere(~seen)[0][0]} at epoch .* record\[record\.seen\.all\(axis=1\)\], {whole} of {N}; or of a log"
    )
    with pytest.raises(ValueError, match=message):
        refuse(record)


@pytest.mark.parametrize("name", [name for name in REFUSING if name != "phases"])
def test_what_the_message_says_helps(name):
    record = with_scores()
    assert REFUSING[name][0](record[record.seen.all(axis=1)])


def test_a_loss_that_is_not_finite_is_not_called_unseen():
    record = with_scores(np.ones_like(SEEN))
    loss = record.loss.copy()
    loss[4, 2] = np.nan
    with pytest.raises(
        ValueError, match="sample 4 is NaN at epoch 2, the first epoch with a loss that is not finite"
    ):
        LossTailAnalyzer().fit(Dynamics(**{**vars(record), "loss": loss}))


def test_entanglement_skips_them_and_says_how_many():
    analyzer, record = EntanglementAnalyzer().fit(gappy()), gappy()
    text = " ".join(analyzer.summary().split())
    assert text.endswith(
        f"{(~SEEN).sum()} cells of {SEEN.size:,} (a sample at an epoch) never seen: left out."
    )
    assert "never seen" not in EntanglementAnalyzer().fit(gappy(np.ones_like(SEEN))).summary()
    names = analyzer.get_feature_names_out().tolist()
    for name in ("epoch_learned", "times_forgotten"):
        column = analyzer.transform(record)[:, names.index(name)]
        assert np.isnan(column[~SEEN.all(axis=1)]).all()
    assert np.isfinite(column[SEEN.all(axis=1)]).all()


def test_a_sample_that_was_not_seen_at_the_turn_is_no_straggler():
    whole = planted_record()
    found = EntanglementAnalyzer().fit(whole)
    lost = found.straggler_indices_[:2]
    loss, margin = whole.loss.copy(), whole.margin.copy()
    loss[lost, found.inversion_] = margin[lost, found.inversion_] = np.nan
    again = EntanglementAnalyzer().fit(planted_record(loss=loss, margin=margin))
    assert again.inversion_ == found.inversion_
    np.testing.assert_array_equal(again.straggler_indices_, found.straggler_indices_[2:])


def test_stragglers_of_several_runs_need_every_cell():
    with pytest.raises(ValueError, match="were never seen"):
        straggler_stability([gappy(), gappy()])


LACKING = {
    ("loss",): r"; in another loop, log the scores of each batch by DynamicsLog\.add\.$",
    ("loss", "scores"): r"; of another loop, give all scores to Dynamics\.from_scores\.$",
    ("centroids",): r"; in another loop, give DynamicsLog\.add the activations too\.$",
    ("reconstruction",): r"; in another loop, use Recorder\(record=\('reconstruction',\)\)\.$",
}


@pytest.mark.parametrize("needs", LACKING, ids="-".join)
def test_a_message_says_what_to_do_in_another_loop(needs):
    bare = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0], gradient_norm=[[1.0], [1.0]])
    with pytest.raises(ValueError, match=LACKING[needs]):
        check_dynamics(bare, needs=needs)


NEEDS_PREDICTIONS = {
    name: REFUSING[name][0] for name in ("loss tails", "sample scores", "wrong labels", "phases")
} | {"stability": lambda record: straggler_stability([record, record])}


@pytest.mark.parametrize("name", NEEDS_PREDICTIONS)
def test_a_cell_without_a_prediction_is_neither_wrong_nor_of_the_last_class(name):
    """All else of it was measured; an index of -1 would mean the last class."""
    whole = with_scores(np.ones((N, EPOCHS), bool))
    prediction = np.array(whole.prediction)
    prediction[[4, 7], 3] = -1
    fields = {"reconstruction": {"z": np.ones((N, EPOCHS))}, "centroids": planted_centroids()}
    record = Dynamics(**{**vars(whole), **fields, "prediction": prediction, "scores": None})
    assert record.accuracy[3] == pytest.approx((prediction[:, 3] == whole.target).sum() / (N - 2))
    with pytest.raises(
        ValueError,
        match=r"^2 cells of 1,[34][24]0 .* have no prediction \(-1\), the first of sample 4 at epoch 3",
    ):
        NEEDS_PREDICTIONS[name](record)


def planted_centroids():
    return {"z": np.random.default_rng(0).normal(size=(EPOCHS, CLASSES, 4)) / 4}


def test_without_predictions_their_losses_are_analysed():
    whole = with_scores(np.ones((N, EPOCHS), bool))
    bare = Dynamics(**{**vars(whole), "prediction": None, "scores": None})
    np.testing.assert_allclose(LossTailAnalyzer().fit(bare).rise_, LossTailAnalyzer().fit(whole).rise_)
