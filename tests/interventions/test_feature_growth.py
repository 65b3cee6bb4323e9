"""Growth of features: which units grew, whose they are, and what restoring them undoes."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from sklearn_nndyn import Dynamics, DynamicsClassifier, LossTailAnalyzer
from sklearn_nndyn.analyzers.loss_tails import sample_log_loss
from sklearn_nndyn.interventions import (
    feature_growth,
    outgoing_norms,
    restore_norms,
    scale_test,
    share_on_correct,
)
from sklearn_nndyn.interventions._feature_growth_findings import feature_growth_findings
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.utils.statistics import rank_correlation, rank_interval
from tests import reference
from tests.analyzers.saying import finding, flat, verdicts

GREW = 5  # the unit that grows in the planted network


class Layer:
    """A classifier that is only its last layer: X are the activations, of weights W(t) and one bias b."""

    def __init__(self, weights, bias):
        self.weights, self.bias = weights, bias

    def at_epoch(self, epoch):
        state = {"output.weight": self.weights[epoch], "output.bias": self.bias}
        module = SimpleNamespace(state_dict=lambda: state)
        return SimpleNamespace(n_iter_=epoch % len(self.weights), module_=module)

    def activations(self, X, layer, epoch):
        assert layer == -1
        return X

    def replay(self, X, y, *, record, epochs=None):
        epochs = range(len(self.weights)) if epochs is None else epochs
        scores = np.stack([X @ self.weights[epoch].T + self.bias for epoch in epochs], axis=1)
        return Dynamics(y=y, classes=np.unique(y), epochs=list(epochs), scores=scores, header={"loss": "log"})


def planted(n_units=100, seed=0):
    """From the turn on one unit grows eightfold. It is active on 90 samples that are right and on 10 that are wrong."""
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1], [90, 10])
    H = rng.gamma(2, 0.5, size=(100, n_units))
    H[:, GREW] = 1
    turn = 0.01 * rng.normal(size=(2, n_units))
    turn[:, GREW] = [1, -1]
    end = turn.copy()
    end[:, GREW] *= 8
    return Layer([0 * turn, turn, end], np.array([0.1, -0.1])), H, y


def moving(n_samples=60, n_units=12, n_classes=3, seed=0):
    """A layer in which everything grows, by chance."""
    rng = np.random.default_rng(seed)
    H, y = rng.normal(size=(n_samples, n_units)), np.arange(n_samples) % n_classes
    turn = rng.normal(size=(n_classes, n_units)) / 4
    end = turn * rng.gamma(4, 1, size=n_units) + rng.normal(size=turn.shape) / 10
    return Layer([turn, end], rng.normal(size=n_classes)), H, y


@pytest.fixture(scope="module")
def digits():
    """Noisy labels, so that the loss turns, on rows to train and rows to look at."""
    X, y = load_digits(n_class=4, return_X_y=True)
    X, noisy = (X / 16).astype(np.float32), y[:200].copy()
    noisy[::5] = (noisy[::5] + 1) % 4
    return X[:200], noisy, X[200:500], y[200:500]


@pytest.fixture(scope="module")
def fitted(digits):
    return DynamicsClassifier(MLP((20,)), max_epochs=60, lr=0.02, random_state=0).fit(*digits[:2])


# --------------------------------------------------------------------------------------- found


def test_a_planted_unit_is_found_and_restoring_it_removes_the_rise():
    found = feature_growth(*planted(), share=0.01)
    assert (found.onset_epoch, found.end_epoch) == (1, 2)
    assert found.restored_units.tolist() == [GREW]
    assert found.growth[GREW] == pytest.approx(8)
    np.testing.assert_allclose(np.delete(found.growth, GREW), 1)
    assert found.share_on_correct[GREW] == 0.9
    rising = np.arange(100) >= 90
    np.testing.assert_array_equal(found.rise > 0, rising)
    assert found.rise.mean() > 1
    assert found.rise.mean() == pytest.approx(found.mean_loss[1] - found.mean_loss[0])
    assert found.change["rising_loss"] == pytest.approx(-found.rise[rising].mean())
    assert found.change["loss"] == pytest.approx(-found.rise.mean())
    assert found.change["accuracy"] == 0


def test_restoring_random_units_does_not():
    found = feature_growth(*planted(), share=0.01)
    for values in found.random_change.values():
        np.testing.assert_allclose(values, np.zeros(20), atol=1e-12)
    assert finding(found, "FG1").verdict == "yes"
    assert finding(found, "FG1").null == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("make", [planted, moving])
def test_every_figure_equals_its_slow_definition(make):
    model, H, y = make()
    found = feature_growth(model, H, y, onset=len(model.weights) - 2, share=0.25)
    turn, end = (w.tolist() for w in model.weights[-2:])
    units, h = range(H.shape[1]), H.tolist()
    before = reference.scores_restored(h, turn, end, model.bias, [])
    right = [
        reference.prediction(z) == c for z, c in zip(H @ model.weights[-2].T + model.bias, y, strict=True)
    ]
    a = [reference.share_on_correct(h, right, j) for j in units]
    g = [reference.outgoing_norm(end, j) / reference.outgoing_norm(turn, j) for j in units]
    np.testing.assert_allclose(found.share_on_correct, a)
    np.testing.assert_allclose(found.growth, g)
    if make is moving:  # where all but one are equal up to rounding, so are their ranks
        top = sorted(units, key=lambda j: -g[j])[:3]
        assert found.restored_units.tolist() == top
        assert found.correlation == pytest.approx(reference.rank_correlation(a, g))
        assert found.p_value == pytest.approx(spearmanr(a, g).pvalue)
    after = reference.scores_restored(h, turn, end, model.bias, found.restored_units.tolist())
    start = reference.losses("log", reference.scores_restored(h, turn, turn, model.bias, []), y)
    change = reference.losses("log", after, y) - reference.losses("log", before, y)
    rise = reference.losses("log", before, y) - start
    np.testing.assert_allclose(found.rise, rise)
    assert found.change["loss"] == pytest.approx(reference.mean(change))
    assert found.change["rising_loss"] == pytest.approx(reference.mean(change[rise > 0]))
    hits = [[reference.prediction(z) == c for z, c in zip(one, y, strict=True)] for one in (before, after)]
    assert found.change["accuracy"] == pytest.approx(reference.mean(hits[1]) - reference.mean(hits[0]))


def test_permuting_units_permutes_what_is_told_of_them():
    model, H, y = moving()
    order = np.random.default_rng(1).permutation(H.shape[1])
    permuted = Layer([w[:, order] for w in model.weights], model.bias)
    one, other = (feature_growth(m, h, y, onset=0) for m, h in ((model, H), (permuted, H[:, order])))
    np.testing.assert_allclose(other.growth, one.growth[order])
    np.testing.assert_allclose(other.share_on_correct, one.share_on_correct[order])
    np.testing.assert_array_equal(order[other.restored_units], one.restored_units)
    assert (other.correlation, *other.change.values()) == pytest.approx(
        (one.correlation, *one.change.values())
    )


def test_restoring_all_units_gives_the_norms_at_the_turn():
    """And the directions of the end; random sets of all units are the same set."""
    model, H, y = moving()
    turn, end = model.weights
    back = restore_norms(end, outgoing_norms(turn), np.arange(12))
    np.testing.assert_allclose(outgoing_norms(back), outgoing_norms(turn))
    np.testing.assert_allclose(back / outgoing_norms(back), end / outgoing_norms(end))
    found = feature_growth(model, H, y, onset=0, share=1.0, n_random=3)
    for name, value in found.change.items():
        np.testing.assert_allclose(found.random_change[name], [value] * 3)


def test_only_the_chosen_units_are_restored():
    turn, end = moving()[0].weights
    back = restore_norms(end, outgoing_norms(turn), np.array([3, 7]))
    changed = np.isin(np.arange(12), [3, 7])
    np.testing.assert_allclose(outgoing_norms(back)[changed], outgoing_norms(turn)[changed])
    np.testing.assert_array_equal(back[:, ~changed], end[:, ~changed])


def test_units_without_outgoing_weights():
    norms = np.array([0.0, 0.0, 2.0]), np.array([0.0, 1.0, 0.0])
    layer = Layer([np.stack([own, -own]) for own in norms], np.zeros(2))
    found = feature_growth(layer, np.ones((4, 3)), np.arange(4) % 2, onset=0, share=1.0)
    np.testing.assert_array_equal(found.growth, [np.nan, np.inf, 0])
    assert found.restored_units.tolist() == [1, 2, 0]
    np.testing.assert_array_equal(restore_norms([norms[1]], norms[0], np.array([1, 2])), [[0, 0, 0]])


def test_silent_units_have_no_share_and_no_rank():
    H = np.array([[0.0, 1.0, -2.0], [0.0, 1.0, 1.0]])
    np.testing.assert_array_equal(share_on_correct(H, np.array([True, False])), [np.nan, 1 / 2, 2 / 3])
    one, other = np.array([np.nan, 1.0, 2.0, 3.0, 5.0]), np.array([9.0, 1.0, 3.0, 2.0, np.inf])
    assert rank_correlation(one, other)[0] == pytest.approx(0.8)
    assert np.isnan(rank_correlation(one[:3], other[:3])).all()
    assert np.isnan(rank_correlation(np.ones(4), other[1:])).all()
    assert np.isnan(rank_correlation(other[1:], np.ones(4))).all()


def test_random_sets_are_of_the_seed():
    model, H, y = moving()

    def drawn(**parameters):
        return feature_growth(model, H, y, onset=0, **parameters).random_change["loss"]

    np.testing.assert_array_equal(drawn(), drawn(random_state=0))
    assert (drawn() != drawn(random_state=1)).any()
    assert len(np.unique(drawn(n_random=7))) > 1
    assert len(drawn(n_random=7)) == 7


def test_the_interval_of_random_sets():
    found = feature_growth(*moving(), onset=0)
    values = found.random_change["loss"].tolist()
    expected = reference.mean(values), reference.quantile(values, 0.025), reference.quantile(values, 0.975)
    assert found.random_interval["loss"] == pytest.approx(expected)
    assert list(found.random_interval) == list(found.change) == ["rising_loss", "loss", "accuracy"]


# --------------------------------------------------------------------------------------- of a network


def test_what_is_read_of_a_network(digits, fitted):
    X, y = digits[2:]
    found = feature_growth(fitted, X, y)
    scores = list(fitted.staged_decision_function(X))
    loss = np.stack([reference.losses("log", z, y) for z in scores], axis=1)
    turn = reference.least_mean_epoch(loss.tolist(), range(len(y)))
    assert (found.onset_epoch, found.end_epoch) == (turn, 60)
    np.testing.assert_allclose(found.rise, loss[:, -1] - loss[:, turn], atol=1e-4)
    H, right = fitted.activations(X, layer=-1, epoch=60), scores[turn].argmax(axis=1) == y
    np.testing.assert_allclose(found.share_on_correct, share_on_correct(H, right), rtol=1e-5)
    norms = [fitted.at_epoch(t).module_.output.weight.detach().norm(dim=0).numpy() for t in (turn, 60)]
    np.testing.assert_allclose(found.growth, norms[1] / norms[0], rtol=1e-5)


def test_a_given_turn_gives_the_same_as_one_that_was_found(digits, fitted):
    X, y = digits[2:]
    one = feature_growth(fitted, X, y)
    other = feature_growth(fitted, X, y, onset=np.int64(one.onset_epoch))
    np.testing.assert_allclose(other.rise, one.rise, atol=1e-4)
    np.testing.assert_array_equal(other.growth, one.growth)


def test_at_the_end_of_a_pipeline_and_in_a_search(digits, fitted):
    X, y, X_test, y_test = digits
    pipe = make_pipeline(StandardScaler(), clone(fitted)).fit(X, y)
    inside = feature_growth(pipe[-1], pipe[0].transform(X_test), y_test, onset=3)
    np.testing.assert_array_equal(feature_growth(pipe, X_test, y_test, onset=3).rise, inside.rise)
    search = GridSearchCV(pipe, {"dynamicsclassifier__max_epochs": [60]}, cv=2).fit(X, y)
    np.testing.assert_array_equal(feature_growth(search, X_test, y_test, onset=3).rise, inside.rise)


def test_two_classes_no_bias_and_a_convolution_below():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 1, 6, 6)).astype(np.float32), np.array(["no", "yes"])[np.arange(60) % 2]
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(48, 2, bias=False)
    )
    clf = DynamicsClassifier(network, max_epochs=4, random_state=0).fit(X[:30], y[:30])
    found = feature_growth(clf, X[30:], y[30:], onset=1)
    assert found.growth.shape == found.share_on_correct.shape == (48,)


# --------------------------------------------------------------------------------------- said


def test_random_sets_move_the_scores_as_much():
    """Against as many random units, any that move the scores more would look like a cause."""
    model, H, y = moving(n_units=40)
    found = feature_growth(model, H, y, onset=0, share=0.1, n_random=8)
    turn, end = model.weights
    norms = outgoing_norms(turn)
    before = H @ end.T + model.bias
    size = np.sqrt(((H @ (restore_norms(end, norms, found.restored_units) - end).T) ** 2).mean())
    rng = check_random_state(0)
    expected = []
    for _ in range(8):
        units = rng.choice(40, 4, replace=False)
        move = H @ (restore_norms(end, norms, units) - end).T
        move *= size / np.sqrt((move**2).mean())
        expected.append((sample_log_loss(before + move, y) - sample_log_loss(before, y)).mean())
    np.testing.assert_allclose(found.random_change["loss"], expected)


@pytest.mark.parametrize(
    ("share", "words"), [(0.25, "undoes 25 % of"), (0.0, "undoes 0 % of"), (-0.0162, "adds 1.62 % to")]
)
def test_less_than_nothing_undone_is_said_to_be_added(share, words):
    """Restored, the units may make a rise greater: of that no negative share is told."""
    rise, change = np.array([1.0, 1.0, -1.0]), {"rising_loss": 0.0 - share}
    found = SimpleNamespace(
        change=change,
        rise=rise,
        random_interval={"rising_loss": (0.0 - share, 0.0 - share - 0.1, 0.0 - share + 0.1)},
        undone_interval=None,
        onset_epoch=1,
        end_epoch=2,
        restored_units=[0],
        correlation=np.nan,
    )
    (cause, _) = feature_growth_findings(found)
    assert f"back {words} what rose" in cause.statement
    assert f"as much {words} it." in cause.statement


def test_the_summary_has_the_figures_of_the_network():
    found = feature_growth(*planted(), share=0.01)
    assert flat(found.summary()) == (
        "The units that grew most make the loss rise: to bring the 1 most grown unit back undoes 100 % of what rose, "
        "and to bring back random ones that move the scores as much undoes 0 % of it. Weight decay on the last layer "
        "is worth a try. Read from the log loss of 100 samples at epochs 1 to 2."
    )
    cause, order = found.findings_
    assert cause.value == pytest.approx(1)
    np.testing.assert_allclose(cause.interval, 1, atol=1e-6)
    assert (order.verdict, order.value, order.null) == ("cannot tell", found.correlation, 0)
    np.testing.assert_allclose(order.interval, rank_interval(found.correlation, 100))


def test_the_summary_says_what_does_not_happen():
    found = feature_growth(*moving(), onset=0, share=1.0)

    def said(**changes):
        other = dataclasses.replace(found, **changes)
        return verdicts(other), flat(other.summary())

    random = {name: np.array([-2.0, -0.5]) for name in found.change}
    told, text = said(change={"rising_loss": -1.0, "loss": 0.0, "accuracy": 0.0}, random_change=random)
    assert (told["FG1"], "make the loss rise cannot be told: " in text) == ("cannot tell", True)
    for change in (0.1, -0.1):
        told, text = said(change={"rising_loss": change, "loss": 0.0, "accuracy": 0.0}, random_change=random)
        assert (told["FG1"], "are not what makes the loss rise: " in text) == ("no", True)
    nothing = {"rising_loss": np.nan, "loss": 0.0, "accuracy": 0.0}
    told, text = said(change=nothing, rise=-np.ones(60))
    assert (told["FG1"], "No sample rose, so there is no cause to look for." in text) == ("no", True)
    told, text = said(correlation=np.nan)
    assert (told["FG2"], "Units of samples" in text) == ("cannot tell", False)
    told, text = said(correlation=-0.5, p_value=0.01)
    assert (told["FG2"], "right already grew less (rank correlation -0.5)" in text) == ("no", True)
    told, text = said(correlation=0.5, p_value=0.01)
    assert (told["FG2"], "grew more (rank correlation 0.5)" in text) == ("yes", True)


def test_what_was_found_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'growth'"):
        feature_growth(*moving(), onset=0).growth = 0.0


# --------------------------------------------------------------------------------------- refused


def refused(error, message, model, X, y, **parameters):
    with pytest.raises(error, match=message):
        feature_growth(model, X, y, **parameters)


def test_networks_that_cannot_be_looked_at_are_refused(digits):
    X, y, *held_out = digits
    plain = LogisticRegression(max_iter=1000).fit(X, y)
    refused(
        TypeError,
        "Expected a fitted model: a DynamicsClassifier, .* got LogisticRegression",
        plain,
        *held_out,
    )
    clf = DynamicsClassifier(MLP((5,)), max_epochs=3, random_state=0)
    refused(NotFittedError, "not fitted yet", clf, *held_out)
    without = clone(clf).set_params(snapshots=False).fit(X, y)
    refused(
        ValueError, "the weights of earlier epochs were not kept; fit with snapshots=True", without, *held_out
    )
    refused(ValueError, "fit with snapshots=True", without, *held_out, onset=1)
    linear = clone(clf).set_params(module=MLP(())).fit(X, y)
    refused(ValueError, r"The network has no hidden layer, .* MLP\(\(100,\)\)", linear, *held_out, onset=1)


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ([torch.nn.Linear(5, 4), torch.nn.Tanh()], r"for weights W of 2\.weight"),
        ([torch.nn.Linear(5, 4), torch.nn.LayerNorm(4)], r"parameters are 0\.weight, .*, 3\.bias"),
        (
            [torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(5, 4))],
            r"for weights W of 2\.parametrizations\.weight\.original1\.",
        ),
    ],
    ids=["tanh", "layer norm", "weight norm"],
)
def test_a_last_layer_that_is_not_linear_is_refused(digits, last, said):
    X, y, *held_out = digits
    network = torch.nn.Sequential(torch.nn.Linear(64, 5), torch.nn.Tanh(), *last)
    clf = DynamicsClassifier(network, max_epochs=2, random_state=0).fit(X, y)
    message = f"The last layer is not linear on the last hidden layer: .* scores are not H W' \\+ b .*{said}"
    refused(ValueError, message, clf, *held_out, onset=1)


@pytest.mark.parametrize("onset", ["auto", "the analyzer's"])
def test_where_the_loss_never_turned_there_is_nothing_to_test(digits, onset):
    """What LossTailAnalyzer gives as the turning epoch, feature_growth takes."""
    X, y = digits[2:]
    clf = DynamicsClassifier(MLP((5,)), max_epochs=2, lr=1e-4, record=("samples", "scores"), random_state=0)
    clf.fit(*digits[:2], X_val=X, y_val=y)
    tails = LossTailAnalyzer().fit(clf)
    assert tails.onset_epoch_ == 2
    found = feature_growth(clf, X, y, onset=onset if onset == "auto" else tails.onset_epoch_)
    assert found.onset_epoch == found.end_epoch == 2
    np.testing.assert_array_equal(found.growth, 1)
    assert not found.rise.any()
    assert found.change["loss"] == found.change["accuracy"] == 0
    assert verdicts(found) == {"FG1": "no", "FG2": "cannot tell"}
    assert flat(found.summary()).startswith(
        "There is no growth to test: the mean log loss of these samples is least at the end, epoch 2, and never "
        "turned. Give onset"
    )
    assert "no rise of the mean log loss to test: it is least" in flat(
        scale_test(clf, onset=tails.onset_epoch_).summary()
    )


def test_turns_that_cannot_be_looked_at_are_refused(digits, fitted):
    sparse = DynamicsClassifier(MLP((5,)), max_epochs=4, record_epochs=[0, 2, 4], random_state=0).fit(
        *digits[:2]
    )
    refused(
        ValueError,
        r"epochs \[3\] were not kept; there are those of \[0, 2, 4\]",
        sparse,
        *digits[2:],
        onset=3,
    )
    for onset in (61, -1):
        message = f"onset must be a recorded epoch, the last is 60; got {onset}"
        refused(ValueError, message, fitted, *digits[2:], onset=onset)
    refused(ValueError, r"epochs \[2\.5\] were not kept", fitted, *digits[2:], onset=2.5)
    for onset in (True, np.nan, None, "end"):
        message = f"onset must be 'auto' or a recorded epoch, got {onset!r}"
        refused(TypeError, message, fitted, *digits[2:], onset=onset)


@pytest.mark.parametrize(
    ("error", "message", "parameters"),
    [
        (ValueError, "share must be between 0 and 1, a share of the hidden units; got 0", {"share": 0}),
        (ValueError, "share must be between 0 and 1, a share of the hidden units; got 1.5", {"share": 1.5}),
        (TypeError, "share must be a number between 0 and 1, got True", {"share": True}),
        (TypeError, "share must be a number between 0 and 1, got 'all'", {"share": "all"}),
        (ValueError, "n_random must be 1 or more, got 0", {"n_random": 0}),
        (TypeError, "n_random must be a whole number, got 2.5", {"n_random": 2.5}),
    ],
)
def test_parameters_out_of_range_are_refused(error, message, parameters):
    refused(error, message, *moving(), **parameters)


def test_samples_that_the_model_does_not_know_are_refused(digits, fitted):
    X, y = digits[2:]
    refused(
        ValueError, r"y holds labels unseen at fit: \[9\]", fitted, X, np.where(np.arange(len(y)) == 3, 9, y)
    )
    refused(ValueError, "X has 10 features, but DynamicsClassifier is expecting 64", fitted, X[:, :10], y)
