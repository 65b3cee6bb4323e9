"""The paragraph of a RemovalExperiment, of runs whose errors are given."""

from types import SimpleNamespace

import numpy as np

from sklearn_nndyn.interventions import RemovalExperiment
from sklearn_nndyn.utils.text import percent

ENDS = {"all": 0.05, "removed": 0.01, "random": 0.1}


def experiment(inversions, sizes=(12, 14), what="the stragglers", tests=None):
    """An experiment with these {run: errors at the inversion}; nan is no inversion, None is no run."""

    def of_each(make):
        return {
            name: [None if e is None else make(name, i, e) for i, e in enumerate(own)]
            for name, own in inversions.items()
        }

    def analyzer(name, i, error):
        return SimpleNamespace(inversion_error_=error, training_error_=np.array([0.5, ENDS[name] * (i + 1)]))

    def classifier(name, i, error):
        record = SimpleNamespace(error=np.array([0.5, 0.25 + ENDS[name] * i]))
        return SimpleNamespace(validation_dynamics_=record) if tests else SimpleNamespace()

    positions = [np.arange(size) for size in sizes]
    return RemovalExperiment(
        seeds=tuple(range(len(sizes))), what=what, removed=positions, random=positions,
        classifiers=of_each(classifier), analyzers=of_each(analyzer),
    )  # fmt: skip


def test_the_whole_paragraph():
    text = experiment(
        {"all": [0.08, 0.1], "removed": [np.nan, np.nan], "random": [0.09, np.nan]}, tests=True
    ).summary()
    end = {name: f"({percent(e)} to {percent(2 * e)})" for name, e in ENDS.items()}
    test = {name: f"(25 % to {percent(0.25 + e)})" for name, e in ENDS.items()}
    assert text == (
        "In 2 runs the stragglers were left out, 12 to 14 samples. On all samples: an inversion in every run at a "
        f"training error of 9 % (8 % to 10 %); training error ends at 7.5 % {end['all']}, test error at 27.5 % "
        f"{test['all']}. Without them: an inversion in 0 of 2 runs; training error ends at 1.5 % {end['removed']}, "
        f"test error at 25.5 % {test['removed']}. Without as many random ones: an inversion in 1 of 2 runs at a "
        f"training error of 9 %; training error ends at 15 % {end['random']}, test error at 30 % {test['random']}."
    )


def test_runs_that_were_not_trained_again_are_counted():
    with_one = experiment(
        {"all": [0.08, np.nan], "removed": [0.01, None], "random": [0.1, None]}, sizes=(12, 0)
    )
    text = with_one.summary()
    assert text.startswith(
        "In 2 runs the stragglers were left out, 12 samples (1 had none, or would have lost a class, and was not "
        "trained again). On all samples: an inversion in 1 of 2 runs at a training error of 8 %; training error ends "
        "at 7.5 % ("
    )
    assert (
        "Without them: an inversion in 1 of 1 runs at a training error of 1 %; training error ends at 1 %."
        in text
    )
    assert "test error" not in text
    two = experiment(
        {"all": [np.nan] * 3, "removed": [0.01, None, None], "random": [0.1, None, None]}, (1500, 0, 0)
    )
    assert (
        "left out, 1,500 samples (2 had none, or would have lost a class, and were not trained again). On all samples: "
        "an inversion in 0 of 3 runs;" in two.summary()
    )


def test_nothing_to_remove_is_said():
    none = {"removed": [None], "random": [None]}
    assert experiment({"all": [np.nan]} | none, sizes=(0,)).summary() == (
        "In 1 run there was nothing to remove: the stragglers were no sample. On all samples: an inversion in 0 of 1 "
        "runs; training error ends at 5 %."
    )
    text = experiment({"all": [0.2]} | none, (0,), what="what was misclassified at epoch 3").summary()
    assert (
        "nothing to remove: what was misclassified at epoch 3 was no sample. On all samples: an inversion in every"
        in text
    )


def test_that_a_class_would_be_lost_is_said():
    text = experiment({"all": [0.2], "removed": [None], "random": [None]}, (7,)).summary()
    assert text.startswith(
        "In 1 run nothing was left out: without the stragglers a class would have no samples. On all"
    )


def test_one_run_and_what_was_asked_for():
    text = experiment({"all": [0.2], "removed": [0.1], "random": [0.3]}, (7,), "the given samples").summary()
    assert text.startswith(
        "In 1 run the given samples were left out, 7 samples. On all samples: an inversion in every"
    )
    assert "Without them: an inversion in 1 of 1 runs at a training error of 10 %;" in text
    text = experiment(
        {"all": [0.2], "removed": [0.1], "random": [0.3]}, (7,), "what was misclassified at epoch 3"
    ).summary()
    assert text.startswith("In 1 run what was misclassified at epoch 3 was left out, 7 samples.")
