"""What a loss says of itself is so, and reaches every record of a network that it trained."""

from functools import partial

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier

from sklearn_nndyn import (
    BatchedGridSearchCV,
    DynamicsClassifier,
    SampleScoreAnalyzer,
    compare_losses,
    fit_together,
)
from sklearn_nndyn.losses import (
    ClassificationLoss,
    CustomLoss,
    FocalLoss,
    HingeLoss,
    LabelSmoothingLoss,
    LogLoss,
    Poly1Loss,
    ProbabilityLoss,
    RegularizedExpectationLoss,
    SymmetricCrossEntropyLoss,
    get_loss,
    loss_names,
)
from sklearn_nndyn.recording import RecordDynamics, Recorder
from tests.losses.cases import ALL
from tests.pairwise import for_each

X, Y = load_iris(return_X_y=True)
X = X.astype(np.float32)
WITH_PROBABILITIES = [name for name in loss_names() if hasattr(get_loss(name), "predict_proba")]
FACTS_OF_LOG = ("log", 0.0, "nats", True, "softmax")


def facts(loss):
    return loss.name, loss.lower_bound, loss.unit, loss.proper, loss.link


# -------------------------------------------------------------------------------------- are so


@for_each("name", loss_names())
def test_a_loss_has_the_name_it_is_known_by(name):
    assert get_loss(name).name == name


