"""The classifier as a part of something else: scikit-learn's tools, other interpreters, threads, tables."""

import copy
import inspect
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, make_classification
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import DecisionBoundaryDisplay, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    cross_val_predict,
    cross_validate,
    train_test_split,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import estimator_html_repr
from sklearn.utils.parallel import Parallel, delayed
from torch.nn.utils import prune

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.losses import loss_names
from sklearn_nndyn.modules import MLP
from tests.problems import PROBLEMS, Problem
from tests.reference import losses

REPOSITORY = Path(__file__).parents[2]
SMALL = Problem("mlp", MLP((8,), dropout=0.1))


def assert_same_weights(a, b):
    pairs = zip(a.module_.state_dict().items(), b.module_.state_dict().items(), strict=True)
    assert all(name == other and torch.equal(u, v) for (name, u), (other, v) in pairs)


def assert_same_record(a, b):
    assert a.fields == b.fields
    for name in ("y", "epochs", "loss", "margin", "prediction"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), name)
    for layer, values in a.centroids.items():
        np.testing.assert_array_equal(values, b.centroids[layer], layer)


def everything_of(clf, X, y):
    """What a fitted classifier can tell, and what it becomes when it is trained on."""
    told = {
        "loss": clf.dynamics_.loss,
        "y": clf.dynamics_.y,
        "scores": clf.dynamics_.scores,
        "validation": clf.validation_dynamics_.loss,
        "proba": clf.predict_proba(X),
        "predicted": clf.predict(X),
        "replayed": clf.replay(X, y).scores,
        "earlier": clf.at_epoch(1).predict_proba(X),
        "columns": [list(line) for line in clf.net_.history][-1],
    }
    told |= {f"centroids {layer}": values for layer, values in clf.dynamics_.centroids.items()}
    return told | {"trained on": clf.partial_fit(X, y).dynamics_.loss}


@pytest.fixture
def small():
    """A classifier of few epochs, and its data."""
    return SMALL.classifier(max_epochs=3), *SMALL.data()


@pytest.fixture
def eager_threads():
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:240] / 16, y[:240]


class TestSearches:
    def test_every_loss_is_trained_in_its_own_candidate(self, digits):
        seen = {name: [] for name in loss_names()}

        def look(clf, X, y):
            first, last = clf.dynamics_.loss[:, [0, -1]].T
            # The candidate's record is of the loss in the candidate's name ...
            scores = clf.decision_function(digits[0])
            own = losses(clf.loss, scores, digits[1])
            recorded = clf.replay(*digits, record=("samples",)).loss[:, -1]
            np.testing.assert_allclose(recorded, own, rtol=1e-4, atol=1e-5)
            # ... and that loss is what went down.
            seen[clf.loss].append(first.mean() - last.mean())
            return clf.score(X, y)

        clf = DynamicsClassifier(max_epochs=5, lr=0.01, batch_size=32, random_state=0)
        search = GridSearchCV(
            clf, {"loss": loss_names()}, cv=2, scoring=look, error_score="raise", refit=False
        )
        search.fit(*digits)
        scores = search.cv_results_["mean_test_score"]
        assert len(scores) == len(loss_names())
        assert np.isfinite(scores).all()
        assert ((scores >= 0) & (scores <= 1)).all()
        for name, falls in seen.items():
            assert len(falls) == 2, name
            assert min(falls) > 0, name

    @pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
    def test_a_parallel_grid_search_is_the_sequential_one(self, small, backend):
        clf, X, y = small
        grid = {"loss": ["log", "squared_hinge"], "module__hidden_layer_sizes": [(3,), (5, 4)]}
        with joblib.parallel_config(backend=backend):
            searches = [
                GridSearchCV(clf, grid, cv=2, error_score="raise", n_jobs=n).fit(X, y) for n in (1, 2)
            ]
        one, two = (search.cv_results_["mean_test_score"] for search in searches)
        np.testing.assert_array_equal(one, two)
        assert len(set(one)) > 1
        best = searches[1].best_estimator_
        assert_same_record(best.dynamics_, searches[0].best_estimator_.dynamics_)
        assert best.loss == searches[1].best_params_["loss"]
        widths = [p.shape[0] for p in best.module_.parameters() if p.ndim == 2]
        assert tuple(widths) == (*searches[1].best_params_["module__hidden_layer_sizes"], 3)
        assert clf.module.hidden_layer_sizes == (8,)

    def test_halving_over_epochs(self, small):
        clf, X, y = small
        search = HalvingGridSearchCV(
            clf,
            {"lr": [1e-6, 1e-5, 1e-4, 0.03]},
            resource="max_epochs",
            min_resources=2,
            max_resources=8,
            factor=2,
            cv=2,
            random_state=0,
        ).fit(X, y)
        assert search.n_resources_ == [2, 4, 8]
        assert search.best_params_ == {"lr": 0.03, "max_epochs": 8}
        assert search.best_estimator_.n_iter_ == 8
        assert search.best_estimator_.dynamics_.shape == (len(X), 9)

    def test_every_fold_keeps_its_record(self, small):
        clf, X, y = small
        results = cross_validate(
            clf,
            X,
            y,
            cv=3,
            return_estimator=True,
            return_indices=True,
            return_train_score=True,
            error_score="raise",
        )
        for fold, estimator in enumerate(results["estimator"]):
            train, test = (results["indices"][part][fold] for part in ("train", "test"))
            np.testing.assert_array_equal(estimator.dynamics_.y, y[train])
            assert estimator.dynamics_.accuracy[-1] == results["train_score"][fold]
            assert estimator.replay(X[test], y[test]).accuracy[-1] == results["test_score"][fold]
            assert_same_weights(estimator, clone(clf).fit(X[train], y[train]))


