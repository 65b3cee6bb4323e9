"""compare_losses: the runs are those one would make by hand, tuned as one would; what is refused, and what is kept."""

import re
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from sklearn_nndyn import DynamicsClassifier, EntanglementAnalyzer, LossTailAnalyzer, compare_losses
from sklearn_nndyn.classifiers import train_in_groups
from sklearn_nndyn.datasets import corrupt_inputs, corrupt_labels
from sklearn_nndyn.losses import CustomLoss, FocalLoss, loss_names
from sklearn_nndyn.model_selection.comparison import _runs
from sklearn_nndyn.modules import MLP
from tests.analyzers.saying import flat
from tests.pairwise import for_each
from tests.problems import convolution_net

DIGITS, LABELS = load_digits(n_class=4, return_X_y=True)
X, X_TEST = DIGITS[:90] / 16, DIGITS[90:150] / 16
Y, Y_TEST = (
    np.array(["nil", "one", "two", "tri"])[LABELS[:150]][:90],
    np.array(["nil", "one", "two", "tri"])[LABELS[90:150]],
)
CLF = DynamicsClassifier(MLP((6,), activation="tanh"), max_epochs=6, lr=0.01, batch_size=16, dtype="float64")
LOSSES, LABEL_NOISE, INPUT_NOISE, SEEDS = ("log", "l2", "squared_hinge"), (0.4, 0.0), (0.0, 0.5), (7, 3, 5)
FACTORS = (3, 1, 0.1)
TESTED = {"X_test": X_TEST, "y_test": Y_TEST}


@pytest.fixture(scope="module")
def found():
    return compare_losses(
        CLF, X, Y, losses=LOSSES, label_noise=LABEL_NOISE, input_noise=INPUT_NOISE, seeds=SEEDS, lr_factors=FACTORS,
        tuning_runs=2, held_out=0.3, stretch=0.4, **TESTED,
    )  # fmt: skip


def small(estimator=CLF, X=X, y=Y, **given):
    """Few runs, without tuning."""
    defaults = {"losses": ["log", "l2"], "seeds": 2, "learning_rates": "fixed"}
    return compare_losses(estimator, X, y, **(defaults | TESTED | given))


def noisy(label, added, seed):
    """What the docstring says is trained on."""
    return (
        corrupt_inputs(X, added, random_state=seed) if added else X,
        corrupt_labels(Y, label, random_state=seed)[0] if label else Y,
    )


def by_hand(estimator, loss, lr, seed, X, y, **tested):
    return clone(estimator).set_params(loss=loss, lr=lr, random_state=seed).fit(X, y, **tested)


# ------------------------------------------------------------------------------------- the runs


def test_there_is_a_run_for_each_loss_level_and_seed_in_order(found):
    names = ("loss", "label_noise", "input_noise", "seed")
    rows = list(zip(*(found.runs[name].tolist() for name in names), strict=True))
    assert rows == list(product(LOSSES, LABEL_NOISE, INPUT_NOISE, SEEDS))
    assert (found.losses, found.label_noise, found.input_noise, found.seeds) == (
        LOSSES, LABEL_NOISE, INPUT_NOISE, SEEDS,
    )  # fmt: skip
    assert found.epochs.tolist() == list(range(7))
    assert set(found.runs["ended"]) == {""}


def test_each_run_is_the_fit_one_would_make_by_hand(found):
    """Every other one: of each seed, of each loss and of each noise."""
    curves = set()
    for i in range(0, len(found.runs["loss"]), 2):
        run = {name: column[i] for name, column in found.runs.items()}
        own = by_hand(
            CLF, run["loss"], run["lr"], run["seed"], *noisy(run["label_noise"], run["input_noise"], run["seed"]),
            X_val=X_TEST, y_val=Y_TEST,
        )  # fmt: skip
        test, trained = own.validation_dynamics_, own.dynamics_
        np.testing.assert_array_equal(found.test_accuracy[i], test.accuracy)
        np.testing.assert_array_equal(found.train_accuracy[i], trained.accuracy)
        figures = {
            "learning_speed": test.accuracy[3:].mean(),
            "final_accuracy": own.score(X_TEST, Y_TEST),
            "best_accuracy": max(test.accuracy),
            "train_accuracy": trained.accuracy[-1],
            "tail_share": LossTailAnalyzer().fit(test).tail_share_,
            "inversion_error": EntanglementAnalyzer().fit(trained).inversion_error_,
        }
        for name, figure in figures.items():
            np.testing.assert_allclose(run[name], figure, rtol=1e-6, err_msg=name)
        curves.add(tuple(test.accuracy))
    assert found.stretch == (3, 6)
    assert len(curves) > 15  # otherwise the same curves would say nothing


