"""What each loss is worth: against the slow definitions, and in closed form."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from sklearn_nndyn.losses import get_loss, loss_names
from tests import reference
from tests.losses.cases import ALL, RAW, SIGMOID, SOFTMAX, Case, draw
from tests.pairwise import for_each

LOG2 = np.log(2)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("log", LOG2),
        ("squared_log", LOG2**2),
        ("expectation", 1.0),
        ("regularized_expectation", 3 / 8),
        ("chebyshev", 1 / 2),
        ("tanimoto", -4 / 7),
        ("cauchy_schwarz", LOG2 + np.log(3 / 8) / 2),
        ("generalized_cross_entropy", (1 - 0.5**0.7) / 0.7),
        ("symmetric_cross_entropy", LOG2 / 10 + 2),
        ("focal", LOG2 / 4),
        ("label_smoothing", LOG2 * (14 / 15 + 4 / 30)),
        ("poly1", LOG2 + 1 / 2),
    ],
)
def test_reference_by_hand_on_probabilities(name, expected):
    """p = (1/2, 1/4, 1/4), the first class true: p.p = 3/8."""
    o = np.log([0.5, 0.25, 0.25]) + 1.0
    assert_allclose(reference.sample_loss(name, o, 0), expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("l1", 1.25), ("l2", 1.0625), ("hinge", 0.75), ("squared_hinge", 0.5625), ("cubed_hinge", 0.421875)],
)
def test_reference_by_hand_on_scores(name, expected):
    """o = (1, 1/4, -1), the first class true: only the second output is within the margin, by 3/4."""
    assert reference.sample_loss(name, np.array([1.0, 0.25, -1.0]), 0) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("log", LOG2),
        ("expectation", 1.5),
        ("tanimoto", -0.4),
        ("chebyshev", 0.5),
        ("symmetric_cross_entropy", LOG2 / 10 + 4),
        ("label_smoothing", LOG2),
    ],
)
def test_reference_by_hand_with_sigmoids(name, expected):
    """All scores zero, three classes: every p_j is 1/2, p.p = 3/4."""
    assert_allclose(reference.sample_loss(name, np.zeros(3), 1, "sigmoid"), expected)


def test_reference_defines_all():
    assert {*reference.LOSSES_ON_SCORES, *reference.LOSSES_ON_PROBABILITIES} == set(loss_names())


@pytest.mark.parametrize("n_classes", [2, 3, 10])
@for_each("case", ALL)
def test_equals_the_definition(case, n_classes):
    scores, target = draw(20, n_classes)
    expected = reference.losses(case.name, scores, target, case.link, **case.settings)
    assert_allclose(case.make().per_sample(scores, target), expected, rtol=1e-12, atol=1e-14)


@for_each("case", ALL)
def test_leading_axes_are_so_many_networks(case):
    scores, target = draw(2, 3, 5, 4)
    values = case.make().per_sample(scores, target)
    expected = [
        reference.losses(case.name, scores[i, j], target[i, j], case.link, **case.settings)
        for i, j in np.ndindex(2, 3)
    ]
    assert_allclose(values.reshape(6, 5), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "closed_form"),
    [
        ("expectation", lambda p, p_c: 2 * (1 - p_c)),
        ("chebyshev", lambda p, p_c: 1 - p_c),
        ("regularized_expectation", lambda p, p_c: 1 - 2 * p_c + p.square().sum(-1)),
        ("tanimoto", lambda p, p_c: -p_c / (p.square().sum(-1) + 1 - p_c)),
    ],
)
def test_closed_form_with_softmax(name, closed_form):
    scores, target = draw(50, 5)
    p = scores.softmax(-1)
    p_c = p[torch.arange(50), target]
    assert_allclose(get_loss(name).per_sample(scores, target), closed_form(p, p_c), rtol=1e-10)


def test_cauchy_schwarz_is_log_loss_minus_half_the_renyi_entropy():
    scores, target = draw(50, 5)
    renyi = -scores.softmax(-1).square().sum(-1).log()
    expected = get_loss("log").per_sample(scores, target) - renyi / 2
    assert_allclose(get_loss("cauchy_schwarz").per_sample(scores, target), expected)


def test_log_is_the_cross_entropy_of_torch():
    scores, target = draw(50, 5)
    assert_allclose(
        get_loss("log")(scores, target), torch.nn.functional.cross_entropy(scores, target), rtol=1e-14
    )


def _expectation_over_chebyshev(link, n_classes=4):
    scores, target = draw(50, n_classes)
    expectation, chebyshev = (Case(name, link).make() for name in ("expectation", "chebyshev"))
    return expectation.per_sample(scores, target) / chebyshev.per_sample(scores, target)


def test_expectation_is_twice_chebyshev_with_softmax():
    assert_allclose(_expectation_over_chebyshev("softmax"), 2.0)


def test_expectation_is_not_twice_chebyshev_with_sigmoids():
    ratio = _expectation_over_chebyshev("sigmoid")
    assert ratio.max() - ratio.min() > 0.5


def test_expectation_is_twice_the_chance_that_a_drawn_label_is_wrong():
    """Labels are drawn from p, 400 for each of 50 samples; the mean agrees within four standard errors."""
    scores, target = draw(50, 4, scale=1.0)
    draws = torch.multinomial(
        scores.softmax(-1), 400, replacement=True, generator=torch.Generator().manual_seed(1)
    )
    wrong = 2.0 * (draws != target.unsqueeze(-1))
    error = wrong.std() / np.sqrt(wrong.numel())
    assert error < 0.01
    assert abs(wrong.mean() - get_loss("expectation")(scores, target)) < 4 * error


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_tanimoto_lies_between_minus_one_and_zero(link):
    scores, target = draw(20_000, 3, scale=10.0, dtype=torch.float32)
    values = Case("tanimoto", link).make().per_sample(scores, target)
    assert values.min() == -1.0
    assert -1e-6 < values.max() <= 0.0


@for_each("case", SOFTMAX)
def test_softmax_losses_ignore_a_common_shift(case):
    scores, target = draw(20, 4)
    loss, shift = case.make(), draw(20, 1, seed=1)[0]
    assert_allclose(loss.per_sample(scores + shift, target), loss.per_sample(scores, target), rtol=1e-12)


@for_each("case", [Case(name) for name in RAW] + SIGMOID)
def test_other_losses_see_a_common_shift(case):
    scores, target = draw(20, 4)
    loss = case.make()
    assert abs(loss(scores + 3.0, target) - loss(scores, target)) > 0.01


@pytest.mark.parametrize("name", ["log", "squared_log", "generalized_cross_entropy", "focal", "poly1"])
def test_log_losses_with_sigmoids_ignore_the_other_outputs(name):
    scores, target = draw(20, 4)
    others = torch.ones(20, 4).scatter_(-1, target.unsqueeze(-1), 0.0)
    loss = Case(name, "sigmoid").make()
    assert torch.equal(loss.per_sample(scores + 5 * others, target), loss.per_sample(scores, target))


@for_each("case", ALL)
def test_a_renaming_of_the_classes_changes_nothing(case):
    """New column j holds the scores of old class order[j]; values stay, gradients move along."""
    scores, target = draw(20, 4)
    order = torch.tensor([2, 0, 3, 1])
    loss = case.make()
    values, gradient = loss.value_and_gradient(scores, target)
    renamed_values, renamed_gradient = loss.value_and_gradient(scores[:, order], order.argsort()[target])
    assert_allclose(renamed_values, values, rtol=1e-12)
    assert_allclose(renamed_gradient, gradient[:, order], rtol=1e-12, atol=1e-15)
