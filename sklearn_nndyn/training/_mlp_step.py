"""A chain of linear layers, trained by its written-out backward pass.

For networks such as :class:`~sklearn_nndyn.modules.MLP` most of a small step is autograd's bookkeeping, Python and
fresh memory. Here the same torch kernels are called in the same order, into memory that is kept: for each size of a
batch they are bound to their tensors once, and a step is a walk through the list.
"""

from functools import partial

import torch

from sklearn_nndyn.utils.networks.evaluation import has_hooks
from sklearn_nndyn.utils.private_names import copy_all

aten = torch.ops.aten


class Linear:
    """A linear layer, y = x W' + b.

    Parameters
    ----------
    x : tensor of shape (n, n_features)
    parameters : list of tensors
        The weight (width, n_features) and, where there is one, the bias (width,).
    gradients : list of tensors
        Where their gradients are written.

    Attributes
    ----------
    y : tensor of shape (n, width)
        Where the output is written.
    forward : list of callable
        The calls that compute ``y`` from ``x``.
    """

    def __init__(self, x, parameters, gradients):
        self.x, self.gradients = x, gradients
        self.weight, *bias = parameters
        self.y = x.new_empty(x.shape[0], self.weight.shape[0])
        self.forward = [partial(torch.addmm if bias else torch.mm, *bias, x, self.weight.t(), out=self.y)]

    def backward_parameters(self, g):
        """The calls that compute the gradients of the parameters from that of ``y``."""
        of_weight, *of_bias = self.gradients
        calls = [partial(torch.mm, g.t(), self.x, out=of_weight)]
        return calls + [partial(torch.sum, g, 0, out=one) for one in of_bias]

    def backward(self, g):
        """The gradient of ``x``, and the calls that compute it and those of the parameters from that of ``y``."""
        of_x = torch.empty_like(self.x)
        return of_x, [*self.backward_parameters(g), partial(torch.mm, g, self.weight, out=of_x)]


class Activation:
    """A nonlinearity whose derivative follows from its output; both are written in place."""

    def __init__(self, x, apply_, derive_):
        self.y, self.forward, self.derive_ = x, [partial(apply_, x)], derive_

    def backward(self, g):
        return g, [partial(self.derive_, g, self.y)]


class Dropout:
    """Dropout that draws the same numbers as torch's, from the fit's own generator."""

    def __init__(self, x, module, generator):
        self.module, self.generator = module, generator
        self.noise, self.y = torch.empty_like(x), torch.empty_like(x)
        self.forward = [self._draw, partial(torch.mul, x, self.noise, out=self.y)]

    def _draw(self):
        keep = 1 - self.module.p
        self.noise.bernoulli_(keep, generator=self.generator).div_(keep or 1)  # where nothing is kept, zeros

    def backward(self, g):
        return g, [partial(g.mul_, self.noise)]


ACTIVATIONS = {
    torch.nn.ReLU: (torch.relu_, lambda g, y: aten.threshold_backward.grad_input(g, y, 0, grad_input=g)),
    torch.nn.Tanh: (torch.tanh_, lambda g, y: aten.tanh_backward.grad_input(g, y, grad_input=g)),
    torch.nn.Sigmoid: (torch.sigmoid_, lambda g, y: aten.sigmoid_backward.grad_input(g, y, grad_input=g)),
}
WITHOUT_EFFECT = {torch.nn.Flatten, torch.nn.Identity}  # on rows that lie flat
KINDS = {torch.nn.Linear, torch.nn.Dropout, *ACTIVATIONS, *WITHOUT_EFFECT}


