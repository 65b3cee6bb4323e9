"""How scores become probabilities: in the log, there and back."""

import torch

from sklearn_nndyn.losses._base import log_softmax, one_hot
from sklearn_nndyn.losses._formula import Link


def _link(log_p, backward, probability):
    """The `Link` from scores to log p, p and the one-hot y, and from a gradient in log p to one in the scores."""

    def forward(scores, target):
        log_probabilities = log_p(scores)
        return log_probabilities, log_probabilities.exp(), one_hot(log_probabilities, target)

    return Link(forward, backward, lambda target, log_p, p, y: probability(log_p, target))


def _softmax_backward(grad, log_p, p, y):
    return grad.addcmul(p, grad.sum(-1, keepdim=True), value=-1)


def _sigmoid_backward(grad, log_p, p, y):
    return -grad * log_p.expm1()  # 1 - p, without the cancellation


def _of_true_class(log_p, target):
    return log_p.gather(-1, target.unsqueeze(-1)).squeeze(-1)


def softmax_probability(log_p, target):
    """p_c (..., n), from log p (..., n, K)."""
    return _of_true_class(log_p, target).exp()


def sigmoid_probability(log_p, target):
    """p_c divided by the sum of all p_j, (..., n), from log p (..., n, K)."""
    return _of_true_class(log_p.softmax(-1), target)


LOG_P = {"softmax": log_softmax, "sigmoid": torch.nn.functional.logsigmoid}

LINKS = {
    "softmax": _link(LOG_P["softmax"], _softmax_backward, softmax_probability),
    "sigmoid": _link(LOG_P["sigmoid"], _sigmoid_backward, sigmoid_probability),
}
