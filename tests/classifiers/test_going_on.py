"""What is set between fits is used or refused, and what fails leaves what was there."""

import copy
import pickle

import joblib
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, EpochScoring, LRScheduler, PrintLog

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, fit_together
from sklearn_nndyn.losses import FocalLoss
from sklearn_nndyn.modules import MLP
from tests.classifiers.test_laws import assert_same_record, assert_same_weights
from tests.problems import Problem

PROBLEM = Problem("mlp", MLP((8,)))
X, Y = PROBLEM.data()


def small(**changes):
    return PROBLEM.classifier(**{"max_epochs": 2, **changes})


def weights(clf):
    return torch.cat([p.detach().flatten().clone() for p in clf.module_.parameters()])


class Net(torch.nn.Module):
    def __init__(self, hidden=3, n_classes=3):
        super().__init__()
        self.one, self.two = torch.nn.Linear(16, hidden), torch.nn.Linear(hidden, n_classes)

    def forward(self, x):
        return self.two(self.one(x).relu())


# Set between fits

WAYS = {"warm_start": lambda clf: clf.fit(X, Y), "partial_fit": lambda clf: clf.partial_fit(X, Y)}
both_ways = pytest.mark.parametrize("way", WAYS)


def going_on(way, **settings):
    clf = small(warm_start=way == "warm_start", **settings)
    return WAYS[way](clf), WAYS[way]


@both_ways
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_a_new_rate_moves_the_weights(way, optimizer):
    clf, go_on = going_on(way, optimizer=optimizer)
    before = weights(clf)
    go_on(clf.set_params(lr=1e-12))
    torch.testing.assert_close(weights(clf), before, rtol=0, atol=1e-8)
    go_on(clf.set_params(lr=0.1))
    assert (weights(clf) - before).abs().max() > 1e-2


@both_ways
def test_settings_reach_the_optimizer_that_has_begun(way):
    clf, go_on = going_on(way, optimizer="sgd", optimizer_params={"momentum": 0.9})
    held = clf.net_.optimizer_
    go_on(clf.set_params(lr=0.05, weight_decay=0.3, optimizer_params={"momentum": 0.5}))
    (group,) = clf.net_.optimizer_.param_groups
    assert clf.net_.optimizer_ is held
    assert (group["lr"], group["weight_decay"], group["momentum"]) == (0.05, 0.3, 0.5)
    go_on(clf.set_params(optimizer_params=None))
    assert clf.net_.optimizer_.param_groups[0]["momentum"] == 0


def test_a_rate_that_a_scheduler_has_set_is_kept():
    clf = small(warm_start=True, optimizer="sgd", callbacks=[LRScheduler("StepLR", step_size=1, gamma=0.5)])
    clf.fit(X, Y)
    (group,) = clf.net_.optimizer_.param_groups
    rate = group["lr"]
    clf.set_params(callbacks=None, batch_size=32).fit(X, Y)
    assert group["lr"] == rate < clf.lr


@both_ways
def test_another_optimizer_is_made_and_trains(way):
    clf, go_on = going_on(way, optimizer="adam")
    go_on(clf.set_params(optimizer="sgd", optimizer_params={"nesterov": True, "momentum": 0.9}))
    assert type(clf.net_.optimizer_) is torch.optim.SGD
    assert clf.net_.optimizer_.param_groups[0]["nesterov"]
    assert set(clf.net_.optimizer_.state) == set(clf.module_.parameters())
    assert type(clf.at_epoch(1).net_.optimizer_) is torch.optim.SGD


@both_ways
def test_new_callbacks_are_called(way):
    seen = []
    watch = type("Watch", (Callback,), {"on_epoch_end": lambda self, net, **kwargs: seen.append(1)})
    clf, go_on = going_on(way)
    go_on(clf.set_params(callbacks=[watch()]))
    assert seen


FIXED = {
    "module": MLP((9,)),
    "loss": "l2",
    "dtype": "float64",
    "random_state": 7,
    "device": "meta",
}


@both_ways
@pytest.mark.parametrize("name", ["module", "loss", "dtype", "random_state"])
def test_what_cannot_change_is_refused_and_nothing_is(way, name):
    clf, go_on = going_on(way)
    before, record = weights(clf), clf.dynamics_
    clf.set_params(**{name: FIXED[name]})
    with pytest.raises(
        ValueError, match=rf"{name}=.* was set since the last fit.* cannot change {name}: fit anew"
    ):
        go_on(clf)
    assert torch.equal(weights(clf), before)
    assert clf.dynamics_ is record
    clf.set_params(warm_start=False).fit(X, Y)


