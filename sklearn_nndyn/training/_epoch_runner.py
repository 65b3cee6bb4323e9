"""One epoch of training, as fast as it can be run.

The data lies as one tensor on the device, or as `Rows` that stand for one; an epoch is an index permutation, gathered
a chunk of batches at a time. A step is a :class:`~sklearn_nndyn.training._mlp_step.MLPStep` for chains of linear layers
and :class:`AutogradStep` for every other module, with equal results.
"""

from operator import is_

import torch

from sklearn_nndyn.losses import computes_in_any_dtype, is_known, is_learned
from sklearn_nndyn.training._fused_step import FusedOptimizerStep, parameters_of
from sklearn_nndyn.training._mlp_step import MLPStep
from sklearn_nndyn.training._optimizers import zeroes_by_itself
from sklearn_nndyn.training.batches._cutting import Batches, needs_two_rows
from sklearn_nndyn.training.batches._transform import lent_to
from sklearn_nndyn.utils.modules import run, score, scores_of
from sklearn_nndyn.utils.networks.devices import has_float64, sum_dtype
from sklearn_nndyn.utils.networks.memory_format import make_layout

SMALL_FULL_BATCH = 200


def computing_dtype(dtype, n_samples, batch_size, loss, device):
    """The dtype used to compute an MLP step.

    For small full batches double precision costs nothing, and makes a sum over samples the same in any order. A loss
    with tensors of its own holds them in the network's dtype, so the step is computed in that; so it is on a device
    without double precision.
    """
    small = n_samples <= min(batch_size, SMALL_FULL_BATCH)
    return torch.float64 if small and computes_in_any_dtype(loss) and has_float64(device) else dtype


class AutogradStep:
    """Gradients of the mean loss of a batch, for any module.

    ``autocast`` makes the context of forward passes; ``zero_grad`` is that of an optimizer which has one of its own.
    """

    def __init__(self, module, loss, parameters, autocast=None, zero_grad=None):
        self.module, self.loss, self.parameters, self.autocast = module, loss, parameters, autocast
        self.zero_grad = self._zero_grad if zero_grad is None else zero_grad
        self.watch = None  # takes scores and losses of a batch

    def begin_epoch(self):
        """Training mode, and the order of images in memory, once an epoch."""
        self.layout = make_layout(self.module)
        self.module.train()
        self.loss.train()

    def __call__(self, x, y, weight):
        """Compute the losses of a batch (n,), weighted, and set ``gradients`` to those of their mean."""
        self.zero_grad()
        with torch.enable_grad():
            scores = self._scores(self.layout(x))
            values = self.loss.per_sample(scores, y)
            if self.watch is not None:
                self.watch(scores.detach(), values.detach())
            values = values if weight is None else values * weight
            values.mean().backward()
        return values.detach()

    def _zero_grad(self):
        for parameter in self.parameters:
            parameter.grad = None

    def _scores(self, x):
        """Scores of a batch, in the dtype of the weights."""
        if self.autocast is None:
            return score(self.module, x)
        with self.autocast():
            output = run(self.module, x)
        return scores_of(output).float()

    @property
    def gradients(self):
        """Gradients of the last step, in the order of the optimizer's parameters; None for an unused parameter."""
        return [parameter.grad for parameter in self.parameters]


class EpochRunner:
    """Trains one network, an epoch at a call.

    Parameters
    ----------
    net : DynamicsNet
        Its module, criterion and optimizer are read at the start of each epoch, for callbacks may replace them.
    data : TrainingData
    randomness : RandomState
        The fit's own random numbers (dropout).
    began : bool, default=False
        Whether the optimizer's first update was made in another process.
    transform : BatchTransform, optional
        Changes each batch.
    autocast : callable, optional
        Makes the context of the forward passes.
    """

    def __init__(self, net, data, randomness, began=False, transform=None, autocast=None):
        self.net, self.data, self.randomness, self.began = net, data, randomness, began
        self.transform, self.autocast = transform, autocast
        self.generator = torch.Generator(data.X.device)
        self.parts = []

    def run_epoch(self, order, on_step=None, watch=None):
        """Train on every row once.

        Parameters
        ----------
        order : tensor of shape (n_samples,) or None
            Row numbers; None takes the rows in their given order.
        on_step : callable, optional
            Called with the number of updates done in this epoch, after each.
        watch : callable, optional
            Called with the scores and losses of each batch, before its update; neither may be kept or changed.

        Returns
        -------
        mean_loss : float
            Mean over the rows, each row's loss taken before the update of its batch.
        """
        self._take_parts()
        self.step.watch = watch
        if type(self.step) is MLPStep and self.step.generator is not None:
            with self.randomness.as_generator(self.generator), torch.no_grad():
                return self._run(order, on_step)
        with self.randomness, torch.no_grad(), lent_to(self.transform):
            return self._run(order, on_step)

    def _take_parts(self):
        """Read module, criterion and optimizer of the net, and rebuild the step where a part was replaced."""
        net = self.net
        is_chain = MLPStep.supports(net.module_, self.data.X.shape[1:]) and not is_learned(net.criterion_)
        accumulates = zeroes_by_itself(net.optimizer_)
        kind = MLPStep if is_chain and self.autocast is None and not accumulates else AutogradStep
        parts = [net.module_, net.criterion_, net.optimizer_, kind, *net.module_.parameters()]
        parts += parameters_of(net.optimizer_)
        if len(parts) == len(self.parts) and all(map(is_, parts, self.parts)):
            return
        self.parts = parts
        self.update = FusedOptimizerStep(net.optimizer_, self.began)
        self.began = False
        dtype = next(net.module_.parameters()).dtype
        self.batches = Batches(self.data, net.batch_size, dtype, merge_last=needs_two_rows(net.module_))
        self.step = self._make_step(kind)

    def _make_step(self, kind):
        module, loss = self.net.module_, self.net.criterion_
        if kind is AutogradStep:
            optimizer = self.net.optimizer_
            zero_grad = optimizer.zero_grad if zeroes_by_itself(optimizer) else None
            return AutogradStep(module, loss, self.update.parameters, self.autocast, zero_grad)
        X, own = self.data.X, next(module.parameters()).dtype
        dtype = computing_dtype(own, len(X), self.net.batch_size, loss, X.device)
        self.batches.convert(dtype)
        # What may draw from the global generators draws from the same stream as dropout does.
        generator = self.generator if is_known(loss) and self.transform is None else None
        return MLPStep(module, loss, generator, dtype, self.update.parameters)

    def _run(self, order, on_step):
        self.step.begin_epoch()
        self.update.refresh()
        device = self.data.X.device
        total = torch.zeros((), dtype=sum_dtype(device), device=device)
        try:
            for step, (x, y, weight) in enumerate(self.batches(order), start=1):
                if self.transform is not None:
                    x = self.transform(x)
                total.add_(self.step(x, y, weight).sum())
                self.update(self.step.gradients)
                if on_step is not None:
                    on_step(step)
        finally:
            self.update.finish()
            self.net.criterion_.eval()
        return float(total) / len(self.data.X)
