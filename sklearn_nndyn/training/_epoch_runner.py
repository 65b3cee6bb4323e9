"""One epoch of training, as fast as it can be run.

The data lies as one tensor on the device; an epoch is an index permutation, gathered a chunk of batches at a
time. A step is a :class:`~sklearn_nndyn.training._mlp_step.MLPStep` for chains of linear layers and
:class:`AutogradStep` for every other module, with equal results.
"""

import torch

from sklearn_nndyn.training._mlp_step import MLPStep
from sklearn_nndyn.training._optimizers import FusedOptimizerStep
from sklearn_nndyn.utils.modules import scores_of

CHUNK_BYTES = 4 * 2**20
SMALL_FULL_BATCH = 200


class AutogradStep:
    """Gradients of the mean loss of a batch, for any module."""

    def __init__(self, module, loss, parameters):
        self.module, self.loss, self.parameters = module, loss, parameters

    def begin_epoch(self):
        """Training mode, once an epoch."""
        self.module.train()

    def __call__(self, x, y, weight):
        """The mean loss of a batch, a tensor; ``gradients`` are then its own."""
        for parameter in self.parameters:
            parameter.grad = None
        with torch.enable_grad():
            values = self.loss.per_sample(scores_of(self.module(x)), y)
            mean = (values if weight is None else values * weight).mean()
            mean.backward()
        return mean.detach()

    @property
    def gradients(self):
        """In the order of the optimizer's parameters; None where the loss does not depend on one."""
        return [parameter.grad for parameter in self.parameters]


class EpochRunner:
    """Trains one network, an epoch at a call.

    Parameters
    ----------
    module : torch.nn.Module
    loss : ClassificationLoss
    optimizer : torch.optim.Optimizer
    data : TrainingData
    batch_size : int
    random_state : RandomState
        The fit's own random numbers (dropout).
    """

    def __init__(self, module, loss, optimizer, data, batch_size, random_state):
        self.module, self.loss, self.data, self.random_state = module, loss, data, random_state
        self.update = FusedOptimizerStep(optimizer)
        dtype = next(module.parameters()).dtype
        self.batches = Batches(data, batch_size, dtype, merge_last=needs_two_rows(module))
        self.generator = torch.Generator(data.X.device)
        self.step = None

    @property
    def lr(self):
        """The learning rate of the first parameter group."""
        return float(self.update.optimizer.param_groups[0]["lr"])

    def all_finite(self):
        """Whether every parameter is a finite number."""
        return all(bool(torch.isfinite(p).all()) for p in self.update.parameters)

    def run_epoch(self, order, on_step=None):
        """Train on every row once.

        Parameters
        ----------
        order : tensor of shape (n_samples,) or None
            Row numbers; None takes the rows as they lie.
        on_step : callable, optional
            Called with the number of updates done in this epoch, after each.

        Returns
        -------
        mean_loss : float
            Mean over the rows of the loss at the time of each one's batch.
        """
        if self._chain_applies():
            with self.random_state.as_generator(self.generator), torch.no_grad():
                return self._run(order, on_step)
        with self.random_state, torch.no_grad():
            return self._run(order, on_step)

    def _chain_applies(self):
        applies = MLPStep.takes(self.module, self.data.X.shape[1:])
        kind = MLPStep if applies else AutogradStep
        if type(self.step) is not kind:
            self.step = self._make_step(kind)
        return applies

    def _make_step(self, kind):
        if kind is AutogradStep:
            return AutogradStep(self.module, self.loss, self.update.parameters)
        dtype = next(self.module.parameters()).dtype
        if len(self.data.X) <= min(self.batches.size, SMALL_FULL_BATCH):
            # At this size double precision is free, and makes a sum over samples the same in any order.
            self.batches.convert(torch.float64)
            dtype = torch.float64
        return MLPStep(self.module, self.loss, self.generator, dtype)

    def _run(self, order, on_step):
        self.step.begin_epoch()
        self.update.refresh()
        total = torch.zeros((), dtype=torch.float64, device=self.data.X.device)
        try:
            for step, (x, y, weight) in enumerate(self.batches(order), start=1):
                mean = self.step(x, y, weight)
                self.update(self.step.gradients)
                total.add_(mean, alpha=x.shape[0])
                if on_step is not None:
                    on_step(step)
        finally:
            self.update.finish()
        return float(total) / len(self.data.X)


class Batches:
    """Cut an epoch into batches, gathering a chunk of them at a time.

    Parameters
    ----------
    data : TrainingData
    size : int
        Rows of a batch; the last one may be shorter.
    dtype : torch.dtype
        Of weights, and of rows that are no ids.
    merge_last : bool, default=False
        Give a last batch of one row to the batch before it.
    """

    def __init__(self, data, size, dtype, merge_last=False):
        self.data, self.size, self.merge_last = data, size, merge_last
        self._room = None
        self.convert(dtype)

    def convert(self, dtype):
        """Hand out rows and weights in this dtype."""
        ids = not self.data.X.is_floating_point()
        self.columns = [self.data.X if ids else self.data.X.to(dtype), self.data.y]
        if self.data.weight is not None:
            self.columns.append(self.data.weight.to(dtype))

    def __call__(self, order):
        """Yield (X, y, weight) of each batch; the tensors are overwritten by later chunks."""
        if self.size >= len(self.columns[0]):
            yield (*self.columns, None)[:3]
            return
        for chunk in self._chunks(order):
            sizes = cut(len(chunk[0]), self.size, self.merge_last)
            for batch in zip(*(column.split(sizes) for column in chunk), strict=True):
                yield (*batch, None)[:3]

    def _chunks(self, order):
        if order is None:
            yield self.columns
            return
        rows = self._rows_of_chunk()
        if self._room is None:
            self._room = [column.new_empty(rows + 1, *column.shape[1:]) for column in self.columns]
        for chosen in order.split(cut(len(order), rows, self.merge_last)):
            chunk = [room[: len(chosen)] for room in self._room]
            for column, room in zip(self.columns, chunk, strict=True):
                torch.index_select(column, 0, chosen, out=room)
            yield chunk

    def _rows_of_chunk(self):
        row = self.columns[0][:1].numel() * self.columns[0].element_size()
        return self.size * max(1, CHUNK_BYTES // max(1, row * self.size))


def cut(n, size, merge_last):
    """Sizes of the pieces of n rows; ``merge_last`` gives a last piece of one row to the one before it."""
    whole, rest = divmod(n, size)
    if rest == 1 and whole and merge_last:
        return [size] * (whole - 1) + [size + 1]
    return [size] * whole + ([rest] if rest else [])


def count_steps(module, n, size):
    """Updates of an epoch of n rows."""
    return len(cut(n, size, needs_two_rows(module)))


def needs_two_rows(module):
    """Whether a training batch of one row is an error: batch normalisation has no variance there."""
    return any(isinstance(part, torch.nn.modules.batchnorm._BatchNorm) for part in module.modules())
