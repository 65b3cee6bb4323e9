"""The parts of a program, each against a slow definition of itself."""

import numpy as np
import pytest
import torch

from sklearn_nndyn.classifiers import prepare
from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.losses._stacked import LossStack
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Recorder
from sklearn_nndyn.recording._stacked import StackedRecorder
from sklearn_nndyn.training import TrainingData
from sklearn_nndyn.training._epoch_loop import draw_order
from sklearn_nndyn.training._fused_step import FusedOptimizerStep
from sklearn_nndyn.training.stacked import make_members
from sklearn_nndyn.training.stacked._epoch_runner import StackedEpochRunner, in_order
from sklearn_nndyn.training.stacked._parameters import ELEMENTWISE, StackedParameters
from sklearn_nndyn.training.stacked._row_sampler import RowSampler, StackedLoader, equal_slices
from sklearn_nndyn.utils.modules import capture_activations, weight_matrices, weight_norms
from sklearn_nndyn.utils.random import RandomState
from tests.classifiers.together.comparing import EVERYTHING, assert_close, small
from tests.pairwise import pairwise
from tests.problems import Problem

X, Y = Problem("vectors").data()


# Feeds and batches


class SlowFeed:
    """Orders drawn as a fit by itself draws them, epoch after epoch."""

    def __init__(self, n, seed, shuffle):
        self.n, self.shuffle, self.states = n, shuffle, RandomState(seed)

    def next(self):
        rows = torch.zeros(self.n, 1)
        with self.states.as_generator(torch.Generator()) as shuffler:
            order = draw_order(rows, shuffler if self.shuffle else None)
        return list(range(self.n)) if order is None else order.tolist()


def slow_batches(order, size):
    """Rows of each batch, one after the other."""
    size = len(order) if size is None else size
    return [order[start : start + size] for start in range(0, len(order), size)]


# Numbers of rows of each fit, falling, and which data set and seed each has.
FITS = {
    "all-share": ([20, 20, 20], [0, 0, 0]),
    "each-its-own": ([20, 20, 20], [0, 1, 2]),
    "pairs-share": ([20, 20, 20, 20], [0, 0, 1, 1]),
    "some-share": ([20, 20, 20, 20], [0, 1, 1, 0]),
    "folds": ([21, 21, 20, 20], [0, 0, 1, 2]),
    "steps-differ": ([33, 17, 16, 5], [0, 1, 2, 3]),
    "long-and-short-share": ([33, 33, 8, 8, 1], [0, 0, 1, 1, 2]),
}


