"""Batch normalisation without running statistics: the rows of a batch are never torn apart, nor left alone."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.model_selection import GridSearchCV
from torch import nn

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, fit_together

X, y = load_iris(return_X_y=True)
PERMUTED = np.random.default_rng(0).permutation(150)


def network(shape, k):
    return nn.Sequential(
        nn.Linear(shape[0], 8), nn.BatchNorm1d(8, track_running_stats=False), nn.ReLU(), nn.Linear(8, k)
    )


def classifier(**changes):
    settings = {"max_epochs": 3, "lr": 0.02, "batch_size": 16, "random_state": 0, **changes}
    return DynamicsClassifier(network, **settings)


def assert_close_fits(fit, own):
    np.testing.assert_allclose(fit.loss_curve_, own.loss_curve_, rtol=1e-9)
    np.testing.assert_allclose(fit.dynamics_.loss, own.dynamics_.loss, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("sizes", [(49, 49, 49), (64, 49, 33), (150, 65, 17)], ids=str)
def test_a_last_batch_of_one_row_joins_the_one_before_it(sizes, programs):
    """Also where it ends before the others' batches do."""
    rows = [PERMUTED[:n] for n in sizes]
    fits = [classifier(random_state=seed, dtype="float64") for seed in range(3)]
    alone = [clone(fit).fit(X[own], y[own]) for fit, own in zip(fits, rows, strict=True)]
    programs.clear()
    fit_together(fits, X, y, indices=rows)
    for fit, own in zip(fits, alone, strict=True):
        assert_close_fits(fit, own)
    assert programs == [3]


def test_networks_looked_at_together_see_the_same_chunks(programs):
    """As many as would otherwise be run on fewer rows at once."""
    many, labels = make_classification(300, 6, random_state=0)
    fits = [classifier(random_state=seed, dtype="float64", max_epochs=1) for seed in range(70)]
    own = clone(fits[0]).fit(many, labels)
    programs.clear()
    fit_together(fits, many, labels, X_val=many[::2], y_val=labels[::2])
    assert programs == [70]
    assert_close_fits(fits[0], own)


def test_no_row_is_looked_at_alone():
    many, labels = make_classification(4097, 4, random_state=0)
    clf = classifier(batch_size=500, max_epochs=1).fit(many, labels)
    with torch.no_grad():
        whole = clf.module_(torch.tensor(many, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(clf.decision_function(many), whole[:, 1] - whole[:, 0], rtol=1e-4, atol=1e-4)
    assert np.array_equal(clf.dynamics_.prediction[:, -1], clf.predict(many))


def test_a_search_is_scikit_learns():
    grid = {"lr": [0.01, 0.1], "random_state": [0, 1]}
    ours, theirs = (kind(classifier(), grid, cv=3).fit(X, y) for kind in (BatchedGridSearchCV, GridSearchCV))
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=1e-12
    )