def test_in_single_precision_runs_are_those_by_hand_up_to_rounding():
    clf = clone(CLF).set_params(dtype="float32")
    found = small(clf, label_noise=(0.2,))
    for i, loss in enumerate(found.runs["loss"]):
        seed = found.runs["seed"][i]
        own = by_hand(clf, loss, 0.01, seed, *noisy(0.2, 0, seed), X_val=X_TEST, y_val=Y_TEST)
        np.testing.assert_allclose(found.test_accuracy[i], own.validation_dynamics_.accuracy, atol=1.01 / 60)


def test_noise_and_first_weights_of_a_seed_are_the_same_for_all_losses(monkeypatch):
    seen = {}

    def watched(fits, **settings):
        for fit in fits:
            data, labels = fit.inputs.watched["train"], fit.inputs.labels["train"]
            weights = torch.cat([own.flatten() for own in fit.fit.net.module_.parameters()]).tolist()
            parts = data.X.tolist(), labels.tolist(), weights
            seen.setdefault(fit.estimator.random_state, []).append(parts)
        return train_in_groups(fits, **settings)

    monkeypatch.setattr(_runs, "train_in_groups", watched)
    small(label_noise=(0.4,), input_noise=(0.3,), seeds=(2, 9))
    assert list(seen) == [2, 9]
    for first, second in seen.values():
        assert first == second
    for part in range(3):
        assert seen[2][0][part] != seen[9][0][part]


def test_runs_do_not_depend_on_what_else_is_compared(found):
    alone = small(losses=["l2"], label_noise=(0.4,), seeds=(3,), learning_rates={"l2": 0.01}, stretch=0.4)
    again = small(losses=["hinge", "l2"], label_noise=(0, 0.4), seeds=(5, 3), stretch=0.4)
    (place,) = again.select(loss="l2", label_noise=0.4, seed=3)
    np.testing.assert_array_equal(alone.test_accuracy[0], again.test_accuracy[place])
    assert alone.runs["learning_speed"][0] == again.runs["learning_speed"][place]


@pytest.mark.parametrize("at_once", [1, 9 * 150 * 7 * 3])
def test_runs_do_not_depend_on_how_many_are_trained_at_once(monkeypatch, at_once):
    expected, sizes = small(seeds=3), []

    def watched(fits, **settings):
        sizes.append(len(fits))
        return train_in_groups(fits, **settings)

    monkeypatch.setattr(_runs, "train_in_groups", watched)
    monkeypatch.setattr(_runs, "RECORDS_AT_ONCE", at_once)
    parts = small(seeds=3)
    assert sizes == ([1] * 6 if at_once == 1 else [3, 3])
    np.testing.assert_array_equal(parts.test_accuracy, expected.test_accuracy)


# -------------------------------------------------------------------------------------- the rates


def held_out(loss, lr, label, added, seed):
    """Accuracy on what the tuning holds out, as the docstring says."""
    own_X, own_y = noisy(label, added, seed)
    split = np.random.RandomState(seed).randint(np.iinfo(np.int32).max)
    kept, held = train_test_split(np.arange(90), test_size=27, stratify=own_y, random_state=split)
    return by_hand(CLF, loss, lr, seed, own_X[kept], own_y[kept]).score(own_X[held], own_y[held])


def test_the_tuned_rate_does_best_on_the_part_held_out(found):
    rates = [0.001, 0.01, 0.03]
    assert found.tuned
    np.testing.assert_allclose(found.tried, rates)
    for loss, (label, added) in product(LOSSES, zip(LABEL_NOISE, INPUT_NOISE, strict=True)):
        scores = [sum(held_out(loss, lr, label, added, seed) for seed in SEEDS[:2]) for lr in found.tried]
        best = [lr for lr, score in zip(found.tried, scores, strict=True) if score == max(scores)]
        lrs = found.runs["lr"][found.select(loss=loss, label_noise=label, input_noise=added)]
        assert set(lrs) == {min(best, key=lambda lr: abs(np.log(lr / 0.01)))}
    assert len(set(found.runs["lr"])) > 1