class MLPStep:
    """Gradients of the mean loss of a batch, for a chain of linear layers.

    Parameters
    ----------
    module : torch.nn.Sequential
        A chain, see :meth:`supports`.
    loss : ClassificationLoss
    generator : torch.Generator or None
        Generator of the dropout masks; None is torch's global one.
    dtype : torch.dtype
        The dtype used to compute a step; the parameters keep their own.
    parameters : list of tensors
        The parameters, in the order of ``gradients``.
    """

    @staticmethod
    def supports(module, input_shape):
        """Whether ``module`` is made of linear layers, ReLU, tanh, sigmoid, dropout and flattening alone."""
        parts = flat_parts(module)
        kinds = [type(part) for part in parts]
        if not KINDS.issuperset(kinds) or torch.nn.Linear not in kinds:
            return False
        parameters = [p for part in parts for p in _parameters_of(part)]
        return (
            len(input_shape) > 0
            and (len(input_shape) == 1 or torch.nn.Flatten in kinds)
            and all(p.requires_grad for p in parameters)
            and len(set(map(id, parameters))) == len(parameters)
            and _flattens_only_at_the_front(kinds)
            and [part for part in parts if type(part) is torch.nn.Linear][-1].out_features > 1
            and all(
                part.start_dim == 1 and part.end_dim == -1 for part in parts if type(part) is torch.nn.Flatten
            )
            and not has_hooks(module)
        )

    def __init__(self, module, loss, generator, dtype, parameters):
        self.loss, self.generator = loss, generator
        self.watch = None  # takes scores and losses of a batch
        self.parts = [part for part in flat_parts(module) if type(part) not in WITHOUT_EFFECT]
        self.parameters = [p for part in self.parts for p in _parameters_of(part)]
        self.gradient_of = {p: torch.empty_like(p, dtype=dtype) for p in self.parameters}
        self._gradients = tuple(self.gradient_of.get(p) for p in parameters)
        self.dtype, self._own_dtype = dtype, self.parameters[0].dtype
        self._memory = None

    @property
    def gradients(self):
        """Gradients of the last step, in the dtype of the parameters; None for parameters outside the module."""
        if self.dtype == self._own_dtype:
            return self._gradients
        return [None if g is None else g.to(self._own_dtype) for g in self._gradients]

    def begin_epoch(self):
        """Set the loss to training mode, and forget what is bound to memory that a parameter no longer has."""
        self.loss.train()
        memory = [(p.data_ptr(), p.stride()) for p in self.parameters]
        if memory != self._memory:
            self._memory, self._sources, self._bound = memory, [p.detach() for p in self.parameters], {}

    def __call__(self, x, y, weight):
        """Compute the losses of a batch (n,), weighted, and set ``gradients`` to those of their mean."""
        x = x.flatten(1)
        bound = self._bound.get(x.shape[0])
        if bound is None:
            bound = self._bound[x.shape[0]] = BoundChain(self, x)
        bound.x.data = x
        for call in bound.forward:
            call()
        values, g = self.loss.value_and_gradient(bound.scores, y)
        if self.watch is not None:
            self.watch(bound.scores, values)
        if weight is not None:
            values, g = values * weight, g * weight[:, None]
        torch.div(g, bound.n_samples, out=bound.g)
        for call in bound.backward:
            call()
        return values

    def read_parameters(self):
        """{parameter: its values in the dtype of a step}, and the calls that bring them up to date."""
        if self.dtype == self._own_dtype:
            return dict(zip(self.parameters, self._sources, strict=True)), []
        values = {p: torch.empty_like(g) for p, g in self.gradient_of.items()}
        return values, [partial(copy_all, list(values.values()), self._sources)]


class BoundChain:
    """The calls of a step on batches of one size.

    Parameters
    ----------
    step : MLPStep
    x : tensor of shape (n, n_features)
        The rows of such a batch.

    Attributes
    ----------
    x : tensor
        Stands for the rows: set its ``data`` to those of a batch.
    scores, g : tensors of shape (n, n_classes)
        Where ``forward`` writes the scores, and where ``backward`` reads the gradient in them.
    forward, backward : list of callable
    """

    def __init__(self, step, x):
        values, self.forward = step.read_parameters()
        # A plain number would be made a tensor at each call.
        self.n_samples = torch.tensor(x.shape[0], dtype=x.dtype)
        self.x = self.scores = x.detach()
        layers = []
        for part in step.parts:
            layers.append(self._layer(part, values, step))
            self.scores = layers[-1].y
            self.forward += layers[-1].forward
        self.g = self.scores.new_empty(self.scores.shape[::-1]).t()  # as losses give it: class by class
        self.backward = list(_backward(layers, self.g))

    def _layer(self, part, values, step):
        if type(part) is torch.nn.Dropout:
            return Dropout(self.scores, part, step.generator)
        if type(part) in ACTIVATIONS:
            return Activation(self.scores, *ACTIVATIONS[type(part)])
        own = _parameters_of(part)
        return Linear(self.scores, [values[p] for p in own], [step.gradient_of[p] for p in own])


def _backward(layers, g):
    """The calls of the backward pass, which ends at the first linear layer."""
    first = next(i for i, layer in enumerate(layers) if isinstance(layer, Linear))
    for layer in reversed(layers[first + 1 :]):
        g, calls = layer.backward(g)
        yield from calls
    yield from layers[first].backward_parameters(g)


def flat_parts(module):
    """The parts of nested ``Sequential``, in order."""
    if type(module) is torch.nn.Sequential:
        return [part for child in module for part in flat_parts(child)]
    return [module]


def _parameters_of(part):
    """Weight and, where there is one, bias of a linear layer; none of other parts."""
    own = (part.weight, part.bias) if type(part) is torch.nn.Linear else ()
    return [p for p in own if p is not None]


def _flattens_only_at_the_front(kinds):
    changed = False
    previous = None
    for kind in kinds:
        # An activation overwrites its input, which must be no one else's: the output of a linear layer.
        if kind in ACTIVATIONS and previous is not torch.nn.Linear:
            return False
        if kind is torch.nn.Flatten and changed:
            return False
        changed = changed or kind is torch.nn.Linear
        previous = kind
    return True
