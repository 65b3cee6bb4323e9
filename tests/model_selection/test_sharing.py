"""What is done once: a program for all fits, and the preprocessing that candidates share."""

from collections import Counter
from importlib import import_module

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sklearn_nndyn import BatchedGridSearchCV
from sklearn_nndyn.model_selection.search._units import cut, make_groups, preprocessing_key
from sklearn_nndyn.modules import MLP
from tests.model_selection.searches import CountingScaler, assert_same_results, both, classifier, digits


def search(estimator, grid, **settings):
    return BatchedGridSearchCV(estimator, grid, cv=3, refit=False, **settings).fit(*digits())


def scaled(**changes):
    return Pipeline([("scale", CountingScaler()), ("clf", classifier(**changes))])


class TestOneProgram:
    def test_all_candidates_and_folds(self, programs):
        search(classifier(), {"loss": ["log", "l2"], "lr": [0.1, 0.01]})
        assert programs.sizes == [12]

    def test_behind_every_preprocessing(self, programs):
        search(scaled(), {"scale__with_mean": [True, False], "clf__lr": [0.1, 0.01]})
        assert programs.sizes == [12]

    def test_candidates_of_a_fold_get_the_same_array(self, programs):
        search(classifier(), {"lr": [0.1, 0.01, 0.001]})
        assert len(programs.X) == 9
        assert len({id(X) for X in programs.X}) == 3

    def test_folds_that_hold_too_much_are_trained_in_turn(self, programs):
        grid = {"lr": [0.03, 1e-4]}
        fold = 160 * 64 * 8  # bytes
        plain = search(classifier(), grid)
        bounded = search(classifier(), grid, memory_limit=int(2.5 * fold))
        assert programs.sizes == [6, 4, 2]
        assert_same_results(plain, bounded)

    def test_the_data_limit_holds_where_none_is_given(self, programs, monkeypatch):
        monkeypatch.setattr("sklearn_nndyn.model_selection.search._evaluation.DATA_LIMIT", 160 * 64 * 8)
        search(classifier(), {"lr": [0.1, 0.01]})
        assert programs.sizes == [2, 2, 2]

    @pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
    def test_a_failing_preprocessing_takes_nothing_with_it(self, programs):
        X, y = digits()
        folds = [(np.arange(20), np.arange(20, 40)), (np.arange(120), np.arange(120, 240))]
        pipe = make_pipeline(PCA(30), classifier())  # more components than rows of the first fold
        grid = {"dynamicsclassifier__lr": [0.1, 0.01]}
        with pytest.warns(match="2 fits failed out of a total of 4") as caught:
            found = BatchedGridSearchCV(pipe, grid, cv=folds, refit=False).fit(X, y)
        message = str(caught[0].message)
        assert "2 fits failed with the following error" in message
        assert "n_components=30 must be between 0 and" in message
        assert programs.sizes == [2]
        assert np.isnan(found.cv_results_["split0_test_score"]).all()
        assert np.isfinite(found.cv_results_["split1_test_score"]).all()


class TestChecks:
    """Nothing is checked twice of which the answer cannot differ."""

    @pytest.fixture
    def calls(self, monkeypatch):
        """How often each check was made."""
        made = Counter()
        for place in (
            "model_selection.search._evaluation.check_parameters",
            "classifiers._validation._check_labels",
            "training.checks._dry_run._check_rows_apart",
            "training.checks._dry_run._try_to_learn",
        ):
            module, _, name = f"sklearn_nndyn.{place}".rpartition(".")
            check = getattr(import_module(module), name)

            def counted(*given, name=name, check=check):
                made[name] += 1
                return check(*given)

            monkeypatch.setattr(f"{module}.{name}", counted)
        return made

    def test_are_made_for_each_candidate_fold_module_and_loss(self, calls):
        search(classifier(), {"loss": ["log", "l2"], "lr": [0.1, 0.01]})
        assert calls == {
            "check_parameters": 4,  # candidates
            "_check_labels": 3,  # folds
            "_check_rows_apart": 1,  # module
            "_try_to_learn": 2,  # losses
        }

    def test_each_module_is_tried(self, calls):
        search(classifier(), {"module": [MLP((5,)), MLP((6,))], "loss": ["log", "l2"]})
        assert (calls["_check_rows_apart"], calls["_try_to_learn"]) == (2, 4)