@for_each("case", ALL)
def test_no_loss_is_below_its_bound_and_some_come_near_it(case):
    loss = case.make()
    scores = torch.randn(2000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    scores *= torch.logspace(-1, 2, 2000, dtype=torch.float64)[:, None]
    values = torch.cat([loss.per_sample(scores, torch.full((2000,), c)) for c in range(3)])
    exact = torch.tensor([[1.0, 0, 0]], dtype=torch.float64)
    values = torch.cat([values, loss.per_sample(exact, torch.tensor([0]))])
    assert values.min() >= loss.lower_bound
    if loss.name != "label_smoothing":  # whose least value depends on the number of classes
        assert values.min() < loss.lower_bound + 1e-3


@pytest.mark.parametrize("truth", [(0.55, 0.3, 0.15), (0.4, 0.35, 0.25)], ids=str)
@for_each("case", [case for case in ALL if hasattr(case.make(), "predict_proba")])
def test_a_loss_is_proper_if_and_only_if_its_least_expected_value_is_at_the_true_probabilities(case, truth):
    loss, q = case.make(), torch.tensor(truth, dtype=torch.float64)
    assert (expected_value_pulls_away(loss, q) < 1e-9) == loss.proper


def expected_value_pulls_away(loss, q):
    """How steep the expected loss is where the predicted probabilities are q (among all scores that give them)."""
    inverse = {"softmax": q.log(), "sigmoid": q.logit()}[loss.link]
    scores = inverse.expand(3, 3).clone()
    torch.testing.assert_close(loss.predict_proba(scores)[0], q)
    gradient = loss.value_and_gradient(scores, torch.arange(3))[1]
    return (q[:, None] * gradient).sum(0).norm()


@pytest.mark.parametrize(
    ("loss", "proper"),
    [
        (LogLoss(), True),
        (LogLoss(link="sigmoid"), False),
        (RegularizedExpectationLoss(link="sigmoid"), True),
        (FocalLoss(gamma=0), True),
        (FocalLoss(gamma=0.5), False),
        (Poly1Loss(epsilon=0), True),
        (LabelSmoothingLoss(smoothing=0), True),
        (SymmetricCrossEntropyLoss(alpha=1, beta=0), True),
        (SymmetricCrossEntropyLoss(alpha=0, beta=0), False),
        (HingeLoss(), False),
    ],
    ids=str,
)
def test_whether_a_loss_is_proper_may_depend_on_its_parameters(loss, proper):
    assert loss.proper is proper


CURE = 'CalibratedClassifierCV(method="temperature")'


@pytest.mark.parametrize("name", WITH_PROBABILITIES)
def test_a_loss_says_in_which_direction_it_is_off_and_what_mends_it(name):
    """The direction is that of the least expected loss."""
    message = " ".join(type(get_loss(name)).__doc__.split())
    if get_loss(name).proper:
        assert "Proper" in message
        return
    surer = most_probable_class_of_least_expected_loss(get_loss(name)) > 0.7
    assert (
        f"Not proper, so `predict_proba` is not calibrated but too {'sure' if surer else 'unsure'}:"
        in message
    )
    assert CURE in message


def most_probable_class_of_least_expected_loss(loss):
    q = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    scores = q.log().requires_grad_()
    optimizer = torch.optim.Adam([scores], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        (q * loss.per_sample(scores.expand(3, 3), torch.arange(3))).sum().backward()
        optimizer.step()
    return float(loss.predict_proba(scores.detach()[None]).max())


@pytest.mark.parametrize(
    "message", [DynamicsClassifier.predict_proba, compare_losses], ids=["predict_proba", "compare_losses"]
)
def test_who_gives_or_compares_probabilities_says_which_are_calibrated(message):
    text = message.__doc__
    assert 'CalibratedClassifierCV(clf, method="temperature")' in text
    assert all(f'``"{name}"``' in text for name in WITH_PROBABILITIES if get_loss(name).proper)


def test_of_a_class_the_facts_are_those_of_its_defaults():
    assert (HingeLoss.name, HingeLoss(power=3).name) == ("hinge", "cubed_hinge")
    assert (LogLoss.proper, LogLoss(link="sigmoid").proper) == (True, False)
    assert (FocalLoss.proper, FocalLoss(gamma=0).proper) == (False, True)


# ------------------------------------------------------------------------------------- users' own


class Warm(LogLoss):
    """Not the log loss: that of half the scores."""

    def per_sample(self, scores, target):
        return super().per_sample(scores / 2, target)


class Stated(ClassificationLoss):
    name, lower_bound, unit, proper = "one_half", 0.5, "bits", False

    def per_sample(self, scores, target):
        return scores.square().sum(-1) + 0.5


class Module(torch.nn.Module):
    lower_bound, unit, name = -2, "bits", 7

    def forward(self, scores, target):
        return scores[:, 0]


def own_loss(scores, target):
    return torch.nn.functional.cross_entropy(scores, target, reduction="none")


def test_facts_are_not_inherited():
    """What holds for a loss need not hold for its child; and what is recorded is the child's own."""
    assert facts(Warm()) == ("Warm", None, None, None, "softmax")
    assert facts(Stated()) == ("one_half", 0.5, "bits", False, None)
    scores, target = torch.tensor([[2.0, 0.0]]), torch.tensor([0])
    values, p = Warm().value_and_probability(scores, target)
    assert torch.equal(values, Warm().per_sample(scores, target))
    torch.testing.assert_close(p, scores.softmax(-1)[:, 0])
    gradient = Warm().value_and_gradient(scores, target)[1]
    torch.testing.assert_close(gradient, LogLoss().value_and_gradient(scores / 2, target)[1] / 2)


def test_a_child_with_another_formula_is_that_everywhere():
    class Halved(LogLoss):
        def formula(self, log_p, p, y):
            return -(y * log_p).sum(-1) / 2

    scores, target = torch.tensor([[2.0, 0.0], [0.3, 0.1]]), torch.tensor([0, 0])
    log = LogLoss()
    torch.testing.assert_close(Halved().per_sample(scores, target), log.per_sample(scores, target) / 2)
    values, gradient = Halved().value_and_gradient(scores, target)
    torch.testing.assert_close(gradient, log.value_and_gradient(scores, target)[1] / 2)
    torch.testing.assert_close(values, log.per_sample(scores, target) / 2)
    values, p = Halved().value_and_probability(scores, target)
    torch.testing.assert_close(values, log.per_sample(scores, target) / 2)
    torch.testing.assert_close(p, scores.softmax(-1)[:, 0])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (torch.nn.CrossEntropyLoss(), FACTS_OF_LOG),
        (torch.nn.CrossEntropyLoss(reduction="sum"), FACTS_OF_LOG),
        (torch.nn.CrossEntropyLoss, FACTS_OF_LOG),
        (torch.nn.NLLLoss(), FACTS_OF_LOG),
        (
            torch.nn.CrossEntropyLoss(label_smoothing=0.1),
            ("label_smoothing", 0.0, "nats", False, "softmax"),
        ),
        (
            torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 1.0, 5.0])),
            ("CrossEntropyLoss", 0.0, None, False, "softmax"),
        ),
        (torch.nn.CrossEntropyLoss(ignore_index=1), ("CrossEntropyLoss", 0.0, None, False, "softmax")),
        (torch.nn.NLLLoss(weight=torch.ones(3)), ("NLLLoss", 0.0, None, False, "softmax")),
        (torch.nn.MultiMarginLoss(), ("MultiMarginLoss", None, None, None, None)),
        (Module(), ("Module", -2.0, "bits", None, None)),
        (own_loss, ("own_loss", None, None, None, None)),
        (partial(partial(own_loss)), ("own_loss", None, None, None, None)),
        (lambda scores, target: scores[:, 0], ("<lambda>", None, None, None, None)),
        (CustomLoss(LogLoss()), FACTS_OF_LOG),
    ],
)
def test_what_is_known_of_a_users_loss(loss, expected):
    assert facts(get_loss(loss)) == expected