class TestEnsembles:
    def test_bagging_trains_each_member_on_its_own_draw(self, small):
        clf, X, y = small
        bag = BaggingClassifier(clf, n_estimators=2, random_state=0).fit(X, y)
        for member, drawn in zip(bag.estimators_, bag.estimators_samples_, strict=True):
            times = np.bincount(drawn, minlength=len(X))
            _, encoded = np.unique(y, return_inverse=True)
            alone = clone(member).fit(X, encoded, sample_weight=times)
            assert_same_weights(member, alone)
            assert_same_record(member.dynamics_, alone.dynamics_)
            # The samples left out of the bag are watched too.
            assert (times == 0).any()
            np.testing.assert_array_equal(member.dynamics_.y, encoded)
            assert not np.array_equal(alone.dynamics_.loss, clone(member).fit(X, encoded).dynamics_.loss)
        assert not torch.equal(*(next(member.module_.parameters()) for member in bag.estimators_))
        members = np.mean([member.predict_proba(X) for member in bag.estimators_], axis=0)
        np.testing.assert_allclose(bag.predict_proba(X), members, rtol=1e-6)

    def test_stacking_learns_from_held_out_probabilities_and_scores(self, small):
        clf, X, y = small
        margins = clone(clf).set_params(loss="l1")
        stack = StackingClassifier(
            [("log", clf), ("l1", margins)], LogisticRegression(), cv=KFold(2), passthrough=False
        ).fit(X, y)
        columns = np.hstack(
            [stack.estimators_[0].predict_proba(X), stack.estimators_[1].decision_function(X)]
        )
        np.testing.assert_array_equal(stack.transform(X), columns)
        held_out = [
            cross_val_predict(clf, X, y, cv=KFold(2), method="predict_proba"),
            cross_val_predict(margins, X, y, cv=KFold(2), method="decision_function"),
        ]
        final = LogisticRegression().fit(np.hstack(held_out), np.unique(y, return_inverse=True)[1])
        np.testing.assert_allclose(stack.final_estimator_.coef_, final.coef_, rtol=1e-6)

    def test_soft_voting_averages_probabilities(self, small):
        clf, X, y = small
        other = clone(clf).set_params(loss="tanimoto")
        votes = VotingClassifier([("a", clf), ("b", other)], voting="soft").fit(X, y)
        mean = (clone(clf).fit(X, y).predict_proba(X) + clone(other).fit(X, y).predict_proba(X)) / 2
        np.testing.assert_array_equal(votes.predict_proba(X), mean)

    def test_one_against_the_rest(self, small):
        clf, X, y = small
        clf.set_params(loss="hinge")
        several = OneVsRestClassifier(clf).fit(X, y)
        for k, name in enumerate(["cat", "dog", "eel"]):
            alone = clone(clf).fit(X, (y == name).astype(int))
            np.testing.assert_array_equal(several.decision_function(X)[:, k], alone.decision_function(X))
            assert_same_record(several.estimators_[k].dynamics_, alone.dynamics_)

    def test_self_training_adds_the_confident_ones(self, small):
        clf, X, y = small
        clf.set_params(max_epochs=10)
        known = np.arange(len(X)) % 3 > 0
        partly = np.where(known, np.unique(y, return_inverse=True)[1], -1)
        grown = SelfTrainingClassifier(clf, threshold=0.8, max_iter=2).fit(X, partly)
        first = clone(clf).fit(X[known], partly[known]).predict_proba(X[~known])
        np.testing.assert_array_equal(grown.labeled_iter_[~known] == 1, first.max(axis=1) > 0.8)
        assert (grown.labeled_iter_ == 1).any()
        labelled = grown.transduction_ != -1
        np.testing.assert_array_equal(grown.estimator_.dynamics_.y, grown.transduction_[labelled])
        assert_same_weights(grown.estimator_, clone(clf).fit(X[labelled], grown.transduction_[labelled]))

    @pytest.mark.parametrize("loss", ["log", "squared_hinge"])
    def test_calibration_with_and_without_probabilities_of_its_own(self, small, loss):
        clf, X, y = small
        clf.set_params(loss=loss)
        calibrated = CalibratedClassifierCV(clf, cv=KFold(2), method="sigmoid").fit(X, y)
        proba = calibrated.predict_proba(X)
        np.testing.assert_allclose(proba.sum(axis=1), 1)
        folds = KFold(2).split(X)
        for part, (train, _) in zip(calibrated.calibrated_classifiers_, folds, strict=True):
            assert_same_weights(part.estimator, clone(clf).fit(X[train], y[train]))
            np.testing.assert_array_equal(part.estimator.dynamics_.y, y[train])
        assert hasattr(clf, "predict_proba") == (loss == "log")