def test_of_rates_that_do_as_well_the_nearest_to_ones_own_is_taken(monkeypatch):
    monkeypatch.setattr(DynamicsClassifier, "score", lambda self, X, y: 0.5 if self.lr > 1e-3 else 0.4)
    found = small(learning_rates="tuned", lr_factors=(10, 0.3, 3, 0.01, 100))
    assert set(found.runs["lr"]) == {0.03}
    found = small(learning_rates="tuned", lr_factors=(1, 10, 0.3))
    assert set(found.runs["lr"]) == {0.01}


def touchy(scores, target):
    if (scores.detach().abs() > 1e4).any():
        raise ValueError("too much")
    return own_loss(scores, target)


def test_a_rate_that_diverges_or_fails_is_taken_last(monkeypatch):
    clf = clone(CLF).set_params(optimizer="sgd", max_epochs=3)
    settings = {
        "losses": {"l2": "l2", "touchy": touchy},
        "learning_rates": "tuned",
        "tuning_runs": 2,
        "seeds": 3,
    }
    monkeypatch.setattr(DynamicsClassifier, "score", lambda self, X, y: np.log10(self.lr))
    found = small(clf, lr_factors=(1e-3, 1e9), **settings)
    assert found.runs["lr"].tolist() == [1e-5] * 6
    with pytest.warns(
        ConvergenceWarning, match=r"^3 runs diverged and count as of the epoch before \(l2\)\.$"
    ):
        found = small(clf, lr_factors=(1e9, 1e10), **(settings | {"losses": ["l2"]}))
    assert found.runs["lr"].tolist() == [1e8] * 3


def test_a_rate_must_do_with_every_seed():
    of_all = _runs._merit_of_all
    whole, diverged, failed = [(1, 0.2), (1, 0.3)], [(1, 0.9), (0, 0.9)], [(1, 0.9), (-1, 0.0)]
    assert of_all(whole) > of_all(diverged) > of_all(failed)
    assert of_all([(1, 0.2), (1, 0.5)]) > of_all([(1, 0.4), (1, 0.2)])


def test_rates_can_be_given():
    fixed = small(losses=["log", "l2"])
    assert fixed.runs["lr"].tolist() == [0.01] * 4
    given = small(learning_rates={"l2": 0.02, "log": 1e-3, "l1": 1})
    assert given.runs["lr"].tolist() == [1e-3, 1e-3, 0.02, 0.02]
    for found in (fixed, given):
        assert not found.tuned
        assert found.tried == ()


def test_the_tuning_never_holds_out_just_the_wrong_labels():
    """Without strata the split of one's own seed would be the choice of the labels that are drawn anew."""
    y = np.append(np.arange(89) % 4, 4)
    plan = type("Plan", (), {"held_out": 0.5})
    settings = _runs.RunSettings(CLF, X, y, None, None)
    for seed in range(3):
        _, changed = corrupt_labels(y, 0.5, random_state=seed)
        _, held = settings.split(plan, 0.5, seed)
        assert len(held) == 45
        assert 0.3 < changed[held].sum() / changed.sum() < 0.7


# ------------------------------------------------------------------------------ what may be compared


def test_by_default_the_twelve_losses_of_the_paper_are_compared():
    found = small(losses=None, seeds=1)
    assert found.losses == tuple(loss_names("paper"))
    assert found.runs["seed"].tolist() == [0] * 12


def own_loss(scores, target):
    return torch.nn.functional.cross_entropy(scores, target, reduction="none")


def test_losses_of_every_kind_have_names():
    smooth = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    given = ["log", smooth, own_loss, FocalLoss(gamma=1), FocalLoss, CustomLoss(torch.nn.MultiMarginLoss())]
    found = small(losses=given[:4] + given[5:], seeds=1)
    assert found.losses == ("log", "label_smoothing", "own_loss", "focal", "MultiMarginLoss")
    np.testing.assert_allclose(found.test_accuracy[2], found.test_accuracy[0])
    assert small(losses=[*given[3:4], FocalLoss(gamma=2)], seeds=1).losses == (
        "FocalLoss(gamma=1.0, link='softmax', reduction='mean')",
        "FocalLoss(gamma=2.0, link='softmax', reduction='mean')",
    )
    named = small(
        losses={"a": smooth, "b": torch.nn.CrossEntropyLoss(label_smoothing=0.9), "log": "log"}, seeds=1
    )
    assert named.losses == ("a", "b", "log")
    assert small(losses=[FocalLoss], seeds=1).losses == ("focal",)