@both_ways
def test_what_was_changed_in_place_is_noticed(way):
    clf, go_on = going_on(way, module=MLP((8,)))
    clf.module.hidden_layer_sizes = (5,)
    with pytest.raises(ValueError, match="cannot change module"):
        go_on(clf)


@pytest.mark.parametrize("carry", [copy.deepcopy, lambda clf: pickle.loads(pickle.dumps(clf))])
def test_a_copy_goes_on_as_the_original(carry):
    clf = small(loss=FocalLoss(gamma=1.0)).partial_fit(X, Y)
    other = carry(clf)
    assert_same_weights(clf.partial_fit(X, Y), other.partial_fit(X, Y))


def test_a_fit_that_goes_on_needs_two_classes_and_partial_fit_does_not():
    clf, of_one = small(warm_start=True).fit(X, Y), Y[0] == Y
    epochs = clf.n_iter_
    with pytest.raises(ValueError, match="needs at least 2 classes, but y holds one class only"):
        clf.fit(X[of_one], Y[of_one])
    assert clf.partial_fit(X[of_one], Y[of_one]).n_iter_ == epochs + 1


def test_partial_fit_refuses_what_is_of_a_whole_fit():
    for name, value in (("early_stopping", True), ("validation_fraction", 0.2)):
        with pytest.raises(
            ValueError, match=rf"^partial_fit trains one epoch .*{name}={value} cannot be heeded"
        ):
            small(**{name: value}).partial_fit(X, Y)


def test_after_held_out_rows_partial_fit_leaves_one_state():
    clf = small(validation_fraction=0.2).fit(X, Y)
    clf.set_params(validation_fraction=None).partial_fit(X, Y)
    assert len(clf.dynamics_.y) == len(X)
    for name in ("train_indices_", "validation_indices_", "validation_scores_", "validation_dynamics_"):
        assert not hasattr(clf, name)


# Fits that fail


class Fails(torch.nn.Module):
    """Cross-entropy that raises at a call in training."""

    def __init__(self, error=None):
        super().__init__()
        self.error, self.reduction, self.calls = error, "mean", 0

    def forward(self, scores, target):
        if scores.requires_grad:
            self.calls += 1
            if self.error is not None and self.calls > self.error[0]:
                raise self.error[1]
        return torch.nn.functional.cross_entropy(scores, target, reduction=self.reduction)


