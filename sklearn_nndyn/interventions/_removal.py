"""Take samples away, train again from the same initial weights, and compare with as many taken at random.

Longer than 300 lines: the experiment and its result, with what the user sees of both documented here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import check_random_state

from sklearn_nndyn.analyzers import EntanglementAnalyzer, Finding
from sklearn_nndyn.analyzers.entanglement import turning_point
from sklearn_nndyn.classifiers import DynamicsClassifier, fit_together
from sklearn_nndyn.interventions._removal_findings import removal_findings, removal_source
from sklearn_nndyn.recording import check_all_samples, make_schedule, what_to_record
from sklearn_nndyn.utils.results import ShortRepr
from sklearn_nndyn.utils.text import epoch_words, shown, summary_of
from sklearn_nndyn.utils.validation import check_instance, is_count

RUNS = ("all", "removed", "random")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RemovalExperiment(ShortRepr):
    """Result of ``remove_and_refit`` for R seeds.

    Parameters
    ----------
    seeds : tuple of int
        The seed of each run.
    what : str
        The removed samples, in words.
    removed, random : list of arrays of int
        Positions of the samples that were left out of each run, and of as many random ones.
    classifiers : dict of str to list of DynamicsClassifier
        ``"all"``, trained on all samples; ``"removed"`` and ``"random"``, without these. A run from which nothing was
        to be removed, or which would have lost a class, has None in the last two.
    analyzers : dict of str to list of EntanglementAnalyzer
        A fitted analyzer for each classifier; None where there is no classifier.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.interventions import remove_and_refit
    >>> X, y = load_digits(return_X_y=True)
    >>> found = remove_and_refit(DynamicsClassifier(max_epochs=5), X / 16, y, remove=3, seeds=(0, 1))
    >>> [len(removed) == len(drawn) for removed, drawn in zip(found.removed, found.random)]
    [True, True]
    """

    seeds: tuple
    what: str
    removed: list
    random: list
    classifiers: dict
    analyzers: dict

    @property
    def inversion_errors(self) -> dict[str, np.ndarray]:
        """{run: training error at the inversion for each seed}, arrays of shape (R,); nan where there is none."""
        return self._each(self.analyzers, lambda analyzer: analyzer.inversion_error_)

    @property
    def training_errors(self) -> dict[str, np.ndarray]:
        """{run: training error at the end for each seed}, arrays of shape (R,), on the samples trained on."""
        return self._each(self.analyzers, lambda analyzer: analyzer.training_error_[-1])

    @property
    def test_errors(self) -> dict[str, np.ndarray]:
        """{run: error on the validation samples at the end for each seed}, shape (R,); nan where there are none."""
        return self._each(self.classifiers, _last_validation_error)

    @staticmethod
    def _each(found, value):
        return {
            name: np.array([np.nan if own is None else value(own) for own in found[name]], dtype=float)
            for name in RUNS
        }

    @property
    def findings_(self) -> tuple[Finding, ...]:
        """RM1 and RM2: whether the inversion goes away without these samples, and whether the network tests worse."""
        return removal_findings(self)

    def summary(self) -> str:
        """The findings in words: the verdicts first, then what to do next, then what was removed.

        Returns
        -------
        text : str
            A paragraph of at most 100 columns, made of ``findings_``.
        """
        return summary_of(self.findings_, removal_source(self))


def remove_and_refit(
    estimator: DynamicsClassifier,
    X: Any,
    y: ArrayLike,
    *,
    remove: Literal["stragglers"] | int | ArrayLike = "stragglers",
    seeds: Sequence[int] = (0, 1, 2),
    analyzer: EntanglementAnalyzer | None = None,
    X_val: Any = None,
    y_val: ArrayLike | None = None,
    n_jobs: int | None = None,
) -> RemovalExperiment:
    """Whether the inversion goes away with its stragglers: leave them out, train again, and compare.

    For each seed a network is trained on all samples; then twice more from the same initial weights: without the
    samples in question, and without as many random ones. Ciceri et al. (2024) find no inversion without the
    stragglers, and the same one without random samples.

    Parameters
    ----------
    estimator : DynamicsClassifier
        With ``"samples"`` and ``"geometry"`` recorded. It is cloned, and each clone gets a seed.
    X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        Training samples.
    y : array-like of shape (n_samples,)
        Their labels.
    remove : "stragglers", int, or array, default="stragglers"
        What is left out of each run: its own stragglers; what it misclassifies at a recorded epoch; or the same
        samples for all runs, a mask (n_samples,) of bool or positions.
    seeds : sequence of int, default=(0, 1, 2)
        One run each, as ``random_state``; it also draws the random samples.
    analyzer : EntanglementAnalyzer, default=None
        With the layer, rule and reference to use; it is cloned. None is ``EntanglementAnalyzer()``.
    X_val, y_val : array-like, default=None
        Samples to test on, for all runs.
    n_jobs : int, default=None
        Workers of joblib, among which the runs are shared out, as in ``fit_together``; -1 is as many as there are
        processors. None is 1, or what ``joblib.parallel_config`` says.

    Returns
    -------
    found : RemovalExperiment
        All runs, with inversions and errors; its ``summary()`` says it in words.

    Raises
    ------
    TypeError
        If ``estimator`` is no DynamicsClassifier, ``analyzer`` no EntanglementAnalyzer, or ``seeds`` are not whole
        numbers.
    ValueError
        If no seed is given; if a record would lack what is needed; if there is no such sample or recorded epoch; or if
        a class would be left without samples. Mistakes in the parameters of the estimator are reported before
        anything is trained.

    See Also
    --------
    sklearn_nndyn.analyzers.EntanglementAnalyzer : The inversion and the stragglers of one run.
    sklearn_nndyn.displays.EntanglementDisplay : The picture of several runs.

    Notes
    -----
    All runs go through ``fit_together``. Training errors of a run are those on the samples it was trained on. A
    batch size of ``"auto"`` or ``"full"`` follows the number of samples.

    A run without inversion has no stragglers: nothing is removed from it, and it is not trained again. Nor is one that
    would lose a whole class.

    References
    ----------
    Ciceri et al. (2024). Nature Machine Intelligence 6, 40-47. arXiv 2303.05161.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.interventions import remove_and_refit
    >>> X, y = load_digits(return_X_y=True)
    >>> found = remove_and_refit(DynamicsClassifier(max_epochs=5), X / 16, y, remove=3, seeds=(0, 1))
    >>> found.findings_[0].verdict  # in neither run do the classes mix again, with or without them
    'cannot tell'
    """
    analyzer, seeds = _check(estimator, analyzer, seeds)
    how = {"X_val": X_val, "y_val": y_val, "n_jobs": n_jobs}
    return _remove_and_refit(estimator, X, np.asarray(y), remove, seeds, analyzer, **how)


def _remove_and_refit(estimator, X, y, remove, seeds, analyzer, **how):
    fixed = _fixed_positions(remove, len(y))
    if fixed is not None:
        _check_classes_left(y, fixed)
    elif isinstance(remove, Integral):
        _check_epoch(remove, estimator)
    runs = fit_together(_seeded(estimator, seeds), X, y, **how)
    fitted = [clone(analyzer).fit(run) for run in runs]
    removed = [
        _removed(run, own, remove) if fixed is None else fixed for run, own in zip(runs, fitted, strict=True)
    ]
    random = [_random_like(left_out, len(y), seed) for left_out, seed in zip(removed, seeds, strict=True)]
    classifiers = {"all": runs} | _refit(estimator, X, y, seeds, removed, random, **how)
    analyzers = {
        name: [None if run is None else clone(analyzer).fit(run) for run in own]
        for name, own in classifiers.items()
    }
    return RemovalExperiment(
        seeds=seeds,
        what=_in_words(remove),
        removed=removed,
        random=random,
        classifiers=classifiers,
        analyzers=analyzers,
    )


def _refit(estimator, X, y, seeds, removed, random, **how):
    """{"removed": runs, "random": runs}, all trained in one go."""
    lists = {"removed": removed, "random": random}
    again = [
        i
        for i, both in enumerate(zip(removed, random, strict=True))
        if len(both[0]) and not any(len(lost_classes(y, left_out)) for left_out in both)
    ]
    jobs = [(name, i, left_out[i]) for name, left_out in lists.items() for i in again]
    found = {name: [None] * len(seeds) for name in ("removed", "random")}
    if jobs:
        stay = [np.setdiff1d(np.arange(len(y)), left_out) for _, _, left_out in jobs]
        again = _seeded(estimator, [seeds[i] for _, i, _ in jobs])
        for (name, i, _), run in zip(jobs, fit_together(again, X, y, indices=stay, **how), strict=True):
            found[name][i] = run
    return found


def _last_validation_error(classifier):
    record = getattr(classifier, "validation_dynamics_", None)
    return np.nan if record is None else record.error[-1]


def _seeded(estimator, seeds):
    return [clone(estimator).set_params(random_state=seed) for seed in seeds]


def _removed(run, analyzer, remove):
    """Rows of X; a record with ``validation_fraction`` is that of the rows trained on."""
    if isinstance(remove, str):
        found = analyzer.straggler_indices_
    else:
        found = np.flatnonzero(~run.dynamics_.select_epochs([remove]).correct[:, 0])
    return run.train_indices_[found] if run.validation_fraction else found


def _random_like(left_out, n_samples, seed):
    return np.sort(check_random_state(seed).choice(n_samples, len(left_out), replace=False))


def _in_words(remove):
    if isinstance(remove, str):
        return "the stragglers"
    if isinstance(remove, Integral):
        return f"what was misclassified at epoch {epoch_words(remove)}"
    return "the given samples"


def _check(estimator, analyzer, seeds):
    check_instance("estimator", estimator, DynamicsClassifier)
    analyzer = EntanglementAnalyzer() if analyzer is None else analyzer
    check_instance("analyzer", analyzer, EntanglementAnalyzer)
    seeds = tuple(seeds) if np.iterable(seeds) else seeds
    if not isinstance(seeds, tuple) or not all(is_count(seed, -inf) for seed in seeds):
        raise TypeError(f"seeds must be a list of whole numbers, such as (0, 1, 2); got {seeds!r}.")
    if not seeds:
        raise ValueError("seeds: give at least one.")
    if len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must differ, for one seed gives one run; got {seeds}.")
    how = {name: getattr(analyzer, name) for name in ("rule", "burn_in", "tolerance")}
    turning_point(
        [0.0, 0.0], [0, estimator.max_epochs], **how
    )  # refuses what cannot be, before anything is trained
    if not {"samples", "geometry"} <= what_to_record(estimator.record or ()).keys():
        raise ValueError(
            f'The inversion needs record=("samples", "geometry"), but the estimator has record={estimator.record!r}.'
        )
    check_all_samples(estimator.record, "a test of removal")
    return analyzer, seeds


def _check_epoch(epoch, estimator):
    """Recorded, unless training ends before."""
    schedule = make_schedule(estimator.record_epochs)
    recorded = np.array([own for own in range(estimator.max_epochs + 1) if schedule(own)])
    if epoch not in recorded:
        raise ValueError(
            f"remove={epoch} is not among the epochs that will be recorded: {shown(recorded, 20)}."
        )


def _fixed_positions(remove, n_samples):
    """The samples given as a mask or as positions; None where they are to be found."""
    if isinstance(remove, str):
        if remove != "stragglers":
            raise ValueError(
                f"remove must be 'stragglers', a recorded epoch, a mask or positions, got {remove!r}."
            )
        return None
    if is_count(remove, -inf):
        return None
    given = np.asarray(remove, dtype=None if np.size(remove) else int)
    if (
        given.dtype.kind in "iu"
        and given.shape == (n_samples,)
        and n_samples > 2
        and np.isin(given, (0, 1)).all()
    ):
        raise ValueError("remove looks like a mask, but holds numbers: give it as bool.")
    if given.ndim != 1 or given.dtype.kind not in "biu":
        raise ValueError(
            f"remove must be 'stragglers', a recorded epoch, a mask or positions, got {remove!r}."
        )
    if given.dtype.kind == "b" and len(given) != n_samples:
        raise ValueError(f"remove is a mask of {len(given)} entries for {n_samples} samples.")
    positions = np.flatnonzero(given) if given.dtype.kind == "b" else np.unique(given)
    if len(positions) and not (positions[0] >= 0 and positions[-1] < n_samples):
        raise ValueError(
            f"remove: there are {n_samples} samples, numbered from 0; got {positions[[0, -1]].tolist()}."
        )
    return positions


def _check_classes_left(y, left_out):
    lost = lost_classes(y, left_out)
    if len(lost):
        which = ", ".join(map(str, lost))
        raise ValueError(
            f"remove: without these samples ({len(left_out)}) none of class {which} would be left."
        )


def lost_classes(y, left_out):
    """Classes of ``y`` (n_samples,) of which every sample is among the positions left out."""
    stays = np.ones(len(y), dtype=bool)
    stays[left_out] = False
    return np.setdiff1d(y, y[stays])
