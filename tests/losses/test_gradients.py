"""The gradient of each loss: by finite differences, by autograd, by the paper."""

import pytest
import torch
from numpy.testing import assert_allclose

from sklearn_nndyn.losses import (
    ClassificationLoss,
    FocalLoss,
    LabelSmoothingLoss,
    ProbabilityLoss,
    TanimotoLoss,
    get_loss,
)
from tests import reference
from tests.losses.cases import ALL, SIGMOID, SOFTMAX, autograd, draw
from tests.pairwise import for_each


class LogSumExp(ClassificationLoss):
    """A user's own log loss, without a closed form."""

    def per_sample(self, scores, target):
        return scores.logsumexp(-1) - scores.gather(-1, target.unsqueeze(-1)).squeeze(-1)


class FromFormula(ProbabilityLoss):
    """A user's own loss on probabilities, without a written gradient: sum_j |y_j - p_j|^3."""

    def formula(self, log_p, p, y):
        return (y - p).abs().pow(3).sum(-1)


class Overlap(TanimotoLoss):
    """A known loss of which a user changed the formula, and its gradient with it."""

    def formula(self, log_p, p, y):
        return -(y * p).sum(-1)

    def grad_log_p(self, log_p, p, y):
        return -y * p


@for_each("case", ALL)
def test_autograd_agrees_with_finite_differences(case):
    scores, target = draw(6, 4)
    loss = case.make()
    assert torch.autograd.gradcheck(lambda o: loss.per_sample(o, target), scores.requires_grad_())


@pytest.mark.parametrize("shape", [(20, 5), (20, 2), (1, 3), (3, 7, 4), (2, 3, 5, 4)], ids=str)
@for_each("case", ALL)
def test_value_and_gradient_are_those_of_autograd(case, shape):
    scores, target = draw(*shape)
    loss = case.make()
    values, gradient = loss.value_and_gradient(scores, target)
    expected_values, expected_gradient = autograd(loss, scores, target)
    assert values.shape == target.shape
    assert_allclose(values, expected_values, rtol=1e-12)
    assert_allclose(gradient, expected_gradient, rtol=1e-10, atol=1e-14)


@for_each("name", [*reference.GRADIENTS_ON_SCORES, *reference.GRADIENTS_ON_PROBABILITIES])
def test_gradients_as_the_paper_has_them(name):
    scores, target = draw(20, 5)
    _, gradient = get_loss(name).value_and_gradient(scores, target)
    assert_allclose(gradient, reference.gradients(name, scores, target), rtol=1e-9, atol=1e-13)


@for_each("case", ALL)
def test_value_and_gradient_are_detached_and_leave_the_scores_alone(case):
    scores, target = draw(5, 3)
    kept = scores.clone()
    values, gradient = case.make().value_and_gradient(scores.requires_grad_(), target)
    assert not values.requires_grad
    assert not gradient.requires_grad
    assert scores.grad is None
    assert torch.equal(scores, kept)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@for_each("make", [LogSumExp, FromFormula, *[case.make for case in ALL]])
