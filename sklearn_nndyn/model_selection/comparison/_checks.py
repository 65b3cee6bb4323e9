"""The parameters of compare_losses, validated before anything is trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch

from sklearn_nndyn.classifiers import DynamicsClassifier, check_parameters
from sklearn_nndyn.losses import get_loss, loss_names
from sklearn_nndyn.utils.validation import (
    check_count,
    check_instance,
    check_not_negative,
    check_positive,
    check_share,
    is_count,
    is_number,
    is_one_of,
)

MOST_SEED = 2**32 - 1


@dataclass(frozen=True)
class Plan:
    """All that is to be trained.

    Parameters
    ----------
    losses : dict of str to str, ClassificationLoss, torch module or callable
        The losses by name.
    label_noise, input_noise, seeds : tuple
    rates : dict of str to float, or None
        Learning rates by loss; None where they are tuned.
    tried : tuple of float
        The rates that the tuning tries, increasing; empty without tuning.
    tuning_seeds : tuple of int
        Seeds of the tuning.
    held_out : float
    n_epochs, first : int
        Epochs of a run, and the one that the mean of learning speed begins with.
    """

    losses: dict
    label_noise: tuple
    input_noise: tuple
    seeds: tuple
    rates: dict | None
    tried: tuple
    tuning_seeds: tuple
    held_out: float
    n_epochs: int
    first: int

    @property
    def all_epochs(self):
        """Number of epochs to train, the tuning included."""
        tuning = len(self.tried) * len(self.tuning_seeds)
        return self.n_epochs * len(self.losses) * len(self.levels) * (tuning + len(self.seeds))

    @property
    def levels(self):
        """(label noise, input noise) of each condition."""
        return [(label, added) for added in self.input_noise for label in self.label_noise]

    @property
    def places(self):
        """(loss, label noise, input noise, seed) of each run, in the order of the table."""
        return list(product(self.losses, self.label_noise, self.input_noise, self.seeds))


def check_comparison(
    estimator,
    *,
    losses,
    label_noise,
    input_noise,
    seeds,
    learning_rates,
    lr_factors,
    tuning_runs,
    held_out,
    stretch,
):
    """The plan.

    Raises
    ------
    TypeError, ValueError
        See `compare_losses`.
    """
    check_instance("estimator", estimator, DynamicsClassifier)
    check_parameters(estimator)
    named = _named(loss_names("paper") if losses is None else losses)
    check_share("held_out", held_out, of="the training samples", zero=False, one=False)
    check_share("stretch", stretch, of="the epochs", one=False)
    check_count("tuning_runs", tuning_runs)
    rates = _rates(learning_rates, named, estimator.lr)
    factors, seeds = _factors(lr_factors), _seeds(seeds)
    return Plan(
        losses=named,
        label_noise=_levels("label_noise", label_noise, check_share),
        input_noise=_levels("input_noise", input_noise, check_not_negative),
        seeds=seeds,
        rates=rates,
        tried=tuple(float(estimator.lr * factor) for factor in factors) if rates is None else (),
        tuning_seeds=seeds[:tuning_runs] if rates is None else (),
        held_out=held_out,
        n_epochs=int(estimator.max_epochs),
        first=_first_after(stretch, estimator.max_epochs),
    )


def _first_after(stretch, n_epochs):
    """The first epoch after a share of them; at least the first, at most the last."""
    return min(int(stretch * n_epochs + 1e-9) + 1, int(n_epochs))


def _named(losses):
    """{name: loss}."""
    if isinstance(losses, Mapping):
        pairs = list(losses.items())
        strange = [name for name, _ in pairs if not isinstance(name, str)]
        if strange:
            raise ValueError(f"losses: the keys are their names, got {strange[0]!r}.")
    else:
        pairs = _with_names(losses)
    if not pairs:
        raise ValueError("losses: give at least one.")
    for _, loss in pairs:
        get_loss(loss)
    return dict(pairs)


def _with_names(losses):
    if isinstance(losses, (str, torch.nn.Module)) or not np.iterable(losses):
        raise ValueError(f"losses must be a list of losses, such as ['log', 'l2'], got {losses!r}.")
    losses = list(losses)
    names = [get_loss(loss).name for loss in losses]
    names = [
        " ".join(repr(loss).split()) if names.count(name) > 1 and isinstance(loss, torch.nn.Module) else name
        for name, loss in zip(names, losses, strict=True)
    ]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"losses: {', '.join(twice)} was given more than once. Losses that differ in their parameters can be given "
            "names of their own: losses={name: loss, ...}."
        )
    return list(zip(names, losses, strict=True))


def _levels(name, values, check):
    values = _listed(name, values, "a list of levels, such as (0, 0.2)")
    if not values:
        raise ValueError(f"{name}: give at least one level; 0 is none.")
    for value in values:
        check(name, value)
    if len(set(values)) < len(values):
        raise ValueError(f"{name}: a level was given more than once: {values}.")
    return tuple(float(value) for value in values)


def _seeds(seeds):
    if is_count(seeds, -np.inf):
        if seeds < 1:
            raise ValueError(f"seeds must be one run or more, got {seeds}.")
        return tuple(range(seeds))
    if isinstance(seeds, str) or not np.iterable(seeds):
        raise ValueError(f"seeds must be a number of runs or a list of seeds, got {seeds!r}.")
    seeds = tuple(seeds)
    for seed in seeds:
        if not is_count(seed, 0, MOST_SEED):
            raise ValueError(f"seeds must be whole numbers from 0 to 2**32 - 1, got {seed!r}.")
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be one or more different ones, got {seeds}.")
    return tuple(int(seed) for seed in seeds)


def _rates(learning_rates, named, lr):
    if isinstance(learning_rates, Mapping):
        missing = [name for name in named if name not in learning_rates]
        if missing:
            raise ValueError(f"learning_rates has no rate for {', '.join(missing)}.")
        for name, rate in learning_rates.items():
            check_positive(f"learning_rates[{name!r}]", rate)
        return {name: float(learning_rates[name]) for name in named}
    if not is_one_of(learning_rates, ("tuned", "fixed")):
        raise ValueError(
            f"learning_rates must be 'tuned', 'fixed' or a dict of rates, got {learning_rates!r}."
        )
    return None if learning_rates == "tuned" else dict.fromkeys(named, float(lr))


def _factors(lr_factors):
    """Increasing."""
    factors = _listed("lr_factors", lr_factors, "a list of factors, such as (0.1, 1, 10)")
    if not factors:
        raise ValueError("lr_factors: give at least one.")
    for factor in factors:
        check_positive("lr_factors", factor)
    return sorted(set(factors))


def _listed(name, values, what):
    if is_number(values):
        return (values,)
    if isinstance(values, str) or not np.iterable(values):
        raise ValueError(f"{name} must be {what}, got {values!r}.")
    return tuple(values)
