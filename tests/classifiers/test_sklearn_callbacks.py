"""scikit-learn's own callbacks, on the classifier or on what it is part of; and the bar of ``verbose=1``."""

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.classifiers._preparation import PreparedFit
from sklearn_nndyn.modules import MLP
from tests.problems import Problem

sklearn_callback = pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")

SMALL = Problem("mlp", MLP((8,), dropout=0.1))


@pytest.fixture
def small():
    """A classifier of four epochs, and its data."""
    return SMALL.classifier(), *SMALL.data()


def epochs_of(rows, name="accuracy"):
    """The scores that were logged for epochs, in their order."""
    return [row[name] for row in rows if row["task_name"] == "epoch"]


def told_of_interrupt(epoch):
    return pytest.warns(UserWarning, match=f"interrupted in epoch {epoch}")


class Tells:
    """Keeps what every hook was told; asks to stop after some epochs."""

    def __init__(self, stop_after=None, fail_after=None):
        self.stop_after, self.fail_after = stop_after, fail_after
        self.told, self.lives = [], []

    def setup(self, estimator, context):
        self.lives.append("setup")

    def teardown(self, estimator, context):
        self.lives.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.told.append(("begin", context.task_name, context.task_id, X, y, metadata))

    def on_fit_task_end(self, estimator, context, *, X=None, y=None, metadata=None):
        self.told.append(("end", context.task_name, context.task_id, X, y, metadata))
        if context.task_name == "epoch" and context.task_id + 1 == self.fail_after:
            raise ZeroDivisionError("tripped")
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after

    @property
    def tasks(self):
        return [line[:3] for line in self.told]


