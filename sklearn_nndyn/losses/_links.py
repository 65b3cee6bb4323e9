"""How scores become probabilities: in the log, there and back."""

from collections.abc import Callable
from typing import NamedTuple

import torch


class Link(NamedTuple):
    """A map from scores o to log p, and the chain rule back."""

    log_p: Callable  # scores (..., n, K) -> log p (..., n, K)
    chain: Callable  # gradient in log p (..., n, K), log p -> gradient in the scores (..., n, K)


SIMD_WIDTH = 16


def log_softmax(scores):
    """log p of each sample: ``scores.log_softmax(-1)``, along whichever axis is faster.

    torch's CPU kernel runs along the last axis and falls back to single numbers where that is shorter than a vector
    register: for ten classes it is seven times slower than the same sums across samples.
    """
    if scores.shape[-1] < SIMD_WIDTH and scores.device.type == "cpu":
        return scores.mT.log_softmax(-2).mT
    return scores.log_softmax(-1)


def _softmax_chain(slope, log_p):
    return slope - log_p.exp() * slope.sum(-1, keepdim=True)


def _sigmoid_chain(slope, log_p):
    return -slope * log_p.expm1()  # 1 - p, without the cancellation


LINKS = {
    "softmax": Link(log_softmax, _softmax_chain),
    "sigmoid": Link(torch.nn.functional.logsigmoid, _sigmoid_chain),
}
