"""train_label_runs: what each network saw, that it is its own fit, and what is refused before anything is trained."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.utils import check_random_state

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.analyzers import find_label_errors
from sklearn_nndyn.datasets import corrupt_labels
from sklearn_nndyn.interventions import train_label_runs

X, Y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
FEW = X[:200], Y[:200]
HALVES = [(np.arange(0, 200, 2), np.arange(1, 200, 2)), (np.arange(1, 200, 2), np.arange(0, 200, 2))]


def classifier(**parameters):
    return DynamicsClassifier(**({"max_epochs": 3, "batch_size": 32, "random_state": 0} | parameters))


def test_each_network_is_its_own_fit():
    clf = classifier(record=("samples",))
    runs = train_label_runs(clf, *FEW, runs=HALVES)
    seeds = check_random_state(0).randint(2**31 - 1, size=2)
    for (train, test), seed in zip(HALVES, seeds, strict=True):
        own = clone(clf).set_params(random_state=int(seed)).fit(FEW[0][train], FEW[1][train])
        np.testing.assert_allclose(runs.held_out[test], own.predict_proba(FEW[0][test]), atol=1e-5)
        np.testing.assert_allclose(runs.trained_on[train], own.predict_proba(FEW[0][train]), atol=1e-5)
    whole = clone(clf).fit(*FEW)
    np.testing.assert_allclose(runs.margin, whole.dynamics_.margin[:, 1:], atol=1e-4)
    assert (runs.n_runs, runs.n_fits) == (2, 2.0)


def test_a_held_out_probability_does_not_know_the_label():
    other = FEW[1].copy()
    other[::2] = (other[::2] + 1) % 10
    before, after = (train_label_runs(classifier(), FEW[0], y, runs=HALVES) for y in (FEW[1], other))
    np.testing.assert_allclose(after.held_out[::2], before.held_out[::2], atol=1e-6)
    assert np.abs(after.trained_on[::2] - before.trained_on[::2]).max() > 0.05


def test_means_are_over_the_networks_that_left_a_sample_out():
    one, two = (train_label_runs(classifier(), *FEW, runs=HALVES * times) for times in (1, 2))
    assert two.n_runs == 4
    assert not np.allclose(one.held_out, two.held_out, atol=1e-3)
    np.testing.assert_allclose(two.held_out.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(two.trained_on.sum(axis=1), 1, atol=1e-5)


def test_one_seed_one_result_and_the_estimator_is_left_alone():
    clf = classifier()
    before = clf.get_params()
    first, second = (train_label_runs(clf, *FEW, runs=5) for _ in range(2))
    np.testing.assert_array_equal(first.held_out, second.held_out)
    np.testing.assert_array_equal(first.margin, second.margin)
    assert clf.get_params() == before
    assert not hasattr(clf, "classes_")
    assert (first.n_runs, first.n_fits) == (5, 5.0)


@pytest.mark.parametrize("parameters", [{"loss": "hinge"}, {"validation_fraction": 0.2}, {"record": ()}])
def test_losses_without_probabilities_and_rows_held_out_by_the_fit(parameters):
    runs = train_label_runs(classifier(**parameters), *FEW, runs=5)
    for values in (runs.held_out, runs.trained_on, runs.margin):
        assert np.isfinite(values).all()
    np.testing.assert_allclose(runs.held_out.sum(axis=1), 1, atol=1e-5)
    assert runs.margin.shape == (200, 3)


def test_two_classes_with_names_and_a_loss_of_scores():
    y = np.where(FEW[1] < 5, "few", "many")
    found = find_label_errors(classifier(loss="hinge"), FEW[0], y, runs=5)
    assert set(found.suggestions) == {"few", "many"}


def test_a_splitter_and_groups_say_who_is_left_out():
    groups = np.arange(200) // 4
    for runs in (StratifiedKFold(3), list(GroupKFold(3).split(*FEW, groups))):
        assert train_label_runs(classifier(max_epochs=1), *FEW, runs=runs).n_runs == 3
    masks = [(np.arange(200) % 2 == i, np.arange(200) % 2 != i) for i in range(2)]
    by_mask = train_label_runs(classifier(max_epochs=1), *FEW, runs=masks)
    np.testing.assert_array_equal(
        by_mask.held_out, train_label_runs(classifier(max_epochs=1), *FEW, runs=HALVES).held_out
    )


@pytest.mark.parametrize("kind", ["uniform", "pair"])
def test_several_networks_rank_better_than_one_and_the_range_holds_the_truth(kind):
    noisy, wrong = corrupt_labels(Y, 0.2, kind=kind, random_state=3)
    clf = classifier(max_epochs=15, record=("samples",), snapshots=False)
    found, one = find_label_errors(clf, X, noisy, runs=5), find_label_errors(clone(clf).fit(X, noisy))
    gain = average_precision_score(wrong, -found.scores) - average_precision_score(wrong, -one.scores)
    assert gain > (0.01 if kind == "pair" else 0)
    low, high = found.count_interval
    assert low <= wrong.sum() <= high


def test_in_a_clean_set_the_lower_end_is_near_zero():
    low, high = find_label_errors(classifier(max_epochs=15), X, Y, runs=5).count_interval
    assert low <= 5
    assert high < 0.1 * len(Y)


# ----------------------------------------------------------------------------------------- refused

EARLY = [(np.arange(100), np.arange(100, 200))]


@pytest.mark.parametrize(
    ("runs", "error", "message"),
    [
        (7, ValueError, r"^runs must be a multiple of 5, .* got 7\.$"),
        (0, ValueError, r"^runs must be a multiple of 5"),
        ("halves", TypeError, r"^runs must be a number of networks, a .* got 'halves'\.$"),
        (2.5, TypeError, r"^runs must be a number of networks"),
        (EARLY, ValueError, r"^runs: sample 0 is never left out\.$"),
        (HALVES[:1] * 2, ValueError, r"^runs: sample 0 is never left out\.$"),
        ([(np.arange(200), np.arange(5))], ValueError, r"^runs: split 0 trains on samples that it leaves out\.$"),
        ([(np.flatnonzero(FEW[1] < 9), [])], ValueError, r"^runs: split 0 trains on no sample of class 9\.$"),
    ],
)  # fmt: skip
def test_splits_that_say_too_little(runs, error, message):
    with pytest.raises(error, match=message):
        train_label_runs(classifier(), *FEW, runs=runs)


def test_a_class_of_one_sample_cannot_be_judged():
    y = FEW[1].copy()
    y[17] = 12
    with pytest.raises(ValueError, match=r"^Class 12 has a single sample, so no network can judge its label"):
        find_label_errors(classifier(), FEW[0], y)


def test_another_classifier_has_no_margins_along_the_training():
    with pytest.raises(TypeError, match="estimator must be a DynamicsClassifier"):
        find_label_errors(LogisticRegression(), *FEW)


def test_mistakes_in_the_parameters_are_told_before_training():
    with pytest.raises(ValueError, match="lr"):
        train_label_runs(classifier(lr=-1.0), *FEW)
