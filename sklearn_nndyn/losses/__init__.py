"""Losses for classification, with a value for each sample.

A loss is a torch module ``loss(scores, target)``. It owns its value for each sample, the gradient of that
value, its link to probabilities where it has one, and its decision.

Letters used in every docstring: ``n`` samples and ``K`` classes; ``scores`` (..., n, K) are the raw outputs
``o`` of a network and ``target`` (..., n) int64 the positions ``c`` of the true classes; ``...`` stands for
any leading axes, as when several networks are stacked. For one sample ``y`` (K,) is the one-hot vector of
``c``, ``p`` (K,) are the probabilities, and ``d_k`` is 1 for ``k = c`` and 0 otherwise.

Twelve losses are those compared by Janocha and Czarnecki, "On loss functions for deep neural networks in
classification" (2017, arXiv 1702.05659), ``loss_names("paper")``. Five more are what later papers made of the
log loss, to tolerate noisy labels, to weight hard samples more, or to avoid overconfidence; each names its paper. To
search over a parameter of a loss, give the losses themselves: ``{"loss": [FocalLoss(gamma=g) for g in (0, 1, 2)]}``.

The learning rates named in the docstrings were measured: a plain
torch network 64-100-10 with ReLU, Adam, batches of 100, 60 epochs, on scikit-learn's digits with pixels
divided by 16 and a stratified 70/30 split; the rates tried were 1e-3, 3e-3 and 1e-2, and a rate is named if
the test accuracy was at least 0.95 for each of five seeds.
"""

from sklearn_nndyn.losses._base import ClassificationLoss, faster_by_class, loss_header
from sklearn_nndyn.losses._cross_entropies import LabelSmoothingLoss, SymmetricCrossEntropyLoss
from sklearn_nndyn.losses._log_family import FocalLoss, GeneralizedCrossEntropyLoss, Poly1Loss
from sklearn_nndyn.losses._log_proba import log_proba
from sklearn_nndyn.losses._probability import (
    ChebyshevLoss,
    ExpectationLoss,
    LogLoss,
    RegularizedExpectationLoss,
    SquaredLogLoss,
)
from sklearn_nndyn.losses._probability_base import ProbabilityLoss
from sklearn_nndyn.losses._raw import HingeLoss, L1Loss, L2Loss
from sklearn_nndyn.losses._registry import get_loss, loss_names
from sklearn_nndyn.losses._similarity import CauchySchwarzLoss, TanimotoLoss
from sklearn_nndyn.losses._stacked import LossStack
from sklearn_nndyn.losses.custom._custom import CustomLoss
from sklearn_nndyn.losses.custom._for_fit import (
    changes_in_training,
    changing_state,
    check_loss,
    computes_in_any_dtype,
    is_known,
    is_learned,
    load_changing_state,
    loss_for_fit,
)
from sklearn_nndyn.losses.custom._outputs import check_outputs, check_scores, probabilities

__all__ = [
    "CauchySchwarzLoss",
    "ChebyshevLoss",
    "ClassificationLoss",
    "CustomLoss",
    "ExpectationLoss",
    "FocalLoss",
    "GeneralizedCrossEntropyLoss",
    "HingeLoss",
    "L1Loss",
    "L2Loss",
    "LabelSmoothingLoss",
    "LogLoss",
    "Poly1Loss",
    "ProbabilityLoss",
    "RegularizedExpectationLoss",
    "SquaredLogLoss",
    "SymmetricCrossEntropyLoss",
    "TanimotoLoss",
    "get_loss",
    "loss_names",
]
