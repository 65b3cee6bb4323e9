"""The five losses that are made of the log loss: what each becomes at the ends of its parameters, and its shape."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from sklearn_nndyn.losses import (
    FocalLoss,
    GeneralizedCrossEntropyLoss,
    LabelSmoothingLoss,
    Poly1Loss,
    SymmetricCrossEntropyLoss,
    get_loss,
)
from sklearn_nndyn.losses._stacked import LossStack
from tests.losses.cases import Case, autograd, draw

SCORES, TARGET = draw(200, 5)
BOTH_LINKS = pytest.mark.parametrize("link", ["softmax", "sigmoid"])


def values(loss):
    return loss.per_sample(SCORES, TARGET)


def p_of_the_true_class():
    return SCORES.softmax(-1).gather(-1, TARGET[:, None])[:, 0]


def assert_same_loss(loss, other, factor=1.0, rtol=1e-12):
    """`loss` is `factor` times `other`, in value and gradient."""
    for found, expected in zip(
        loss.value_and_gradient(SCORES, TARGET), other.value_and_gradient(SCORES, TARGET), strict=True
    ):
        assert_allclose(found, factor * expected, rtol=rtol, atol=1e-15)


# Where they become known losses


@BOTH_LINKS
@pytest.mark.parametrize(
    ("kind", "settings", "factor"),
    [
        (GeneralizedCrossEntropyLoss, {"q": 1e-14}, 1),
        (SymmetricCrossEntropyLoss, {"alpha": 1, "beta": 0}, 1),
        (SymmetricCrossEntropyLoss, {"alpha": 3, "beta": 0}, 3),
        (FocalLoss, {"gamma": 0}, 1),
        (LabelSmoothingLoss, {"smoothing": 0}, 1),
        (Poly1Loss, {"epsilon": 0}, 1),
    ],
)
def test_each_can_be_the_log_loss(kind, settings, factor, link):
    assert_same_loss(kind(link=link, **settings), Case("log", link).make(), factor)


@BOTH_LINKS
def test_generalized_cross_entropy_leaves_the_log_loss_by_the_squared_log_loss(link):
    """(1 - p^q) / q = - log p - q (log p)^2 / 2 + ..."""
    log, squared = (values(Case(name, link).make()) for name in ("log", "squared_log"))
    q = 1e-5
    assert_allclose((log - values(GeneralizedCrossEntropyLoss(q=q, link=link))) / q, squared / 2, rtol=1e-4)


def test_generalized_cross_entropy_ends_as_the_probability_of_error():
    loss = GeneralizedCrossEntropyLoss(q=1)
    assert_same_loss(loss, get_loss("chebyshev"))
    assert_same_loss(loss, get_loss("expectation"), 1 / 2)


def test_generalized_cross_entropy_halfway_is_the_squared_hellinger_distance():
    y = torch.nn.functional.one_hot(TARGET, 5)
    expected = (SCORES.softmax(-1).sqrt() - y.sqrt()).square().sum(-1)
    assert_allclose(values(GeneralizedCrossEntropyLoss(q=0.5)), expected, rtol=1e-12)


@BOTH_LINKS
def test_symmetric_cross_entropy_without_the_log_is_the_paper_s_reverse_part(link):
    """- sum_j p_j log y_j, with the labels clipped at exp(A) from below."""
    p = SCORES.softmax(-1) if link == "softmax" else SCORES.sigmoid()
    y = torch.nn.functional.one_hot(TARGET, 5).double().clamp_min(np.exp(-3.0))
    loss = SymmetricCrossEntropyLoss(alpha=0, beta=2, log_zero=-3, link=link)
    assert_allclose(values(loss), -2 * (p * y.log()).sum(-1), rtol=1e-12)


def test_symmetric_cross_entropy_is_the_expectation_loss_where_log_zero_is_minus_two():
    loss = SymmetricCrossEntropyLoss(alpha=0, beta=1, log_zero=-2)
    assert_same_loss(loss, get_loss("expectation"))


def test_symmetric_cross_entropy_is_the_sum_of_its_parts():
    log, error = values(get_loss("log")), values(get_loss("chebyshev"))
    loss = SymmetricCrossEntropyLoss(alpha=0.3, beta=0.7, log_zero=-5)
    assert_allclose(values(loss), 0.3 * log + 3.5 * error, rtol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3, 20])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5, 1.0])
def test_label_smoothing_is_that_of_torch(smoothing, n_classes):
    scores, target = draw(50, n_classes)
    theirs = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)
    loss = LabelSmoothingLoss(smoothing=smoothing)
    assert_allclose(loss(scores, target), theirs(scores, target), rtol=1e-13)
    found = loss.value_and_gradient(scores, target)
    expected = autograd(get_loss(theirs), scores, target)
    for ours, torchs in zip(found, expected, strict=True):
        assert_allclose(ours, torchs, rtol=1e-12, atol=1e-15)


@BOTH_LINKS
def test_label_smoothing_mixes_the_log_loss_with_its_mean_over_all_classes(link):
    log = Case("log", link).make()
    of_all = torch.stack([log.per_sample(SCORES, torch.full((200,), c)) for c in range(5)])
    expected = 0.7 * values(log) + 0.3 * of_all.mean(0)
    assert_allclose(values(LabelSmoothingLoss(smoothing=0.3, link=link)), expected, rtol=1e-12)


def test_poly1_is_the_log_loss_and_a_share_of_the_probability_of_error():
    log, error = values(get_loss("log")), values(get_loss("chebyshev"))
    assert_allclose(values(Poly1Loss(epsilon=2.5)), log + 2.5 * error, rtol=1e-12)


@pytest.mark.parametrize("epsilon", [-1.0, 0.0, 2.0])
def test_poly1_is_its_series(epsilon):
    """(1 + e) (1 - p) + (1 - p)^2 / 2 + (1 - p)^3 / 3 + ..."""
    scores, target = draw(50, 3, scale=0.5)
    wrong = 1 - scores.softmax(-1).gather(-1, target[:, None])
    series = (wrong ** torch.arange(1, 400) / torch.arange(1, 400)).sum(-1) + epsilon * wrong[:, 0]
    assert_allclose(Poly1Loss(epsilon=epsilon).per_sample(scores, target), series, rtol=1e-10)


# Order and range


def assert_falls(make, settings):
    """At every sample, and strictly."""
    for smaller, larger in pairwise(settings):
        assert (values(make(smaller)) > values(make(larger))).all()


@BOTH_LINKS
def test_more_robust_is_less(link):
    """Each falls with its parameter, at every sample."""
    assert_falls(lambda q: GeneralizedCrossEntropyLoss(q=q, link=link), [1e-9, 0.2, 0.5, 0.7, 1])
    assert_falls(lambda gamma: FocalLoss(gamma=gamma, link=link), [0, 0.3, 1, 2, 5])
    assert_falls(lambda epsilon: Poly1Loss(epsilon=epsilon, link=link), [3, 1, 0, -0.5, -1])
    assert_falls(lambda a: SymmetricCrossEntropyLoss(log_zero=a, link=link), [-8, -4, -1])
    assert_falls(lambda beta: SymmetricCrossEntropyLoss(beta=beta, link=link), [2, 1, 0])
    assert_falls(lambda alpha: SymmetricCrossEntropyLoss(alpha=alpha, link=link), [2, 1, 0])


@pytest.mark.parametrize("gamma", [1, 2, 5])
def test_focal_loses_at_most_gamma_times_a_term_of_the_entropy(gamma):
    """(1 - p)^gamma >= 1 - gamma p, of Bernoulli; what makes the focal loss keep p from 1 (Mukhoti et al. 2020)."""
    p, log = p_of_the_true_class(), values(get_loss("log"))
    lost = log - values(FocalLoss(gamma=gamma))
    assert (lost >= 0).all()
    assert (lost <= gamma * p * log * (1 + 1e-12)).all()


@BOTH_LINKS
def test_generalized_cross_entropy_ends_at_one_over_q(link):
    scores, target = draw(2000, 3, scale=60.0, dtype=torch.float32)
    found = GeneralizedCrossEntropyLoss(q=0.5, link=link).per_sample(scores, target)
    assert (found.min(), found.max()) == (0.0, 2.0)


@BOTH_LINKS
@pytest.mark.parametrize(
    "kind", [GeneralizedCrossEntropyLoss, SymmetricCrossEntropyLoss, FocalLoss, LabelSmoothingLoss, Poly1Loss]
)
def test_none_falls_below_zero(kind, link):
    scores, target = draw(2000, 3, scale=60.0, dtype=torch.float32)
    assert kind(link=link).per_sample(scores, target).min() >= 0
    assert kind is not Poly1Loss or kind(epsilon=-1, link=link).per_sample(scores, target).min() >= 0


@pytest.mark.parametrize("smoothing", [0.1, 0.5, 1.0])
def test_label_smoothing_is_least_where_p_is_the_smoothed_label(smoothing):
    """There it is the entropy of that label, and there is nothing to learn."""
    smoothed = (1 - smoothing) * torch.eye(4, dtype=torch.float64)[1] + smoothing / 4
    entropy = -(smoothed * smoothed.log()).sum()
    value, gradient = LabelSmoothingLoss(smoothing=smoothing).value_and_gradient(
        smoothed.log()[None], torch.tensor([1])
    )
    assert_allclose(value, [entropy], rtol=1e-12)
    assert_allclose(gradient, np.zeros((1, 4)), atol=1e-15)
    scores, _ = draw(500, 4)
    others = LabelSmoothingLoss(smoothing=smoothing).per_sample(scores, torch.ones(500, dtype=torch.int64))
    assert (others > entropy).all()


def test_label_smoothing_of_one_forgets_the_label():
    loss = LabelSmoothingLoss(smoothing=1)
    assert_allclose(values(loss), loss.per_sample(SCORES, TARGET.roll(1)), rtol=1e-12)


# Gradients


@pytest.mark.parametrize(
    ("loss", "weight"),
    [
        (GeneralizedCrossEntropyLoss(q=0.3), lambda p: p**0.3),
        (SymmetricCrossEntropyLoss(alpha=0.5, beta=2, log_zero=-3), lambda p: 0.5 + 6 * p),
        (FocalLoss(gamma=0.5), lambda p: (1 - p) ** 0.5 - 0.5 * (1 - p) ** -0.5 * p * p.log()),
        (Poly1Loss(epsilon=-1), lambda p: 1 - p),
    ],
)
def test_with_softmax_the_gradient_is_that_of_the_log_loss_times_a_weight(loss, weight):
    expected = get_loss("log").value_and_gradient(SCORES, TARGET)[1] * weight(p_of_the_true_class())[:, None]
    assert_allclose(loss.value_and_gradient(SCORES, TARGET)[1], expected, rtol=1e-9, atol=1e-14)


def test_generalized_cross_entropy_alone_of_its_family_gives_up_a_sample_that_is_badly_wrong():
    scores, target = torch.tensor([[30.0, 0.0]]), torch.tensor([1])
    family = ["generalized_cross_entropy", "symmetric_cross_entropy", "focal", "label_smoothing", "poly1"]
    pull = {name: get_loss(name).value_and_gradient(scores, target)[1].norm() for name in family}
    assert pull.pop("generalized_cross_entropy") < 1e-8
    assert min(pull.values()) > 0.1


def test_focal_hardly_pulls_a_sample_that_is_right():
    """p_c = 0.95: a two-hundredth of the log loss's pull is left, as the paper says of its value."""
    scores, target = torch.tensor([[0.95, 0.05]]).log(), torch.tensor([0])
    pull = {name: get_loss(name).value_and_gradient(scores, target)[1].norm() for name in ("log", "focal")}
    assert 0.005 < pull["focal"] / pull["log"] < 0.01


