"""The search as a scikit-learn estimator: its parameters, its checks, and what it shows."""

import inspect
import pickle
import re

import joblib
import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_html_repr, get_tags
from sklearn.utils.estimator_checks import check_estimator

from sklearn_nndyn import BatchedGridSearchCV
from tests.model_selection.searches import classifier, digits

GRID = {"lr": [0.03, 0.003]}
NEEDS_A_SETTING_OF_SCIPY = {"check_array_api_input"}


@pytest.mark.filterwarnings("ignore")  # folds that fail are told of, as by every search
def test_every_check_of_scikit_learn_passes_and_none_is_excused():
    search = BatchedGridSearchCV(
        classifier(max_epochs=5, batch_size="auto", lr=0.1), {"lr": [0.1, 0.08]}, cv=2
    )
    results = check_estimator(search, on_fail=None, on_skip=None)
    others = {
        f"{result['check_name']} {result['status']}: {result['exception']}"
        for result in results
        if result["status"] != "passed" and result["check_name"] not in NEEDS_A_SETTING_OF_SCIPY
    }
    assert not others
    assert "check_classifiers_train" in {result["check_name"] for result in results}


def test_the_signature_is_that_of_grid_search():
    theirs = inspect.signature(GridSearchCV).parameters
    ours = inspect.signature(BatchedGridSearchCV).parameters
    shared = [name for name in theirs if name != "pre_dispatch"]
    assert list(ours) == [*shared, "return_dynamics", "memory_limit", "checkpoint"]
    for name in shared:
        assert ours[name].kind == theirs[name].kind
        assert ours[name].default is theirs[name].default or ours[name].default == theirs[name].default


def test_the_constructor_stores_and_does_nothing_else():
    search = BatchedGridSearchCV("anything", 3, cv="bogus", memory_limit="much")
    assert vars(search) == search.get_params(deep=False)


def test_a_clone_has_the_parameters_and_no_past():
    search = BatchedGridSearchCV(classifier(), GRID, cv=2, return_dynamics=True).fit(*digits())
    copy = clone(search)
    assert vars(copy).keys() == search.get_params(deep=False).keys()
    assert repr(copy) == repr(search)
    np.testing.assert_array_equal(
        copy.fit(*digits()).cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )


def test_it_can_be_pickled_with_its_records():
    X, y = digits()
    search = BatchedGridSearchCV(
        make_pipeline(StandardScaler(), classifier()), {}, cv=2, return_dynamics=True
    )
    carried = pickle.loads(pickle.dumps(search.fit(X, y)))
    np.testing.assert_array_equal(carried.predict_proba(X), search.predict_proba(X))
    np.testing.assert_array_equal(
        carried.candidate_dynamics_[0][1].loss, search.candidate_dynamics_[0][1].loss
    )


def test_tags_and_methods_are_those_of_grid_search():
    X, y = digits()
    for estimator in (classifier(), make_pipeline(StandardScaler(), classifier()), classifier(loss="l1")):
        search, other = (kind(estimator, {}, cv=2) for kind in (GridSearchCV, BatchedGridSearchCV))
        assert get_tags(search) == get_tags(other)
        assert is_classifier(other)
        for fitted in (False, True):
            if fitted:
                search.fit(X, y), other.fit(X, y)
            for name in ("predict", "predict_proba", "decision_function", "transform", "score", "classes_"):
                assert hasattr(search, name) == hasattr(other, name), (name, fitted)


def test_a_notebook_shows_it_before_and_after_fit():
    search = BatchedGridSearchCV(classifier(), GRID, cv=2)
    unfitted = estimator_html_repr(search)
    fitted = estimator_html_repr(search.fit(*digits()))
    assert "estimator: DynamicsClassifier" in unfitted
    assert "best_estimator_: DynamicsClassifier" in fitted
    assert "BatchedGridSearchCV" in fitted


