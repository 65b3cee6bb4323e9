"""The skorch net inside the classifier: true skorch from outside, whole epochs at a time inside."""

import copy
from collections.abc import Mapping
from contextlib import nullcontext, suppress

import numpy as np
import torch
from sklearn.base import clone
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EpochScoring, EpochTimer, LRScheduler
from skorch.dataset import Dataset
from skorch.utils import to_tensor

from sklearn_nndyn.modules import build_network
from sklearn_nndyn.training._epoch_loop import mark_best
from sklearn_nndyn.training._optimizers import needs_closure, with_fused_kernel
from sklearn_nndyn.training.batches._cutting import Batches, needs_two_rows
from sklearn_nndyn.training.batches._transform import lent_to
from sklearn_nndyn.utils.modules import rows_per_chunk, scores_of
from sklearn_nndyn.utils.networks.copying import copies_without_graph, copy_gradient_hooks, copy_module
from sklearn_nndyn.utils.networks.memory_format import make_layout
from sklearn_nndyn.utils.random import refuse_python_random, untouched_generators
from sklearn_nndyn.utils.rows.arrays import Rows

BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


class TrainingData(Dataset):
    """Rows, class positions and weights; a skorch data set, so that callbacks can read it.

    Parameters
    ----------
    X : tensor or Rows of shape (n_samples, ...)
        Rows on the device.
    y : tensor of shape (n_samples,)
        Class positions.
    weight : tensor of shape (n_samples,), optional
        In float64, normalised to a mean of one; None stands for ones.
    """

    def __init__(self, X, y, weight=None):
        super().__init__(X, y, length=len(X))
        self.weight = weight


class DynamicsNet(NeuralNetClassifier):
    """A ``skorch.NeuralNetClassifier`` whose epochs run as one program.

    ``history``, ``callbacks``, ``optimizer_``, ``save_params`` and the rest are skorch's. Where a callback needs
    to see every batch, or the optimizer needs a closure, skorch's own loop over batches runs instead. Targets
    are class positions.
    """

    @property
    def _default_callbacks(self):
        return [("epoch_timer", EpochTimer())]

    def __deepcopy__(self, memo):
        """Copy its attributes: skorch's way is by a pickle, which a class that a function defines does not pass."""
        net = object.__new__(type(self))
        memo[id(self)] = net
        parts = [name for name in ("module_", "criterion_") if hasattr(self, name)]
        for name in parts:
            memo.update(copies_without_graph(getattr(self, name)))
        vars(net).update({name: copy.deepcopy(value, memo) for name, value in vars(self).items()})
        for name in parts:
            copy_gradient_hooks(getattr(self, name), getattr(net, name), memo)
        return net

    def on_epoch_end(self, net, **kwargs):
        """Write what is missing in the line of an epoch that the net trained by itself (``net_.partial_fit``)."""
        if "train_loss" not in next(reversed(self.history)):
            for split in ("train", "valid"):
                with suppress(KeyError):  # without validation samples
                    self.history.record(f"{split}_loss", self._mean_loss(split))
            mark_best(self.history)

    def _mean_loss(self, split):
        """Mean over the samples of the last epoch."""
        losses, sizes = zip(
            *self.history[-1, "batches", :, (f"{split}_loss", f"{split}_batch_size")], strict=True
        )
        return float(np.average(losses, weights=sizes))

    def note_loss(self, loss, n_samples, steps):
        """Write the mean loss of an epoch, and its number of updates, into its line of the history."""
        line = next(reversed(self.history))
        line |= {"train_loss": loss, "train_batch_count": steps}
        # For callbacks that look up the last batch (the file names of Checkpoint): the epoch is one.
        line["batches"].append({"train_loss": loss, "train_batch_size": n_samples})

    def run_batches(
        self, order, datasets, randomness, on_step=None, watch=None, transform=None, autocast=None
    ):
        """Train on every row once by skorch's own loop over batches.

        Parameters
        ----------
        order : tensor of shape (n_samples,) or None
            Row numbers; None takes the rows in their given order.
        datasets : dict
            ``dataset_train`` and ``dataset_valid``.
        randomness : RandomState
        on_step : callable, optional
            Called with the number of updates done in this epoch, after each.
        watch : callable, optional
            Called with the scores and losses of each batch, as they first are.
        transform : BatchTransform, optional
            Changes each batch.
        autocast : callable, optional
            Makes the context of the forward passes of training.
        """
        data = datasets["dataset_train"]
        dtype = next(self.module_.parameters()).dtype
        batches = Batches(data, self.batch_size, dtype, merge_last=needs_two_rows(self.module_))
        with randomness, lent_to(transform):
            iterator = self._weighted(batches(order), on_step, watch, transform)
            self.batch_autocast_ = autocast
            try:
                self.run_single_epoch(iterator, True, "train", self.train_step)
            finally:
                del self.batch_autocast_
            if datasets["dataset_valid"] is not None:
                iterator = self.get_iterator(datasets["dataset_valid"])
                self.run_single_epoch(iterator, False, "valid", self.validation_step)
        self.history.record("train_loss", self._mean_loss("train"))

    def _weighted(self, batches, on_step, watch, transform):
        for step, (X, y, weight) in enumerate(batches, start=1):
            self.batch_weight_, self.batch_watch_ = weight, watch
            # The memory of a chunk is used again: what a callback keeps must be its own.
            yield X.clone() if transform is None else transform(X), y.clone()
            if on_step is not None:
                on_step(step)
        del self.batch_weight_, self.batch_watch_

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Mean loss of a batch, weighted in training."""
        values = self.criterion_.per_sample(scores_of(y_pred), y_true)
        watch = getattr(self, "batch_watch_", None) if training else None
        if watch is not None:
            watch(scores_of(y_pred).detach(), values.detach())
            self.batch_watch_ = None  # a closure is called several times in one update
        weight = getattr(self, "batch_weight_", None) if training else None
        return values.mean() if weight is None else (values * weight).mean()

    def infer(self, x, **fit_params):
        """Output of the module, with the scores first."""
        autocast = getattr(self, "batch_autocast_", None)
        with nullcontext() if autocast is None else autocast():
            output = super().infer(make_layout(self.module_)(self._in_dtype(x)), **fit_params)
        output = output if autocast is None else scores_of(output).float()
        return (scores_of(output), *output[1:]) if isinstance(output, tuple) else scores_of(output)

    def _in_dtype(self, x):
        """Floats in the dtype of the module; everything else, and what it holds by name, as it is."""
        x = x if isinstance(x, Mapping) else to_tensor(x, self.device)
        is_float = torch.is_tensor(x) and x.is_floating_point()
        return x.to(next(self.module_.parameters()).dtype) if is_float else x

    def get_all_learnable_params(self):
        """Parameters of the module, and of the loss the ones that are not frozen."""
        frozen = {parameter for parameter in self.criterion_.parameters() if not parameter.requires_grad}
        return (item for item in super().get_all_learnable_params() if item[1] not in frozen)

    def get_params_for_optimizer(self, prefix, named_parameters):
        """Parameter groups and settings, by which kernel the parameters are updated included."""
        groups, settings = super().get_params_for_optimizer(prefix, named_parameters)
        return groups, with_fused_kernel(self.optimizer, settings, self.module_)

    def get_iterator(self, dataset, training=False):
        """Slices of the tensors in place of a ``DataLoader``, where the data are tensors."""
        if training or not isinstance(getattr(dataset, "X", None), (torch.Tensor, Rows)):
            return super().get_iterator(dataset, training)
        rows = rows_per_chunk(dataset.X.shape[1:])
        y = (
            dataset.y
            if isinstance(dataset.y, torch.Tensor)
            else torch.zeros(len(dataset.X), dtype=torch.long)
        )
        return zip(dataset.X.split(rows), y.split(rows), strict=True)

    def get_dataset(self, X, y=None):
        """Return a `TrainingData` unchanged, and wrap arrays in skorch's dataset."""
        return X if isinstance(X, TrainingData) else super().get_dataset(X, y)

    @property
    def needs_batches(self):
        """Whether an epoch must run through skorch's loop: a callback sees every batch, or a closure is needed."""
        return needs_closure(self.optimizer_) or any(
            _watches_batches(callback) for _, callback in self.callbacks_
        )

    def copy_with(self, state):
        """Copy this net with other weights and a new optimizer.

        Parameters
        ----------
        state : dict of tensors
            The weights, as ``module_.load_state_dict`` takes them.
        """
        module = copy_module(self.module_)
        module.load_state_dict(state)
        net = clone(self)
        net.module, factory = module.eval, net.module
        with untouched_generators(next(self.module_.parameters()).device):
            net.initialize()
        net.module = factory
        return net


