"""Chains of linear layers of several networks, trained by batched matrix products.

Activations lie feature by feature, (M, width, n): the first layer of networks that see the same rows is then one
product, (M width, n_features) x (n_features, n), and everything after it one batched product a layer.
"""

from itertools import pairwise
from math import prod

import torch

from sklearn_nndyn.training._mlp_step import ACTIVATIONS, MLPStep, flat_parts
from sklearn_nndyn.utils.private_names import copy_all

DO_NOTHING = (torch.nn.Flatten, torch.nn.Identity)


class Linear:
    """y = W x + b for some networks of the stack, into memory that is kept.

    Parameters
    ----------
    weight, bias : tensors of shape (m, width, n_features) and (m, width); ``bias`` may be None
    gradients : list of tensors
        Tensors to which the gradients of ``weight`` and ``bias`` are written.
    """

    def __init__(self, weight, bias, gradients, size):
        self.weight, self.bias, self.gradients = weight, bias, gradients
        self.transposed = weight.mT
        self.y = weight.new_empty(*weight.shape[:2], size)
        self.g = None

    def forward(self, x):
        self.x = x
        return linear(self.weight, self.bias, x, self.y)

    def backward(self, g):
        torch.bmm(g, self.x.mT, out=self.gradients[0])
        if self.bias is not None:
            torch.sum(g, -1, out=self.gradients[1])
        if self.g is None:
            self.g = torch.empty_like(self.x)
        return torch.bmm(self.transposed, g, out=self.g)


class FirstLinear(Linear):
    """The layer on the rows themselves, which networks may share."""

    def __init__(self, weight, bias, gradients, size):
        super().__init__(weight, bias, gradients, size)
        self.groups = {}

    def forward(self, x):
        """``x``: rows (m, n, n_features) or (m / k, n, n_features) for k neighbours each, or a list.

        The list holds pairs of rows (n, n_features) and the slice of networks that see them.
        """
        self.x = x
        if torch.is_tensor(x):
            weight, bias, y, _ = self._grouped(len(x))
            linear(weight, bias, x.mT, y)
            return self.y
        for rows, members in x:
            first_layer(
                self.weight[members], None if self.bias is None else self.bias[members], rows, self.y[members]
            )
        return self.y

    def backward(self, g):
        if torch.is_tensor(self.x):
            gradient = self._grouped(len(self.x))[-1]
            torch.bmm(g.reshape(*gradient.shape[:2], -1), self.x, out=gradient)
        else:
            for rows, members in self.x:
                torch.mm(g[members].flatten(0, 1), rows, out=self.gradients[0][members].flatten(0, 1))
        if self.bias is not None:
            torch.sum(g, -1, out=self.gradients[1])

    def _grouped(self, n):
        """Weight, bias, output and the weight's gradient as those of ``n`` wider layers: networks of the same rows."""
        if n not in self.groups:
            weight, y, gradient = (
                t.view(n, -1, t.shape[-1]) for t in (self.weight, self.y, self.gradients[0])
            )
            self.groups[n] = weight, None if self.bias is None else self.bias.view(n, -1), y, gradient
        return self.groups[n]


def linear(weight, bias, x, out):
    """W x + b of each network."""
    if bias is None:
        return torch.bmm(weight, x, out=out)
    return torch.baddbmm(bias[..., None], weight, x, out=out)


def first_layer(weight, bias, rows, out):
    """W x + b of rows that all networks share: one matrix product, into ``out`` (m, width, n)."""
    flat = out.view(-1, len(rows))
    if bias is None:
        torch.mm(weight.flatten(0, 1), rows.t(), out=flat)
    else:
        torch.addmm(bias.reshape(-1, 1), weight.flatten(0, 1), rows.t(), out=flat)
    return out


class Dropout:
    """Each network's own draws, number by number what it draws in a fit by itself."""

    def __init__(self, module, generators):
        self.keep, self.generators = 1 - module.p, generators
        self.noise = None

    def forward(self, x):
        m, width, n = x.shape
        if self.noise is None:
            self.noise = x.new_empty(m, n, width)
        for own, generator in zip(self.noise, self.generators, strict=True):
            own.bernoulli_(self.keep, generator=generator)
        self.noise.div_(self.keep or 1)
        return x * self.noise.mT

    def backward(self, g):
        return g.mul_(self.noise.mT)


class Elementwise:
    """A nonlinearity, in place."""

    def __init__(self, module):
        self.apply_, self.derive_ = ACTIVATIONS[type(module)]

    def forward(self, x):
        self.y = self.apply_(x)
        return self.y

    def backward(self, g):
        return self.derive_(g, self.y)