class TestFitted:
    def test_frozen_it_stays_as_it_is(self, small):
        clf, X, y = small
        clf.fit(X, y)
        before, record = pickle.loads(pickle.dumps(clf)), clf.dynamics_
        frozen = FrozenEstimator(clf)
        frozen.fit(X[:20], y[:20])
        calibrated = CalibratedClassifierCV(frozen).fit(X, y)
        assert_same_weights(clf, before)
        assert frozen.dynamics_ is record
        assert clone(frozen).dynamics_ is record
        assert calibrated.calibrated_classifiers_[0].estimator.estimator is clf

    def test_a_clone_has_the_parameters_and_no_past(self, small):
        clf, X, y = small
        clf.fit(X, y, X_val=X, y_val=y)
        fresh = clone(clf)
        assert vars(fresh).keys() == clf.get_params(deep=False).keys()
        assert repr(fresh.get_params()) == repr(clf.get_params())
        assert_same_record(fresh.fit(X, y).dynamics_, clf.dynamics_)

    def test_a_column_that_says_nothing_has_no_importance(self):
        X, y = make_classification(60, 4, n_informative=2, n_redundant=0, shuffle=False, random_state=0)
        X[:, 3] = 1.0
        clf = DynamicsClassifier(MLP((8,)), max_epochs=20, lr=0.02, random_state=0).fit(X, y)
        importance = permutation_importance(clf, X, y, n_repeats=3, random_state=0)
        assert (importance.importances[3] == 0).all()
        assert importance.importances_mean[:2].max() > 0.1

    def test_a_decision_boundary_can_be_drawn(self):
        plt = pytest.importorskip("matplotlib.pyplot")
        plt.switch_backend("Agg")
        X, y = make_classification(30, 2, n_redundant=0, n_classes=2, random_state=0)
        clf = DynamicsClassifier(max_epochs=2, random_state=0).fit(X, y)
        display = DecisionBoundaryDisplay.from_estimator(
            clf, X, response_method="decision_function", grid_resolution=5
        )
        grid = np.column_stack([display.xx0.ravel(), display.xx1.ravel()])
        np.testing.assert_array_equal(display.response.ravel(), clf.decision_function(grid))
        plt.close("all")

    def test_a_notebook_shows_it_before_and_after_fit(self, small):
        clf, X, y = small
        unfitted = estimator_html_repr(clf)
        fitted = estimator_html_repr(clf.fit(X, y))
        assert "Not fitted" in unfitted
        assert "Not fitted" not in fitted
        assert all(
            "hidden_layer_sizes" in html and "DynamicsClassifier" in html for html in (unfitted, fitted)
        )


class TestCopies:
    @pytest.mark.parametrize("around", [lambda clf: clf, make_pipeline], ids=["alone", "in-a-pipeline"])
    def test_a_module_that_deepcopy_refuses(self, small, around):
        _, X, y = small
        first = prune.l1_unstructured(torch.nn.Linear(X.shape[1], 8), "weight", 0.3)
        module = torch.nn.Sequential(first, torch.nn.ReLU(), torch.nn.LazyLinear(len(np.unique(y))))
        clf = DynamicsClassifier(module, max_epochs=2, random_state=0)
        twin = copy.deepcopy(around(clf)).fit(X, y)
        twin = twin[-1] if around is make_pipeline else twin
        assert twin.module is not module
        assert_same_record(twin.dynamics_, clf.fit(X, y).dynamics_)
        assert_same_weights(copy.deepcopy(clf), clf)

    def test_what_two_parts_share_stays_shared(self):
        module = torch.nn.Linear(4, 2)
        held = {"clf": DynamicsClassifier(module), "module": module}
        twin = copy.deepcopy(held)
        assert twin["clf"].module is twin["module"] is not module