@BOTH_LINKS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gamma", [0, 1e-3, 0.5, 1, 2, 50])
def test_focal_has_a_gradient_where_p_is_one(gamma, dtype, link):
    """The derivative of a small power of 1 - p is infinite there, times a logarithm that is 0."""
    scores = torch.tensor([[1e4, -1e4], [40.0, -40.0], [300.0, -300.0]], dtype=dtype)
    target = torch.tensor([0, 0, 0])
    loss = FocalLoss(gamma=gamma, link=link)
    for found in (loss.value_and_gradient(scores, target), autograd(loss, scores, target)):
        assert all(result.isfinite().all() for result in found)
        assert_allclose(found[0], np.zeros(3), atol=1e-15)
        assert_allclose(found[1], np.zeros((3, 2)), atol=1e-15)


def test_small_losses_are_not_rounded_away():
    """At p_c = 1 - exp(-30) in single precision, where 1 - p_c as such is 0; sigmoids can say it."""
    scores, target = torch.tensor([[30.0, 0.0]]), torch.tensor([0])
    wrong = np.exp(-30.0)
    for loss, expected in [
        (GeneralizedCrossEntropyLoss(link="sigmoid"), wrong),
        (FocalLoss(gamma=1, link="sigmoid"), wrong**2),
        (Poly1Loss(link="sigmoid"), 2 * wrong),
    ]:
        assert_allclose(loss.per_sample(scores, target), [expected], rtol=1e-5)


