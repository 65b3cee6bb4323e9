"""What early stopping watches, with weights and over warm starts."""

import warnings

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, log_loss, make_scorer, roc_auc_score

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.losses import LogLoss
from sklearn_nndyn.modules import MLP
from tests.classifiers.test_laws import assert_same_record, assert_same_weights, weights
from tests.pairwise import pairwise
from tests.problems import Problem

PROBLEM = Problem("mlp", MLP((8,)))
X, Y = PROBLEM.data()
X_VAL, Y_VAL = PROBLEM.data(40, seed=1)
VALIDATED = {"X_val": X_VAL, "y_val": Y_VAL}


def stopping(**changes):
    settings = {"early_stopping": True, "max_epochs": 15, "n_iter_no_change": 4, "lr": 0.05}
    return PROBLEM.classifier(**{**settings, **changes})


# What is watched


def refined(scores, y=Y_VAL, weight=None):
    """The least log loss over temperatures, by scipy."""

    def loss(log_t):
        p = np.exp(log_softmax(scores / np.exp(log_t), axis=1))
        return log_loss(y, p, labels=np.unique(y), sample_weight=weight)

    return minimize_scalar(loss, bounds=(-6, 12), method="bounded", options={"xatol": 1e-8}).fun


def curve_of(clf, monitor):
    """What is watched, after each epoch, from the weights of each epoch; greater is better."""
    staged = list(clf.staged_predict_proba(X_VAL))[1:]
    return {
        "valid_loss": lambda: [-log_loss(Y_VAL, p, labels=clf.classes_) for p in staged],
        "neg_log_loss": lambda: [-log_loss(Y_VAL, p, labels=clf.classes_) for p in staged],
        "valid_acc": lambda: [accuracy_score(Y_VAL, clf.classes_[p.argmax(1)]) for p in staged],
        "refined_loss": lambda: [-refined(np.log(p)) for p in staged],
        "auto": lambda: [accuracy_score(Y_VAL, clf.classes_[p.argmax(1)]) for p in staged],
        "roc_auc_ovr": lambda: [roc_auc_score(Y_VAL, p, multi_class="ovr") for p in staged],
        "train_loss": lambda: [-loss for loss in clf.loss_curve_],
    }[monitor]()


MONITORS = ("auto", "valid_acc", "valid_loss", "refined_loss", "train_loss", "neg_log_loss", "roc_auc_ovr")


@pairwise(
    monitor={name: name for name in MONITORS},
    record={"samples": ("samples",), "nothing": ()},
    batch_size={"16": 16, "full": "full"},
)
def test_the_best_epoch_is_that_of_the_best_value(monitor, record, batch_size):
    clf = stopping(monitor=monitor, record=record, batch_size=batch_size, tol=0.0).fit(X, Y, **VALIDATED)
    curve = curve_of(clf, monitor)
    assert clf.best_epoch_ == 1 + int(np.argmax(curve))
    assert_same_weights(clf, clf.at_epoch(clf.best_epoch_))
    assert len(curve) == clf.n_iter_


def test_a_scorer_is_given_the_labels_of_the_user():
    seen = []

    def score(estimator, X, y):
        seen.append((set(y), set(estimator.predict(X)) <= set(estimator.classes_)))
        return estimator.score(X, y)

    names = np.array(["ant", "bee", "cat"])
    own = {"X_val": X_VAL, "y_val": names[np.searchsorted(np.unique(Y), Y_VAL)]}
    y = names[np.searchsorted(np.unique(Y), Y)]
    clf = stopping(monitor=score).fit(X, y, **own)
    plain = stopping(monitor="valid_acc").fit(X, y, **own)
    assert_same_weights(clf, plain)
    assert all(labels == set(names) and known for labels, known in seen)


