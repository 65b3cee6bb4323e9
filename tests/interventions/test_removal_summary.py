"""Findings and paragraph of a RemovalExperiment, of runs whose errors are given."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import t

from sklearn_nndyn.interventions import RemovalExperiment
from tests.analyzers.saying import finding, flat, verdicts

NONE = {"removed": [None], "random": [None]}


def experiment(inversions, sizes=(12, 14), what="the stragglers", tests=None):
    """An experiment with these {run: errors at the inversion}; nan is no inversion, None is no run."""

    def of_each(make):
        return {
            name: [None if e is None else make(name, i, e) for i, e in enumerate(own)]
            for name, own in inversions.items()
        }

    def analyzer(name, i, error):
        return SimpleNamespace(inversion_error_=error, training_error_=np.array([0.5, 0.1]))

    def classifier(name, i, error):
        if tests is None:
            return SimpleNamespace()
        return SimpleNamespace(validation_dynamics_=SimpleNamespace(error=np.array([0.5, tests[name][i]])))

    positions = [np.arange(size) for size in sizes]
    return RemovalExperiment(
        seeds=tuple(range(len(sizes))), what=what, removed=positions, random=positions,
        classifiers=of_each(classifier), analyzers=of_each(analyzer),
    )  # fmt: skip


def runs(removed, random, n_runs=3, **given):
    """Runs of which so many invert without the stragglers, and without random samples."""
    return experiment(
        {
            "all": [0.1] * n_runs,
            "removed": [0.1] * removed + [np.nan] * (n_runs - removed),
            "random": [0.1] * random + [np.nan] * (n_runs - random),
        },
        sizes=(12,) * n_runs,
        **given,
    )


@pytest.mark.parametrize(
    ("removed", "random", "n_runs", "verdict"),
    [
        (0, 3, 3, "yes"),
        (0, 2, 2, "cannot tell"),
        (1, 3, 3, "cannot tell"),
        (3, 3, 3, "no"),
        (2, 1, 3, "no"),
        (0, 0, 3, "cannot tell"),
    ],
)
def test_the_inversion_goes_away_where_random_runs_keep_it(removed, random, n_runs, verdict):
    found = runs(removed, random, n_runs)
    one = finding(found, "RM1")
    assert (one.verdict, one.value, one.null, one.n_runs) == (
        verdict,
        removed / n_runs,
        random / n_runs,
        n_runs,
    )
    assert one.interval[0] - 1e-9 <= one.value <= one.interval[1] + 1e-9


def test_where_no_run_inverts_it_is_not_said_that_the_inversion_stays():
    found = runs(0, 0)
    assert flat(found.summary()).startswith(
        "Whether the inversion goes away without the stragglers cannot be told: in 0 of 3 runs the classes mix again, "
        "without as many random samples in 0. Train longer, or record more epochs."
    )


def test_the_whole_paragraph():
    tests = {"all": [0.2] * 3, "removed": [0.3, 0.31, 0.32], "random": [0.2, 0.2, 0.21]}
    found = runs(0, 3, tests=tests)
    assert verdicts(found) == {"RM1": "yes", "RM2": "yes"}
    assert flat(found.summary()) == (
        "Without the stragglers the inversion goes away: in 0 of 3 runs the classes mix again, without as many "
        "random samples in 3. "
        "The test error is 11 points above that without random ones. Look at what was left out, removed, and at "
        "its labels. The stragglers were left out of 3 runs, 12 samples."
    )
    difference = np.array([0.1, 0.11, 0.11])
    half = t.isf(0.025, 2) * difference.std(ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(finding(found, "RM2").interval, difference.mean() + np.array([-half, half]))


def test_of_two_seeds_there_are_the_two_values_and_no_verdict():
    tests = {"all": [0.2] * 2, "removed": [0.3, 0.2], "random": [0.2, 0.2]}
    one = finding(runs(0, 2, 2, tests=tests), "RM2")
    assert one.verdict == "cannot tell"
    np.testing.assert_allclose([one.value, *one.interval], [0.05, 0, 0.1], atol=1e-12)
    assert one.statement == "The test error is 5 points above that without random ones, which may be chance."


def test_runs_that_were_not_trained_again_are_counted():
    found = experiment({"all": [0.08, np.nan], "removed": [0.01, None], "random": [0.1, None]}, sizes=(12, 0))
    assert finding(found, "RM1").n_runs == 1
    text = flat(found.summary())
    assert (
        "does not go away: in 1 of 1 run the classes mix again, without as many random samples in 1." in text
    )
    assert text.endswith(
        "The stragglers were left out of 2 runs, 12 samples; 1 had none, or would have lost a class."
    )
    assert "test error" not in text


def test_nothing_to_remove_is_said():
    found = experiment({"all": [np.nan]} | NONE, sizes=(0,))
    assert verdicts(found) == {"RM1": "cannot tell", "RM2": "cannot tell"}
    assert flat(found.summary()) == (
        "What becomes of the inversion without the stragglers cannot be told: there is nothing to remove. Train "
        "longer, or remove others. Read from 1 run."
    )
    lost = experiment({"all": [0.2]} | NONE, (7,)).summary()
    assert "cannot be told: without the stragglers a class would have no samples." in flat(lost)


def test_what_was_asked_for_is_named():
    errors = {"all": [0.2], "removed": [0.1], "random": [0.3]}
    text = flat(experiment(errors, (7,), "what was misclassified at epoch 3").summary())
    assert text.endswith("What was misclassified at epoch 3 was left out of 1 run, 7 samples.")
