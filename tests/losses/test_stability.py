"""Scores of +-10,000 in float32: nothing overflows, nothing turns into nan."""

import itertools

import pytest
import torch
from numpy.testing import assert_allclose

from tests.losses.cases import ALL, SIGMOID, SOFTMAX, Case, autograd
from tests.pairwise import for_each

LEVELS = (-1e4, -1.0, 0.0, 1e4)
# Every mixture of the levels over three classes, with every true class: (192, 3) and (192,).
MIXTURES = torch.tensor(list(itertools.product(LEVELS, repeat=3))).repeat_interleave(3, 0)
TARGETS = torch.arange(3).repeat(len(LEVELS) ** 3)


@for_each("case", ALL)
def test_values_and_gradients_are_finite(case):
    for values, gradient in (
        case.make().value_and_gradient(MIXTURES, TARGETS),
        autograd(case.make(), MIXTURES, TARGETS),
    ):
        assert values.dtype == gradient.dtype == torch.float32
        assert values.isfinite().all()
        assert gradient.isfinite().all()


@for_each("case", ALL)
def test_closed_form_and_autograd_agree_at_the_ends(case):
    _, gradient = case.make().value_and_gradient(MIXTURES, TARGETS)
    assert_allclose(gradient, autograd(case.make(), MIXTURES, TARGETS)[1], rtol=1e-5, atol=2e-7)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("log", 2e4),
        ("squared_log", 4e8),
        ("cauchy_schwarz", 2e4),
        ("expectation", 2.0),
        ("regularized_expectation", 2.0),
        ("chebyshev", 1.0),
        ("tanimoto", 0.0),
        ("generalized_cross_entropy", float(torch.tensor(1 / 0.7))),
        ("symmetric_cross_entropy", 2004.0),
        ("focal", 2e4),
        ("label_smoothing", 19000.0),
        ("poly1", 20001.0),
    ],
)
def test_value_of_a_sample_that_is_as_wrong_as_can_be(name, expected):
    """No clipping: the log losses say how wrong it is."""
    loss = Case(name, "softmax").make()
    assert loss.per_sample(torch.tensor([[1e4, -1e4, 0.0]]), torch.tensor([1])).tolist() == [expected]


def test_gradient_of_a_sample_that_is_as_wrong_as_can_be():
    _, gradient = (
        Case("log", "softmax").make().value_and_gradient(torch.tensor([[1e4, -1e4, 0.0]]), torch.tensor([1]))
    )
    assert gradient.tolist() == [[1.0, -1.0, 0.0]]


@for_each("case", SOFTMAX + SIGMOID)
def test_probabilities_sum_to_one_everywhere(case):
    p = case.make().predict_proba(MIXTURES)
    assert p.min() >= 0
    assert_allclose(p.sum(-1), 1.0, rtol=1e-6)


def test_sigmoids_that_underflow_still_make_probabilities():
    """exp(-200) is zero in float32; the ratios of such p_j are not lost."""
    scores = torch.tensor([[-200.0, -201.0, -205.0]])
    expected = torch.tensor([[0.0, -1.0, -5.0]]).softmax(-1)
    assert_allclose(Case("log", "sigmoid").make().predict_proba(scores), expected, rtol=1e-5)


@pytest.mark.parametrize("shift", [0.0, -100.0, -1e4])
def test_cauchy_schwarz_sees_only_ratios_of_sigmoids(shift):
    """Far down, p_j is exp(o_j): the loss is that of a softmax, and log p.p must not swallow it."""
    scores, target = torch.tensor([[-40.0, -41.0, -42.5]]), torch.tensor([1])
    expected = Case("cauchy_schwarz", "softmax").make()(scores, target)
    assert_allclose(Case("cauchy_schwarz", "sigmoid").make()(scores + shift, target), expected, rtol=1e-6)
