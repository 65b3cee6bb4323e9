"""The losses of networks that are trained together, evaluated at once."""

from contextlib import nullcontext
from functools import partial

import torch

from sklearn_nndyn.losses._base import ClassificationLoss
from sklearn_nndyn.losses._formula import FormulaLoss
from sklearn_nndyn.losses._probability import LogLoss
from sklearn_nndyn.losses._sameness import is_of_this_package, same_loss
from sklearn_nndyn.losses.custom._custom import CustomLoss
from sklearn_nndyn.utils.networks.binding import bind
from sklearn_nndyn.utils.private_names import inference_mode

BOUND_BYTES = 2**18


class LossStack:
    """The losses of M networks that are trained together, member by member and sample by sample.

    On small batches the number of calls is what costs. So members with the same loss are evaluated in one
    call, and losses that share a link function, such as softmax, compute it in one call.

    Scores may have any strides; the callers pass class-major ones, ``(M, n, K)`` views of contiguous ``(M, K, n)``.

    Parameters
    ----------
    losses : list of ClassificationLoss
        The loss of each member, in order.
    """

    def __init__(self, losses):
        self.losses = list(losses)
        groups = _groups(self.losses)
        self._blocks = [_Block(*zip(*block, strict=True)) for block in _blocks(groups)]
        self._sizes = [sum(block.sizes) for block in self._blocks]
        self._order = self._back = None
        order = [position for block in self._blocks for position in block.positions]
        if order != sorted(order):
            self._order = torch.tensor(order)
            self._back = self._order.argsort()
        self._deciding = [
            (loss, torch.tensor(positions)) for loss, positions in groups if not _takes_the_greatest(loss)
        ]
        # Torch's own bookkeeping is a fifth of the time; but a loss written by a user may rely on it.
        self._is_ours = all(
            is_of_this_package(loss) and not isinstance(loss, CustomLoss) for loss, _ in groups
        )
        self._mode = partial(inference_mode, True) if self._is_ours and len(groups) > 1 else nullcontext
        self._slices = {}

    def value_and_probability(self, scores, target):
        """The losses, and how probable the true classes are, without a gradient.

        Parameters
        ----------
        scores : Tensor (M, n, K)
        target : Tensor (M, n), int64

        Returns
        -------
        values : Tensor (M, n)
        probability : Tensor (M, n) or None
            nan for members whose loss has no probabilities; None where none has.
        """
        values, probabilities = [], []
        with self._mode():
            for block, *own in self._split(scores.detach(), target):
                own_values, own_probabilities = block.value_and_probability(*own)
                values += own_values
                probabilities.append(own_probabilities)
        values, known = self._gather(values).detach(), [p is not None for p in probabilities]
        if not any(known):
            return values, None
        no_probability = values.new_full((), torch.nan)
        sizes = zip(probabilities, self._sizes, strict=True)
        filled = [no_probability.expand(size, scores.shape[1]) if p is None else p for p, size in sizes]
        return values, self._gather(filled).detach()

    def value_and_gradient(self, scores, target):
        """The losses and their gradients in the scores, both detached.

        Parameters
        ----------
        scores : Tensor (M, n, K)
        target : Tensor (M, n), int64

        Returns
        -------
        values : Tensor (M, n)
        gradient : Tensor (M, n, K)
            Class-major.
        """
        return self._value_and_gradient(self._mode, scores, target)

    def mean_and_gradient(self, scores, target, weight=None):
        """The mean loss of each member, and its gradient in the scores, both detached.

        Parameters
        ----------
        scores : Tensor (M, n, K)
        target : Tensor (M, n), int64
        weight : Tensor (M, n), optional
            What each sample's loss is multiplied with.

        Returns
        -------
        mean : Tensor (M,)
        gradient : Tensor (M, n, K)
            Class-major.
        """
        return self._mean_and_gradient(self._mode, scores, target, weight)

    def bind(self, scores, target):
        """`mean_and_gradient` of tensors that stay where they are and get other values, for small batches.

        Parameters
        ----------
        scores : Tensor (M, n, K)
        target : Tensor (M, n), int64

        Returns
        -------
        bound : Bound or None
            Gives mean and gradient anew at each call, in the same memory; None where that is no faster, or the losses
            are a user's.
        """
        if not self._is_ours or scores.device.type != "cpu" or scores.nbytes > BOUND_BYTES:
            return None
        return bind(partial(self._mean_and_gradient, nullcontext), scores, target)

    def _mean_and_gradient(self, mode, scores, target, weight=None):
        values, gradient = self._value_and_gradient(mode, scores, target)
        if weight is not None:
            values, gradient = values * weight, gradient * weight[..., None]
        return values.mean(-1), gradient / target.shape[1]

    def _value_and_gradient(self, mode, scores, target):
        values, gradients = [], []
        with mode():
            for block, *own in self._split(scores.detach(), target):
                own_values, own_gradients = block.value_and_gradient(*own)
                values += own_values
                gradients += own_gradients
        gradient = self._gather([gradient.mT for gradient in gradients]).contiguous().mT
        return self._gather(values).detach(), gradient.detach()

    def train(self, mode=True):
        """Training mode for all losses, or evaluation mode."""
        for loss in self.losses:
            loss.train(mode)

    def decide(self, scores):
        """Positions (M, n) of the classes chosen for `scores` (M, n, K), by each member's own loss."""
        decided = scores.max(-1).indices
        for loss, positions in self._deciding:
            positions = positions.to(scores.device)
            decided[positions] = loss.decide(scores[positions])
        return decided

    def of(self, members):
        """The stack of some members, a slice of all."""
        bounds = members.indices(len(self.losses))
        if bounds not in self._slices:
            self._slices[bounds] = LossStack(self.losses[members])
        return self._slices[bounds]

    def _split(self, scores, target):
        """List (block, scores, target) for each block, with the rows of its members."""
        if self._order is not None:
            self._order, self._back = self._order.to(scores.device), self._back.to(scores.device)
            scores, target = scores.mT.index_select(0, self._order).mT, target.index_select(0, self._order)
        if len(self._blocks) == 1:
            return [(self._blocks[0], scores, target)]
        dealt = (tensor.split_with_sizes(self._sizes) for tensor in (scores, target))
        return zip(self._blocks, *dealt, strict=True)

    def _gather(self, tensors):
        """Concatenate the results of the blocks in the order of the members, (M, ...); never an inference tensor."""
        whole = torch.cat(tensors) if len(tensors) > 1 or self._mode is not nullcontext else tensors[0]
        return whole if self._back is None else whole.index_select(0, self._back)


