"""Many networks' losses at once: each gets what its own loss gives."""

import pytest
import torch
from numpy.testing import assert_allclose

from sklearn_nndyn.losses import (
    CustomLoss,
    HingeLoss,
    LogLoss,
    TanimotoLoss,
    get_loss,
    loss_names,
)
from sklearn_nndyn.losses._stacked import LossStack
from tests.losses.cases import ALL, Case, draw
from tests.losses.test_stability import MIXTURES, TARGETS
from tests.losses.users_own import (
    Clipped,
    Counting,
    Cubed,
    Doubled,
    Perceptron,
    Shifted,
    cross_entropy,
    smoothed,
)
from tests.pairwise import for_each

TOLERANCES = {
    torch.float64: {"rtol": 1e-12, "atol": 1e-14},
    torch.float32: {"rtol": 1e-5, "atol": 1e-6},
}


def everything():
    """All losses of the package with each link, and all kinds that a user may bring."""
    own = [
        Perceptron(),
        Perceptron(margin=1.0),
        Cubed(),
        Cubed(link="sigmoid"),
        Shifted(),
        Doubled(),
        Clipped(),
    ]
    brought = [
        smoothed(0.1),
        smoothed(0.2),
        CustomLoss(torch.nn.MultiMarginLoss()),
        CustomLoss(cross_entropy),
    ]
    return [case.make() for case in ALL] + own + brought + [CustomLoss(Counting())]


def shuffled(losses, seed):
    order = torch.randperm(len(losses), generator=torch.Generator().manual_seed(seed))
    return [losses[i] for i in order]


MIXTURES_OF_LOSSES = {
    "everything": everything,
    "everything, thrice": lambda: shuffled([loss for _ in range(3) for loss in everything()], 0),
    "all names": lambda: [get_loss(name) for name in loss_names()],
    "all names, in fives": lambda: shuffled([get_loss(name) for name in loss_names()] * 5, 1),
    "softmax alone": lambda: [LogLoss(), TanimotoLoss(), get_loss("chebyshev")],
    "one way, some users' own": lambda: [LogLoss(), Cubed(), Shifted()],
    "hinges": lambda: [HingeLoss(power=power) for power in (3, 1, 2, 1)],
    "one loss": lambda: [LogLoss(), LogLoss(), LogLoss()],
    "one member": lambda: [Case("chebyshev", "sigmoid").make()],
}


def class_major(scores):
    return scores.mT.contiguous().mT


LAYOUTS = {
    "class-major": class_major,
    "contiguous": lambda scores: scores,
    "gaps": lambda scores: torch.stack([scores, scores], -1)[..., 0],
    "members last": lambda scores: scores.permute(1, 2, 0).contiguous().permute(2, 0, 1),
}


def probability(loss, scores, target):
    """That of the true class, nan for a loss without probabilities."""
    if not hasattr(loss, "predict_proba"):
        return scores.new_full(target.shape, torch.nan)
    return loss.predict_proba(scores).gather(-1, target[:, None])[:, 0]


def one_by_one(losses, scores, target):
    """What the losses give, each by itself: values, probabilities (nan for none), values, gradients, decisions."""
    results = [
        (loss.per_sample(o, c), probability(loss, o, c), *loss.value_and_gradient(o, c), loss.decide(o))
        for loss, o, c in zip(losses, scores, target, strict=True)
    ]
    return [torch.stack(result) for result in zip(*results, strict=True)]


