"""How scores become probabilities: in the log, there and back."""

from collections.abc import Callable
from typing import NamedTuple

import torch


class Link(NamedTuple):
    """A map from scores o to log p, and the chain rule back."""

    log_p: Callable  # scores (..., n, K) -> log p (..., n, K)
    chain: Callable  # gradient in log p (..., n, K), log p -> gradient in the scores (..., n, K)


def _softmax_chain(slope, log_p):
    return slope - log_p.exp() * slope.sum(-1, keepdim=True)


def _sigmoid_chain(slope, log_p):
    return -slope * log_p.expm1()  # 1 - p, without the cancellation


LINKS = {
    "softmax": Link(lambda scores: scores.log_softmax(-1), _softmax_chain),
    "sigmoid": Link(torch.nn.functional.logsigmoid, _sigmoid_chain),
}
