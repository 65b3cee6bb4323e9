"""remove_and_refit: what is left out, where training begins again, what is compared, what is refused."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_random_state

from sklearn_nndyn import DynamicsClassifier, EntanglementAnalyzer
from sklearn_nndyn.interventions import _removal, remove_and_refit
from sklearn_nndyn.modules import MLP
from tests.analyzers.saying import flat
from tests.classifiers.together.comparing import BOUNDS, assert_same_records

DIGITS, LABELS = load_digits(return_X_y=True)
N = 90
# A fifth of the labels are wrong: these are learned late.
LABELS = np.where(np.random.default_rng(0).random(N) < 0.2, LABELS[:N] + 1, LABELS[:N])
X, Y = DIGITS[:N] / 16, np.array(["even", "odd"])[LABELS % 2]
CLF = DynamicsClassifier(MLP((6,), activation="tanh"), max_epochs=12, lr=0.03, batch_size=20)
# Any turn will do: with these seeds three runs of four have one.
ANALYZER = EntanglementAnalyzer(tolerance=0, burn_in=4)
SEEDS = (0, 1, 2, 3)


@pytest.fixture(scope="module")
def found():
    return remove_and_refit(CLF, X, Y, seeds=SEEDS, analyzer=ANALYZER, X_val=X[:30], y_val=Y[:30])


def stay(left_out):
    return np.array([i for i in range(N) if i not in set(left_out.tolist())])


def refitted(found):
    """(name, position of the seed, rows left out, classifier) of each that was trained again."""
    for name, lists in (("removed", found.removed), ("random", found.random)):
        for i, (left_out, run) in enumerate(zip(lists, found.classifiers[name], strict=True)):
            if run is not None:
                yield name, i, left_out, run


# ------------------------------------------------------------------------------- what is trained


def test_the_stragglers_of_each_run_are_left_out_of_it(found):
    for run, analyzer, left_out in zip(
        found.classifiers["all"], found.analyzers["all"], found.removed, strict=True
    ):
        record = run.dynamics_
        assert len(record) == N
        own = clone(ANALYZER).fit(record)
        assert own.inversion_epoch_ == analyzer.inversion_epoch_
        np.testing.assert_array_equal(left_out, np.flatnonzero(own.straggler_mask_))
    assert len({tuple(left_out) for left_out in found.removed}) == 4  # each its own


def test_what_is_removed_is_not_trained_on(found):
    again = list(refitted(found))
    assert len(again) == 6
    for _, _, left_out, run in again:
        np.testing.assert_array_equal(run.dynamics_.y, Y[stay(left_out)])


def test_all_runs_of_a_seed_begin_with_the_same_weights(found):
    starts = [run.at_epoch(0).module_.state_dict() for run in found.classifiers["all"]]
    for _, i, _, run in refitted(found):
        own = run.at_epoch(0).module_.state_dict()
        assert all(torch.equal(own[name], values) for name, values in starts[i].items())
    assert not torch.equal(*(start["linear1.weight"] for start in starts[:2]))


def test_they_are_the_fits_that_one_would_make_by_hand(found):
    for i, run in enumerate(found.classifiers["all"]):
        own = clone(CLF).set_params(random_state=SEEDS[i]).fit(X, Y)
        assert_same_records(run.dynamics_, own.dynamics_, BOUNDS["float32"])
    for _, i, left_out, run in refitted(found):
        rows = stay(left_out)
        own = clone(CLF).set_params(random_state=SEEDS[i]).fit(X[rows], Y[rows])
        assert_same_records(run.dynamics_, own.dynamics_, BOUNDS["float32"])


def test_as_many_are_drawn_at_random_by_the_seed(found):
    for seed, left_out, drawn in zip(SEEDS, found.removed, found.random, strict=True):
        assert len(drawn) == len(set(drawn.tolist())) == len(left_out)
        expected = np.sort(check_random_state(seed).choice(N, len(left_out), replace=False))
        np.testing.assert_array_equal(drawn, expected)
    again = remove_and_refit(CLF, X, Y, seeds=SEEDS[::-1], analyzer=ANALYZER)
    for one, other in zip(found.random, again.random[::-1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_run_without_inversion_is_not_trained_again(found):
    silent = [own.inversion_epoch_ is None for own in found.analyzers["all"]]
    assert any(silent)
    assert not all(silent)
    for i, has_none in enumerate(silent):
        if has_none:
            assert len(found.removed[i]) == len(found.random[i]) == 0
        for name in ("removed", "random"):
            assert (found.classifiers[name][i] is None) == (found.analyzers[name][i] is None) == has_none


def test_figures_are_those_of_the_runs(found):
    for name in ("all", "removed", "random"):
        for i, (run, own) in enumerate(zip(found.classifiers[name], found.analyzers[name], strict=True)):
            figures = [
                getattr(found, f"{which}_errors")[name][i] for which in ("inversion", "training", "test")
            ]
            if run is None:
                assert np.isnan(figures).all()
                continue
            expected = clone(ANALYZER).fit(run)
            assert own.inversion_epoch_ == expected.inversion_epoch_
            tested = np.mean(run.predict(X[:30]) != Y[:30])
            np.testing.assert_allclose(figures, [expected.inversion_error_, run.dynamics_.error[-1], tested])


def test_what_is_handed_in_stays_as_it_was():
    estimator, analyzer = clone(CLF).set_params(random_state=5, max_epochs=5), clone(ANALYZER)
    bare = remove_and_refit(
        estimator, X.tolist(), Y.tolist(), remove=[0], seeds=np.arange(1), analyzer=analyzer
    )
    assert not hasattr(estimator, "classes_")
    assert not hasattr(analyzer, "radii_")
    assert estimator.random_state == 5
    assert bare.seeds == (0,)
    assert np.isnan(bare.test_errors["all"]).all()
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'what'"):
        bare.what = "nothing"


# ------------------------------------------------------------------------------ what is left out


def small(**given):
    return remove_and_refit(clone(CLF).set_params(max_epochs=3), X, Y, **({"seeds": (0, 1)} | given))


@pytest.mark.parametrize("epoch", [0, 2, np.int64(3)])
def test_what_is_misclassified_at_an_epoch_can_be_left_out(epoch):
    found = small(remove=epoch, seeds=(1, 3))  # at epoch 0 the others take all samples for one class
    for run, left_out in zip(found.classifiers["all"], found.removed, strict=True):
        wrong = list(run.staged_predict(X))[epoch] != Y
        np.testing.assert_array_equal(left_out, np.flatnonzero(wrong))
    assert found.what == f"what was misclassified at epoch {epoch}"


ROWS = np.array([3, 50, 88])
MASK = np.isin(np.arange(N), ROWS)
WAYS = {
    "positions": ROWS,
    "in any order, twice": [88, 50, 3, 3],
    "small integers": ROWS.astype(np.uint8),
    "mask": MASK,
    "list of bool": MASK.tolist(),
}


@pytest.mark.parametrize("remove", WAYS.values(), ids=WAYS)
def test_the_same_samples_can_be_left_out_of_all_runs(remove):
    found = small(remove=remove)
    for left_out, run in zip(found.removed, found.classifiers["removed"], strict=True):
        np.testing.assert_array_equal(left_out, ROWS)
        assert len(run.dynamics_) == N - 3
    assert found.what == "the given samples"
    assert [len(drawn) for drawn in found.random] == [3, 3]


def test_nothing_can_be_left_out():
    found = small(remove=np.zeros(N, dtype=bool))
    assert found.classifiers["removed"] == found.classifiers["random"] == [None, None]
    assert len(found.classifiers["all"]) == 2


@pytest.mark.parametrize("remove", ["stragglers", 2])
def test_rows_are_those_of_X_where_some_are_held_out(remove):
    """With validation_fraction the records are of three quarters of the rows."""
    clf, frame = clone(CLF).set_params(validation_fraction=0.25), pd.DataFrame(X)
    found = remove_and_refit(clf, frame, Y, remove=remove, seeds=SEEDS, analyzer=ANALYZER)
    for run, own, left_out in zip(
        found.classifiers["all"], found.analyzers["all"], found.removed, strict=True
    ):
        wrong = list(run.staged_predict(frame))[own.inversion_epoch_ if remove == "stragglers" else 2] != Y
        np.testing.assert_array_equal(left_out, np.intersect1d(np.flatnonzero(wrong), run.train_indices_))
        assert 0 < len(left_out) < 25


# --------------------------------------------------------------------------------------- refused


def refused(monkeypatch, error, message, estimator=CLF, y=Y, **given):
    """Before anything is trained."""
    monkeypatch.setattr(_removal, "fit_together", None)
    with pytest.raises(error, match=message):
        remove_and_refit(estimator, X, y, **given)


def test_mistakes_are_told_before_anything_is_trained(monkeypatch):
    no = monkeypatch
    refused(
        no,
        TypeError,
        "^estimator must be a DynamicsClassifier, got LogisticRegression\\(\\).$",
        LogisticRegression(),
    )
    refused(no, TypeError, "^analyzer must be an EntanglementAnalyzer, got 'mean'.$", analyzer="mean")
    for wrong in (3, (0, 1.5), (True,), "ab", None):
        refused(no, TypeError, "^seeds must be a list of whole numbers, such as", seeds=wrong)
    refused(no, ValueError, "^seeds: give at least one.$", seeds=())
    refused(
        no, ValueError, "^seeds must differ, for one seed gives one run; got \\(0, 1, 0\\).$", seeds=(0, 1, 0)
    )
    needs = r'^The inversion needs record=\("samples", "geometry"\), but the estimator has record='
    for wrong in (("samples",), ("geometry", "scores"), (), None):
        refused(no, ValueError, needs, clone(CLF).set_params(record=wrong))
    what = "^remove must be 'stragglers', a recorded epoch, a mask or positions, got "
    for wrong in ("tail", True, 1.5, [0.5], [[1, 2]], None):
        refused(no, ValueError, what, remove=wrong)
    refused(no, ValueError, "^remove is a mask of 2 entries for 90 samples.$", remove=[True, False])
    for wrong in ([-1, 5], [5, 90]):
        message = rf"^remove: there are 90 samples, numbered from 0; got \[{min(wrong)}, {max(wrong)}\].$"
        refused(no, ValueError, message, remove=wrong)
    refused(
        no,
        ValueError,
        "^remove looks like a mask, but holds numbers: give it as bool.$",
        remove=MASK.astype(int),
    )
    for epoch in (-1, 13):
        message = rf"^remove={epoch} is not among the epochs that will be recorded: 0, 1, 2, .* 12\.$"
        refused(no, ValueError, message, remove=epoch)
    sparse = clone(CLF).set_params(record_epochs=5)
    refused(
        no, ValueError, "^remove=4 is not among the epochs that will be recorded: 0, 5, 10", sparse, remove=4
    )
    for wrong in ({"rule": "last"}, {"tolerance": 2}, {"burn_in": 12}):
        (name,) = wrong
        refused(no, ValueError, f"^{name} must be", analyzer=EntanglementAnalyzer(**wrong))
    for label in ("even", "odd"):
        own = label == Y
        message = rf"^remove: without these samples \({own.sum()}\) none of class {label} would be left.$"
        refused(no, ValueError, message, remove=own)
    refused(
        no,
        ValueError,
        "none of class 0, 1, 2 would be left",
        y=np.arange(N) % 4,
        remove=np.arange(N) % 4 < 3,
    )


def test_mistakes_in_the_estimator_are_told_before_anything_is_trained():
    wrong = clone(CLF).set_params(lr=-1)
    with pytest.raises(ValueError, match=r"estimators\[0, 1\]: lr must be"):
        remove_and_refit(wrong, X, Y, seeds=(0, 1))
    with pytest.raises(ValueError, match=r"random_state must be .*, got -1"):
        remove_and_refit(CLF, X, Y, seeds=(-1,))


def test_a_run_that_would_lose_a_class_is_not_trained_again():
    """Nor are the others' results lost by it."""
    found = small(remove=0, seeds=(1, 0))  # at epoch 0 the second takes all samples for one class
    whole = [set(Y[left_out]) == set(Y) or len(left_out) < N / 3 for left_out in found.removed]
    assert len(found.removed[1]) == (Y == "even").sum()
    assert set(Y[found.removed[1]]) == {"even"}
    assert (
        [run is None for run in found.classifiers["removed"]] == [not own for own in whole] == [False, True]
    )
    assert [run is None for run in found.classifiers["random"]] == [False, True]
    assert "; 1 had none, or would have lost a class." in flat(found.summary())


def test_nothing_to_leave_out_may_come_as_an_empty_list():
    assert [len(left_out) for left_out in small(remove=[]).removed] == [0, 0]


# ------------------------------------------------------------------------------------------ said


def test_the_findings_are_those_of_the_runs(found):
    trained = [run is not None for run in found.classifiers["removed"]]
    inversion, test_error = found.findings_
    again = (~np.isnan(found.inversion_errors["removed"]))[trained]
    random = (~np.isnan(found.inversion_errors["random"]))[trained]
    assert (inversion.value, inversion.null, inversion.n_runs) == (again.mean(), random.mean(), sum(trained))
    difference = (found.test_errors["removed"] - found.test_errors["random"])[trained]
    assert test_error.value == pytest.approx(difference.mean())
    assert f"in {again.sum()} of {sum(trained)} runs the classes mix again" in flat(found.summary())