class TestElsewhere:
    """What was learned can be carried to another interpreter, and to other threads."""

    def test_a_fresh_interpreter_finds_everything(self, tmp_path):
        expected = {}
        for problem in (SMALL, PROBLEMS[5]):
            X, y = problem.data()
            clf = problem.classifier(record=("samples", "geometry", "scores"), max_epochs=2)
            clf.fit(X, y, X_val=X[:9], y_val=y[:9])
            path = tmp_path / problem.name
            np.savez(f"{path}.data.npz", X=X, y=y)
            Path(f"{path}.pickle").write_bytes(pickle.dumps(clf))
            joblib.dump(clf, f"{path}.joblib")
            expected[path] = everything_of(clf, X, y)
        script = f"""
import pickle, sys, joblib, numpy as np

{inspect.getsource(everything_of)}

for path in sys.argv[1:]:
    with np.load(path + ".data.npz") as data, open(path + ".pickle", "rb") as file:
        for source, clf in [("pickle", pickle.load(file)), ("joblib", joblib.load(path + ".joblib"))]:
            np.savez(path + "." + source + ".npz", **everything_of(clf, data["X"], data["y"]))
"""
        command = [sys.executable, "-W", "error", "-c", script, *map(str, expected)]
        subprocess.run(command, check=True, cwd=REPOSITORY, timeout=120)
        for path, values in expected.items():
            for source in ("pickle", "joblib"):
                with np.load(f"{path}.{source}.npz") as found:
                    assert set(found) == set(values)
                    for name, array in values.items():
                        np.testing.assert_array_equal(
                            found[name], array, f"{name} of {path.name} after {source}"
                        )

    def test_weights_spilled_to_a_file_are_carried_along(self, small, monkeypatch):
        clf, X, y = small
        monkeypatch.setattr("sklearn_nndyn.recording._snapshots.MEMORY_LIMIT", 1000)
        clf.fit(X, y)
        assert clf._state.snapshots.spilled
        carried = pickle.loads(pickle.dumps(clf))
        assert_same_record(carried.replay(X, y), clf.replay(X, y))
        assert_same_weights(carried.at_epoch(1), clf.at_epoch(1))
        assert_same_weights(carried.partial_fit(X, y), clf.partial_fit(X, y))

    def test_threads_do_not_hear_each_other(self, eager_threads):
        problems = [problem for problem in PROBLEMS if problem.name != "linear-full-batch"]
        tasks = [
            (problem.classifier(random_state=seed), *problem.data())
            for problem in problems
            for seed in (1, 2)
        ]
        alone = [clone(clf).fit(X, y) for clf, X, y in tasks]
        untouched = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
        with joblib.parallel_config(backend="threading", n_jobs=4):
            together = Parallel()(delayed(clone(clf).fit)(X, y) for clf, X, y in tasks)
        for one, other in zip(alone, together, strict=True):
            assert_same_weights(one, other)
            assert_same_record(one.dynamics_, other.dynamics_)
        assert torch.equal(torch.get_rng_state(), untouched[0])
        np.testing.assert_array_equal(np.random.get_state()[1], untouched[1])  # noqa: NPY002

    def test_one_thread_looks_at_layers_while_another_predicts(self, small):
        clf, X, y = small
        clf.fit(X, y)
        expected = clf.activations(X, layer="linear1")

        def predict_elsewhere(*_):
            if threading.current_thread() is threading.main_thread():
                other = threading.Thread(target=clf.predict, args=(X[::-1],))
                other.start()
                other.join()

        clf.module_.activation1.register_forward_pre_hook(predict_elsewhere)
        np.testing.assert_array_equal(clf.activations(X, layer="linear1"), expected)