BATCHES = -(-len(X) // PROBLEM.batch_size)


@pytest.mark.parametrize("call", [2, BATCHES + 3])
def test_a_failed_refit_leaves_the_old_model(call):
    clf = small(max_epochs=3).fit(X, Y)
    state = {name: getattr(clf, name) for name in ("net_", "dynamics_", "loss_", "_state", "n_iter_")}
    before = weights(clf)
    clf.set_params(loss=Fails((call, ZeroDivisionError("tripped"))), random_state=5)
    with pytest.raises(ZeroDivisionError, match="tripped") as caught:
        clf.fit(X, Y)
    assert caught.value.__notes__ == ["The DynamicsClassifier is as it was before this fit."]
    assert all(getattr(clf, name) is value for name, value in state.items())
    assert torch.equal(weights(clf), before)


def test_a_first_fit_that_fails_in_its_first_epoch_is_no_fit():
    clf = small(loss=Fails((2, ZeroDivisionError("tripped"))))
    with pytest.raises(ZeroDivisionError, match="tripped") as caught:
        clf.fit(X, Y)
    assert caught.value.__notes__ == ["The DynamicsClassifier is not fitted."]
    with pytest.raises(NotFittedError):
        clf.predict(X)


def test_a_refit_interrupted_in_its_first_epoch_leaves_the_old_model():
    clf = small().fit(X, Y)
    before = weights(clf)
    clf.set_params(loss=Fails((2, KeyboardInterrupt())), random_state=5)
    with pytest.warns(UserWarning, match="interrupted in epoch 1; the model is as it was before this fit"):
        clf.fit(X, Y)
    assert torch.equal(weights(clf), before)


def test_a_refit_interrupted_later_is_that_of_its_last_whole_epoch():
    clf = small().fit(X, Y)
    clf.set_params(loss=Fails((1 + BATCHES + 2, KeyboardInterrupt())), random_state=5)
    with pytest.warns(UserWarning, match="interrupted in epoch 2; the model is as it was after epoch 1"):
        clf.fit(X, Y)
    assert_same_weights(clf, small(loss=Fails(), random_state=5, max_epochs=1).fit(X, Y))


def test_training_that_goes_on_and_fails_is_as_of_its_last_whole_epoch():
    clf = small(
        warm_start=True, max_epochs=3, loss=Fails((1 + 4 * BATCHES + 1, ZeroDivisionError("tripped")))
    )
    clf.fit(X, Y)
    with pytest.raises(ZeroDivisionError, match="tripped") as caught:
        clf.fit(X, Y)
    assert caught.value.__notes__ == ["The DynamicsClassifier is as it was after epoch 4."]
    whole = small(loss=Fails(), max_epochs=4).fit(X, Y)
    assert_same_weights(clf, whole)
    assert_same_record(clf.dynamics_, whole.dynamics_)


def test_a_refit_among_others_that_fails_leaves_the_old_model():
    made = [small(random_state=s).fit(X, Y) for s in range(2)]
    before = [weights(clf) for clf in made]
    made[1].set_params(loss=Fails((BATCHES + 3, ZeroDivisionError("tripped"))), random_state=5)
    with pytest.warns(RuntimeWarning, match="together failed"), pytest.raises(ZeroDivisionError) as caught:
        fit_together(made, X, Y)
    assert "estimators[1], now as before this fit" in caught.value.__notes__[0]
    assert torch.equal(weights(made[1]), before[1])


# Callbacks


def test_the_log_that_was_asked_for_is_printed(capsys):
    small(callbacks=[PrintLog()]).fit(X, Y)
    assert "train_loss" in capsys.readouterr().out
    small(callbacks=[]).fit(X, Y)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("callback", "monitor"),
    [
        (EarlyStopping(), "train_loss"),
        (EarlyStopping, "train_loss"),
        (("stop", EarlyStopping(monitor="valid_acc", lower_is_better=False)), "train_loss"),
        (Checkpoint(dirname="nowhere"), "train_loss_best"),
    ],
    ids=["instance", "class", "named", "checkpoint"],
)
def test_a_callback_that_watches_validation_needs_some(callback, monitor):
    message = rf'callbacks: .* watches \'valid_.* give X_val and y_val to fit.*validation_fraction.*monitor="{monitor}"'
    clf = small(callbacks=[callback])
    with pytest.raises(ValueError, match=message):
        clf.fit(X, Y)
    assert not hasattr(clf, "net_")


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize(
    "callback",
    [EarlyStopping(monitor="loss"), Checkpoint(monitor="val_loss_best", dirname="nowhere")],
    ids=["early stopping", "checkpoint"],
)
def test_a_column_that_nobody_writes_cannot_be_watched(callback, validated):
    clf = small(callbacks=[callback])
    columns = "train_loss, valid_loss, valid_acc" if validated else "train_loss"
    with pytest.raises(ValueError, match=rf"watches '(loss|val_loss_best)', but .* watched is {columns}\b"):
        clf.fit(X, Y, **({"X_val": X, "y_val": Y} if validated else {}))
    assert not hasattr(clf, "net_")


def test_a_callback_of_ones_own_may_write_what_is_watched():
    class Writes(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.history.record("norm", 1.0)

    small(callbacks=[Writes(), EarlyStopping(monitor="norm", patience=9)]).fit(X, Y)


@pytest.mark.parametrize("scoring", ["accuracy", lambda net, X, y: 0.5], ids=["name", "function"])
def test_a_callback_may_watch_what_another_gives_by_its_own_name(scoring):
    name = scoring if isinstance(scoring, str) else "<lambda>"
    score = EpochScoring(scoring, on_train=True)
    small(callbacks=[score, EarlyStopping(monitor=name, patience=9)]).fit(X, Y)


def test_a_callback_may_watch_what_another_gives():
    score = EpochScoring("accuracy", name="valid_acc", on_train=True)
    small(callbacks=[score, EarlyStopping(monitor="valid_acc", patience=9)]).fit(X, Y)


# Parameters within parameters


def test_nested_names_reach_what_they_name():
    clf = small(module=Net, optimizer="sgd", optimizer_params={"momentum": 0.9}, loss="focal")
    clf.set_params(
        module__hidden=7,
        optimizer_params__momentum=0.5,
        optimizer__lr=0.02,
        optimizer__nesterov=True,
        loss__gamma=3.0,
        callbacks=[("stop", EarlyStopping(monitor="train_loss"))],
    )
    clf.set_params(callbacks__stop__patience=2).fit(X, Y)
    (group,) = clf.net_.optimizer_.param_groups
    assert clf.module_.one.out_features == 7
    assert (group["momentum"], group["lr"], group["nesterov"]) == (0.5, 0.02, True)
    assert clf.loss_.gamma == 3.0
    assert clf.callbacks[0][1].patience == 2
    clone(clf).set_params(module__hidden=5).fit(X, Y)


def test_what_skorch_sets_on_iterators_is_set_here_or_refused():
    clf = small().set_params(
        iterator_train__num_workers=2, iterator_train__batch_size=7, iterator_train__shuffle=False
    )
    assert (clf.num_workers, clf.batch_size, clf.shuffle) == (2, 7, False)
    assert clf.set_params(iterator_valid__num_workers=1).num_workers == 1
    for name in ("iterator_train__drop_last", "iterator_valid__batch_size"):
        with pytest.raises(
            ValueError, match=f"{name.split('__')[1]} of an iterator cannot be set: .* by batch_size"
        ):
            clf.set_params(**{name: 1})


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("criterion", "loss"),
        ("hidden_layer_sizes", "module__hidden_layer_sizes"),
        ("max_iter", "max_epochs"),
        ("alpha", "weight_decay"),
    ],
)
def test_a_name_of_another_classifier_is_told_with_ours(theirs, ours):
    with pytest.raises(ValueError, match=f"{theirs} cannot be set: .* is {ours} here"):
        DynamicsClassifier().set_params(**{theirs: 1})


