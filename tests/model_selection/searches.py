"""What the tests of the search share: data, both searches, and what it means that they agree."""

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier
from sklearn_nndyn.modules import MLP


def digits():
    X, y = load_digits(return_X_y=True)
    return X[:240] / 16, y[:240]


def breast_cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return (X / X.max(axis=0))[:240], y[:240]


def classifier(**changes):
    """Small, and of few epochs: what is learned differs between candidates."""
    settings = {"max_epochs": 4, "lr": 0.01, "batch_size": 32, "random_state": 0}
    return DynamicsClassifier(MLP((12,)), **{**settings, **changes})


def both(estimator, grid, X, y, fit_params=None, **settings):
    """(GridSearchCV, BatchedGridSearchCV), fitted alike."""
    settings = {"cv": 3, **settings}
    searches = [search(clone(estimator), grid, **settings) for search in (GridSearchCV, BatchedGridSearchCV)]
    return [search.fit(X, y, **(fit_params or {})) for search in searches]


def assert_same_results(search, other, *, samples=1, n_test=80, differ=True):
    """The same table but for times and rounding, which may turn the decision on ``samples`` of a fold."""
    results, others = search.cv_results_, other.cv_results_
    assert list(results) == list(others)
    assert results["params"] == others["params"]
    for name, column in results.items():
        assert type(others[name]) is type(column), name
        if name == "params":
            continue
        assert others[name].dtype == column.dtype, name
        assert others[name].shape == column.shape, name
        if name.startswith("param_"):
            np.testing.assert_array_equal(np.ma.getmaskarray(others[name]), np.ma.getmaskarray(column))
            assert others[name].tolist() == column.tolist()
        elif "_time" not in name and "rank_" not in name:
            np.testing.assert_allclose(
                others[name], column, rtol=1e-3, atol=samples / n_test + 1e-9, err_msg=name
            )
    if differ:  # otherwise the same scores would say nothing
        (first, *_) = [name for name in results if name.startswith("mean_test")]
        assert len(np.unique(results[first])) > 1


class CountingScaler(StandardScaler):
    """A scaler that notes every fit, with its parameters and rows, and the rows of every transform."""

    fits = []  # noqa: RUF012
    transforms = []  # noqa: RUF012

    def fit(self, X, y=None, sample_weight=None):
        self.fits.append((self.with_mean, len(X), float(np.asarray(X).sum())))
        return super().fit(X, y, sample_weight)

    def transform(self, X, copy=None):
        self.transforms.append(len(X))
        return super().transform(X, copy)