class TestPreprocessing:
    def test_is_fitted_once_for_each_fold_and_setting(self, counted):
        search(
            scaled(), {"scale__with_mean": [True, False], "clf__lr": [0.1, 0.01], "clf__loss": ["log", "l2"]}
        )
        assert len(counted) == 6
        assert len(set(counted)) == 6

    def test_rows_are_transformed_once(self, counted):
        search(scaled(), {"clf__lr": [0.1, 0.01, 0.001]}, return_train_score=True)
        # Of each fold the training rows as they are fitted; then the test rows and the training rows, to be scored.
        assert sorted(CountingScaler.transforms) == [80] * 3 + [160] * 6

    def test_equal_values_of_two_grids_are_one_setting(self, counted):
        search(scaled(), [{"scale__with_mean": [True], "clf__lr": [0.1]}, {"scale__with_mean": [True]}])
        assert len(counted) == 3

    def test_equal_values_of_two_types_are_two_settings(self, counted):
        search(scaled(), [{"scale__with_mean": [True, np.True_]}])
        assert len(counted) == 6

    def test_a_step_that_is_replaced_or_left_out(self, counted):
        grid = {"scale": [CountingScaler(), "passthrough", MinMaxScaler()], "clf__lr": [0.03, 1e-3]}
        found = search(scaled(), grid)
        assert len(counted) == 3
        ours = [str(params["scale"]) for params in found.cv_results_["params"]]
        assert len(set(ours)) == 3
        assert_same_results(*both(scaled(), grid, *digits(), refit=False))

    def test_a_classifier_that_is_replaced_keeps_what_comes_before(self, counted):
        grid = {
            "clf": [classifier(lr=0.03), classifier(loss="l2", lr=1e-3)],
            "scale__with_std": [True, False],
        }
        search(scaled(), grid)
        assert len(counted) == 6
        assert_same_results(*both(scaled(), grid, *digits(), refit=False))

    def test_steps_that_are_replaced_as_a_whole(self, counted):
        steps = [[("a", CountingScaler()), ("b", classifier(lr=lr))] for lr in (0.03, 1e-3)]
        grid = [{"steps": steps}, {"clf__lr": [0.02]}]
        search(scaled(), grid)
        assert len(counted) == 9
        assert_same_results(*both(scaled(), grid, *digits(), refit=False))

    def test_names_are_those_of_the_replaced_steps(self, counted):
        steps = [("clf", CountingScaler()), ("last", classifier())]
        grid = [{"steps": [steps], "clf__with_mean": [True, False], "last__lr": [0.03, 1e-3]}]
        search(scaled(), grid)
        assert len(set(counted)) == 6
        assert_same_results(*both(scaled(), grid, *digits(), refit=False))

    def test_a_classifier_alone_in_its_pipeline(self, programs):
        pipe = Pipeline([("clf", classifier())])
        assert_same_results(*both(pipe, {"clf__lr": [0.03, 1e-4]}, *digits()))
        assert programs.sizes == [6]

    def test_a_pipeline_with_a_memory_keeps_its_habits(self, counted, tmp_path):
        pipe = scaled().set_params(memory=str(tmp_path))
        grid = {"clf__lr": [0.03, 1e-4]}
        plain = search(scaled(), grid)
        counted.clear()
        assert_same_results(plain, search(pipe, grid), samples=0)
        assert len(counted) == 3
        search(pipe, grid)
        assert len(counted) == 3

    def test_random_preprocessing_is_drawn_as_by_each_fit(self):
        pipe = make_pipeline(
            PCA(5, svd_solver="randomized", random_state=np.random.RandomState(0)), classifier()
        )
        assert_same_results(*both(pipe, {"dynamicsclassifier__lr": [0.1, 0.01]}, *digits()))

    @pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
    def test_with_routing_a_replaced_classifier_answers_for_its_own_metadata(self):
        """One that asks for no weights cannot be given some, whoever shares its preprocessing."""
        with config_context(enable_metadata_routing=True):
            asks = classifier().set_fit_request(sample_weight=True)
            asks_not = clone(asks).set_fit_request(sample_weight=False)
            pipe = Pipeline([("scale", MinMaxScaler()), ("clf", asks)])
            scorer = make_scorer(accuracy_score).set_score_request(sample_weight=False)
            grid, weight = {"clf": [asks, asks_not]}, {"sample_weight": np.ones(240)}
            with pytest.warns(FitFailedWarning, match="3 fits failed out of a total of 6") as caught:
                searches = both(pipe, grid, *digits(), weight, refit=False, scoring=scorer)
        assert_same_results(*searches)
        assert len([w for w in caught if w.category is FitFailedWarning]) == 2