class StackedMLPStep:
    """Gradients of the mean loss of a batch, for M chains of linear layers.

    Parameters
    ----------
    stack : StackedParameters
    losses : LossStack
    generators : list of torch.Generator
        Generators of the dropout masks, one for each network.
    dtype : torch.dtype
        The dtype used to compute a step; the parameters keep their own.
    """

    @staticmethod
    def supports(module, input_shape):
        """Whether `MLPStep` supports the module, and nothing is dropped before its first layer."""
        kinds = [type(part) for part in flat_parts(module)]
        return (
            MLPStep.supports(module, input_shape)
            and torch.nn.Dropout not in kinds[: kinds.index(torch.nn.Linear)]
        )

    def __init__(self, stack, losses, generators, dtype):
        self.losses, self.generators = losses, generators
        self.sources = stack.parameters
        same = dtype == next(iter(self.sources.values())).dtype
        self.values = self.sources if same else {k: v.to(dtype) for k, v in self.sources.items()}
        self.gradients = {name: torch.empty_like(v) for name, v in self.values.items()}
        module = stack.nets[0].module_
        names = {part: name for name, part in module.named_modules()}
        self.parts = [(names[part], part) for part in flat_parts(module)]
        self.draws = any(type(part) is torch.nn.Dropout for _, part in self.parts)
        self.own_dtype = self.keeps_gradients = same
        self.segments, self.buffers = {}, {}

    def __call__(self, members, x, y, weight):
        """Mean loss (m,) of a batch of some networks; ``gradients`` are then theirs.

        Parameters
        ----------
        members : slice
            Slice of the stack.
        x : tensor of shape (m, n, n_features), or list
            See `FirstLinear`.
        y : tensor of shape (m, n)
        weight : tensor of shape (m, n), or None
        """
        segment = self._segment(members, y.shape[1])
        if not segment.pop("fresh", False):
            self._run(segment, x)
        mean, g = self._losses(segment, members, y, weight)
        g = g.mT.contiguous()
        for part in reversed(segment["parts"]):
            g = part.backward(g)
        return mean

    def _losses(self, segment, members, y, weight):
        """Mean loss (m,) and its gradient (m, n, n_classes) in the scores; the next call may overwrite them."""
        scores, losses = segment["scores"], self.losses.of(members)
        if "bound" not in segment:
            target = y.contiguous().clone()
            segment["bound"] = losses.bind(scores.mT, target), target, scores.data_ptr()
        bound, target, place = segment["bound"]
        if bound is None or weight is not None or scores.data_ptr() != place:
            return losses.mean_and_gradient(scores.mT, y, weight)
        target.copy_(y)
        return bound()

    def collect(self):
        """{name: (M, ...)}: the gradients of the last step, in the parameters' own dtype."""
        if self.own_dtype:
            return self.gradients
        return {name: g.to(self.sources[name].dtype) for name, g in self.gradients.items()}

    def _run(self, segment, x):
        if not self.own_dtype:
            copy_all(list(self.values.values()), list(self.sources.values()))
        for part in segment["parts"]:
            x = part.forward(x)
        segment["scores"] = x

    def _segment(self, members, size):
        key = members.start, members.stop, size
        if key not in self.segments:
            self.segments[key] = {"parts": self._bind(members, size)}
        return self.segments[key]

    def _bind(self, members, size):
        bound, kind = [], FirstLinear
        for name, part in self.parts:
            if type(part) is torch.nn.Linear:
                own = [f"{name}.{p}".lstrip(".") for p in ("weight", "bias") if getattr(part, p) is not None]
                values = [self.values[p][members] for p in own] + [None]
                bound.append(kind(*values[:2], [self.gradients[p][members] for p in own], size))
                kind = Linear
            elif type(part) is torch.nn.Dropout:
                bound.append(Dropout(part, self.generators[members]))
            elif type(part) in ACTIVATIONS:
                bound.append(Elementwise(part))
        return bound

    def evaluate(self, members, x):
        """Scores (m, n, n_classes) of rows that the networks share, in evaluation mode, and their hidden layers.

        Parameters
        ----------
        members : slice
        x : tensor of shape (n, n_features)

        Returns
        -------
        scores : tensor of shape (m, n, n_classes)
        layers : dict of tensors of shape (m, n, width)
            Valid until the next call.
        """
        layers, maker, h = {}, None, None
        for name, part in self.parts:
            if type(part) is torch.nn.Linear:
                weight, bias = (self._own(name, p, members) for p in ("weight", "bias"))
                out = self._buffer(name, (*weight.shape[:2], len(x)))
                if maker is None:
                    h = first_layer(weight, bias, x, out)
                else:
                    layers[maker] = h.mT
                    h = linear(weight, bias, h, out)
                maker = name
            elif type(part) in ACTIVATIONS:
                h = ACTIVATIONS[type(part)][0](h)
        return h.mT.clone(), layers

    def _buffer(self, name, shape):
        """Memory for the output of a layer in `evaluate`, used again: fresh memory costs more than the sum."""
        size = prod(shape)
        if len(self.buffers.get(name, ())) < size:
            self.buffers[name] = self.sources[f"{name}.weight".lstrip(".")].new_empty(size)
        return self.buffers[name][:size].view(shape)

    def _own(self, name, kind, members):
        values = self.sources.get(f"{name}.{kind}".lstrip("."))
        return None if values is None else values[members]

    def evaluate_batch(self, members, x, size):
        """What `evaluate` gives, from a forward pass over a full batch that the next step then need not make again.

        Only where nothing is dropped and a step is computed in the parameters' own dtype.
        """
        segment = self._segment(members, size)
        if not segment.get("fresh"):
            self._run(segment, x)
            segment["fresh"] = True
        linears = self._bound_linears(segment)
        layers = {maker: after.x.mT for (maker, _), (_, after) in pairwise(linears)}
        return segment["scores"].mT, layers

    def _bound_linears(self, segment):
        """(name, layer) of the linear layers."""
        names = [name for name, part in self.parts if type(part) not in DO_NOTHING]
        return [pair for pair in zip(names, segment["parts"], strict=True) if isinstance(pair[1], Linear)]