class TestOnTheClassifier:
    def test_every_epoch_is_a_task_of_the_fit(self, small):
        clf, X, y = small
        tells = Tells()
        clf.set_callbacks(tells).fit(X, y)
        epochs = [(hook, "epoch", e) for e in range(4) for hook in ("begin", "end")]
        assert tells.tasks == [("begin", "fit", 0), *epochs, ("end", "fit", 0)]
        assert tells.lives == ["setup", "teardown"]
        assert all(line[3] is X and line[4] is y for line in tells.told)

    def test_callbacks_change_nothing(self, small):
        clf, X, y = small
        told = (
            clone(clf).set_callbacks(Tells(), sklearn_callback.ScoringMonitor(scoring="accuracy")).fit(X, y)
        )
        np.testing.assert_array_equal(told.dynamics_.loss, clf.fit(X, y).dynamics_.loss)

    def test_monitored_scores_are_those_of_the_record(self, small):
        clf, X, y = small
        monitor = sklearn_callback.ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
        clf.set_callbacks(monitor).fit(X, y)
        rows = monitor.get_logs().data
        assert epochs_of(rows) == list(clf.staged_score(X, y))[1:] == clf.dynamics_.accuracy[1:].tolist()
        mean_loss = clf.dynamics_.loss[:, 1:].mean(axis=0)
        np.testing.assert_allclose(epochs_of(rows, "neg_log_loss"), -mean_loss, rtol=1e-5)
        (whole,) = [row for row in rows if row["task_name"] == "fit"]
        assert whole["accuracy"] == clf.score(X, y)
        assert len(set(epochs_of(rows))) > 1

    def test_monitored_scores_take_the_weights_of_the_samples(self, small):
        clf, X, y = small
        weight = np.linspace(0, 2, len(X))
        monitor, tells = sklearn_callback.ScoringMonitor(scoring="accuracy"), Tells()
        clf.set_callbacks(monitor, tells).fit(X, y, weight)
        weighted = list(clf.staged_score(X, y, weight))[1:]
        assert epochs_of(monitor.get_logs().data) == weighted
        assert weighted != list(clf.staged_score(X, y))[1:]
        assert all(line[5]["sample_weight"] is weight for line in tells.told)

    def test_what_a_callback_is_given_stays_as_of_its_epoch(self, small):
        clf, X, y = small
        kept = []

        class Keeps(Tells):
            def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
                kept.append(fitted_estimator)

        clf.set_callbacks(Keeps()).fit(X, y)
        for epoch, estimator in enumerate(kept[:4], start=1):
            assert estimator.n_iter_ == epoch
            np.testing.assert_array_equal(estimator.predict_proba(X), clf.at_epoch(epoch).predict_proba(X))

    @pytest.mark.parametrize("stop_after", [1, 3])
    def test_fit_stops_when_a_callback_asks(self, small, stop_after):
        clf, X, y = small
        tells = Tells(stop_after)
        stopped = clone(clf).set_callbacks(tells).fit(X, y)
        assert stopped.n_iter_ == stop_after
        short = clf.set_params(max_epochs=stop_after).fit(X, y)
        np.testing.assert_array_equal(stopped.dynamics_.loss, short.dynamics_.loss)
        np.testing.assert_array_equal(stopped.predict_proba(X), short.predict_proba(X))
        assert tells.tasks[-1] == ("end", "fit", 0)

    def test_a_callback_that_fails_leaves_the_record_so_far(self, small):
        clf, X, y = small
        tells = Tells(fail_after=3)
        clf.set_callbacks(tells)
        with pytest.raises(ZeroDivisionError, match="tripped"):
            clf.fit(X, y)
        assert tells.lives == ["setup", "teardown"]
        assert clf.n_iter_ == 2
        short = clone(clf).set_callbacks().set_params(max_epochs=2).fit(X, y)
        np.testing.assert_array_equal(clf.dynamics_.loss, short.dynamics_.loss)
        np.testing.assert_array_equal(clf.predict_proba(X), short.predict_proba(X))

    @pytest.mark.parametrize("last", [0, 2])
    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
    def test_every_task_is_closed_where_training_fails(self, small, error, last):
        clf, X, y = small
        scored, estimators = sklearn_callback.ScoringMonitor(scoring="accuracy"), []

        class Keeps(Tells):
            def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
                super().on_fit_task_end(estimator, context)
                estimators.append(fitted_estimator)

        def fail(self, net, **kwargs):
            if len(net.history) == last + 1:
                raise error("tripped")

        tells = Keeps()
        clf.set_callbacks(tells, scored).set_params(
            callbacks=[type("Trips", (Callback,), {"on_batch_end": fail})()]
        )
        fails = error is ZeroDivisionError
        with pytest.raises(error, match="tripped") if fails else told_of_interrupt(last + 1):
            clf.fit(X, y)
        epochs = [(hook, "epoch", e) for e in range(last + 1) for hook in ("begin", "end")]
        assert tells.tasks == [("begin", "fit", 0), *epochs, ("end", "fit", 0)]
        assert tells.lives == ["setup", "teardown"]
        *whole, undone, after = estimators
        assert [one.n_iter_ for one in whole] == list(range(1, last + 1))
        assert undone is None
        assert after is None if fails and last == 0 else after.n_iter_ == last
        if last:
            assert len(epochs_of(scored.get_logs().data)) == last

    def test_partial_fit_is_a_fit_of_one_epoch(self, small):
        clf, X, y = small
        tells = Tells()
        clf.set_callbacks(tells).partial_fit(X, y).partial_fit(X, y)
        once = [("begin", "fit", 0), ("begin", "epoch", 0), ("end", "epoch", 0), ("end", "fit", 0)]
        assert tells.tasks == once * 2

    def test_skorch_callbacks_belong_elsewhere(self, small):
        clf, X, y = small
        with pytest.raises(TypeError, match="scikit-learn's own go through set_callbacks"):
            clf.set_params(callbacks=[Tells()]).fit(X, y)

    def test_the_progress_bar_runs_to_its_end(self, small, capsys):
        pytest.importorskip("rich")
        clf, X, y = small
        clf.set_callbacks(sklearn_callback.ProgressBar()).fit(X, y)
        shown = capsys.readouterr().out
        assert "DynamicsClassifier - fit" in shown
        assert set(re.findall(r"(\d+)%", shown)) == {"100"}

    def test_progress_goes_on_epoch_by_epoch(self, small, monkeypatch):
        pytest.importorskip("rich")
        from sklearn.callback._progressbar import RichProgressMonitor

        progress, on_task_end = [], RichProgressMonitor._on_task_end

        def look(self, task_info):
            on_task_end(self, task_info)
            progress.append(self.root_rich_task.progress)

        monkeypatch.setattr(RichProgressMonitor, "_on_task_end", look)
        clf, X, y = small
        clf.set_callbacks(sklearn_callback.ProgressBar()).fit(X, y)
        np.testing.assert_allclose(progress, [1 / 4, 2 / 4, 3 / 4, 1, 1])