def test_a_subclass_may_have_a_parameter_of_such_a_name():
    class Own(DynamicsClassifier):
        def __init__(self, alpha=1, loss="log"):
            super().__init__(loss=loss)
            self.alpha = alpha

    assert Own().set_params(alpha=2).alpha == 2


def test_of_the_default_network_too():
    assert (
        small(module=None).set_params(module__hidden_layer_sizes=(4,)).fit(X, Y).module_[0].out_features == 4
    )


@pytest.mark.parametrize("search", [GridSearchCV, BatchedGridSearchCV])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("module__hidden", [2, 6]),
        ("optimizer__weight_decay", [0.0, 0.1]),
        ("optimizer_params__amsgrad", [True, False]),
        ("loss__label_smoothing", [0.1]),
        ("callbacks__EarlyStopping__patience", [1, 2]),
    ],
)
def test_a_search_goes_over_them(search, name, values):
    settings = {"loss": "l2"} if name.startswith("loss") else {}
    clf = small(module=Net, callbacks=[EarlyStopping(monitor="train_loss")], **settings)
    found = search(clf, {name: values}, cv=2, error_score="raise")
    if name.startswith("loss"):
        with pytest.raises(ValueError, match="loss__label_smoothing cannot be set: L2Loss has"):
            found.fit(X, Y)
        return
    assert found.fit(X, Y).best_params_[name] in values


@pytest.mark.parametrize(
    ("settings", "name", "message"),
    [
        ({"module": Net()}, "module__hidden", "module is an instance, Net; give the class, module=Net"),
        ({"module": Net}, "module__hiden", "Net takes hidden, n_classes"),
        (
            {"loss": torch.nn.CrossEntropyLoss()},
            "loss__label_smoothing",
            "give a loss that was made with them",
        ),
        ({}, "callbacks__stop__patience", "no single callback 'stop'; there are none"),
        ({}, "record__samples", "set record itself"),
        ({}, "class_weight__0", "set class_weight itself"),
        ({}, "criterion__weight", "criterion of other classifiers is loss here"),
    ],
)
def test_what_has_no_parameters_of_its_own_is_refused(settings, name, message):
    with pytest.raises(ValueError, match=message):
        small(**settings).set_params(**{name: 1})


# The optimizer


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_kernels_that_were_asked_for_are_taken(optimizer):
    plain = small(optimizer=optimizer).fit(X, Y)
    clf = small(optimizer=optimizer, optimizer_params={"foreach": True}).fit(X, Y)
    assert clf.loss_curve_ == pytest.approx(plain.loss_curve_, rel=1e-4)
    assert not clf.net_.optimizer_.param_groups[0].get("fused")


@pytest.mark.parametrize("batch_size", [16, "full"])
def test_groups_of_parameters_have_rates_of_their_own(batch_size):
    groups = [("two.*", {"lr": 0.5}), ("one.*", {"lr": 0.0})]  # not in the order of the module
    clf = small(module=Net, optimizer="sgd", optimizer_params={"param_groups": groups}, batch_size=batch_size)
    clf.fit(X, Y)
    start = clf.at_epoch(0).module_
    assert torch.equal(start.one.weight, clf.module_.one.weight)
    assert not torch.equal(start.two.weight, clf.module_.two.weight)


