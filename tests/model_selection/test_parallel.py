"""However the work is shared out among workers, the results are those of one program."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sklearn_nndyn import BatchedGridSearchCV
from tests.model_selection.searches import CountingScaler, assert_same_results, both, classifier, digits

GRID = {"loss": ["log", "l1", "squared_hinge"], "lr": [0.03, 1e-4]}


# Processes take seconds to start: the default run has them for one of the tests.
over_backends = pytest.mark.parametrize(
    "backend", [pytest.param("loky", marks=pytest.mark.slow), "threading"]
)


class TestWorkers:
    @pytest.mark.parametrize("backend", ["loky", "threading"])
    def test_give_the_results_of_one_program(self, backend):
        settings = {"cv": 3, "return_dynamics": True, "return_train_score": True}
        alone = BatchedGridSearchCV(classifier(), GRID, **settings).fit(*digits())
        with joblib.parallel_config(backend=backend):
            shared = BatchedGridSearchCV(classifier(), GRID, n_jobs=2, **settings).fit(*digits())
        assert_same_results(alone, shared)
        assert shared.best_params_ == alone.best_params_
        for records, others in zip(shared.candidate_dynamics_, alone.candidate_dynamics_, strict=True):
            for record, other in zip(records, others, strict=True):
                np.testing.assert_array_equal(record.y, other.y)
                np.testing.assert_allclose(record.loss, other.loss, rtol=1e-3, atol=1e-5)

    @over_backends
    @pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
    def test_report_failures(self, backend):
        with joblib.parallel_config(backend=backend, n_jobs=2):
            search = BatchedGridSearchCV(classifier(), {"lr": [0.1, -1]}, cv=2)
            with pytest.warns(match="2 fits failed out of a total of 4"):
                search.fit(*digits())

    @over_backends
    def test_behind_preprocessing(self, backend):
        pipe = Pipeline([("scale", CountingScaler()), ("clf", classifier())])
        grid = {"clf__lr": [0.03, 1e-4], "scale__with_mean": [True, False]}
        with joblib.parallel_config(backend=backend, n_jobs=2):
            other = BatchedGridSearchCV(pipe, grid, cv=3).fit(*digits())
        assert_same_results(GridSearchCV(pipe, grid, cv=3).fit(*digits()), other)


def test_an_error_that_is_to_be_raised_is_raised_here():
    # Both workers fail at once: a thread that trains would go on beside the tests that follow.
    search = BatchedGridSearchCV(classifier(), {"lr": [-1, -2]}, cv=2, n_jobs=2, error_score="raise")
    error = pytest.raises(ValueError, match="lr must be a finite number greater than 0")
    with joblib.parallel_config(backend="threading"), error:
        search.fit(*digits())


def test_a_preprocessing_is_done_by_one_worker(counted, programs):
    pipe = Pipeline([("scale", CountingScaler()), ("clf", classifier())])
    grid = {"clf__lr": [0.1, 0.01], "scale__with_mean": [True, False]}
    with joblib.parallel_config(backend="threading", n_jobs=2):
        BatchedGridSearchCV(pipe, grid, cv=3, refit=False).fit(*digits())
    assert len(counted) == len(set(counted)) == 6
    assert programs.sizes == [6, 6]


def test_one_fold_is_cut_for_several_workers(programs):
    rows = np.arange(240)
    with joblib.parallel_config(backend="threading"):
        searches = both(classifier(), GRID, *digits(), cv=[(rows[:160], rows[160:])], n_jobs=2, refit=False)
    assert programs.sizes == [3, 3]
    assert_same_results(*searches)


def test_an_interrupt_reaches_the_caller(monkeypatch):
    def interrupted(fits, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklearn_nndyn.model_selection.search._evaluation.train", interrupted)
    with joblib.parallel_config(backend="threading"), pytest.raises(KeyboardInterrupt):
        BatchedGridSearchCV(classifier(), GRID, n_jobs=2).fit(*digits())
