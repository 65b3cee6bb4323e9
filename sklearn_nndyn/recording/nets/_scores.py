"""What a skorch net makes of a batch, and what its criterion, as it is now, makes of that."""

import copy
import random
from contextlib import ExitStack, contextmanager

import torch
from skorch import NeuralNetClassifier, NeuralNetRegressor

from sklearn_nndyn.losses import ClassificationLoss, get_loss
from sklearn_nndyn.utils.modules import scores_of
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode
from sklearn_nndyn.utils.random import untouched_generators


class BinaryLoss(ClassificationLoss):
    """The criterion of a ``skorch.NeuralNetBinaryClassifier``, for the two scores (0, z) of its one output z.

    Parameters
    ----------
    criterion : torch.nn.BCEWithLogitsLoss
    threshold : float
        The second class is decided for where its probability is greater.
    """

    lower_bound, link = 0.0, "softmax"

    def __init__(self, criterion, threshold=0.5):
        super().__init__(reduction="none")
        self.criterion, self.threshold = copy.deepcopy(criterion), threshold
        self.criterion.reduction = "none"
        weighted = criterion.weight is not None or criterion.pos_weight is not None
        plain = type(criterion) is torch.nn.BCEWithLogitsLoss and not weighted
        self.name, self.unit = ("log", "nats") if plain else (type(criterion).__name__, None)
        self.proper = plain

    def per_sample(self, scores, target):
        """The criterion's value of each sample, shape (..., n)."""
        z = scores[..., 1] - scores[..., 0]
        return self.criterion(z, target.to(z.dtype))

    def predict_proba(self, scores):
        """Probabilities (..., n, 2): sigmoid(z) is that of the second class."""
        return scores.softmax(-1)

    def decide(self, scores):
        """Positions (..., n): 1 where the probability exceeds the threshold."""
        return (self.predict_proba(scores)[..., 1] > self.threshold).long()


def check_kind(net):
    """Raise TypeError for a net that is no classifier."""
    if isinstance(net, NeuralNetRegressor):
        raise TypeError(
            f"RecordDynamics records classifiers, of samples with class labels; {type(net).__name__} is none."
        )


def current_loss(net, loss=None):
    """The loss to record: the one that was asked for, or the net's criterion as it is at this moment."""
    given = criterion_of(net) if loss is None else loss
    if isinstance(given, torch.nn.BCEWithLogitsLoss):
        return BinaryLoss(given, getattr(net, "threshold", 0.5))
    try:
        return get_loss(given)
    except (TypeError, ValueError) as error:
        raise type(error)(f"RecordDynamics(loss=...): {error}") from error


def criterion_of(net):
    """The net's criterion, under whatever name.

    Raises
    ------
    ValueError
        Where none is called "criterion" and there are several.
    """
    names = list(net._criteria)
    if "criterion" in names or not names:
        return net.criterion_
    if len(names) > 1:
        raise ValueError(
            f"The net has the criteria {', '.join(map(repr, names))}: say which loss to record of each sample by "
            "RecordDynamics(loss=...)."
        )
    return getattr(net, f"{names[0]}_")


def run_net(net, parameters):
    """A function from a batch to raw scores (n_samples, n_classes); ``parameters`` are those of ``fit`` for it."""
    takes_logarithm = _takes_logarithm(net)

    def run(x):
        scores = scores_of(net.infer(x, **parameters))
        return _log_probabilities(scores) if takes_logarithm else scores

    return run


def _takes_logarithm(net):
    """Whether skorch takes the logarithm of what the module gives, as it does for NLLLoss."""
    return type(net).get_loss is NeuralNetClassifier.get_loss and isinstance(
        getattr(net, "criterion_", None), torch.nn.NLLLoss
    )


def _log_probabilities(p):
    if (p < 0).any():
        raise ValueError(
            "The net's criterion is NLLLoss, and skorch takes the logarithm of what the module gives it: the module "
            f"must give probabilities, but gives values down to {float(p.min()):.3g}. End it with a softmax, or "
            "choose criterion=torch.nn.CrossEntropyLoss."
        )
    return torch.log(p + torch.finfo(p.dtype).eps)


def check_scores(scores, y):
    """Raise ValueError where a batch's scores are not one for each class, or labels belong to none."""
    if scores.ndim != 2 or scores.shape[1] < 2:
        raise ValueError(
            "RecordDynamics needs a score for each class, (n_samples, n_classes); the net gives "
            f"{tuple(scores.shape)} for a batch of samples."
        )
    if y.max() >= scores.shape[1]:
        raise ValueError(
            f"y holds the class position {int(y.max())}, but the net gives scores for {scores.shape[1]} classes."
        )


@contextmanager
def only_evaluating(net):
    """All modules and criteria of the net in evaluation mode, and all generators left as they are."""
    state = random.getstate()
    try:
        with ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            stack.enter_context(untouched_generators(net.device or "cpu"))
            for name in (*net._modules, *net._criteria):
                part = getattr(net, f"{name}_", None)
                if isinstance(part, torch.nn.Module):
                    stack.enter_context(evaluation_mode(part))
            yield
    finally:
        random.setstate(state)


class NetModules(torch.nn.Module):
    """Several modules side by side; the layers of ``module`` keep their names, those of others bear its name first.

    Parameters
    ----------
    modules : dict of torch.nn.Module
        Modules by name.
    """

    def __init__(self, modules):
        super().__init__()
        self.parts = torch.nn.ModuleDict(modules)

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """Yield (name, module) of every part."""
        memo = set() if memo is None else memo
        for name, module in self.parts.items():
            own = prefix if name == "module" else f"{prefix}.{name}".lstrip(".")
            yield from module.named_modules(memo, own, remove_duplicate)


def all_modules(net):
    """The net's module, or all of them as one where it has several."""
    modules = {name: getattr(net, f"{name}_") for name in net._modules}
    return modules["module"] if list(modules) == ["module"] else NetModules(modules)