@pytest.mark.parametrize("batch_size", [16, "full"])
def test_groups_in_another_order_than_the_module(batch_size):
    """A chain of linear layers, whose gradients come in the module's order."""
    chain = torch.nn.Sequential(torch.nn.Linear(16, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    for frozen, trained in ((0, 2), (2, 0)):
        groups = [(f"{trained}.*", {"lr": 0.5}), (f"{frozen}.*", {"lr": 0.0})]
        clf = small(
            module=chain, optimizer="sgd", optimizer_params={"param_groups": groups}, batch_size=batch_size
        )
        clf.fit(X, Y)
        assert torch.equal(chain[frozen].weight, clf.module_[frozen].weight)
        assert not torch.equal(chain[trained].weight, clf.module_[trained].weight)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (
            [("body.*", {"lr": 1e-5})],
            r"names 'body\.\*', but no parameter of the module is called so; they are one",
        ),
        ([("one.*", {"rate": 1})], "param_groups sets 'rate' for .*but Adam has lr"),
        ({"one.*": {"lr": 1}}, "param_groups must be a list of"),
    ],
)
def test_groups_that_mean_nothing_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        small(module=Net, optimizer_params={"param_groups": groups}).fit(X, Y)


@pytest.mark.parametrize("batch_size", [16, "full"])
@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin"])
def test_the_optimizer_that_a_callback_sets_is_the_one_that_trains(batch_size, hook):
    def replace(self, net, **kwargs):
        if not isinstance(net.optimizer_, torch.optim.Adagrad):
            net.optimizer_ = torch.optim.Adagrad(net.module_.parameters(), lr=0.0)

    still = type("Still", (Callback,), {hook: replace})
    clf = small(callbacks=[still()], batch_size=batch_size).fit(X, Y)
    assert_same_weights(clf, clf.at_epoch(0))
    assert len(clf.net_.optimizer_.state) == 4


def test_no_parameter_is_caught_unseen():
    with pytest.raises(TypeError, match="unexpected keyword"):
        DynamicsClassifier(module__hidden=3)


@both_ways
@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_a_model_mapped_from_a_file_goes_on_and_leaves_the_file(way, mode, tmp_path):
    path = tmp_path / "model.joblib"
    in_memory, go_on = going_on(way)
    joblib.dump(in_memory, path)
    before = path.read_bytes()
    mapped = joblib.load(path, mmap_mode=mode)
    go_on(mapped)
    go_on(in_memory)
    assert path.read_bytes() == before
    assert_same_weights(mapped, in_memory)
    assert_same_record(mapped.dynamics_, in_memory.dynamics_)
    assert mapped.at_epoch(1).score(X, Y) == in_memory.at_epoch(1).score(X, Y)


def net_of_a_function():
    """A class that no pickle finds, with a tensor that it keeps of its last pass."""

    class Local(Net):
        def forward(self, x):
            self.kept = super().forward(x)
            return self.kept

    return Local


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_copy_of_a_model_whose_class_a_function_defines_goes_on_by_itself(optimizer):
    clf = small(module=net_of_a_function(), optimizer=optimizer, loss=FocalLoss(), warm_start=True)
    clf.set_params(callbacks=[EpochScoring("accuracy")]).fit(X, Y)
    before, twin = weights(clf), copy.deepcopy(clf)
    assert twin.net_.module_ is twin.module_ is not clf.module_
    learned = {id(p) for p in twin.module_.parameters()}
    assert {id(p) for group in twin.net_.optimizer_.param_groups for p in group["params"]} == learned
    twin.fit(X, Y)
    assert torch.equal(weights(clf), before)
    clf.fit(X, Y)
    assert_same_weights(twin, clf)
    assert_same_record(twin.dynamics_, clf.dynamics_)


@pytest.mark.parametrize(
    "travel", [copy.deepcopy, lambda clf: pickle.loads(pickle.dumps(clf))], ids=["copy", "pickle"]
)
def test_lbfgs_goes_on_after_a_pickle(travel):
    """torch leaves behind which parameters it moves."""
    problem = Problem("mlp", MLP((4,)))
    X, y = problem.data()
    settings = {"optimizer": "lbfgs", "optimizer_params": {"max_iter": 3}, "lr": 0.1, "batch_size": "full"}
    make = lambda **changes: problem.classifier(**settings, **changes)  # noqa: E731
    half = travel(make(max_epochs=2, warm_start=True).fit(X, y)).fit(X, y)
    whole = make(max_epochs=4).fit(X, y)
    assert_same_weights(half, whole)
    assert_same_record(half.dynamics_, whole.dynamics_)