class TestPipelines:
    def test_the_classifier_sees_what_the_steps_before_make(self, small):
        clf, X, y = small
        pipe = make_pipeline(StandardScaler(), clf).fit(X, y)
        scaled = StandardScaler().fit_transform(X)
        alone = clone(clf).fit(scaled, y)
        assert_same_record(pipe[-1].dynamics_, alone.dynamics_)
        np.testing.assert_array_equal(pipe.predict_proba(X), alone.predict_proba(scaled))

    def test_validation_samples_are_scaled_as_the_training_samples(self, small):
        clf, X, y = small
        X, X_val, y, y_val = train_test_split(X * 50 + 7, y, random_state=0)
        with config_context(enable_metadata_routing=True):
            clf.set_fit_request(X_val=True, y_val=True)
            pipe = make_pipeline(StandardScaler(), clf, transform_input=["X_val"])
            pipe.fit(X, y, X_val=X_val, y_val=y_val)
        scaler = StandardScaler().fit(X)
        alone = clone(clf).fit(scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val)
        assert_same_record(pipe[-1].validation_dynamics_, alone.validation_dynamics_)
        last = alone.validation_dynamics_.prediction[:, -1]
        np.testing.assert_array_equal(pipe.predict(X_val), pipe.classes_[last])
        unscaled = clone(clf).fit(scaler.transform(X), y, X_val=X_val, y_val=y_val)
        assert not np.array_equal(unscaled.validation_dynamics_.loss, alone.validation_dynamics_.loss)

    def test_sample_weights_are_routed(self, small):
        clf, X, y = small
        weight = np.linspace(0.1, 2, len(X))
        with config_context(enable_metadata_routing=True):
            clf.set_fit_request(sample_weight=True)
            scaler = StandardScaler().set_fit_request(sample_weight=False)
            routed = make_pipeline(scaler, clf).fit(X, y, sample_weight=weight)
        alone = clone(clf).fit(StandardScaler().fit_transform(X), y, sample_weight=weight)
        assert_same_weights(routed[-1], alone)
        unweighted = make_pipeline(StandardScaler(), clf).fit(X, y)
        assert not np.array_equal(unweighted[-1].dynamics_.loss, alone.dynamics_.loss)

    def test_tables_between_the_steps_change_nothing_but_names(self, small):
        clf, X, y = small
        frame = pd.DataFrame(X, columns=[f"pixel {i}" for i in range(X.shape[1])])
        pipe = make_pipeline(StandardScaler(), clf)
        plain = clone(pipe).fit(X, y)
        named = clone(pipe).set_output(transform="pandas").fit(frame, y)
        assert_same_record(plain[-1].dynamics_, named[-1].dynamics_)
        np.testing.assert_array_equal(named[-1].feature_names_in_, frame.columns)
        assert not hasattr(plain[-1], "feature_names_in_")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
class TestTables:
    @pytest.fixture
    def table(self, make, small):
        _, X, y = small
        columns = {f"x{i}": column for i, column in enumerate(X.T)}
        return make(columns), {pd.DataFrame: pd.Series, pl.DataFrame: pl.Series}[make](y)

    def test_a_table_is_its_numbers(self, small, table):
        clf, X, y = small
        X_table, y_table = table
        named = clone(clf).fit(X_table, y_table, X_val=X_table[:9], y_val=y_table[:9])
        plain = clone(clf).fit(X, y, X_val=X[:9], y_val=y[:9])
        np.testing.assert_array_equal(named.feature_names_in_, [f"x{i}" for i in range(X.shape[1])])
        assert_same_record(named.dynamics_, plain.dynamics_)
        assert_same_record(named.validation_dynamics_, plain.validation_dynamics_)
        np.testing.assert_array_equal(named.predict_proba(X_table), plain.predict_proba(X))
        assert_same_record(named.replay(X_table, y_table), plain.replay(X, y))
        np.testing.assert_array_equal(list(named.staged_score(X_table, y_table)), named.dynamics_.accuracy)

    def test_other_columns_are_refused_by_name(self, small, table):
        clf, _, _ = small
        X_table, y_table = table
        clf.fit(X_table, y_table)
        renamed = (
            X_table.rename({"x3": "y3"})
            if isinstance(X_table, pl.DataFrame)
            else X_table.rename(columns={"x3": "y3"})
        )
        turned = X_table[[f"x{i}" for i in reversed(range(16))]]
        for wrong, message in [(renamed, "unseen at fit time:\n- y3"), (turned, "must be in the same order")]:
            for use in (clf.predict, clf.predict_proba, clf.decision_function, clf.activations):
                with pytest.raises(ValueError, match=message):
                    use(wrong)
            with pytest.raises(ValueError, match=message):
                clf.replay(wrong, y_table)
            with pytest.raises(ValueError, match=message):
                clone(clf).fit(X_table, y_table, X_val=wrong, y_val=y_table)