# Settings


@pytest.mark.parametrize(
    ("kind", "name", "where", "wrong"),
    [
        (GeneralizedCrossEntropyLoss, "q", r"in \(0, 1\]", [0, -0.1, 1.1]),
        (SymmetricCrossEntropyLoss, "alpha", r"in \[0, inf\)", [-0.1, np.inf]),
        (SymmetricCrossEntropyLoss, "beta", r"in \[0, inf\)", [-0.1, np.inf]),
        (SymmetricCrossEntropyLoss, "log_zero", r"in \(-inf, 0\)", [0, 4, -np.inf]),
        (FocalLoss, "gamma", r"in \[0, inf\)", [-0.1, np.inf]),
        (LabelSmoothingLoss, "smoothing", r"in \[0, 1\]", [-0.1, 1.1]),
        (Poly1Loss, "epsilon", r"in \[-1, inf\)", [-1.1, np.inf]),
    ],
)
def test_a_setting_out_of_range_is_named(kind, name, where, wrong):
    for value in [*wrong, np.nan, "0.5", None, True, torch.tensor(0.5)]:
        with pytest.raises(ValueError, match=rf"{name} must be a number {where}; got ") as raised:
            kind(**{name: value})
        assert f"got {value!r}." in str(raised.value)


def test_repr_shows_the_settings_as_plain_numbers():
    assert repr(FocalLoss(gamma=np.float32(0.5))) == "FocalLoss(gamma=0.5, link='softmax', reduction='mean')"
    shown = "SymmetricCrossEntropyLoss(alpha=1.0, beta=0.5, log_zero=-4.0, link='sigmoid', reduction='sum')"
    assert repr(SymmetricCrossEntropyLoss(alpha=1, beta=0.5, link="sigmoid", reduction="sum")) == shown
    for name, start in [
        ("generalized_cross_entropy", "GeneralizedCrossEntropyLoss(q=0.7, link="),
        ("label_smoothing", "LabelSmoothingLoss(smoothing=0.1, link="),
        ("poly1", "Poly1Loss(epsilon=1.0, link="),
    ]:
        assert repr(get_loss(name)).startswith(start)