class TestInAPipeline:
    def test_the_bar_of_the_pipeline_has_one_for_the_classifier(self, small, capsys):
        pytest.importorskip("rich")
        clf, X, y = small
        make_pipeline(StandardScaler(), clf).set_callbacks(sklearn_callback.ProgressBar()).fit(X, y)
        shown = capsys.readouterr().out
        assert "Pipeline - fit" in shown
        assert "DynamicsClassifier - fit" in shown
        assert set(re.findall(r"(\d+)%", shown)) == {"100"}

    def test_the_monitor_scores_what_the_classifier_is_given(self, small):
        clf, X, y = small
        monitor = sklearn_callback.ScoringMonitor(scoring="accuracy")
        clf.set_callbacks(monitor)
        pipe = make_pipeline(StandardScaler(), clf).fit(X, y)
        assert epochs_of(monitor.get_logs().data) == pipe[-1].dynamics_.accuracy[1:].tolist()
        (run,) = monitor.get_logs(select="all")
        assert run.estimator_name == "Pipeline"


class TestInASearch:
    @pytest.mark.slow
    def test_every_candidate_and_fold_is_monitored_from_other_processes(self, small, capfd):
        pytest.importorskip("rich")
        clf, X, y = small
        monitor = sklearn_callback.ScoringMonitor(scoring="accuracy")
        pipe = make_pipeline(StandardScaler(), clone(clf).set_callbacks(monitor))
        losses = ["log", "hinge"]
        search = GridSearchCV(
            pipe, {"dynamicsclassifier__loss": losses}, cv=KFold(2), n_jobs=2, error_score="raise"
        )
        search.set_callbacks(sklearn_callback.ProgressBar(max_propagation_depth=None)).fit(X, y)

        (log,) = monitor.get_logs(select="all")
        assert log.estimator_name == "GridSearchCV"
        by_fit = {}
        for row in log.data:
            if row["task_name"] == "epoch":
                by_fit.setdefault(row["parent_task_id_path"], []).append(row["accuracy"])
        found = [scores for _, scores in sorted(by_fit.items())]
        expected = []
        for loss in losses:
            for train, _ in KFold(2).split(X):
                alone = make_pipeline(StandardScaler(), clone(clf).set_params(loss=loss)).fit(
                    X[train], y[train]
                )
                expected.append(alone[-1].dynamics_.accuracy[1:].tolist())
        expected.append(search.best_estimator_[-1].dynamics_.accuracy[1:].tolist())
        assert found == expected

        shown = capfd.readouterr().out
        assert "GridSearchCV - fit" in shown
        assert shown.count("DynamicsClassifier - fit") == 5
        assert set(re.findall(r"(\d+)%", shown)) == {"100"}

    def test_the_record_is_what_it_is_without_them(self, small):
        clf, X, y = small
        told = GridSearchCV(clone(clf).set_callbacks(Tells()), {"lr": [0.01]}, cv=2, error_score="raise").fit(
            X, y
        )
        np.testing.assert_array_equal(told.best_estimator_.dynamics_.loss, clf.fit(X, y).dynamics_.loss)


class TestVerbose:
    def test_a_bar_over_epochs_with_loss_and_accuracy(self, small, capsys):
        clf, X, y = small
        clf.set_params(verbose=1).fit(X, y, X_val=X[:9], y_val=y[:9])
        shown = capsys.readouterr()
        assert shown.out == ""
        last = shown.err.split("\r")[-1]
        assert "4/4" in last
        assert f"loss={clf.loss_curve_[-1]:.4g}" in last
        assert f"accuracy={clf.dynamics_.accuracy[-1]:.3f}" in last
        assert f"validation accuracy={clf.validation_scores_[-1]:.3f}" in last

    def test_silence_is_the_default(self, small, capsys):
        clf, X, y = small
        clf.fit(X, y)
        assert capsys.readouterr() == ("", "")

    def test_without_a_record_it_still_shows_the_loss(self, small, capsys):
        clf, X, y = small
        clf.set_params(verbose=1, record=()).fit(X, y)
        last = capsys.readouterr().err.split("\r")[-1]
        assert f"loss={clf.loss_curve_[-1]:.4g}" in last
        assert "accuracy" not in last


def test_without_callbacks_nothing_is_built_for_them(small, monkeypatch):
    clf, X, y = small

    def refuse(*args, **kwargs):
        raise AssertionError("no callback has asked for this")

    monkeypatch.setattr(DynamicsClassifier, "_init_callback_context", refuse)
    monkeypatch.setattr(PreparedFit, "attributes_so_far", refuse)
    clf.fit(X, y)