class ModuleFactory:
    """Builds the module of a net; keeps a reference to the user's module, and never copies or changes it.

    Parameters
    ----------
    module : object
        The ``module`` parameter of the classifier.
    input_shape : tuple of int
    n_classes : int
    reinitialize : bool
    dtype : torch.dtype
    rows : tensor of shape (2, ...)
        Two samples, from which lazy layers infer their shapes.
    """

    def __init__(self, module, input_shape, n_classes, *, reinitialize, dtype, rows):
        self.module, self.reinitialize, self.dtype = module, reinitialize, dtype
        self.input_shape, self.n_classes, self.rows = input_shape, n_classes, rows

    def __call__(self, **arguments):
        if arguments:
            raise TypeError(
                f"module__{next(iter(arguments))} cannot be set on the net of a fitted classifier: set it on the "
                "classifier, and fit again."
            )
        with refuse_python_random("The making of module"):
            built = build_network(
                self.module,
                self.input_shape,
                self.n_classes,
                self.dtype,
                reinitialize=self.reinitialize,
                rows=self.rows.cpu(),
            )
        if not any(p.requires_grad for p in built.parameters()):
            raise ValueError(_nothing_to_train(built))
        return built

    def __sklearn_clone__(self):
        return self


def _nothing_to_train(module):
    name = type(module).__name__
    if any(True for _ in module.parameters()):
        return (
            f"module {name}: every parameter is frozen (requires_grad=False); there is nothing to train. Leave the "
            "last layer at least to be trained."
        )
    return f"module {name} has no parameters: there is nothing to train."


def _watches_batches(callback):
    if isinstance(callback, LRScheduler):
        return callback.step_every == "batch"
    if isinstance(callback, EpochScoring):
        return callback.use_caching
    return any(getattr(type(callback), hook) is not getattr(Callback, hook) for hook in BATCH_HOOKS)
