"""The losses under test, by name and link, and scores to try them on."""

from dataclasses import dataclass

import torch

from sklearn_nndyn.losses import get_loss, loss_names

RAW = ["l1", "l2", "hinge", "squared_hinge", "cubed_hinge"]
ON_PROBABILITIES = [name for name in loss_names() if name not in RAW]


@dataclass(frozen=True)
class Case:
    """One loss: its name, and its link where it has one."""

    name: str
    link: str | None = None

    def make(self):
        loss = get_loss(self.name)
        return loss if self.link is None else type(loss)(link=self.link)

    def __str__(self):
        return self.name if self.link is None else f"{self.name}-{self.link}"


SOFTMAX = [Case(name, "softmax") for name in ON_PROBABILITIES]
SIGMOID = [Case(name, "sigmoid") for name in ON_PROBABILITIES]
ALL = [Case(name) for name in RAW] + SOFTMAX + SIGMOID


def draw(*shape, seed=0, scale=2.0, dtype=torch.float64):
    """Normal scores of `shape` (..., n_samples, n_classes), and targets."""
    generator = torch.Generator().manual_seed(seed)
    scores = scale * torch.randn(shape, generator=generator, dtype=dtype)
    return scores, torch.randint(shape[-1], shape[:-1], generator=generator)


def autograd(loss, scores, target):
    """Values, and gradients in the scores as torch finds them."""
    scores = scores.clone().requires_grad_()
    values = loss.per_sample(scores, target)
    values.sum().backward()
    return values.detach(), scores.grad
