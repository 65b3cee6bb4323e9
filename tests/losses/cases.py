"""The losses under test, by name and link, and scores to try them on."""

from dataclasses import dataclass, field

import torch

from sklearn_nndyn.losses import get_loss, loss_names

RAW = ["l1", "l2", "hinge", "squared_hinge", "cubed_hinge"]
ON_PROBABILITIES = [name for name in loss_names() if name not in RAW]

OTHER_SETTINGS = [
    ("generalized_cross_entropy", {"q": 0.2}),
    ("generalized_cross_entropy", {"q": 1.0}),
    ("symmetric_cross_entropy", {"alpha": 2.0, "beta": 0.3, "log_zero": -6.0}),
    ("focal", {"gamma": 0.5}),
    ("focal", {"gamma": 3.0}),
    ("label_smoothing", {"smoothing": 0.6}),
    ("poly1", {"epsilon": -1.0}),
]


@dataclass(frozen=True)
class Case:
    """One loss: its name, its link where it has one, and its other settings where they are not the default."""

    name: str
    link: str | None = None
    settings: dict = field(default_factory=dict)

    def make(self):
        loss = get_loss(self.name)
        return loss if self.link is None else type(loss)(link=self.link, **self.settings)

    def __str__(self):
        settings = [f"{name}={value}" for name, value in self.settings.items()]
        return "-".join([self.name, *filter(None, [self.link]), *settings])


SOFTMAX, SIGMOID = (
    [Case(name, link) for name in ON_PROBABILITIES]
    + [Case(name, link, settings) for name, settings in OTHER_SETTINGS]
    for link in ("softmax", "sigmoid")
)
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