class TestUnits:
    """However the work is cut, it is all there once, in parts that cost about the same."""

    @staticmethod
    def groups(estimator, candidates, n_folds=5):
        splits = [(np.arange(100), np.arange(20))] * n_folds
        made = [classifier(max_epochs=params.get("max_epochs", 4)) for params in candidates]
        return make_groups(estimator, candidates, made, splits)

    @pytest.mark.parametrize("keep_groups", [True, False])
    @pytest.mark.parametrize("n_units", [1, 2, 3, 7, 100])
    def test_every_fit_is_in_one_unit(self, n_units, keep_groups):
        groups = self.groups(classifier(), [{"max_epochs": epochs} for epochs in (1, 2, 30, 5, 9, 10)])
        units = cut(groups, n_units, keep_groups=keep_groups)
        rows = [fit.row for unit in units for group in unit for fit in group.fits]
        assert sorted(rows) == list(range(30))
        assert len(units) <= n_units
        assert all(group.fits for unit in units for group in unit)

    @pytest.mark.parametrize("n_units", [2, 3, 5, 8])
    def test_units_cost_the_same_up_to_one_fit(self, n_units):
        groups = self.groups(classifier(), [{"max_epochs": epochs} for epochs in (3, 4, 5, 6, 5, 4)])
        costs = [sum(group.cost for group in unit) for unit in cut(groups, n_units, keep_groups=False)]
        assert len(costs) == n_units
        assert max(costs) - min(costs) <= 2 * 6 * 100

    def test_whole_groups_are_dealt_out_evenly(self):
        splits = [(np.arange(n), np.arange(5)) for n in (10, 10, 10, 30)]
        groups = make_groups(classifier(), [{}], [classifier()], splits)
        costs = [sum(group.cost for group in unit) for unit in cut(groups, 2, keep_groups=True)]
        assert costs == [30 * 4, 30 * 4]

    def test_equal_values_that_are_not_one_object_share_their_preprocessing(self):
        one, other = ({"scale__share": float(text), "clf__lr": lr} for text, lr in [("1.5", 1), ("1.50", 2)])
        assert one["scale__share"] is not other["scale__share"]
        assert preprocessing_key(scaled(), one) == preprocessing_key(scaled(), other)
        assert preprocessing_key(scaled(), one) != preprocessing_key(scaled(), {"scale__share": 2.5})

    def test_whole_groups_stay_whole_while_there_are_enough(self):
        groups = self.groups(classifier(), [{"max_epochs": 4}] * 6)
        assert sum(len(unit) for unit in cut(groups, 3, keep_groups=True)) == 5
        assert [len(unit) for unit in cut(groups, 3, keep_groups=True)] == [2, 2, 1]
        assert len(cut(groups, 10, keep_groups=True)) == 10
