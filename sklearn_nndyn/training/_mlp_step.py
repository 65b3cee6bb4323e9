"""A chain of linear layers, trained by its written-out backward pass.

For networks such as :class:`~sklearn_nndyn.modules.MLP` most of a small step is autograd's bookkeeping and
fresh memory. Here the same torch kernels are called in the same order, into memory that is kept.
"""

import torch

from sklearn_nndyn.utils.networks.evaluation import has_hooks
from sklearn_nndyn.utils.private_names import copy_all

aten = torch.ops.aten


class Linear:
    """A linear layer, y = x W' + b."""

    def __init__(self, module, first):
        self.weight, self.bias, self.first = module.weight, module.bias, first
        self.parameters = [p for p in (self.weight, self.bias) if p is not None]

    def prepare(self, dtype):
        """Allocate the gradients and, if ``dtype`` is not that of the parameters, a copy of the parameters."""
        self.gradients = [torch.empty_like(p, dtype=dtype) for p in self.parameters]
        self.copies = None if dtype == self.weight.dtype else [torch.empty_like(g) for g in self.gradients]

    def begin_epoch(self):
        """Read the current parameters."""
        self.sources = [p.detach() for p in self.parameters]
        self.values = self.copies or self.sources
        self.transposed = self.values[0].t()

    def begin(self):
        """Update the copies of the parameters."""
        if self.copies is not None:
            copy_all(self.copies, self.sources)

    def forward(self, x, memory):
        memory["x"] = x
        y = memory.get("y")
        if y is None:
            y = memory["y"] = x.new_empty(x.shape[0], self.weight.shape[0])
        if self.bias is None:
            return torch.mm(x, self.transposed, out=y)
        return torch.addmm(self.values[1], x, self.transposed, out=y)

    def backward(self, g, memory):
        x = memory["x"]
        torch.mm(g.t(), x, out=self.gradients[0])
        if self.bias is not None:
            torch.sum(g, 0, out=self.gradients[1])
        if self.first:
            return None
        if "g" not in memory:
            memory["g"] = torch.empty_like(x)
        return torch.mm(g, self.values[0], out=memory["g"])


class Activation:
    """A nonlinearity whose derivative follows from its output; both are written in place."""

    parameters = ()

    def __init__(self, module, random_state):
        self.apply_, self.derive_ = ACTIVATIONS[type(module)]

    def forward(self, x, memory):
        memory["y"] = self.apply_(x)
        return memory["y"]

    def backward(self, g, memory):
        return self.derive_(g, memory["y"])


class Dropout:
    """Dropout that draws the same numbers as torch's, from the fit's own generator."""

    parameters = ()

    def __init__(self, module, generator):
        self.keep, self.generator = 1 - module.p, generator

    def forward(self, x, memory):
        noise = torch.empty_like(x).bernoulli_(self.keep, generator=self.generator).div_(self.keep)
        memory["noise"] = noise
        return x * noise

    def backward(self, g, memory):
        return g.mul_(memory["noise"])


class Flatten:
    """Flattening of the rows, before the first layer with parameters."""

    parameters = ()

    def __init__(self, module, generator):
        pass

    def forward(self, x, memory):
        return x.flatten(1)

    def backward(self, g, memory):
        return g


class Identity(Flatten):
    """A layer that returns its input."""

    def forward(self, x, memory):
        return x


ACTIVATIONS = {
    torch.nn.ReLU: (torch.relu_, lambda g, y: aten.threshold_backward.grad_input(g, y, 0, grad_input=g)),
    torch.nn.Tanh: (torch.tanh_, lambda g, y: aten.tanh_backward.grad_input(g, y, grad_input=g)),
    torch.nn.Sigmoid: (torch.sigmoid_, lambda g, y: aten.sigmoid_backward.grad_input(g, y, grad_input=g)),
}
PARTS = {
    **dict.fromkeys(ACTIVATIONS, Activation),
    torch.nn.Dropout: Dropout,
    torch.nn.Flatten: Flatten,
    torch.nn.Identity: Identity,
}


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
    parameters : list of tensors, optional
        The parameters, in the order of ``gradients``; None is ``module.parameters()``.
    """

    @staticmethod
    def supports(module, input_shape):
        """Whether ``module`` is made of linear layers, ReLU, tanh, sigmoid, dropout and flattening alone."""
        parts = flat_parts(module)
        kinds = [type(part) for part in parts]
        return (
            torch.nn.Linear in kinds
            and len(input_shape) > 0
            and (len(input_shape) == 1 or torch.nn.Flatten in kinds)
            and all(kind is torch.nn.Linear or kind in PARTS for kind in kinds)
            and all(p.requires_grad for p in module.parameters())
            and len(set(module.parameters())) == sum(len(list(part.parameters())) for part in parts)
            and not has_hooks(module)
            and _flattens_only_at_the_front(kinds)
            and _last_linear(parts).out_features > 1
            and all(
                part.start_dim == 1 and part.end_dim == -1 for part in parts if type(part) is torch.nn.Flatten
            )
        )

    def __init__(self, module, loss, generator, dtype, parameters=None):
        self.loss, self.dtype, self.generator = loss, dtype, generator
        self.watch = None  # takes scores and losses of a batch
        self.parts = _make_parts(module, generator)
        self.linears = [part for part in self.parts if isinstance(part, Linear)]
        for linear in self.linears:
            linear.prepare(dtype)
        self.memory = {}
        pairs = (zip(linear.parameters, linear.gradients, strict=True) for linear in self.linears)
        found = {p: g for own in pairs for p, g in own}
        self._gradients = [found.get(p) for p in parameters or found]
        self._parameter_dtype = self.linears[0].weight.dtype

    @property
    def gradients(self):
        """Gradients of the last step, in the dtype of the parameters; None for parameters outside the module."""
        if self.dtype == self._parameter_dtype:
            return self._gradients
        return [None if g is None else g.to(self._parameter_dtype) for g in self._gradients]

    def begin_epoch(self):
        """Read the current parameters, and set the loss to training mode."""
        self.loss.train()
        for linear in self.linears:
            linear.begin_epoch()

    def __call__(self, x, y, weight):
        """Compute the mean loss of a batch, a tensor, and set ``gradients``."""
        n_samples = x.shape[0]
        memory = self.memory.get(n_samples)
        if memory is None:
            memory = self.memory[n_samples] = [{} for _ in self.parts]
        for linear in self.linears:
            linear.begin()
        for part, own in zip(self.parts, memory, strict=True):
            x = part.forward(x, own)
        values, g = self.loss.value_and_gradient(x, y)
        if self.watch is not None:
            self.watch(x, values)
        if weight is not None:
            values, g = values * weight, g * weight[:, None]
        g = g / n_samples
        for part, own in zip(reversed(self.parts), reversed(memory), strict=True):
            g = part.backward(g, own)
            if g is None:
                break
        return values.mean()


def flat_parts(module):
    if type(module) is torch.nn.Sequential:
        return [part for child in module for part in flat_parts(child)]
    return [module]


def _last_linear(parts):
    return [part for part in parts if type(part) is torch.nn.Linear][-1]


def _make_parts(module, generator):
    parts, first = [], True
    for part in flat_parts(module):
        if type(part) is torch.nn.Linear:
            parts.append(Linear(part, first))
            first = False
        else:
            parts.append(PARTS[type(part)](part, generator))
    return parts


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