def test_value_and_gradient_where_torch_records_nothing(make, mode):
    scores, target = draw(5, 3)
    expected_values, expected_gradient = autograd(make(), scores, target)
    with mode():
        values, gradient = make().value_and_gradient(scores * 1, target * 1)
        assert_allclose(values.numpy(), expected_values, rtol=1e-12)
        assert_allclose(gradient.numpy(), expected_gradient, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_a_formula_alone_is_a_loss(link):
    """The chain rule through the link is the base's affair."""
    scores, target = draw(2, 5, 3)
    loss = FromFormula(link=link)
    _, gradient = loss.value_and_gradient(scores, target)
    assert_allclose(gradient, autograd(loss, scores, target)[1], rtol=1e-10)


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_a_changed_formula_takes_no_short_cut_of_the_known_one(link):
    scores, target = draw(2, 5, 3)
    loss = Overlap(link=link)
    values, gradient = loss.value_and_gradient(scores, target)
    expected_values, expected_gradient = autograd(loss, scores, target)
    assert_allclose(values, expected_values, rtol=1e-12)
    assert_allclose(gradient, expected_gradient, rtol=1e-10)


@pytest.mark.parametrize("known", [TanimotoLoss, FocalLoss, LabelSmoothingLoss])
@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_a_changed_formula_alone_has_its_own_gradient(known, link):
    """Not the gradient of the formula that it took the place of."""

    class Changed(known):
        def formula(self, log_p, p, y):
            return (y - p).abs().pow(3).sum(-1)

    scores, target = draw(2, 5, 3)
    for found, expected in zip(
        Changed(link=link).value_and_gradient(scores, target),
        FromFormula(link=link).value_and_gradient(scores, target),
        strict=True,
    ):
        assert_allclose(found, expected, rtol=1e-12)


@for_each("case", SOFTMAX + SIGMOID)
def test_formula_and_gradient_are_the_short_cut_in_two_steps(case):
    scores, target = draw(2, 5, 3)
    loss = case.make()
    inputs = loss.link_function.forward(scores, target)
    value, grad = loss.formula_and_grad(*inputs)
    assert_allclose(value, loss.formula(*inputs), rtol=1e-12)
    expected = loss.link_function.backward(loss.grad_log_p(*inputs), *inputs)
    assert_allclose(loss.link_function.backward(grad, *inputs), expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", ["expectation", "chebyshev", "regularized_expectation"])
def test_losses_on_probabilities_hardly_pull_a_badly_wrong_sample(name):
    """Where the log loss pulls with sqrt(2), these pull with next to nothing."""
    scores, target = torch.tensor([[20.0, 0.0]]), torch.tensor([1])
    assert get_loss("log").value_and_gradient(scores, target)[1].norm() > 1.4
    assert get_loss(name).value_and_gradient(scores, target)[1].norm() < 1e-6


def near_an_end(p_c, n_classes=4, n_samples=50, seed=0):
    """Scores of samples that give their class, class 0, the probability p_c, the others the rest in any shares."""
    generator = torch.Generator().manual_seed(seed)
    shares = torch.rand(n_samples, n_classes - 1, generator=generator, dtype=torch.float64).pow(3)
    rest = (1 - p_c) * shares / shares.sum(-1, keepdim=True)
    p = torch.cat([torch.full((n_samples, 1), p_c, dtype=torch.float64), rest], dim=-1)
    return p.log(), torch.zeros(n_samples, dtype=torch.int64)


ENDS = [10.0**-power for power in range(1, 9)]


@for_each("p_c", [*ENDS, 0.5, *(1 - end for end in ENDS)])
def test_gradients_of_losses_on_probabilities_vanish_at_both_ends(p_c):
    """|g| <= 2 sqrt(2) p_c (1 - p_c) for expectation, half of it for Chebyshev, |g_c| <= 4 p_c (1 - p_c)^2 for
    regularized expectation; and |g_c| = 1 - p_c for the log loss, which vanishes at one end only."""
    scores, target = near_an_end(p_c)
    found = {
        name: get_loss(name).value_and_gradient(scores, target)[1]
        for name in ("log", "expectation", "chebyshev", "regularized_expectation")
    }
    room = 1 + 1e-6
    for name, factor in (("expectation", 2), ("chebyshev", 1)):
        norm = found[name].norm(dim=-1)
        assert norm.max() <= factor * 2**0.5 * p_c * (1 - p_c) * room
        assert norm.min() > 0
    assert found["regularized_expectation"][:, 0].abs().max() <= 4 * p_c * (1 - p_c) ** 2 * room
    assert_allclose(found["log"][:, 0], p_c - 1, rtol=1e-6)


def test_regularized_expectation_vanishes_altogether_where_one_class_has_it_all():
    """Near a corner of the simplex, a wrong one or the right one; between two wrong classes it does not."""
    loss = get_loss("regularized_expectation")
    for end in ENDS[2:]:
        left = torch.log(
            torch.tensor([[end, 1 - 2 * end, end], [1 - 2 * end, end, end]], dtype=torch.float64)
        )
        assert (
            loss.value_and_gradient(left, torch.zeros(2, dtype=torch.int64))[1].norm(dim=-1) < 10 * end
        ).all()
    between = torch.log(torch.tensor([[1e-8, 0.7, 0.3 - 1e-8]], dtype=torch.float64))
    gradient = loss.value_and_gradient(between, torch.tensor([0]))[1]
    assert gradient.norm() > 0.1
    assert abs(gradient[0, 0]) < 1e-7  # what it moves is the wrong classes
