"""One epoch of training, as fast as it can be run.

The data lies as one tensor on the device, or as `Rows` that stand for one; an epoch is an index permutation, gathered
a chunk of batches at a time. A step is a :class:`~sklearn_nndyn.training._mlp_step.MLPStep` for chains of linear layers
and :class:`AutogradStep` for every other module, with equal results.
"""

import torch

from sklearn_nndyn.losses import computes_in_any_dtype, is_known, is_learned
from sklearn_nndyn.training._fused_step import FusedOptimizerStep
from sklearn_nndyn.training._mlp_step import MLPStep
from sklearn_nndyn.utils.modules import run, scores_of
from sklearn_nndyn.utils.private_names import BatchNorm
from sklearn_nndyn.utils.rows.arrays import Rows, whole

CHUNK_BYTES = 4 * 2**20
SMALL_FULL_BATCH = 200


def computing_dtype(dtype, n_samples, batch_size, loss):
    """The dtype used to compute an MLP step.

    For small full batches double precision costs nothing, and makes a sum over samples the same in any order. A loss
    with tensors of its own holds them in the network's dtype, so the step is computed in that.
    """
    small = n_samples <= min(batch_size, SMALL_FULL_BATCH)
    return torch.float64 if small and computes_in_any_dtype(loss) else dtype


class AutogradStep:
    """Gradients of the mean loss of a batch, for any module."""

    def __init__(self, module, loss, parameters):
        self.module, self.loss, self.parameters = module, loss, parameters
        self.watch = None  # takes scores and losses of a batch

    def begin_epoch(self):
        """Training mode, once an epoch."""
        self.module.train()
        self.loss.train()

    def __call__(self, x, y, weight):
        """Compute the mean loss of a batch, a tensor, and set ``gradients``."""
        for parameter in self.parameters:
            parameter.grad = None
        with torch.enable_grad():
            scores = scores_of(run(self.module, x))
            values = self.loss.per_sample(scores, y)
            if self.watch is not None:
                self.watch(scores.detach(), values.detach())
            mean = (values if weight is None else values * weight).mean()
            mean.backward()
        return mean.detach()

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
    """

    def __init__(self, net, data, randomness, began=False):
        self.net, self.data, self.randomness, self.began = net, data, randomness, began
        self.generator = torch.Generator(data.X.device)
        self.parts = None

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
        with self.randomness, torch.no_grad():
            return self._run(order, on_step)

    def _take_parts(self):
        """Read module, criterion and optimizer of the net, and rebuild the step where one was replaced."""
        net = self.net
        as_mlp = MLPStep.supports(net.module_, self.data.X.shape[1:]) and not is_learned(net.criterion_)
        kind = MLPStep if as_mlp else AutogradStep
        parts = [net.module_, net.criterion_, net.optimizer_, kind]
        if self.parts is not None and all(a is b for a, b in zip(parts, self.parts, strict=True)):
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
            return AutogradStep(module, loss, self.update.parameters)
        dtype = computing_dtype(next(module.parameters()).dtype, len(self.data.X), self.net.batch_size, loss)
        self.batches.convert(dtype)
        # A loss that may draw random numbers draws them from the same stream as dropout does.
        generator = self.generator if is_known(loss) else None
        return MLPStep(module, loss, generator, dtype, self.update.parameters)

    def _run(self, order, on_step):
        self.step.begin_epoch()
        self.update.refresh()
        total = torch.zeros((), dtype=torch.float64, device=self.data.X.device)
        try:
            for step, (x, y, weight) in enumerate(self.batches(order), start=1):
                mean = self.step(x, y, weight)
                self.update(self.step.gradients)
                total.add_(mean, alpha=len(y))
                if on_step is not None:
                    on_step(step)
        finally:
            self.update.finish()
            self.net.criterion_.eval()
        return float(total) / len(self.data.X)


class Batches:
    """Cut an epoch into batches, gathering a chunk of them at a time.

    Parameters
    ----------
    data : TrainingData
    size : int
        Rows of a batch; the last one may be shorter.
    dtype : torch.dtype
        The dtype of the sample weights and of the rows, unless the rows are integer ids.
    merge_last : bool, default=False
        Give a last batch of one row to the batch before it.

    Attributes
    ----------
    steps : int
        Number of batches.
    """

    def __init__(self, data, size, dtype, merge_last=False):
        self.data, self.size, self.merge_last = data, size, merge_last
        self.steps = len(cut(len(data.X), size, merge_last))
        self._buffers = None
        self.convert(dtype)

    def convert(self, dtype):
        """Hand out rows and weights in this dtype."""
        self.columns = [in_floats(self.data.X, dtype), self.data.y]
        if self.data.weight is not None:
            self.columns.append(self.data.weight.to(dtype))

    def __call__(self, order):
        """Yield (X, y, weight) of each batch; the tensors are overwritten by later chunks."""
        if self.size >= len(self.columns[0]):
            yield (*map(whole, self.columns), None)[:3]
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
        if self._buffers is None:
            self._buffers = [_buffer(column, rows + 1) for column in self.columns]
        for chosen in order.split(cut(len(order), rows, self.merge_last)):
            yield [
                _gather(column, chosen, buffer)
                for column, buffer in zip(self.columns, self._buffers, strict=True)
            ]

    def _rows_of_chunk(self):
        row = self.columns[0][:1].nbytes
        return self.size * max(1, CHUNK_BYTES // max(1, row * self.size))


def _buffer(column, rows):
    return None if isinstance(column, Rows) else column.new_empty(rows, *column.shape[1:])


def _gather(column, chosen, buffer):
    """The chosen rows, written to the buffer; newly allocated where there is none."""
    if buffer is None:
        return column[chosen]
    return torch.index_select(column, 0, chosen, out=buffer[: len(chosen)])


def in_floats(X, dtype):
    """Rows converted to this dtype; integer ids stay integers."""
    return X.to(dtype) if X.is_floating_point() else X


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
    return any(isinstance(part, BatchNorm) for part in module.modules())