@pairwise(
    fits=FITS,
    size={"1": 1, "8": 8, "16": 16, "all": None},
    shuffle={"shuffled": True, "in-order": False},
    copies={name: name for name in ("rows-are-copied", "rows-are-shared")},
    room={name: name for name in ("chunks-of-one-step", "one-chunk")},
)
def test_every_row_comes_once_an_epoch_in_the_order_of_its_own_fit(
    fits, size, shuffle, copies, room, monkeypatch
):
    """With its target and its weight; and at the step at which its own fit takes it."""
    n_rows, sampler_of = fits
    module = "sklearn_nndyn.training.stacked._row_sampler"
    if room == "chunks-of-one-step":
        monkeypatch.setattr(f"{module}.CHUNK_BYTES", 1)
    if copies == "rows-are-shared":
        monkeypatch.setattr(f"{module}.EXPAND_BYTES", 0)
    generator = torch.Generator().manual_seed(0)
    lengths = dict(zip(sampler_of, n_rows, strict=True))
    sets = [torch.rand(lengths[sampler], 2, 3, generator=generator) for sampler in range(len(lengths))]
    samplers = [RowSampler(rows, 10 + seed, shuffle) for seed, rows in enumerate(sets)]
    data = [
        TrainingData(
            sets[sampler],
            torch.randint(9, (n,), generator=generator),
            torch.rand(n, generator=generator, dtype=torch.float64) if i % 2 else None,
        )
        for i, (n, sampler) in enumerate(zip(n_rows, sampler_of, strict=True))
    ]
    slow = [SlowFeed(n, 10 + sampler, shuffle) for n, sampler in zip(n_rows, sampler_of, strict=True)]
    batches = StackedLoader(data, samplers, sampler_of, size, torch.float32)
    assert batches.steps == [len(slow_batches(range(n), size)) for n in n_rows]
    for _ in range(2):
        for sampler in samplers:
            sampler.draw()
        found = [[] for _ in data]
        for cuts in batches():
            assert [run.start for run, *_ in cuts] == [0, *(run.stop for run, *_ in cuts[:-1])]
            for run, x, y, weight in cuts:
                if isinstance(x, list):
                    assert [own.start for _, own in x] == [0, *(own.stop for _, own in x[:-1])]
                    x = torch.cat([rows.expand(own.stop - own.start, *rows.shape) for rows, own in x])
                x = x.repeat_interleave(len(y) // len(x), 0)
                for i, *own in zip(range(run.start, run.stop), x, y, weight, strict=True):
                    found[i].append([part.clone() for part in own])
        for own, fit, sampler in zip(data, found, slow, strict=True):
            expected = slow_batches(sampler.next(), size)
            if size is None:
                expected = [list(range(len(own.X)))]  # all at once: in the order they lie in
            assert len(fit) == len(expected)
            for (x, y, weight), rows in zip(fit, expected, strict=True):
                assert torch.equal(x, own.X[rows])
                assert torch.equal(y, own.y[rows])
                ones = torch.ones(len(own.X))
                assert torch.equal(weight, (ones if own.weight is None else own.weight.float())[rows])


def test_without_weights_there_are_none():
    data = [TrainingData(torch.rand(9, 2), torch.zeros(9, dtype=torch.long)) for _ in range(2)]
    for size in (4, None):
        batches = StackedLoader(
            data,
            [RowSampler(data[0].X, 0, False), RowSampler(data[1].X, 0, False)],
            [0, 1],
            size,
            torch.float32,
        )
        assert all(weight is None for cuts in batches() for *_, weight in cuts)


def test_runs_of_equal_neighbours():
    assert equal_slices([3, 3, 1, 3]) == [slice(0, 2), slice(2, 3), slice(3, 4)]
    assert equal_slices([]) == []


# The stack


def prepared(n=3, **changes):
    own = [{"random_state": s, "lr": lr} for s, lr in zip(range(n), [0.01, 0.01, 0.03, 0.1], strict=False)]
    return [prepare(small(**{**changes, **settings}), X, Y) for settings in own]


def gradients_of(stack, seed):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(values.shape, generator=generator) for name, values in stack.parameters.items()}


def states_of(net):
    weights = [p.detach().clone() for p in net.module_.parameters()]
    moments = [
        {k: torch.as_tensor(v).clone() for k, v in net.optimizer_.state.get(p, {}).items() if v is not None}
        for p in net.module_.parameters()
    ]
    return weights, moments


def assert_same_state(net, expected, bound=0):
    weights, moments = states_of(net)
    for a, b in zip(weights, expected[0], strict=True):
        assert_close(a, b, bound)
    for state, own in zip(moments, expected[1], strict=True):
        assert state.keys() == own.keys()
        for name, value in own.items():
            assert_close(state[name], value, bound, name)


@pytest.mark.parametrize("kind", [kind.__name__.lower() for kind in ELEMENTWISE])
def test_a_stack_moves_each_network_as_its_own_optimizer_does(kind):
    """Two learning rates, and networks without a batch at the last step; some go before the others."""
    fits, others = prepared(4, optimizer=kind), prepared(4, optimizer=kind)
    nets, alone = ([fit.fit.net for fit in own] for own in (fits, others))
    steps = [3, 3, 2, 2]
    stack = StackedParameters(nets, steps)
    for epoch in range(2):
        for step in range(3):
            gradients = gradients_of(stack, 3 * epoch + step)
            present = sum(n > step for n in steps)
            stack.apply({name: g[:present] for name, g in gradients.items()}, step)
            for i in range(present):
                for name, parameter in alone[i].module_.named_parameters():
                    parameter.grad = gradients[name][i].clone()
                alone[i].optimizer_.step()
        stack.update.finish()
        stack.update.refresh()
    assert len(stack.slices) == 3
    for i, (net, own) in enumerate(zip(nets, alone, strict=True)):
        stack.release(i)
        assert_same_state(net, states_of(own), 1e-6)