def test_it_works_inside_cross_validation():
    X, y = digits()
    ours, theirs = (
        cross_val_score(kind(classifier(), GRID, cv=2), X, y, cv=2)
        for kind in (BatchedGridSearchCV, GridSearchCV)
    )
    np.testing.assert_allclose(ours, theirs, atol=1.5 / 120)
    assert (ours > 0.5).all()


class TestProgress:
    def test_silent_by_default(self, capfd):
        BatchedGridSearchCV(classifier(), GRID, cv=2).fit(*digits())
        assert capfd.readouterr() == ("", "")

    def test_a_bar_over_the_epochs_of_all_fits(self, capfd):
        BatchedGridSearchCV(classifier(), {"max_epochs": [2, 3]}, cv=4, verbose=1).fit(*digits())
        out, err = capfd.readouterr()
        assert out == ""
        assert re.search(r"Search: +0%.* 0/20 ", err)
        assert re.search(r"Search: +100%.* 20/20 ", err)
        assert "epoch" in err

    @pytest.mark.filterwarnings(
        "ignore::sklearn.exceptions.FitFailedWarning", "ignore:One or more of the test scores are non-finite"
    )
    def test_epochs_that_are_not_needed_count_too(self, capfd):
        clf = classifier(early_stopping=True, n_iter_no_change=1, lr=1.0, max_epochs=20)
        BatchedGridSearchCV(clf, {"lr": [1.0, -1]}, cv=2, verbose=1).fit(*digits())
        assert re.search(r"100%.* 80/80 ", capfd.readouterr().err)

    def test_a_bar_over_parts_with_several_workers(self, capfd):
        with joblib.parallel_config(backend="threading"):
            BatchedGridSearchCV(classifier(), GRID, cv=2, verbose=1, n_jobs=2).fit(*digits())
        err = capfd.readouterr().err
        assert re.search(r"Search: +100%.* 2/2 .*part", err)

    def test_the_classifiers_own_bar_is_for_the_refit(self, capfd):
        BatchedGridSearchCV(classifier(verbose=1), GRID, cv=2).fit(*digits())
        err = capfd.readouterr().err
        assert "Search" not in err
        assert re.search(r"Training: +100%.* 4/4 ", err)
        BatchedGridSearchCV(classifier(verbose=1), GRID, cv=2, refit=False).fit(*digits())
        assert capfd.readouterr().err == ""


def test_callbacks_of_scikit_learn_hear_of_search_and_refit():
    pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")
    told = []

    class Tells:
        def setup(self, estimator, context):
            told.append("setup")

        def teardown(self, estimator, context):
            told.append("teardown")

        def on_fit_task_begin(self, estimator, context):
            told.append(f"begin {context.task_name}")

        def on_fit_task_end(self, estimator, context):
            told.append(f"end {context.task_name}")

    BatchedGridSearchCV(classifier(), GRID, cv=2).set_callbacks(Tells()).fit(*digits())
    parts = [f"{hook} {part}" for part in ("search", "refit-with-best-params") for hook in ("begin", "end")]
    assert told == ["setup", "begin fit", *parts, "end fit", "teardown"]


def test_callbacks_that_are_handed_on_reach_the_refit(capfd):
    callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")
    search = BatchedGridSearchCV(classifier(), GRID, cv=2)
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(*digits())
    shown = capfd.readouterr().out
    assert "BatchedGridSearchCV - fit" in shown
    assert shown.count("DynamicsClassifier - fit") == 1


def test_documented_attributes_are_there_after_fit():
    from tests.test_docstrings import entries

    pd = pytest.importorskip("pandas")
    X, y = digits()
    search = BatchedGridSearchCV(classifier(), GRID, cv=2, return_dynamics=True)
    documented = set(entries(search, "Attributes"))
    assert not [name for name in documented if hasattr(search, name)]
    search.fit(pd.DataFrame(X).add_prefix("x"), y)
    assert not [name for name in documented if not hasattr(search, name)]
    held = {name for name in vars(search) if name.endswith("_") and not name.startswith("_")}
    assert held <= documented
