"""The net inside is skorch's, and skorch's callbacks do on it what they do in skorch."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    Freezer,
    GradientNormClipping,
    LRScheduler,
    Unfreezer,
)
from torch.optim.lr_scheduler import ExponentialLR, ReduceLROnPlateau, StepLR

from sklearn_nndyn.modules import MLP
from tests.problems import PROBLEMS, Problem, chief_problems

IN_ORDER = Problem("mlp", MLP((6,)), shuffle=False, dtype="float64")
LR = 0.01


class WatchesBatches(Callback):
    """Does nothing, after every batch."""

    def on_batch_end(self, net, **kwargs):
        pass


@pytest.fixture
def fit():
    """Fit IN_ORDER with validation samples; keyword arguments are changes to the classifier."""
    X, y = IN_ORDER.data()
    X_val, y_val = IN_ORDER.data(30, seed=5)

    def fit(*callbacks, **changes):
        clf = IN_ORDER.classifier(callbacks=list(callbacks), lr=LR, **changes)
        return clf.fit(X, y, X_val=X_val, y_val=y_val)

    fit.X, fit.y, fit.X_val, fit.y_val = X, y, X_val, y_val
    fit.target, fit.target_val = (np.unique(labels, return_inverse=True)[1] for labels in (y, y_val))
    return fit


def ran_batch_by_batch(clf):
    return clf.net_.needs_batches


def assert_same_weights(a, b):
    pairs = zip(a.module_.state_dict().values(), b.module_.state_dict().values(), strict=True)
    assert all(torch.equal(u, v) for u, v in pairs)


def assert_close_weights(module, other):
    for (name, u), v in zip(module.state_dict().items(), other.state_dict().values(), strict=True):
        torch.testing.assert_close(
            u, v, rtol=1e-10, atol=1e-10, msg=lambda text, name=name: f"{name}: {text}"
        )


def train_by_hand(clf, X, target, make_scheduler, each):
    """The epochs of ``clf`` again in a bare torch loop, from its first weights, and the rate of each step."""
    module = copy.deepcopy(clf.at_epoch(0).module_).train()
    optimizer = torch.optim.Adam(module.parameters(), lr=LR)
    scheduler = make_scheduler(optimizer)
    X, target, rates = torch.from_numpy(X), torch.from_numpy(target), []
    for _ in range(clf.n_iter_):
        for rows in torch.arange(len(X)).split(clf.batch_size):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(module(X[rows]), target[rows]).backward()
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if each == "batch":
                scheduler.step()
        if each == "epoch":
            scheduler.step()
    return module, rates


class TestNet:
    def test_it_is_a_skorch_net_with_a_line_for_each_epoch(self, fit):
        clf = fit()
        net = clf.net_
        assert isinstance(net, NeuralNetClassifier)
        assert net.initialized_
        assert not ran_batch_by_batch(clf)
        assert net.history[:, "epoch"] == [1, 2, 3, 4]
        assert net.history[:, "train_loss"] == clf.loss_curve_
        assert net.history[:, "train_batch_count"] == [-(-len(clf.dynamics_) // clf.batch_size)] * 4
        assert all(seconds > 0 for seconds in net.history[:, "dur"])
        record = clf.validation_dynamics_
        np.testing.assert_array_equal(net.history[:, "valid_acc"], record.accuracy[1:])
        np.testing.assert_allclose(net.history[:, "valid_loss"], record.loss[:, 1:].mean(axis=0), rtol=1e-6)

    def test_validation_is_measured_in_epochs_that_are_not_recorded_too(self, fit):
        everywhere, nowhere = fit(), fit(record=(), snapshots=False)
        now_and_then = fit(record_epochs=[2])
        for other in (nowhere, now_and_then):
            assert other.validation_scores_ == everywhere.validation_scores_
            for column in ("train_loss", "valid_loss"):
                found, expected = (clf.net_.history[:, column] for clf in (other, everywhere))
                np.testing.assert_allclose(found, expected, rtol=1e-6)

    def test_without_validation_samples_there_is_no_validation_column(self, fit):
        history = IN_ORDER.classifier().fit(fit.X, fit.y).net_.history
        assert all("train_loss" in line and "valid_loss" not in line for line in history)

    def test_best_epochs_are_marked_as_skorch_marks_them(self, fit):
        history = fit(max_epochs=8, optimizer_params={"betas": (0.0, 0.0)}).net_.history
        for column, best_of in (("train_loss", min), ("valid_loss", min), ("valid_acc", max)):
            values = history[:, column]
            first_best = [v == best_of(values[: e + 1]) and v not in values[:e] for e, v in enumerate(values)]
            assert history[:, f"{column}_best"] == first_best, column
        assert not all(history[:, "valid_acc_best"])

    def test_it_predicts_as_the_classifier_does(self, fit):
        clf = fit()
        np.testing.assert_array_equal(clf.net_.predict_proba(fit.X), clf.predict_proba(fit.X))
        np.testing.assert_array_equal(clf.classes_[clf.net_.predict(fit.X)], clf.predict(fit.X))


class TestPlainLoop:
    @chief_problems
    @pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
    def test_it_gives_what_the_fast_program_gives(self, problem, weighted):
        problem = replace(problem, dtype="float64")
        X, y = problem.data()
        weight = np.linspace(0, 2, len(X)) if weighted else None
        fast = problem.classifier().fit(X, y, weight)
        plain = problem.classifier(callbacks=[WatchesBatches()]).fit(X, y, weight)
        assert ran_batch_by_batch(plain)
        assert not ran_batch_by_batch(fast)
        assert_close_weights(plain.module_, fast.module_)
        np.testing.assert_allclose(plain.loss_curve_, fast.loss_curve_, rtol=1e-10)
        np.testing.assert_allclose(plain.dynamics_.loss, fast.dynamics_.loss, rtol=1e-5, atol=1e-6)

    def test_every_row_is_seen_once_an_epoch(self):
        problem = PROBLEMS[2]
        X, y = problem.data()

        class Collects(Callback):
            def initialize(self):
                self.batches = []
                return self

            def on_batch_begin(self, net, batch, training):
                self.batches.append(batch[0])

        collects = Collects()
        clf = problem.classifier(callbacks=[collects], max_epochs=2).fit(X, y)
        assert [len(batch) for batch in collects.batches] == [16, 16, 16, 13] * 2
        epochs = torch.cat(collects.batches).split(len(X))
        for seen in epochs:
            np.testing.assert_array_equal(np.sort(seen.numpy(), axis=0), np.sort(X, axis=0))
        assert not torch.equal(*epochs)
        assert [line["train_batch_count"] for line in clf.net_.history] == [4, 4]


class TestLRScheduler:
    @pytest.mark.parametrize(
        ("policy", "settings"),
        [(StepLR, {"step_size": 2, "gamma": 0.1}), (ExponentialLR, {"gamma": 0.5})],
        ids=["StepLR", "ExponentialLR"],
    )
    @pytest.mark.parametrize("each", ["epoch", "batch"])
    def test_it_steps_as_in_a_bare_loop(self, fit, policy, settings, each):
        clf = fit(LRScheduler(policy, step_every=each, **settings))
        module, rates = train_by_hand(clf, fit.X, fit.target, lambda o: policy(o, **settings), each)
        assert ran_batch_by_batch(clf) == (each == "batch")
        if each == "epoch":
            assert clf.net_.history[:, "event_lr"] == rates[:: len(rates) // clf.n_iter_]
        else:
            batches = clf.net_.history[:, "batches", :, "event_lr"]
            assert [rate for epoch in batches for rate in epoch] == rates
        assert_close_weights(clf.module_, module)
        assert len(set(rates)) > 1

    def test_it_waits_on_a_plateau_of_the_validation_loss(self, fit):
        scheduler = LRScheduler(
            ReduceLROnPlateau, monitor="valid_loss", patience=0, factor=0.1, threshold=0.05
        )
        clf = fit(scheduler, max_epochs=8)
        losses = clf.net_.history[:, "valid_loss"]
        rate, best, rates = LR, np.inf, []
        for loss in losses:
            rates.append(rate)
            better = loss < best * (1 - 0.05)
            best, rate = (loss, rate) if better else (best, rate * 0.1)
        np.testing.assert_allclose(clf.net_.history[:, "event_lr"], rates)
        assert len(set(rates)) > 1


class TestEpochScoring:
    @pytest.mark.parametrize("caching", [True, False])
    def test_its_value_is_that_of_the_record(self, fit, caching):
        scoring = [
            EpochScoring("accuracy", name="mine", lower_is_better=False, use_caching=caching),
            EpochScoring("neg_log_loss", lower_is_better=False, use_caching=caching),
        ]
        clf = fit(*scoring)
        record = clf.validation_dynamics_
        np.testing.assert_array_equal(clf.net_.history[:, "mine"], record.accuracy[1:])
        mean_loss = record.loss[:, 1:].mean(axis=0)
        np.testing.assert_allclose(clf.net_.history[:, "neg_log_loss"], -mean_loss, rtol=1e-5)
        assert ran_batch_by_batch(clf) == caching

    def test_on_the_training_samples(self, fit):
        clf = fit(
            EpochScoring("accuracy", name="mine", on_train=True, lower_is_better=False, use_caching=False)
        )
        np.testing.assert_array_equal(clf.net_.history[:, "mine"], clf.dynamics_.accuracy[1:])

    def test_it_changes_nothing(self, fit):
        assert_same_weights(fit(EpochScoring("accuracy", use_caching=False)), fit())


class TestEarlyStopping:
    patience, threshold = 2, 0.05

    def stop_by_hand(self, losses):
        best, misses = np.inf, 0
        for epoch, loss in enumerate(losses, start=1):
            best, misses = (loss, 0) if loss < best * (1 - self.threshold) else (best, misses + 1)
            if misses == self.patience:
                return epoch
        return None

    @pytest.mark.parametrize("load_best", [False, True])
    def test_it_stops_where_a_longer_fit_shows_no_progress(self, fit, load_best):
        longer = fit(max_epochs=30)
        stop = self.stop_by_hand(longer.net_.history[:, "valid_loss"])
        assert stop is not None
        assert stop < 30
        clf = fit(
            EarlyStopping(patience=self.patience, threshold=self.threshold, load_best=load_best),
            max_epochs=30,
        )
        assert clf.n_iter_ == stop
        np.testing.assert_array_equal(clf.dynamics_.epochs, np.arange(stop + 1))
        np.testing.assert_array_equal(clf.dynamics_.loss, longer.dynamics_.until(stop).loss)
        assert_same_weights(clf, longer.at_epoch(stop - self.patience if load_best else stop))
        assert getattr(clf, "best_epoch_", None) == (stop - self.patience if load_best else None)

    def test_the_best_epoch_may_be_the_last(self, fit):
        clf = fit(EarlyStopping(patience=30, load_best=True), max_epochs=3)
        assert clf.best_epoch_ == 1 + int(np.argmin(clf.net_.history[:, "valid_loss"]))
        assert_same_weights(clf, clf.at_epoch(clf.best_epoch_))


class TestCheckpoint:
    def test_the_file_holds_the_weights_of_the_best_epoch(self, fit, tmp_path):
        clf = fit(Checkpoint(dirname=str(tmp_path)), max_epochs=15)
        history = clf.net_.history
        best = 1 + int(np.argmin(history[:, "valid_loss"]))
        assert [line["epoch"] for line in history if line["event_cp"]][-1] == best
        assert best < 15
        assert {path.name for path in tmp_path.iterdir()} == {
            "params.pt",
            "optimizer.pt",
            "criterion.pt",
            "history.json",
        }
        earlier = clf.at_epoch(0)
        earlier.net_.load_params(f_params=str(tmp_path / "params.pt"))
        assert_same_weights(earlier, clf.at_epoch(best))

    def test_every_epoch_has_its_own_file(self, fit, tmp_path):
        clf = fit(Checkpoint(monitor=None, f_params="{last_epoch[epoch]}.pt", dirname=str(tmp_path)))
        for epoch in (1, 2, 3, 4):
            earlier = clf.at_epoch(0)
            earlier.net_.load_params(f_params=str(tmp_path / f"{epoch}.pt"))
            assert_same_weights(earlier, clf.at_epoch(epoch))

    def test_the_best_one_is_loaded_at_the_end(self, fit, tmp_path):
        plain = fit(max_epochs=15)
        best = 1 + int(np.argmin(plain.net_.history[:, "valid_loss"]))
        clf = fit(Checkpoint(dirname=str(tmp_path), load_best=True), max_epochs=15)
        assert_same_weights(clf, plain.at_epoch(best))
        np.testing.assert_array_equal(clf.predict_proba(fit.X), plain.at_epoch(best).predict_proba(fit.X))
        # What was seen after it is not forgotten.
        np.testing.assert_array_equal(clf.dynamics_.loss, plain.dynamics_.loss)


class TestGoingOnFromTheBest:
    """Whatever brought back the weights of the best epoch: what follows is recorded and kept as one story."""

    @pytest.mark.parametrize("by", ["Checkpoint", "EarlyStopping", "early_stopping"])
    def test_replay_is_memory(self, fit, tmp_path, by):
        how = {
            "Checkpoint": {"callbacks": [Checkpoint(dirname=str(tmp_path), load_best=True)]},
            "EarlyStopping": {"callbacks": [EarlyStopping(patience=2, threshold=0.05, load_best=True)]},
            "early_stopping": {"early_stopping": True, "n_iter_no_change": 2},
        }[by]
        data = {"X": fit.X, "y": fit.y, "X_val": fit.X_val, "y_val": fit.y_val}
        clf = IN_ORDER.classifier(max_epochs=15, shuffle=True, **how).fit(**data)
        restored = copy.deepcopy(clf.module_.state_dict())
        assert any(not torch.equal(v, restored[k]) for k, v in clf.at_epoch(-1).module_.state_dict().items())
        begin = clf.n_iter_
        clf.set_params(warm_start=True, max_epochs=2, early_stopping=False).fit(**data)
        record = clf.dynamics_
        np.testing.assert_array_equal(record.epochs, [begin, begin + 1, begin + 2])
        np.testing.assert_allclose(
            clf.replay(fit.X, fit.y, epochs=record.epochs).loss, record.loss, atol=1e-6
        )
        assert all(torch.equal(v, restored[k]) for k, v in clf.at_epoch(begin).module_.state_dict().items())


class TestGradientNormClipping:
    @pytest.mark.parametrize("norm", [1e-3, 1e3])
    def test_the_first_step_is_as_long_as_allowed(self, fit, norm):
        clf = fit(GradientNormClipping(norm), optimizer="sgd", batch_size="full", max_epochs=1)
        pairs = zip(clf.module_.parameters(), clf.at_epoch(0).module_.parameters(), strict=True)
        step = torch.cat([(after - before).flatten() for after, before in pairs]).norm().item()
        if norm < 1:
            assert step == pytest.approx(LR * norm, rel=1e-4)
        else:
            assert step < LR * norm
            assert_same_weights(clf, fit(WatchesBatches(), optimizer="sgd", batch_size="full", max_epochs=1))


class TestFreezer:
    @pytest.mark.parametrize("optimizer", ["adam", "sgd"])
    def test_what_is_frozen_does_not_move(self, fit, optimizer):
        clf = fit(Freezer("linear1.*"), optimizer=optimizer, weight_decay=0.1)
        self.assert_moved(clf.at_epoch(0), clf, {"output.weight", "output.bias"})

    def test_only_from_its_epoch_on_and_only_to_its_end(self, fit):
        clf = fit(Freezer("linear1.*", at=2), Unfreezer("linear1.*", at=4), weight_decay=0.1, max_epochs=5)
        everything = {"linear1.weight", "linear1.bias", "output.weight", "output.bias"}
        stages = [clf.at_epoch(epoch) for epoch in range(6)]
        for before, after, moved in zip(
            stages,
            stages[1:],
            [everything, *2 * [{"output.weight", "output.bias"}], everything, everything],
            strict=False,
        ):
            self.assert_moved(before, after, moved)

    def assert_moved(self, before, after, names):
        earlier = before.module_.state_dict()
        assert {
            name for name, v in after.module_.state_dict().items() if not torch.equal(v, earlier[name])
        } == names


class TestFailure:
    @pytest.mark.parametrize(
        ("hook", "last"),
        [
            ("on_epoch_begin", 2),
            ("on_batch_begin", 2),
            ("on_grad_computed", 2),
            ("on_batch_end", 2),
            ("on_epoch_end", 3),
        ],
    )
    def test_a_callback_that_fails_leaves_the_record_so_far(self, fit, hook, last):
        def trip(self, net, *args, **kwargs):
            if len(net.history) == 3:
                raise ZeroDivisionError("tripped")

        clf = IN_ORDER.classifier(callbacks=[type("Trips", (Callback,), {hook: trip})()])
        with pytest.raises(ZeroDivisionError, match="tripped"):
            clf.fit(fit.X, fit.y, X_val=fit.X_val, y_val=fit.y_val)
        whole = IN_ORDER.classifier(max_epochs=last).fit(fit.X, fit.y, X_val=fit.X_val, y_val=fit.y_val)
        assert clf.n_iter_ == len(clf.loss_curve_) == len(clf.validation_scores_) == last
        np.testing.assert_array_equal(clf.dynamics_.epochs, np.arange(last + 1))
        np.testing.assert_allclose(clf.dynamics_.loss, whole.dynamics_.loss, rtol=1e-5)
        np.testing.assert_allclose(clf.predict_proba(fit.X), whole.predict_proba(fit.X), rtol=1e-10)
        np.testing.assert_array_equal(clf.replay(fit.X, fit.y).epochs, clf.dynamics_.epochs)


def test_a_tuple_of_callbacks_is_as_good_as_a_list():
    X, y = IN_ORDER.data()
    clf = IN_ORDER.classifier(callbacks=(WatchesBatches(), ("second", WatchesBatches())), warm_start=True)
    names = [name for name, _ in clf.fit(X, y).net_.callbacks_]
    assert names[-2:] == ["WatchesBatches", "second"]
    clf.set_params(callbacks=(("third", WatchesBatches()),)).fit(X, y)
    assert [name for name, _ in clf.net_.callbacks_][-1] == "third"
    assert type(clf.callbacks) is tuple


def test_a_name_that_is_no_string_is_told():
    X, y = IN_ORDER.data()
    with pytest.raises(TypeError, match=r"callbacks: the name of a callback is a string, got 1\."):
        IN_ORDER.classifier(callbacks=[(1, WatchesBatches())]).fit(X, y)