def test_the_networks_see_what_the_stack_does_and_after_release_no_more():
    nets = [fit.fit.net for fit in prepared()]
    begun = [states_of(net) for net in nets]
    stack = StackedParameters(nets, [1, 1, 1])
    for net, own in zip(nets, begun, strict=True):
        assert_same_state(net, own)
    stack.apply(gradients_of(stack, 0), 0)
    moved = [states_of(net)[0] for net in nets]
    assert not any(torch.equal(a[0], b[0][0]) for a, b in zip(moved, begun, strict=True))
    stack.release(1)
    stack.apply(gradients_of(stack, 1), 0)
    after = [states_of(net)[0] for net in nets]
    assert torch.equal(after[1][0], moved[1][0])
    assert not torch.equal(after[0][0], moved[0][0])


def test_back_to_a_checkpoint_is_as_if_nothing_had_happened_since():
    nets = [fit.fit.net for fit in prepared(optimizer="sgd", optimizer_params={"momentum": 0.9})]
    stack = StackedParameters(nets, [1, 1, 1])
    stack.apply(gradients_of(stack, 0), 0)
    checkpoint = stack.checkpoint()
    stack.release(0)
    expected = states_of(nets[0])
    stack.apply(gradients_of(stack, 1), 0)
    for i in range(2):
        stack.release(i, checkpoint)
    assert_same_state(nets[0], expected)
    assert not torch.equal(states_of(nets[2])[0][0], expected[0][0])
    # And the checkpoint is nobody's memory.
    nets[0].module_.linear1.weight.data.zero_()
    assert checkpoint[1].read()[0]["linear1.weight"][0].any()


def test_finite_is_told_of_each_network():
    nets = [fit.fit.net for fit in prepared()]
    stack = StackedParameters(nets, [1, 1, 1])
    assert stack.finite() == [True, True, True]
    stack.parameters["linear1.bias"][1, 3] = torch.nan
    assert stack.finite() == [True, False, True]


# The update


OPTIMIZERS = {
    "adam": lambda groups: torch.optim.Adam(groups, fused=True),
    "adam-amsgrad": lambda groups: torch.optim.Adam(groups, fused=True, amsgrad=True),
    "adamw": lambda groups: torch.optim.AdamW(groups, fused=True),
    "sgd": lambda groups: torch.optim.SGD(groups, fused=True),
    "sgd-momentum": lambda groups: torch.optim.SGD(groups, fused=True, momentum=0.9, nesterov=True),
    "rmsprop": lambda groups: torch.optim.RMSprop(groups),
}


def two_groups(make):
    generator = torch.Generator().manual_seed(0)
    groups = [
        {
            "params": [torch.nn.Parameter(torch.randn(4, 3, generator=generator)) for _ in range(n)],
            "lr": lr,
            "weight_decay": decay,
        }
        for n, lr, decay in [(2, 0.1, 0.0), (3, 0.01, 0.1), (1, 0.02, 0.0)]
    ]
    return make(groups)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    "present",
    [
        [(0, 1, 2)] * 6,
        [(0, 1, 2), (0, 1), (0,), (0, 1, 2), (0, 1, 2), (2,)],
        [(0,), (0,), (0, 1), (0, 1, 2), (1, 2), ()],
    ],
    ids=["all", "fewer-at-the-end", "more-and-more"],
)
def test_an_update_of_several_groups_is_torch_s_own_step_to_the_last_bit(optimizer, present):
    """Groups come and go, as fits of different numbers of steps do, and one parameter never has a gradient."""
    ours, theirs = (two_groups(OPTIMIZERS[optimizer]) for _ in range(2))
    update = FusedOptimizerStep(ours)
    generator = torch.Generator().manual_seed(1)
    for _ in range(2):
        update.refresh()
        for groups in present:
            gradients = [
                torch.randn(4, 3, generator=generator) if i in groups else None
                for i, group in enumerate(ours.param_groups)
                for _ in group["params"]
            ]
            update(gradients)
            flat = [p for group in theirs.param_groups for p in group["params"]]
            for parameter, gradient in zip(flat, gradients, strict=True):
                parameter.grad = gradient
            theirs.step()
        update.finish()
        for group, other in zip(ours.param_groups, theirs.param_groups, strict=True):
            for p, q in zip(group["params"], other["params"], strict=True):
                assert torch.equal(p, q)
                assert ours.state[p].keys() == theirs.state[q].keys()
                for name, value in theirs.state[q].items():
                    assert value is None or torch.equal(
                        torch.as_tensor(ours.state[p][name]), torch.as_tensor(value)
                    )


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_update_where_one_parameter_of_a_group_has_no_gradient(optimizer):
    ours, theirs = (two_groups(OPTIMIZERS[optimizer]) for _ in range(2))
    update = FusedOptimizerStep(ours)
    for step in range(4):
        generator = torch.Generator().manual_seed(step)
        gradients = [torch.randn(4, 3, generator=generator) for _ in range(6)]
        if step > 1:
            gradients[1] = None
        update(gradients)
        for parameter, gradient in zip(
            [p for group in theirs.param_groups for p in group["params"]], gradients, strict=True
        ):
            parameter.grad = gradient
        theirs.step()
    update.finish()
    for p, q in zip(update.parameters, [p for g in theirs.param_groups for p in g["params"]], strict=True):
        assert torch.equal(p, q)