class _Block:
    """Groups of members that are evaluated together: a single loss, or losses with the same link function."""

    def __init__(self, losses, positions):
        self.positions = [position for group in positions for position in group]
        self.sizes = [len(group) for group in positions]
        self._losses = losses

    def value_and_probability(self, scores, target):
        """List of the values (m, n) of each group, and the probabilities of all members or None."""
        if len(self._losses) == 1:
            values, probability = self._losses[0].value_and_probability(scores, target)
            return [values], probability
        link = self._losses[0].link_function
        inputs = link.forward(scores, target)
        values = [loss.formula(*own) for loss, *own in self._split(inputs)]
        return values, None if link.probability is None else link.probability(target, *inputs)

    def value_and_gradient(self, scores, target):
        """Lists of the values (m, n) of each group, and of gradients (m, n, K), in the order of the members."""
        if len(self._losses) == 1:
            values, gradient = self._losses[0].value_and_gradient(scores, target)
            return [values], [gradient]
        link = self._losses[0].link_function
        inputs = link.forward(scores, target)
        results = [loss.formula_and_grad(*own) for loss, *own in self._split(inputs)]
        values, grads = zip(*results, strict=True)
        if link.backward is None:
            return values, grads
        return values, [link.backward(torch.cat([grad.mT for grad in grads]).mT, *inputs)]

    def _split(self, inputs):
        return zip(self._losses, *(part.split_with_sizes(self.sizes) for part in inputs), strict=True)


def _groups(losses):
    """[(loss, positions of the members that have it)]"""
    groups = []
    for position, loss in enumerate(losses):
        for known, positions in groups:
            if same_loss(known, loss):
                positions.append(position)
                break
        else:
            groups.append((loss, [position]))
    return groups


def _blocks(groups):
    """Lists of the groups whose losses share a link function: [[(loss, positions)]]"""
    blocks = {}
    for i, (loss, positions) in enumerate(groups):
        blocks.setdefault(loss.link_function if _is_plain_formula(loss) else i, []).append((loss, positions))
    return blocks.values()


def _is_plain_formula(loss):
    """Whether a loss is computed by link function and formula alone, with no method overridden."""
    kind = type(loss)
    if kind is LogLoss:
        return True  # its overridden methods differ in speed only
    return isinstance(loss, FormulaLoss) and all(
        getattr(kind, name) is getattr(FormulaLoss, name)
        for name in ("per_sample", "value_and_gradient", "value_and_probability")
    )


def _takes_the_greatest(loss):
    """Whether a loss decides for the class of the greatest score, as most do."""
    if type(loss) is CustomLoss:
        return not hasattr(loss.loss, "decide")
    return type(loss).decide is ClassificationLoss.decide
