"""Fits in groups, each trained as one program by a worker of joblib: in a thread, a process, or on a cluster."""

import os
import warnings

import numpy as np
from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel, delayed

from sklearn_nndyn.classifiers._preparation import PreparedFit
from sklearn_nndyn.classifiers._results import BORN_IN_FIT
from sklearn_nndyn.classifiers._state import remember_parameters
from sklearn_nndyn.classifiers.together._programs import train
from sklearn_nndyn.utils.warnings import warn_user


def train_in_groups(fits, n_jobs, *, memory_limit=None, progress=None):
    """Train prepared fits as `train` does, by ``n_jobs`` workers of joblib, each with its own ``memory_limit``.

    None is what ``joblib.parallel_config`` says, else one worker. Fits that go through their own ``fit`` are trained
    in this process.
    """
    prepared = [fit for fit in fits if isinstance(fit, PreparedFit)]
    n_groups = min(effective_n_jobs(n_jobs), len(prepared))
    if n_groups < 2:
        return train(fits, memory_limit=memory_limit, progress=progress)
    errors = dict(zip(prepared, _train_elsewhere(prepared, n_groups, n_jobs, memory_limit), strict=True))
    if progress is not None:
        progress(sum(fit.estimator.max_epochs for fit in prepared))
    here = [fit for fit in fits if fit not in errors]
    errors |= dict(zip(here, train(here, memory_limit=memory_limit, progress=progress), strict=True))
    return [errors[fit] for fit in fits]


def _train_elsewhere(prepared, n_groups, n_jobs, memory_limit):
    groups = [[prepared[i] for i in places] for places in np.array_split(np.arange(len(prepared)), n_groups)]
    calls = (delayed(_train_group)(group, memory_limit, os.getpid()) for group in groups)
    try:
        found = Parallel(n_jobs=n_jobs)(calls)
    except KeyboardInterrupt:
        for fit in prepared:
            fit.leave_untrained()
        raise
    for group, (outcomes, _, messages) in zip(groups, found, strict=True):
        for fit, outcome in zip(group, outcomes or (), strict=outcomes is not None):
            _take_over(fit, *outcome)
        for message, category in messages:
            warn_user(message, category)
    return [error for _, errors, _ in found for error in errors]


def _train_group(fits, memory_limit, caller):
    """The outcome of each fit, its error, and the warnings; no outcomes and warnings where the caller has them."""
    if os.getpid() == caller:
        return None, train(fits, memory_limit=memory_limit), ()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        errors = train(fits, memory_limit=memory_limit)
    messages = [(str(warning.message), warning.category) for warning in caught]
    return [(_attributes(fit.estimator), fit.keeps_old) for fit in fits], errors, messages


def _attributes(estimator):
    return {name: getattr(estimator, name) for name in BORN_IN_FIT if hasattr(estimator, name)}


def _take_over(fit, attributes, keeps_old):
    """Set what a copy of the estimator has learned, beside parameters that are the estimator's own."""
    fit.keeps_old = keeps_old
    if not keeps_old:
        attributes["_state"].parameters = remember_parameters(fit.estimator)
        fit.estimator._keep(attributes)