def test_the_same_formula_is_recognised_only_where_it_is_the_same():
    """The oracle: values of what is called log and label_smoothing."""
    scores = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    target = torch.arange(20) % 3
    for loss, same in [
        (torch.nn.CrossEntropyLoss(), LogLoss()),
        (torch.nn.CrossEntropyLoss(label_smoothing=0.3), LabelSmoothingLoss(smoothing=0.3)),
    ]:
        expected = same.per_sample(scores, target)
        torch.testing.assert_close(get_loss(loss).per_sample(scores, target), expected)
    log_p = scores.log_softmax(-1)
    nll = get_loss(torch.nn.NLLLoss())
    torch.testing.assert_close(nll.per_sample(log_p, target), LogLoss().per_sample(scores, target))
    torch.testing.assert_close(nll.predict_proba(log_p), scores.softmax(-1))


# -------------------------------------------------------------------------------- reach the record


def of_estimator(loss):
    return DynamicsClassifier(loss=loss, max_epochs=3, lr=0.01, random_state=0).fit(X, Y).dynamics_


def of_replay(loss):
    clf = DynamicsClassifier(loss=loss, record=(), max_epochs=3, lr=0.01, random_state=0).fit(X, Y)
    return clf.replay(X, Y, record=("samples",))


def of_fit_together(loss):
    fits = [
        DynamicsClassifier(loss=own, max_epochs=3, lr=0.01, random_state=0) for own in (loss, "hinge", loss)
    ]
    first, _, third = fit_together(fits, X, Y)
    np.testing.assert_array_equal(first.dynamics_.probability, third.dynamics_.probability)
    return first.dynamics_


def of_batched_search(loss):
    clf = DynamicsClassifier(loss=loss, max_epochs=3, random_state=0)
    return BatchedGridSearchCV(clf, {"lr": [0.01, 0.02]}, cv=2).fit(X, Y).best_estimator_.dynamics_


def of_search(loss):
    clf = DynamicsClassifier(max_epochs=3, random_state=0)
    return GridSearchCV(clf, {"loss": [loss]}, cv=2).fit(X, Y).best_estimator_.dynamics_


def skorch_net(criterion, max_epochs):
    settings = {"max_epochs": max_epochs, "train_split": None, "verbose": 0, "callbacks": [RecordDynamics()]}
    return NeuralNetClassifier(torch.nn.Linear(4, 3), criterion=criterion, **settings).fit(X, Y)


def of_skorch(loss):
    return skorch_net(type(loss), max_epochs=3).dynamics_


def of_recorder(loss):
    recorder = Recorder(
        torch.from_numpy(X), torch.from_numpy(Y), get_loss(loss), n_classes=3, record=("samples",), capacity=2
    )
    for epoch in range(2):
        recorder.record(torch.nn.Linear(4, 3), epoch)
    return recorder.dynamics(Y, np.arange(3), {})


DOORS = [of_estimator, of_replay, of_fit_together, of_batched_search, of_search, of_skorch, of_recorder]