@pytest.mark.parametrize(
    ("losses", "n_calls"),
    [
        ([FocalLoss(), FocalLoss(gamma=2), FocalLoss(gamma=np.int64(2), reduction="sum")], 1),
        ([FocalLoss(gamma=1), FocalLoss(), FocalLoss(gamma=1)], 2),
        ([FocalLoss(), FocalLoss(link="sigmoid")], 2),
        ([GeneralizedCrossEntropyLoss(q=q) for q in (0.1, 0.2, 0.1, 0.3)], 3),
        ([SymmetricCrossEntropyLoss(alpha=a, beta=b) for a in (1, 2) for b in (1, 2)], 4),
        ([SymmetricCrossEntropyLoss(log_zero=a) for a in (-4, -4.0, -5)], 2),
        ([LabelSmoothingLoss(smoothing=s) for s in (0.1, 0.2, 0.2)], 2),
        ([Poly1Loss(epsilon=e) for e in (1, -1, 1.0)], 2),
    ],
)
def test_members_of_equal_settings_are_asked_together(losses, n_calls, monkeypatch):
    calls, kind = [], type(losses[0])
    original = kind.formula_and_grad
    monkeypatch.setattr(kind, "formula_and_grad", lambda *args: calls.append(1) or original(*args))
    scores, target = draw(len(losses), 5, 3)
    found = LossStack(losses).value_and_gradient(scores, target)
    assert len(calls) == n_calls
    own = [loss.value_and_gradient(o, c) for loss, o, c in zip(losses, scores, target, strict=True)]
    for together, alone in zip(found, zip(*own, strict=True), strict=True):
        assert_allclose(together, torch.stack(alone), rtol=1e-12, atol=1e-15)