def test_images_and_networks_of_ones_own():
    clf = DynamicsClassifier(convolution_net, max_epochs=2, batch_size=30)
    images, tested = X.reshape(-1, 1, 8, 8)[:, :, :4, :4], X_TEST.reshape(-1, 1, 8, 8)[:, :, :4, :4]
    found = compare_losses(
        clf, images, Y, losses=["log", "l2"], seeds=1, input_noise=(0, 0.5), learning_rates="fixed", X_test=tested,
        y_test=Y_TEST,
    )  # fmt: skip
    own = by_hand(
        clf, "l2", 1e-3, 0, corrupt_inputs(images, 0.5, random_state=0), Y, X_val=tested, y_val=Y_TEST
    )
    np.testing.assert_allclose(found.test_accuracy[-1], own.validation_dynamics_.accuracy, atol=0.02)


def test_without_hidden_layers_there_is_no_inversion():
    found = small(clone(CLF).set_params(module=MLP(())))
    assert np.isnan(found.runs["inversion_error"]).all()
    assert np.isfinite(found.runs["tail_share"]).all()


def test_one_seed_has_means_and_no_intervals():
    one = small(seeds=1)
    assert one.seeds == (0,)
    for loss, mean, half in one.intervals():
        assert mean == one.test_accuracy[one.select(loss=loss), -1].item()
        assert np.isnan(half)
    assert all(np.isnan(p) for _, _, _, p in one.ranks())


def test_a_class_that_is_not_among_the_test_samples():
    """It is learned all the same, and the accuracy is that of the others."""
    others = Y_TEST != "two"
    few = small(X_test=X_TEST[others], y_test=Y_TEST[others])
    for i, (loss, seed) in enumerate(zip(few.runs["loss"], few.runs["seed"], strict=True)):
        own = by_hand(CLF, loss, CLF.lr, seed, X, Y)
        assert set(own.classes_) == set(Y)
        assert few.runs["final_accuracy"][i] == pytest.approx(own.score(X_TEST[others], Y_TEST[others]))


def test_one_epoch_is_enough():
    found = small(clone(CLF).set_params(max_epochs=1))
    assert found.test_accuracy.shape == (4, 2)
    assert found.stretch == (1, 1)
    np.testing.assert_array_equal(found.runs["learning_speed"], found.test_accuracy[:, 1])


@pytest.mark.parametrize(("stretch", "first"), [(0, 1), (0.1, 1), (0.29, 2), (0.5, 4), (0.99, 6)])
def test_learning_speed_is_the_mean_over_the_stretch(stretch, first):
    found = small(losses=["log"], stretch=stretch)
    assert found.stretch == (first, 6)
    np.testing.assert_allclose(found.runs["learning_speed"], found.test_accuracy[:, first:].mean(axis=1))


def test_settings_of_the_estimator_that_would_get_in_the_way_are_left_out():
    odd = clone(CLF).set_params(
        early_stopping=True, n_iter_no_change=1, validation_fraction=0.5, record=(), record_epochs=[3], snapshots=True,
        warm_start=True, random_state=np.random.RandomState(1), loss="l1",
    )  # fmt: skip
    before = odd.get_params(deep=False)
    np.testing.assert_array_equal(small(odd).test_accuracy, small().test_accuracy)
    assert odd.get_params(deep=False) == before
    assert not hasattr(odd, "classes_")


def test_data_of_every_kind():
    expected = small().test_accuracy
    columns = [f"pixel {i}" for i in range(64)]
    frame, tested = pd.DataFrame(X, columns=columns), pd.DataFrame(X_TEST, columns=columns)
    found = small(X=frame, y=pd.Series(Y), X_test=tested, y_test=Y_TEST.tolist())
    np.testing.assert_array_equal(found.test_accuracy, expected)
    with pytest.raises(ValueError, match=r"^X_test, y_test: The feature names should match"):
        small(X=frame, X_test=tested[columns[::-1]])
    np.testing.assert_array_equal(small(X=X.tolist(), y=Y.tolist()).test_accuracy, expected)