def assert_as_one_by_one(stack, losses, scores, target, **tolerances):
    per_sample, p, values, gradient, decided = one_by_one(losses, scores, target)
    found_values, found_gradient = stack.value_and_gradient(scores, target)
    with torch.no_grad():
        found_per_sample, found_p = stack.value_and_probability(scores, target)
    assert found_values.shape == found_per_sample.shape == target.shape
    assert found_values.dtype == found_gradient.dtype == scores.dtype
    assert_allclose(found_values, values, **tolerances)
    assert_allclose(found_per_sample, per_sample, **tolerances)
    assert found_p is None if p.isnan().all() else found_p.dtype == scores.dtype
    assert_allclose(torch.full_like(p, torch.nan) if found_p is None else found_p, p, **tolerances)
    assert_allclose(found_gradient, gradient, **tolerances)
    assert torch.equal(stack.decide(scores), decided)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@for_each("layout", LAYOUTS)
@pytest.mark.parametrize("make", MIXTURES_OF_LOSSES.values(), ids=MIXTURES_OF_LOSSES)
def test_each_member_gets_what_its_loss_gives(make, layout, dtype):
    losses = make()
    scores, target = draw(len(losses), 7, 4, dtype=dtype)
    assert_as_one_by_one(LossStack(losses), losses, layout(scores), target, **TOLERANCES[dtype])


@pytest.mark.parametrize("n_classes", [2, 3, 20])
@pytest.mark.parametrize("n_samples", [1, 33])
def test_any_shape(n_samples, n_classes):
    losses = everything()
    scores, target = draw(len(losses), n_samples, n_classes)
    tolerances = TOLERANCES[torch.float64]
    assert_as_one_by_one(LossStack(losses), losses, class_major(scores), target, **tolerances)


OURS = {
    "each by itself": lambda case: [case.make()],
    "thrice": lambda case: [case.make()] * 3,
    "among others": lambda case: shuffled([case.make(), *(get_loss(name) for name in loss_names())] * 2, 1),
}


@pytest.mark.parametrize("make", OURS.values(), ids=OURS)
@for_each("case", ALL)
def test_bound_to_memory_a_stack_gives_the_same_bits_for_whatever_comes_to_lie_there(case, make):
    stack = LossStack(make(case))
    (scores, target), *later = [draw(len(stack.losses), 7, 4, seed=seed) for seed in range(3)]
    scores = class_major(scores)
    bound = stack.bind(scores, target)
    for new_scores, new_target in later:
        scores.copy_(new_scores)
        target.copy_(new_target)
        values, gradient = LossStack(stack.losses).value_and_gradient(class_major(new_scores), new_target)
        expected = values.mean(-1), gradient / 7
        for found, own in zip(bound(), expected, strict=True):
            assert torch.equal(found, own)
        assert torch.equal(scores, new_scores)


@pytest.mark.parametrize("losses", [[Perceptron()], [LogLoss(), Cubed()], [CustomLoss(Counting())]], ids=len)
def test_losses_of_users_are_not_bound(losses):
    """What they do may depend on values."""
    assert LossStack(losses).bind(*draw(len(losses), 7, 4)) is None


@for_each("case", ALL)
def test_next_to_others_a_loss_gives_what_autograd_finds(case):
    """Not the closed form again, but torch's own derivative."""
    losses = [case.make(), LogLoss(), LogLoss(link="sigmoid"), HingeLoss(), get_loss("l2"), case.make()]
    scores, target = draw(6, 9, 4)
    _, gradient = LossStack(losses).value_and_gradient(class_major(scores), target)
    inputs = scores.clone().requires_grad_()
    sum(loss.per_sample(o, c).sum() for loss, o, c in zip(losses, inputs, target, strict=True)).backward()
    assert_allclose(gradient, inputs.grad, rtol=1e-10, atol=1e-14)


def test_permuted_members_have_permuted_results():
    losses = [loss for _ in range(2) for loss in everything()]
    scores, target = draw(len(losses), 5, 3)
    order = torch.randperm(len(losses), generator=torch.Generator().manual_seed(3))
    values, gradient = LossStack(losses).value_and_gradient(scores, target)
    permuted = LossStack([losses[i] for i in order])
    permuted_values, permuted_gradient = permuted.value_and_gradient(scores[order], target[order])
    assert_allclose(permuted_values, values[order], rtol=1e-13)
    assert_allclose(permuted_gradient, gradient[order], rtol=1e-12, atol=1e-15)
    assert torch.equal(permuted.decide(scores[order]), LossStack(losses).decide(scores)[order])