def test_a_scorer_is_given_arrays_by_name():
    class Two(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.out = torch.nn.Linear(16, 3)

        def forward(self, left, right):
            return self.out(torch.cat([left, right], 1))

    def halves(X):
        return {"left": X[:, :8].astype("float32"), "right": X[:, 8:].astype("float32")}

    one, other = (
        stopping(module=Two, monitor=monitor).fit(halves(X), Y, X_val=halves(X_VAL), y_val=Y_VAL)
        for monitor in ("valid_acc", "accuracy")
    )
    np.testing.assert_allclose(other.net_.history[:, "valid_score"], one.validation_scores_)
    assert one.best_epoch_ == other.best_epoch_


def test_watching_with_a_scorer_changes_nothing():
    class Noisy(torch.nn.Sequential):
        def __init__(self):
            super().__init__(torch.nn.Linear(16, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 3))

    one, other = (
        stopping(module=Noisy, monitor=monitor, n_iter_no_change=99).fit(X, Y, **VALIDATED)
        for monitor in ("valid_acc", "accuracy")
    )
    assert_same_record(one.dynamics_, other.dynamics_)
    assert one.best_epoch_ == other.best_epoch_


@pytest.mark.parametrize("monitor", ["valid_loss", "refined_loss", "neg_log_loss"])
def test_together_as_alone(monitor):
    made, alone = (
        [stopping(monitor=monitor, dtype="float64", random_state=s) for s in range(3)] for _ in "ab"
    )
    fit_together(made, X, Y, **VALIDATED)
    for clf, own in zip(made, alone, strict=True):
        own.fit(X, Y, **VALIDATED)
        assert clf.best_epoch_ == own.best_epoch_
        assert clf.n_iter_ == own.n_iter_
        for a, b in zip(weights(clf), weights(own), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"monitor": "valid_los"},
            r"monitor must be 'auto', .*got 'valid_los'. Did you mean \"valid_loss\"\?",
        ),
        ({"monitor": 3}, "monitor must be"),
        (
            {"monitor": "valid_loss"},
            "monitor='valid_loss' watches validation samples, but there are none: give X_val",
        ),
        ({"monitor": "roc_auc_ovr"}, "monitor='roc_auc_ovr' watches validation samples"),
        ({"monitor": "refined_loss"}, "monitor='refined_loss' watches validation samples"),
        (
            {"monitor": "refined_loss", "loss": "hinge"},
            r"with loss='hinge' probabilities are none that are known: watch \"valid_loss\"",
        ),
        ({"monitor": "refined_loss", "loss": LogLoss(link="sigmoid")}, "probabilities are sigmoids"),
        (
            {"monitor": "train_loss", "early_stopping": False},
            "what early stopping watches: set early_stopping=True",
        ),
        ({"early_stopping": "reconstruction"}, "early_stopping must be True or False"),
    ],
)
def test_what_cannot_be_watched_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        stopping(**settings).fit(X, Y)


@pytest.mark.parametrize(
    "scorer", ["roc_auc", make_scorer(lambda y, p: "good")], ids=["two-classes", "a-word"]
)
def test_a_scorer_that_fails_is_refused_before_training(scorer):
    clf = stopping(monitor=scorer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=r"monitor=.* cannot score the validation samples"):
            clf.fit(X, Y, **VALIDATED)
    assert not hasattr(clf, "net_")


# Refined loss


