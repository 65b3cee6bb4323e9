"""What users hang on parameters, optimizers and modules is trained with, also where steps are fused."""

import copy

import pytest
import torch
from skorch.callbacks import Callback
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from sklearn_nndyn import DynamicsClassifier, fit_together
from tests.classifiers.test_laws import assert_same_weights
from tests.problems import Problem

PROBLEM = Problem("chain", shuffle=False, dtype="float64")
X, Y = PROBLEM.data()
STEPS = 4  # of an epoch


def chain(*_):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))


def stop(gradient):
    """A hook by which nothing is learned."""
    return torch.zeros_like(gradient)


def still(*_):
    """A chain whose first layer learns nothing, by hooks of its gradients."""
    module = chain()
    for parameter in module[0].parameters():
        parameter.register_hook(stop)
    return module


def forget(parameter):
    """A hook that is called once the gradient is there."""
    parameter.grad.zero_()


def still_afterwards(*_):
    """The same, by hooks that are called once a gradient is there."""
    module = chain()
    for parameter in module[0].parameters():
        parameter.register_post_accumulate_grad_hook(forget)
    return module


class Still(nn.Module):
    """The same in a class; the hooks are methods of the module."""

    def __init__(self):
        super().__init__()
        self.first, self.last, self.share = nn.Linear(16, 8), nn.Linear(8, 3), 0.0
        for parameter in self.first.parameters():
            parameter.register_hook(self.scaled)

    def scaled(self, gradient):
        return gradient * self.share

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))


def halves(clf):
    """How far the first and the last layer moved."""
    start = clf.at_epoch(0).module_
    moved = [
        float((a - b).detach().abs().max())
        for a, b in zip(start.parameters(), clf.module_.parameters(), strict=True)
    ]
    return max(moved[:2]), max(moved[2:])


class OnBegin(Callback):
    """Does something with the net before its first epoch."""

    def __init__(self, act):
        self.act = act

    def on_train_begin(self, net, **kwargs):
        self.act(net)


def hook_first_layer(net):
    for parameter in net.module_[0].parameters():
        parameter.register_hook(stop)


GIVEN = {
    "instance": lambda: {"module": still()},
    "function": lambda: {"module": still},
    "afterwards": lambda: {"module": still_afterwards},
    "method of a class": lambda: {"module": Still},
    "callback": lambda: {"module": chain, "callbacks": [OnBegin(hook_first_layer)]},
}


@pytest.mark.parametrize("batch_size", [16, "full"])
@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_hooks_of_gradients_go_with_the_copy_that_is_trained(given, batch_size):
    first, last = halves(PROBLEM.classifier(batch_size=batch_size, **given()).fit(X, Y))
    assert first == 0 < last


def test_hooks_of_gradients_count_among_networks_trained_together():
    make = lambda: [PROBLEM.classifier(module=still, random_state=seed) for seed in (1, 2)]  # noqa: E731
    together = fit_together(make(), X, Y)
    assert [halves(clf)[0] for clf in together] == [0, 0]
    for clf, own in zip(together, make(), strict=True):
        assert_same_weights(clf, own.fit(X, Y))


def test_a_copy_of_a_fitted_classifier_goes_on_with_them():
    clf = copy.deepcopy(PROBLEM.classifier(module=still(), warm_start=True).fit(X, Y)).fit(X, Y)
    assert halves(clf)[0] == 0


def test_a_frozen_parameter_keeps_its_hook_and_stays_frozen():
    module = still()
    module[0].requires_grad_(False)
    clf = PROBLEM.classifier(module=module).fit(X, Y)
    assert not clf.module_[0].weight.requires_grad
    clf.module_[0].requires_grad_(True)
    clf.module_(torch.tensor(X)).sum().backward()
    assert not clf.module_[0].weight.grad.any()


def count_steps(net):
    net.counted_ = []
    net.optimizer_.register_step_post_hook(lambda *_: net.counted_.append(1))


def count_calls(net):
    net.counted_, step = [], net.optimizer_.step
    net.optimizer_.step = lambda *args: net.counted_.append(1) or step(*args)


@pytest.mark.parametrize("act", [count_steps, count_calls], ids=["hook", "another step"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_what_is_hung_on_the_optimizer_happens_at_every_update(optimizer, act):
    clf = PROBLEM.classifier(module=chain, optimizer=optimizer, callbacks=[OnBegin(act)]).fit(X, Y)
    assert len(clf.net_.counted_) == 4 * STEPS
    assert_same_weights(clf, PROBLEM.classifier(module=chain, optimizer=optimizer).fit(X, Y))


def test_hooks_of_all_optimizers_are_called():
    seen = []
    handle = register_optimizer_step_post_hook(lambda optimizer, *_: seen.append(optimizer))
    try:
        clf = PROBLEM.classifier(module=chain).fit(X, Y)
    finally:
        handle.remove()
    assert sum(optimizer is clf.net_.optimizer_ for optimizer in seen) == 4 * STEPS


def test_hooks_of_all_modules_are_called_in_training():
    doubled = lambda part, args, output: 2 * output if isinstance(part, nn.Linear) else None  # noqa: E731
    handle = nn.modules.module.register_module_forward_hook(doubled)
    try:
        clf = PROBLEM.classifier(module=chain).fit(X, Y)
        record = clf.dynamics_.loss.mean(0)
    finally:
        handle.remove()

    class Doubles(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    torch.manual_seed(0)
    module = nn.Sequential(Doubles(16, 8), nn.ReLU(), Doubles(8, 3))
    written_out = PROBLEM.classifier(module=module).fit(X, Y)
    torch.testing.assert_close(clf.loss_curve_, written_out.loss_curve_)
    torch.testing.assert_close(torch.tensor(record), torch.tensor(written_out.dynamics_.loss.mean(0)))


class EveryOther(torch.optim.SGD):
    """Moves after every second batch, by the sum of the gradients of both."""

    def __init__(self, params, lr):
        super().__init__(params, lr=lr)
        self.batches = 0

    def step(self, closure=None):
        self.batches += 1
        return super().step(closure) if self.batches % 2 == 0 else None

    def zero_grad(self, set_to_none=True):
        if self.batches % 2 == 0:
            super().zero_grad(set_to_none)


@pytest.mark.parametrize("last", [nn.ReLU, nn.GELU], ids=["chain", "other module"])
def test_gradients_add_up_where_the_optimizer_does_not_zero_them(last):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(16, 8), last(), nn.Linear(8, 3)).double()
    clf = DynamicsClassifier(
        module, optimizer=EveryOther, lr=0.1, batch_size=16, max_epochs=3, shuffle=False, dtype="float64"
    ).fit(X, Y)
    optimizer = EveryOther(module.parameters(), lr=0.1)
    rows, target = torch.tensor(X), torch.tensor([["cat", "dog", "eel"].index(label) for label in Y])
    for _ in range(3):
        for x, y in zip(rows.split(16), target.split(16), strict=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(x), y).backward()
            optimizer.step()
    for a, b in zip(clf.module_.parameters(), module.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_forward_that_calls_the_original_is_refused():
    """It would train nothing: the copy calls the network that it was copied from."""
    module = chain()
    original = module.forward
    module.forward = lambda x: 2 * original(x.float())
    with pytest.raises(ValueError, match=r"does not reach the parameters of module: .* types\.MethodType"):
        PROBLEM.classifier(module=module).fit(X, Y)