# -------------------------------------------------------------------------------- what goes wrong


def test_a_run_that_diverges_is_told_and_stays_where_it_was():
    """A million times too fast, the first epochs may be survived and a later one is not."""
    clf = clone(CLF).set_params(optimizer="sgd", max_epochs=5)
    with pytest.warns(ConvergenceWarning) as told:
        found = small(
            clf,
            losses=["log", "l2", "cubed_hinge"],
            learning_rates={"log": 0.01, "l2": 3.0, "cubed_hinge": 30.0},
        )
    assert len(told) == 1
    assert set(found.runs["ended"][2:]) == {"diverged"}
    assert found.runs["ended"][:2].tolist() == ["", ""]
    assert str(told[0].message) == "4 runs diverged and count as of the epoch before (l2, cubed_hinge)."
    assert str(told[0].message) in flat(found.summary())
    assert told[0].filename == __file__
    for i in range(2, 6):
        curve = found.test_accuracy[i]
        ended = np.flatnonzero(np.isfinite(curve))[-1]
        assert ended < 5
        assert np.isnan(curve[ended + 1 :]).all()
        assert np.isnan(found.train_accuracy[i, ended + 1 :]).all()
        held = np.append(curve[: ended + 1], [curve[ended]] * (5 - ended))
        figures = [
            found.runs[name][i]
            for name in ("learning_speed", "final_accuracy", "best_accuracy", "train_accuracy")
        ]
        expected = [held[1:].mean(), curve[ended], np.nanmax(curve), found.train_accuracy[i, ended]]
        np.testing.assert_allclose(figures, expected)


def test_test_losses_that_are_not_finite_cost_a_figure_only():
    clf = clone(CLF).set_params(optimizer="sgd", max_epochs=2, dtype="float32")
    with pytest.warns(ConvergenceWarning, match="diverged"):
        found = small(clf, learning_rates={"log": 1e-3, "l2": 1e25})
    assert np.isfinite(found.runs["tail_share"][:2]).all()
    assert np.isnan(found.runs["tail_share"][2:]).all()
    assert np.isfinite(found.runs["final_accuracy"]).all()


class Breaks:
    """The log loss, until it was asked for often enough."""

    __name__ = "breaks"

    def __init__(self, calls):
        self.calls = calls

    def __call__(self, scores, target):
        self.calls -= 1
        if self.calls < 0:
            raise self.error
        return own_loss(scores, target)

    error = RuntimeError("no more\nof this")


def test_a_loss_that_fails_takes_nothing_with_it():
    expected = small(losses=["log", "l2"])
    with pytest.warns(FitFailedWarning) as told:
        found = small(losses={"log": "log", "mine": Breaks(12), "l2": "l2"})
    assert len(told) == 1
    message = "2 runs failed and do not count (mine): "
    assert str(told[0].message).startswith(message)
    assert "no more of this" in found.runs["ended"][2]
    assert message in flat(found.summary())
    for name in ("learning_speed", "final_accuracy", "best_accuracy", "train_accuracy", "tail_share"):
        assert np.isnan(found.runs[name][2:4]).all()
        np.testing.assert_array_equal(found.runs[name][[0, 1, 4, 5]], expected.runs[name])
    np.testing.assert_array_equal(found.test_accuracy[[0, 1, 4, 5]], expected.test_accuracy)
    assert [row[0] for row in found.ranks()][-1] == "mine"


def test_a_loss_that_fails_while_tuning_takes_nothing_with_it():
    with pytest.warns(
        FitFailedWarning, match=r"^1 run failed and does not count \(mine\): .*no more of this"
    ):
        found = small(
            losses={"mine": Breaks(20), "l2": "l2"}, seeds=1, learning_rates="tuned", lr_factors=(1, 2)
        )
    assert np.isnan(found.runs["final_accuracy"]).tolist() == [True, False]


def interrupt_after(monkeypatch, n_calls):
    """The keyboard interrupts in the second epoch of this call of ``train``."""
    calls = []

    def interrupted(fits, **settings):
        calls.append(len(fits))
        if len(calls) <= n_calls:
            return train_in_groups(fits, **settings)
        for fit in fits:
            fit.train(2)
        raise KeyboardInterrupt

    monkeypatch.setattr(_runs, "train_in_groups", interrupted)