def learnable(n_samples, seed, n_classes=3):
    """Samples whose classes a linear network can learn, up to noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_samples, 16)).astype(np.float32)
    noise = 2 * rng.normal(size=(n_samples, n_classes))
    return features, (features @ np.eye(16, n_classes) * 3 + noise).argmax(axis=1)


def test_refined_loss_counts_by_weight():
    (X_own, y_own), (X_held, y_held) = learnable(60, 0), learnable(50, 1)
    weight = np.arange(50) % 3
    clf = stopping(monitor="refined_loss", n_iter_no_change=20, max_epochs=8)
    clf.fit(X_own, y_own, X_val=X_held, y_val=y_held, sample_weight_val=weight)
    staged = [np.log(p) for p in clf.staged_predict_proba(X_held)][1:]
    expected = [-refined(z, y_held, weight) for z in staged]
    np.testing.assert_allclose(clf.net_.history[:, "valid_score"], expected, rtol=1e-5)
    assert np.ptp(expected) > 0.01


def test_labels_are_names_to_refined_loss_and_there_may_be_two():
    X_own, y_own = learnable(120, 0, n_classes=2)
    settings = {"monitor": "refined_loss", "validation_fraction": 0.5, "n_iter_no_change": 20}
    plain = stopping(**settings).fit(X_own, y_own)
    named = stopping(**settings).fit(X_own, np.array(["no", "yes"])[y_own])
    assert plain.best_epoch_ == named.best_epoch_
    held = plain.validation_indices_
    z = plain.at_epoch(plain.best_epoch_).decision_function(X_own[held])
    both = np.stack([-z / 2, z / 2], axis=1)
    expected = -refined(both, y_own[held])
    assert max(plain.net_.history[:, "valid_score"]) == pytest.approx(expected, rel=1e-4)


def test_watching_refined_loss_changes_nothing():
    monitors = "valid_acc", "refined_loss"
    one, other = (
        stopping(monitor=monitor, n_iter_no_change=99).fit(X, Y, **VALIDATED) for monitor in monitors
    )
    assert_same_record(one.dynamics_, other.dynamics_)


# Patience over warm starts


def test_patience_goes_on_over_warm_starts():
    clf = stopping(max_epochs=2, warm_start=True)
    before = -1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for _ in range(30):
            clf.fit(X, Y, **VALIDATED)
            if clf.n_iter_ == before:
                break
            before = clf.n_iter_
    best = clf.best_epoch_
    assert clf.n_iter_ == best + 4 or clf.n_iter_ < 20
    with pytest.warns(UserWarning, match="^No epoch was trained: valid_acc had not improved for 4 epochs"):
        clf.fit(X, Y, **VALIDATED)
    assert clf.best_epoch_ == best
    held = weights(clf)
    clf.set_params(n_iter_no_change=6).fit(X, Y, **VALIDATED)
    assert clf.n_iter_ > before
    assert len(held) == len(weights(clf))


def test_patience_is_of_the_samples_that_were_watched():
    clf = stopping(max_epochs=6, n_iter_no_change=1, tol=1e3, warm_start=True).fit(X, Y, **VALIDATED)
    clf.fit(X, Y, X_val=X_VAL[::-1], y_val=Y_VAL[::-1])
    assert clf.n_iter_ == 4  # two of each


# Weights


@pytest.mark.parametrize("record", [("samples",), ()])
@pytest.mark.parametrize("batch_size", [16, "full"])
def test_validation_counts_by_weight(record, batch_size):
    weight = np.linspace(0, 3, len(X_VAL))
    clf = stopping(monitor="valid_loss", record=record, batch_size=batch_size)
    clf.fit(X, Y, **VALIDATED, sample_weight_val=weight)
    staged = list(clf.staged_predict_proba(X_VAL))[1:]
    accuracies = list(clf.staged_score(X_VAL, Y_VAL, weight))[1:]
    losses = [log_loss(Y_VAL, p, labels=clf.classes_, sample_weight=weight) for p in staged]
    np.testing.assert_allclose(clf.validation_scores_, accuracies)
    np.testing.assert_allclose(clf.net_.history[:, "valid_loss"], losses, rtol=1e-5)
    assert clf.best_epoch_ == 1 + int(np.argmin(losses))


def test_a_validation_weight_of_zero_removes_and_of_two_repeats():
    weight = np.arange(len(X_VAL)) % 3
    weighted = stopping().fit(X, Y, **VALIDATED, sample_weight_val=weight)
    repeated = stopping().fit(X, Y, X_val=X_VAL.repeat(weight, axis=0), y_val=Y_VAL.repeat(weight))
    np.testing.assert_allclose(weighted.validation_scores_, repeated.validation_scores_)
    assert weighted.best_epoch_ == repeated.best_epoch_
    ones = stopping().fit(X, Y, **VALIDATED, sample_weight_val=np.ones(len(X_VAL)))
    assert ones.validation_scores_ == stopping().fit(X, Y, **VALIDATED).validation_scores_


def test_held_out_rows_have_the_weights_of_their_samples():
    weight = np.random.default_rng(0).integers(0, 4, len(X)).astype(float)
    clf = stopping(validation_fraction=0.4).fit(X, Y, weight)
    held = clf.validation_indices_
    expected = list(clf.staged_score(X[held], Y[held], weight[held]))[1:]
    np.testing.assert_allclose(clf.validation_scores_, expected)


def test_together_they_count_too():
    weight = np.linspace(0, 3, len(X_VAL))
    (clf, _) = fit_together(
        [stopping(random_state=s) for s in range(2)], X, Y, **VALIDATED, sample_weight_val=weight
    )
    own = stopping(random_state=0).fit(X, Y, **VALIDATED, sample_weight_val=weight)
    np.testing.assert_allclose(clf.validation_scores_, own.validation_scores_)


def test_a_scorer_is_given_the_weights():
    weight = np.linspace(0, 3, len(X_VAL))
    clf = stopping(monitor="accuracy").fit(X, Y, **VALIDATED, sample_weight_val=weight)
    np.testing.assert_allclose(clf.net_.history[:, "valid_score"], clf.validation_scores_)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sample_weight_val": [1.0]}, "sample_weight_val was given without X_val"),
        ({**VALIDATED, "sample_weight_val": [1.0, 2.0]}, "sample_weight_val"),
        ({**VALIDATED, "sample_weight_val": -np.ones(40)}, "sample_weight_val"),
        (
            {**VALIDATED, "sample_weight_val": np.zeros(40)},
            "sample_weight_val must contain at least one non-zero number",
        ),
    ],
)
def test_weights_that_cannot_be_used_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        stopping().fit(X, Y, **given)


def test_held_out_rows_without_weight_are_refused():
    held = stopping(validation_fraction=0.3).fit(X, Y).validation_indices_
    weight = np.ones(len(X))
    weight[held] = 0
    with pytest.raises(ValueError, match="Every validation sample has weight zero"):
        stopping(validation_fraction=0.3).fit(X, Y, weight)


def test_balanced_counts_weighted_samples():
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    settings = {"class_weight": "balanced", "batch_size": "full", "dtype": "float64"}
    weighted = PROBLEM.classifier(**settings).fit(X, Y, sample_weight=weight)
    repeated = PROBLEM.classifier(**settings).fit(X.repeat(weight, axis=0), Y.repeat(weight))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)


# Divergence at the last update


@pytest.mark.parametrize("record", [("samples",), ()])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("module", [MLP((8,)), MLP(())], ids=["hidden", "linear"])
def test_the_last_update_may_diverge(record, optimizer, module):
    clf = PROBLEM.classifier(
        module=module, record=record, optimizer=optimizer, lr=1e30, batch_size="full", max_epochs=1
    )
    with pytest.warns(ConvergenceWarning, match=r"diverged in epoch 1 .* end at epoch 0"):
        clf.fit(X, Y)
    assert clf.n_iter_ == 0
    assert np.isfinite(clf.predict_proba(X)).all()
    if record:
        assert np.isfinite(clf.dynamics_.loss).all()


def test_it_is_found_together_too():
    made = [
        PROBLEM.classifier(lr=lr, batch_size="full", max_epochs=1, random_state=s)
        for s, lr in enumerate((0.01, 1e30))
    ]
    with pytest.warns(ConvergenceWarning, match="diverged in epoch 1"):
        fit_together(made, X, Y)
    assert [clf.n_iter_ for clf in made] == [1, 0]
    assert isinstance(made[1], DynamicsClassifier)
    assert np.isfinite(made[1].dynamics_.loss).all()


def test_it_is_told_where_what_is_watched_is_never_a_number():
    """One class among the validation samples, say, of which some scores are not defined."""
    clf = stopping(monitor=lambda estimator, X, y: float("nan"))
    with pytest.warns(
        UserWarning, match="valid_score was nan after each of 4 epochs, so there is no best one"
    ):
        clf.fit(X, Y, **VALIDATED)
    assert not hasattr(clf, "best_epoch_")
    assert_same_weights(clf, stopping(early_stopping=False, max_epochs=4).fit(X, Y, **VALIDATED))