@pytest.mark.parametrize("record_of", DOORS)
@pytest.mark.parametrize("make", [LogLoss, torch.nn.CrossEntropyLoss])
def test_every_door_writes_the_facts_and_the_probabilities(make, record_of):
    record = record_of(make())
    assert record.loss_facts == FACTS_OF_LOG
    assert record.probability.dtype == np.float32
    assert record.probability.shape == record.shape
    np.testing.assert_allclose(record.probability, np.exp(-record.loss.astype(np.float64)), atol=1e-6)


@pytest.mark.parametrize("record_of", [of_estimator, of_replay, of_fit_together, of_recorder])
def test_a_loss_without_probabilities_records_none(record_of):
    record = record_of(HingeLoss(power=2))
    assert record.probability is None
    assert record.loss_facts == ("squared_hinge", 0.0, None, False, None)


def test_a_name_a_class_and_an_instance_give_the_same_record():
    records = [of_estimator(loss) for loss in ("log", LogLoss, LogLoss())]
    records += [of_estimator(loss) for loss in (torch.nn.CrossEntropyLoss, torch.nn.CrossEntropyLoss())]
    for record in records[1:]:
        assert record.loss_facts == records[0].loss_facts
        np.testing.assert_allclose(record.loss, records[0].loss, atol=1e-6)
        np.testing.assert_allclose(record.probability, records[0].probability, atol=1e-6)


# ------------------------------------------------------------------- what the analyzers make of it

OF_TRUE_CLASS = {
    "by name": lambda name: name,
    "by instance": get_loss,
    "by class": lambda name: type(get_loss(name)),
}


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
@pytest.mark.parametrize("name", WITH_PROBABILITIES)
def test_confidence_is_the_mean_probability_of_the_true_class(name, link):
    make = OF_TRUE_CLASS if link == "softmax" else {"with link": lambda name: type(get_loss(name))(link=link)}
    for of in make.values():
        clf = DynamicsClassifier(loss=of(name), max_epochs=4, lr=0.01, random_state=0).fit(X, Y)
        proba = np.stack(list(clf.staged_predict_proba(X)), axis=1)[:, 1:].astype(np.float64)
        expected = proba[np.arange(len(Y)), :, Y]
        scores = SampleScoreAnalyzer().fit(clf)
        np.testing.assert_allclose(scores.confidence_, expected.mean(axis=1), atol=1e-6)
        np.testing.assert_allclose(scores.variability_, expected.std(axis=1), atol=1e-6)
        assert isinstance(get_loss(of(name)), ProbabilityLoss)


@pytest.mark.parametrize("criterion", [torch.nn.CrossEntropyLoss, torch.nn.CrossEntropyLoss(), LogLoss])
def test_confidence_of_a_skorch_net(criterion):
    net = skorch_net(criterion, max_epochs=1)
    p = net.forward(X).softmax(-1).numpy()[np.arange(len(Y)), Y]
    np.testing.assert_allclose(SampleScoreAnalyzer().fit(net.dynamics_).confidence_, p, atol=1e-6)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [(None, FACTS_OF_LOG), (torch.tensor(3.0), ("BCEWithLogitsLoss", 0.0, None, False, "softmax"))],
)
def test_the_binary_criterion_of_skorch_is_the_log_loss_of_two_classes(weight, expected):
    settings = {"max_epochs": 1, "train_split": None, "verbose": 0, "callbacks": [RecordDynamics()]}
    net = NeuralNetBinaryClassifier(torch.nn.Linear(4, 1), criterion__pos_weight=weight, **settings)
    record = net.fit(X, (Y > 0).astype(np.float32)).dynamics_
    assert record.loss_facts == expected
    p = net.predict_proba(X)[np.arange(len(Y)), (Y > 0).astype(int)]
    np.testing.assert_allclose(SampleScoreAnalyzer().fit(record).confidence_, p, atol=1e-6)


def test_class_weights_change_the_loss_and_not_what_the_probabilities_are():
    loss = torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 1.0, 5.0]))
    clf = DynamicsClassifier(loss=loss, batch_size=50, max_epochs=3, lr=0.01, random_state=0).fit(X, Y)
    proba = np.stack(list(clf.staged_predict_proba(X)), axis=1)
    np.testing.assert_allclose(clf.dynamics_.probability, proba[np.arange(len(Y)), :, Y], atol=1e-6)