def test_what_was_trained_before_an_interruption_is_kept(monkeypatch):
    expected = small(label_noise=(0, 0.4, 0.2))
    interrupt_after(monkeypatch, 1)
    with pytest.warns(
        UserWarning, match=r"^8 runs were not finished when the keyboard interrupted, and do not count\.$"
    ):
        found = small(label_noise=(0, 0.4, 0.2))
    done, begun, never = (found.select(label_noise=level) for level in (0, 0.4, 0.2))
    np.testing.assert_array_equal(found.test_accuracy[done], expected.test_accuracy[done])
    for name in ("final_accuracy", "learning_speed", "lr"):
        np.testing.assert_array_equal(found.runs[name][done], expected.runs[name][done])
    np.testing.assert_array_equal(found.test_accuracy[begun, :3], expected.test_accuracy[begun, :3])
    assert np.isnan(found.test_accuracy[begun, 3:]).all()
    assert np.isnan(found.test_accuracy[never]).all()
    assert np.isnan(found.runs["final_accuracy"][np.append(begun, never)]).all()
    assert found.runs["ended"][done].tolist() == [""] * 4
    assert set(found.runs["ended"][np.append(begun, never)]) == {"interrupted"}
    assert found.runs["label_noise"].tolist() == expected.runs["label_noise"].tolist()


class Interrupts(Breaks):
    """The keyboard is pressed while a loss is computed."""

    error = KeyboardInterrupt()


def test_an_interruption_in_the_middle_of_an_epoch_leaves_the_epochs_before():
    expected = small(losses=["log", "l2"])
    with pytest.warns(UserWarning, match=r"^\d runs were not finished when the keyboard interrupted"):
        found = small(losses={"log": "log", "l2": "l2", "mine": Interrupts(30)})
    ended = found.runs["ended"]
    assert set(ended[4:]) == {"interrupted"}
    assert set(ended[:4]) <= {"", "interrupted"}
    assert np.isnan(found.test_accuracy[ended == "interrupted", -1]).all()
    n_epochs = np.isfinite(found.test_accuracy).sum(axis=1)
    assert n_epochs[4:].max() > 1
    for i, known in enumerate(n_epochs[:4]):
        np.testing.assert_array_equal(found.test_accuracy[i, :known], expected.test_accuracy[i, :known])
    assert "not finished when the keyboard interrupted, and do not count." in flat(found.summary())


def test_an_interruption_before_anything_was_trained_is_one(monkeypatch):
    interrupt_after(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt):
        small(learning_rates="tuned")
    interrupt_after(monkeypatch, 3)
    with pytest.warns(UserWarning, match="^4 runs were not finished"):
        small(learning_rates="tuned", label_noise=(0, 0.1))


# ----------------------------------------------------------------------------------------- refused


@pytest.fixture
def untrained(monkeypatch):
    """Whoever trains is caught."""
    monkeypatch.setattr(_runs, "train_in_groups", None)