# The record


@pytest.mark.parametrize("record", [EVERYTHING, ("samples",), ("geometry",), ("scores",)], ids=str)
@pytest.mark.parametrize("n", [40, 700])
def test_a_joint_look_is_the_look_of_each(record, n):
    """Labels and losses are each network's own; more rows than one chunk."""
    torch.manual_seed(0)
    rows, generator = torch.randn(n, 6, dtype=torch.float64), torch.Generator().manual_seed(1)
    names = ["log", "l2", "tanimoto", "chebyshev"]
    losses = [get_loss(name) for name in names]
    modules = [
        torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3)).double()
        for _ in names
    ]
    targets = [torch.randint(3, (n,), generator=generator) for _ in names]

    def recorders():
        return [
            Recorder(rows, y, loss, n_classes=3, record=record, capacity=1)
            for y, loss in zip(targets, losses, strict=True)
        ]

    alone, together = recorders(), recorders()

    def forward(chunk):
        seen = []
        for module in modules:
            with capture_activations(module) as call:
                seen.append(call(rows[chunk]))
        layers = {name: torch.stack([own[name] for _, own in seen]) for name in seen[0][1]}
        return torch.stack([scores for scores, _ in seen]), layers, ()

    joint = StackedRecorder(together, LossStack(losses))
    for epoch in (0, 3):
        norms = [
            weight_norms([weight_matrices(module)])[0] if "geometry" in record else {} for module in modules
        ]
        with torch.no_grad():
            joint.record(forward, epoch, norms)
        for recorder, module in zip(alone, modules, strict=True):
            recorder.record(module, epoch)
            module[0].weight.data.add_(0.1)
    classes = np.arange(3)
    for recorder, own in zip(together, alone, strict=True):
        record_of = [one.dynamics(np.zeros(n, int), classes, {}) for one in (recorder, own)]
        np.testing.assert_array_equal(record_of[0].epochs, [0, 3])
        pairs = list(zip(*map(named_arrays, record_of), strict=True))
        assert len(pairs) > 2
        for (field, name, values), (_, own_name, expected) in pairs:
            assert name == own_name
            if field not in ("y", "classes"):
                assert_close(values, expected, 1e-6, field)


# The program


def test_members_lie_in_order_of_rows_rates_and_feeds():
    rows = [np.arange(40), np.arange(61), np.arange(61), np.arange(61)]
    rates = [0.01, 0.03, 0.01, 0.01]
    fits = [
        prepare(small(lr=lr, random_state=s), X[own], Y[own])
        for s, (own, lr) in enumerate(zip(rows, rates, strict=True))
    ]
    members = in_order(make_members([fit.fit for fit in fits], 4))
    assert [len(member.data.X) for member in members] == [61, 61, 61, 40]
    assert [member.net.optimizer_.param_groups[0]["lr"] for member in members] == [0.01, 0.01, 0.03, 0.01]


def test_a_program_gives_the_mean_loss_of_each_over_its_rows():
    """The last batch is shorter, and counts for less; at this rate nothing is learned on the way."""
    fits = [prepare(small(random_state=s, lr=1e-30, module=MLP(())), X, Y) for s in range(2)]
    members = in_order(make_members([fit.fit for fit in fits], 1))
    program = StackedEpochRunner(members, 16)
    for member, mean in zip(members, program.run_epoch(), strict=True):
        with torch.no_grad():
            scores = member.net.module_(member.data.X)
        expected = torch.nn.functional.cross_entropy(scores, member.data.y)
        assert mean == pytest.approx(expected.item(), rel=1e-6)