@pytest.mark.parametrize(
    "members", [slice(3, 11), slice(None), slice(5, 6), slice(1, None, 4), slice(-4, None)], ids=str
)
def test_a_slice_is_the_stack_of_its_members(members):
    losses = MIXTURES_OF_LOSSES["everything, thrice"]()
    scores, target = draw(len(losses), 5, 3)
    stack = LossStack(losses).of(members)
    tolerances = TOLERANCES[torch.float64]
    assert_as_one_by_one(stack, losses[members], scores[members], target[members], **tolerances)


def test_a_slice_is_made_once():
    stack = LossStack([LogLoss(), HingeLoss(), LogLoss()])
    assert stack.of(slice(0, 2)) is stack.of(slice(None, -1))
    assert stack.of(slice(0, 2)) is not stack.of(slice(1, 3))


@pytest.mark.parametrize("make", MIXTURES_OF_LOSSES.values(), ids=MIXTURES_OF_LOSSES)
@for_each("layout", LAYOUTS)
def test_the_gradient_is_class_major(make, layout):
    losses = make()
    scores, target = draw(len(losses), 7, 4)
    _, gradient = LossStack(losses).value_and_gradient(layout(scores), target)
    assert gradient.mT.is_contiguous()


@pytest.mark.parametrize("make", MIXTURES_OF_LOSSES.values(), ids=MIXTURES_OF_LOSSES)
def test_results_are_plain_tensors_and_the_scores_are_left_alone(make):
    losses = make()
    scores, target = draw(len(losses), 7, 4)
    kept = scores.clone()
    results = LossStack(losses).value_and_gradient(class_major(scores).requires_grad_(), target)
    measured = LossStack(losses).value_and_probability(scores.requires_grad_(), target)
    results += tuple(result for result in measured if result is not None)
    assert not any(result.requires_grad or result.is_inference() for result in results)
    assert torch.equal(scores, kept)
    again = LossStack(losses).value_and_gradient(scores, target)
    results[1].zero_()  # what is given away is the caller's
    assert torch.equal(LossStack(losses).value_and_gradient(scores, target)[1], again[1])


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_where_torch_records_nothing(mode):
    losses = everything()
    scores, target = draw(len(losses), 5, 3)
    values, gradient = LossStack(losses).value_and_gradient(scores, target)
    with mode():
        quiet_values, quiet_gradient = LossStack(losses).value_and_gradient(scores * 1, target * 1)
    assert_allclose(quiet_values, values, rtol=1e-12)
    assert_allclose(quiet_gradient, gradient, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_extreme_scores_are_finite(layout):
    losses = shuffled([case.make() for case in ALL] * 2, 0)
    scores, target = MIXTURES.expand(len(losses), -1, -1), TARGETS.expand(len(losses), -1)
    stack = LossStack(losses)
    for result in (
        *stack.value_and_gradient(layout(scores), target),
        stack.value_and_probability(scores, target)[0],
    ):
        assert result.dtype == torch.float32
        assert result.isfinite().all()
    assert_as_one_by_one(stack, losses, layout(scores), target, **TOLERANCES[torch.float32])


def test_losses_with_softmax_share_one_exponential(monkeypatch):
    calls = []
    original = torch.Tensor.log_softmax
    monkeypatch.setattr(torch.Tensor, "log_softmax", lambda *args: calls.append(1) or original(*args))
    scores, target = draw(5, 7, 3)
    losses = [LogLoss(), TanimotoLoss(), HingeLoss(), Cubed(), LogLoss(link="sigmoid")]
    LossStack(losses).value_and_gradient(scores, target)
    assert len(calls) == 1