REFUSED = {
    "losses": {
        "log": "losses must be a list of losses, such as ['log', 'l2'], got 'log'.",
        3: "losses must be a list of losses, such as ['log', 'l2'], got 3.",
        (): "losses: give at least one.",
        ("log", "squard_log"): "Unknown loss 'squard_log'; the nearest name is 'squared_log'.",
        ("log", "l2", "log"): "losses: log was given more than once. Losses that differ in their parameters can be "
        "given names of their own: losses={name: loss, ...}.",
    },
    "label_noise": {
        (0, 1.5): "label_noise must be between 0 and 1, got 1.5.",
        (-0.1, 0): "label_noise must be between 0 and 1, got -0.1.",
        (np.nan,): "label_noise must be between 0 and 1, got nan.",
        (True,): "label_noise must be a number between 0 and 1, got True.",
        (): "label_noise: give at least one level; 0 is none.",
        (0.2, 0.2): "label_noise: a level was given more than once: (0.2, 0.2).",
        "much": "label_noise must be a list of levels, such as (0, 0.2), got 'much'.",
        None: "label_noise must be a list of levels, such as (0, 0.2), got None.",
    },
    "input_noise": {
        -1: "input_noise must be finite and 0 or more, got -1.",
        (0, np.inf): "input_noise must be finite and 0 or more, got inf.",
        (np.nan,): "input_noise must be finite and 0 or more, got nan.",
    },
    "seeds": {
        0: "seeds must be one run or more, got 0.",
        None: "seeds must be a number of runs or a list of seeds, got None.",
        2.0: "seeds must be a number of runs or a list of seeds, got 2.0.",
        (0, 1.5): "seeds must be whole numbers from 0 to 2**32 - 1, got 1.5.",
        (0, True): "seeds must be whole numbers from 0 to 2**32 - 1, got True.",
        (2**32,): f"seeds must be whole numbers from 0 to 2**32 - 1, got {2**32}.",
        (-1,): "seeds must be whole numbers from 0 to 2**32 - 1, got -1.",
        (): "seeds must be one or more different ones, got ().",
        (1, 1): "seeds must be one or more different ones, got (1, 1).",
    },
    "learning_rates": {
        "auto": "learning_rates must be 'tuned', 'fixed' or a dict of rates, got 'auto'.",
        0.1: "learning_rates must be 'tuned', 'fixed' or a dict of rates, got 0.1.",
    },
    "lr_factors": {
        (): "lr_factors: give at least one.",
        (1, -1): "lr_factors must be finite and greater than 0, got -1.",
        (np.inf,): "lr_factors must be finite and greater than 0, got inf.",
        None: "lr_factors must be a list of factors, such as (0.1, 1, 10), got None.",
    },
    "tuning_runs": {
        0: "tuning_runs must be 1 or more, got 0.",
        1.5: "tuning_runs must be a whole number, got 1.5.",
        True: "tuning_runs must be a whole number, got True.",
    },
    "held_out": {
        0: "held_out must be between 0 and 1, a share of the training samples; got 0.",
        1: "held_out must be between 0 and 1, a share of the training samples; got 1.",
        "half": "held_out must be a number between 0 and 1, got 'half'.",
    },
    "stretch": {
        1: "stretch must be between 0 and 1, a share of the epochs; got 1.",
        -0.1: "stretch must be between 0 and 1, a share of the epochs; got -0.1.",
        None: "stretch must be a number between 0 and 1, got None.",
    },
}  # fmt: skip
CASES = [(name, value, told) for name, cases in REFUSED.items() for value, told in cases.items()]


@for_each("case", {f"{name}={value}": (name, value, told) for name, value, told in CASES})
def test_mistakes_are_told_before_anything_is_trained(case, untrained):
    name, value, told = case
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(told)}") as caught:
        small(**{name: value})
    assert caught.type is (
        TypeError if "must be a number b" in told or "a whole number," in told else ValueError
    )


@pytest.mark.usefixtures("untrained")
def test_mistakes_in_mappings_are_told():
    with pytest.raises(ValueError, match=r"^learning_rates has no rate for l2\.$"):
        small(learning_rates={"log": 0.1})
    with pytest.raises(
        ValueError, match=r"^learning_rates\['l2'\] must be finite and greater than 0, got 0\.$"
    ):
        small(learning_rates={"log": 0.1, "l2": 0})
    with pytest.raises(ValueError, match=r"^losses: the keys are their names, got 1\.$"):
        small(losses={1: "log"})
    with pytest.raises(
        TypeError, match=r"^loss must be a name, a ClassificationLoss, a torch module or a callable"
    ):
        small(losses=["log", 3])
    with pytest.raises(
        ValueError, match=r"^losses must be a list of losses, such as \['log', 'l2'\], got FocalLoss"
    ):
        small(losses=FocalLoss())
    same = [torch.nn.CrossEntropyLoss(label_smoothing=share) for share in (0.1, 0.2)]
    with pytest.raises(
        ValueError, match=r"^losses: CrossEntropyLoss\(\) was given more than once\. Losses that"
    ):
        small(losses=same)


