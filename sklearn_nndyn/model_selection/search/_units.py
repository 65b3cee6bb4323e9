"""How a search is cut: into groups of fits that share their preprocessing, and units that run side by side."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from numbers import Integral

import numpy as np
from sklearn import get_config
from sklearn.pipeline import Pipeline

from sklearn_nndyn.model_selection.search._passthrough import last_step


@dataclass
class FitSpec:
    """One fit to be made: the row of its result, the candidate's parameters, and what it costs (epochs)."""

    row: int
    params: dict
    epochs: int


@dataclass
class Group:
    """The fits that share a fold and everything before the classifier."""

    train: np.ndarray
    test: np.ndarray
    fits: list = field(default_factory=list)

    @property
    def cost(self):
        """Rows times epochs."""
        return len(self.train) * sum(fit.epochs for fit in self.fits)


def make_groups(estimator, candidates, made, splits):
    """All pairs of a candidate and a fold, grouped by fold and preprocessing.

    ``made`` are the estimators with the parameters of each of the ``candidates``; ``splits`` the training and test rows
    of each fold.
    """
    keys = [preprocessing_key(estimator, params) for params in candidates]
    groups = []
    for fold, (train, test) in enumerate(splits):
        of_key = {}
        for i, (key, params) in enumerate(zip(keys, candidates, strict=True)):
            fit = FitSpec(i * len(splits) + fold, params, count_epochs(made[i]))
            of_key.setdefault(key, Group(train, test)).fits.append(fit)
        groups.extend(of_key.values())
    return groups


def preprocessing_key(estimator, params):
    """What two candidates must have in common to share their preprocessing.

    Values are told apart by type and value where they can be hashed, otherwise by identity: a grid hands out the
    same object to every candidate.
    """
    if not isinstance(estimator, Pipeline):
        return ()
    last = estimator.steps[-1][0]
    own = f"{last}__"
    # A classifier put in place of the first may ask for other metadata.
    beside = () if get_config()["enable_metadata_routing"] else (last,)
    if "steps" in params:
        own, beside = None, ()
    return tuple(
        (name, *_identity(value))
        for name, value in sorted(params.items())
        if not (name in beside or (own and name.startswith(own)))
    )


def _identity(value):
    try:
        hash(value)
    except TypeError:
        return type(value), id(value)
    return type(value), value, repr(value)


def count_epochs(estimator):
    """Epochs its classifier is to train; one where that is not a number, which ``fit`` will say."""
    epochs = getattr(last_step(estimator), "max_epochs", None)
    return epochs if isinstance(epochs, Integral) and epochs > 0 else 1


def cut(groups, n_units, *, keep_groups):
    """Cut the fits of groups into units of about equal cost, ``n_units`` at most.

    With ``keep_groups`` a group stays in one unit, so that its preprocessing is done once; where there are fewer groups
    than units, groups are cut all the same.
    """
    if n_units == 1:
        return [groups]
    if keep_groups and len(groups) >= n_units:
        units = _deal_out(groups, n_units)
    else:
        units = _cut_anywhere(groups, n_units)
    return [unit for unit in units if unit]


def _deal_out(groups, n_units):
    """The costliest first, each to the unit that has least to do."""
    units = [[] for _ in range(n_units)]
    for group in sorted(groups, key=lambda group: -group.cost):
        min(units, key=lambda unit: sum(other.cost for other in unit)).append(group)
    return units


def _cut_anywhere(groups, n_units):
    """Candidate by candidate, where a share of the cost is reached: those of one loss are best trained together."""
    units = [[] for _ in range(n_units)]
    total, done = sum(group.cost for group in groups), 0
    parts = defaultdict(list)
    pairs = [(fit, i) for i, group in enumerate(groups) for fit in group.fits]
    for fit, i in sorted(pairs, key=lambda pair: pair[0].row):
        cost = len(groups[i].train) * fit.epochs
        parts[int(n_units * (done + cost / 2) / total), i].append(fit)
        done += cost
    for (unit, i), fits in sorted(parts.items(), key=lambda part: part[0]):
        units[unit].append(replace(groups[i], fits=fits))
    return units
