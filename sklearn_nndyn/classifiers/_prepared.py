"""Fits that are checked and ready, and their training: as many in one program as may be."""

from dataclasses import dataclass

from sklearn_nndyn.classifiers._classifier import DynamicsClassifier
from sklearn_nndyn.classifiers._inputs import rollback_on_error, validate_inputs
from sklearn_nndyn.classifiers._parameters import check_parameters
from sklearn_nndyn.classifiers._validation import check_validation_pair
from sklearn_nndyn.training.stacked._epoch_loop import StackedEpochLoop
from sklearn_nndyn.training.stacked._grouping import batch_size, cut_into_programs, make_members


@dataclass(eq=False)
class PreparedFit:
    """One estimator's fit, checked and ready to be trained.

    ``task`` is None for an estimator that must go through its own ``fit``.
    """

    estimator: DynamicsClassifier
    given: dict
    task: object = None


def prepare(estimator, X, y, sample_weight=None, *, X_val=None, y_val=None, shared=None, checked=False):
    """Check one fit, and make its net.

    Parameters
    ----------
    estimator : DynamicsClassifier
    X, y, sample_weight, X_val, y_val
        As in ``fit``.
    shared : dict, optional
        Kept between the calls for several fits, so that what they share is checked once.
    checked : bool, default=False
        Whether the parameters are known to be right.

    Returns
    -------
    fit : PreparedFit

    Raises
    ------
    ValueError, TypeError
        As ``fit`` would before training; the estimator is then as it was.
    """
    given = {"X": X, "y": y, "sample_weight": sample_weight, "X_val": X_val, "y_val": y_val}
    if not checked:
        check_parameters(estimator)
    if _goes_its_own_way(estimator):
        return PreparedFit(estimator, given)
    with rollback_on_error(estimator):
        check_validation_pair(X_val, y_val)
        task = validate_inputs(estimator, X, y, sample_weight, X_val, y_val, again=False, shared=shared)
        tried = None if shared is None else shared.setdefault("tried", set())
        estimator._prepare(task, again=False, tried=tried)
    return PreparedFit(estimator, given, task)


def _goes_its_own_way(estimator):
    """Where ``fit`` does more than train a new net: a subclass, a warm start, scikit-learn's callbacks."""
    watched = hasattr(estimator, "_skl_callbacks") or hasattr(estimator, "_parent_callback_ctx")
    return (
        watched
        or type(estimator).fit is not DynamicsClassifier.fit
        or (estimator.warm_start and hasattr(estimator, "net_"))
    )


def train(fits, *, memory_limit=None, progress=None):
    """Train prepared fits, as many in one program as may be.

    Parameters
    ----------
    fits : list of PreparedFit
    memory_limit : int, default=None
        See `fit_together`.
    progress : callable, default=None
        ``progress(n)`` after ``n`` more epochs, counted over all fits.

    Returns
    -------
    errors : list
        Of each fit the exception that ended it, or None.

    Raises
    ------
    KeyboardInterrupt
        After every estimator was left usable: as of its last whole epoch, or untrained.
    """
    progress = progress or (lambda n: None)
    errors = {}
    programs = cut_into_programs(fits, memory_limit)
    while programs:
        program = programs.pop(0)
        try:
            errors.update(_run(program, progress))
        except KeyboardInterrupt:
            for fit in (fit for program in programs for fit in program if fit.task is not None):
                fit.estimator._train(fit.task, 0, fit.given)
            raise
    return [errors.get(fit) for fit in fits]


def _run(program, progress):
    if len(program) == 1:
        return _run_alone(program[0], progress)
    epochs = program[0].estimator.max_epochs
    members = make_members(program, epochs)
    fit_of = dict(zip(members, program, strict=True))
    training = StackedEpochLoop(members, batch_size(program[0]), epochs, progress)
    training.run()
    return {fit_of[member]: error for member, error in training.errors.items()}


def _run_alone(fit, progress):
    estimator = fit.estimator
    try:
        if fit.task is None:
            estimator.fit(**fit.given)
        elif estimator._train(fit.task, estimator.max_epochs, fit.given).interrupted:
            raise KeyboardInterrupt
    except Exception as error:
        return {fit: error}
    finally:
        progress(estimator.max_epochs)
    return {}