@pytest.mark.usefixtures("untrained")
def test_mistakes_in_the_estimator_are_told_before_anything_is_trained():
    for wrong in (LogisticRegression(), DynamicsClassifier, None):
        with pytest.raises(TypeError, match=r"^estimator must be a DynamicsClassifier, got "):
            small(wrong)
    with pytest.raises(ValueError, match=r"^lr must be a finite number greater than 0, got None\.$"):
        small(clone(CLF).set_params(lr=None))
    with pytest.raises(
        ValueError, match=r"^2 parameters cannot be used:\n- max_epochs must be .*\n- lr must be"
    ):
        small(clone(CLF).set_params(lr=-1, max_epochs=0))


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize("rates", ["tuned", "fixed"])
def test_mistakes_in_the_data_are_told_before_anything_is_trained(rates):
    def refused(told, **given):
        with pytest.raises(ValueError, match=told):
            small(learning_rates=rates, **given)

    refused(
        "^X_test, y_test: X has 63 features, but DynamicsClassifier is expecting 64", X_test=X_TEST[:, 1:]
    )
    refused(r"^X_test, y_test: Found input variables with inconsistent numbers of samples", y_test=Y_TEST[1:])
    refused(r"^y_test holds labels unseen at fit: \['six'\]", y_test=np.append(Y_TEST[1:], "six"))
    refused("^X_test and y_test are needed: the samples to test on.$", X_test=None)
    refused("^X_test and y_test are needed: the samples to test on.$", y_test=None)
    refused("Input X contains NaN", X=np.where(X[0, 5] == X, np.nan, X))
    refused("inconsistent numbers of samples", y=Y[1:])
    refused("holds one class only", y=["nil"] * 90)
    few = {"X": X[:8], "y": ["nil"] * 4 + ["one"] * 3 + ["rare"], "X_test": X_TEST[:8], "y_test": ["nil"] * 8}
    refused(
        r"^label_noise=0.125 leaves no sample of class rare with seed \d+\.$",
        label_noise=(0, 0.125),
        seeds=40,
        **few,
    )
    odd = X.reshape(-1, 1, 1, 8, 8)
    deep = DynamicsClassifier(
        lambda shape, n: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, n))
    )
    refused(
        r"^X must have shape \(n_samples, n_features\)",
        estimator=deep, X=odd, X_test=X_TEST.reshape(-1, 1, 1, 8, 8), input_noise=(0, 0.1),
    )  # fmt: skip


@pytest.mark.usefixtures("untrained")
def test_too_little_to_tune_on_is_told():
    few = {"X": X[:3], "y": Y[:3], "learning_rates": "tuned", "X_test": X_TEST[:3], "y_test": Y[:3]}
    told = "leaves less than two classes of 3 samples to tune learning rates on."
    with pytest.raises(ValueError, match=f"^held_out=0.9 {told}$"):
        small(held_out=0.9, **few)
    with pytest.raises(ValueError, match=f"^held_out=0.6 {told}$"):
        small(held_out=0.6, **few)


@pytest.mark.usefixtures("untrained")
def test_a_loss_that_cannot_be_computed_is_told_by_its_name():
    with pytest.raises(
        ValueError, match=r"^loss mine: loss cannot be computed from scores .*RuntimeError: no more"
    ):
        small(losses={"log": "log", "mine": Breaks(0)})
    with pytest.raises(ValueError, match=r"^loss cannot be computed from scores"):
        small(losses={"mine": Breaks(0)})
    with pytest.raises(ValueError, match=r"(?s)^loss a: loss cannot.*\nloss b: The loss does not depend on"):
        small(
            losses={
                "log": "log",
                "a": Breaks(0),
                "b": lambda scores, target: own_loss(scores.detach(), target),
            }
        )


def test_progress_counts_the_epochs_of_all_fits_where_it_is_asked_for(capsys):
    for learning_rates, n_fits in (("fixed", 2 * 2), ("tuned", 2 * 2 + 2 * 3 * 2)):
        small(seeds=2, learning_rates=learning_rates, lr_factors=(0.5, 1, 2), tuning_runs=2, verbose=1)
        n_epochs = n_fits * CLF.max_epochs
        assert f"{n_epochs}/{n_epochs}" in capsys.readouterr().err.split("\r")[-1]
    small(seeds=1)
    assert capsys.readouterr().err == ""
    with pytest.raises(TypeError, match=r"^verbose must be a whole number, got 'yes'\.$"):
        small(verbose="yes")


@pytest.mark.usefixtures("untrained")
@pytest.mark.parametrize("name", ["X", "X_test"])
def test_samples_that_are_no_dense_array_are_refused(name):
    with pytest.raises(
        TypeError, match=rf"^compare_losses takes {name} as one dense array, got a csr_array: give"
    ):
        small(**{name: csr_array(X_TEST)})
    with pytest.raises(TypeError, match=rf"^compare_losses takes {name} as one dense array, got a dict\.$"):
        small(**{name: {"a": X_TEST}})
