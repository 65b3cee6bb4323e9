"""Many fits: checked one by one, trained as many in one program as may be."""

from dataclasses import dataclass

from sklearn_nndyn.classifiers._classifier import DynamicsClassifier
from sklearn_nndyn.classifiers._inputs import check_validation_pair
from sklearn_nndyn.classifiers._parameters import check_parameters
from sklearn_nndyn.classifiers._preparation import PreparedFit, prepare_fit
from sklearn_nndyn.classifiers.checkpoint import as_checkpoint, is_finished, opened
from sklearn_nndyn.training.stacked import StackedEpochLoop, batch_size, make_members, make_stacks
from sklearn_nndyn.utils.signals import held_signals


@dataclass(eq=False)
class OwnFit:
    """A fit that must go through the estimator's own ``fit``."""

    estimator: DynamicsClassifier
    given: dict

    def train(self):
        """Train it; whether it was interrupted is known to ``fit`` alone."""
        self.estimator.fit(**self.given)
        return False


def prepare(
    estimator,
    X,
    y,
    sample_weight=None,
    *,
    X_val=None,
    y_val=None,
    sample_weight_val=None,
    shared=None,
    checked=False,
):
    """Check one fit, and make its net; the estimator is not touched.

    Parameters
    ----------
    estimator : DynamicsClassifier
    X, y, sample_weight, X_val, y_val, sample_weight_val
        As in ``fit``.
    shared : dict, optional
        Kept between the calls for several fits, so that what they share is checked once.
    checked : bool, default=False
        Whether the parameters are known to be right.

    Returns
    -------
    fit : PreparedFit or OwnFit

    Raises
    ------
    ValueError, TypeError
        As ``fit`` would before training.
    """
    if not checked:
        check_parameters(estimator)
    if _has_its_own_fit(estimator):
        given = {"X": X, "y": y, "sample_weight": sample_weight, "X_val": X_val, "y_val": y_val}
        if sample_weight_val is not None:
            given["sample_weight_val"] = sample_weight_val
        return OwnFit(estimator, given)
    check_validation_pair(X_val, y_val, sample_weight_val)
    return prepare_fit(estimator, X, y, sample_weight, X_val, y_val, sample_weight_val, shared=shared)


def _has_its_own_fit(estimator):
    """Whether ``fit`` does more than train a new net: a subclass, a warm start, scikit-learn's callbacks."""
    return (
        estimator._has_sklearn_callbacks
        or type(estimator).fit is not DynamicsClassifier.fit
        or (estimator.warm_start and hasattr(estimator, "net_"))
    )


def train(fits, *, memory_limit=None, progress=None):
    """Train prepared fits, as many in one program as may be; the exception that ended each fit, or None.

    ``progress(n)`` is called after ``n`` more epochs, counted over all fits. A KeyboardInterrupt is raised after every
    estimator was left usable: as of its last whole epoch, as it was before, or untrained.
    """
    progress = progress or (lambda n: None)
    errors = {}
    programs = make_programs(fits, memory_limit)
    with held_signals():
        while programs:
            program = programs.pop(0)
            try:
                errors.update(_run(program, progress))
            except KeyboardInterrupt:
                for fit in (fit for program in programs for fit in program):
                    if isinstance(fit, PreparedFit):
                        fit.leave_untrained()
                raise
    return [errors.get(fit) for fit in fits]


def make_programs(fits, memory_limit=None):
    """Lists of fits that are trained together; those that go alone are lists of one."""
    prepared = {fit.fit: fit for fit in fits if isinstance(fit, PreparedFit)}
    of_checkpoint = {}
    for own, fit in prepared.items():
        of_checkpoint.setdefault(as_checkpoint(fit.estimator.checkpoint), []).append(own)
    stacks = [stack for own in of_checkpoint.values() for stack in make_stacks(own, memory_limit)]
    programs = [[prepared[own] for own in stack] for stack in stacks]
    programs += [[fit] for fit in fits if isinstance(fit, OwnFit)]
    order = {fit: i for i, fit in enumerate(fits)}
    return sorted(programs, key=lambda program: min(order[fit] for fit in program))


def all_finished(fits, memory_limit=None):
    """Whether all fits, as `train` puts them together, have their result on the disk, so that it trains none."""
    return all(
        all(isinstance(fit, PreparedFit) for fit in program) and is_finished(program)
        for program in make_programs(fits, memory_limit)
    )


def _run(program, progress):
    if len(program) == 1:
        return _run_alone(program[0], progress)
    fits = [prepared.fit for prepared in program]
    members = make_members(fits, fits[0].epochs)
    loop = StackedEpochLoop(members, batch_size(fits[0]), fits[0].epochs, progress)
    failure = None
    with held_signals() as loop.signals:
        try:
            with opened(program):
                loop.run()
        except BaseException as error:
            failure = error
            raise
        finally:
            for prepared, member in zip(program, members, strict=True):
                prepared.conclude(member.loop, loop.errors.get(member, failure))
    return {
        prepared: loop.errors[member]
        for prepared, member in zip(program, members, strict=True)
        if member in loop.errors
    }


def _run_alone(fit, progress):
    epochs = fit.estimator.max_epochs
    try:
        if fit.train():
            raise KeyboardInterrupt
    except Exception as error:
        return {fit: error}
    finally:
        progress(epochs)
    return {}
