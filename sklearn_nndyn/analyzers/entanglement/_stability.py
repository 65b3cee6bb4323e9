"""Whether several runs have the same stragglers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone

from sklearn_nndyn.analyzers._findings import Finding
from sklearn_nndyn.analyzers._runs import refuse_repeats
from sklearn_nndyn.analyzers.entanglement._analyzer import EntanglementAnalyzer
from sklearn_nndyn.analyzers.entanglement._overlap import (
    chance_overlap,
    jaccard,
    overlap,
    overlap_z,
    pairs_of,
)
from sklearn_nndyn.analyzers.entanglement._stability_findings import stability_findings, stability_source
from sklearn_nndyn.dynamics import Dynamics, find_record, refuse_unpredicted, refuse_unseen
from sklearn_nndyn.utils.results import ShortRepr
from sklearn_nndyn.utils.text import summary_of
from sklearn_nndyn.utils.validation import check_instance

N_LEVELS = 30


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StragglerStability(ShortRepr):
    """Result of ``straggler_stability`` for R runs of the same n samples.

    Parameters
    ----------
    analyzers : list of EntanglementAnalyzer
        Fitted, one for each run.
    masks : array of bool of shape (R, n)
        The stragglers of each run; none in a run without inversion.
    common : array of int of shape (R, R)
        Stragglers common to two runs; on the diagonal those of one.
    jaccard : array of shape (R, R)
        Their share of the stragglers of either; nan where neither has any.
    expected, expected_deviation : array of shape (R, R)
        Mean and standard deviation of what two random sets of these sizes have in common.
    z_pairs : array of shape (R, R)
        (common - expected) / expected_deviation; nan where chance leaves nothing open. The diagonal is nan.
    z : float
        (mean common - mean expected) / standard deviation of the observed common, over the pairs of runs that have
        an inversion: of sets at different training errors, so not to be set against ``z_curve``.
    z_at_inversion : float
        The same statistic for the sets of all runs at one training error, the mean over the inversions, as in
        ``z_curve``; nan without an inversion, and where a run has not come to that error.
    times : array of int of shape (n,)
        In how many runs a sample is a straggler.
    persistent_indices : array of int
        Samples that are stragglers in every run that has an inversion.
    errors : array of shape (n_levels,)
        Training errors, decreasing.
    common_curve, expected_curve, jaccard_curve : array of shape (n_levels,)
        Means over the pairs, for the samples misclassified when each run first reached such an error.
    z_curve : array of shape (n_levels,)
        The paper's z of these sets.
    z_pairs_curve : array of shape (n_levels,)
        Mean over the pairs of (common - expected) / expected_deviation.

    Examples
    --------
    >>> from sklearn.base import clone
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier, fit_together
    >>> from sklearn_nndyn.analyzers import straggler_stability
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=20)
    >>> runs = fit_together([clone(clf).set_params(random_state=s) for s in range(3)], X / 16, y)
    >>> found = straggler_stability(runs)
    >>> found.masks.shape, found.common.shape, len(found.times)
    ((3, 1797), (3, 3), 1797)
    """

    analyzers: list
    masks: np.ndarray
    common: np.ndarray
    jaccard: np.ndarray
    expected: np.ndarray
    expected_deviation: np.ndarray
    z_pairs: np.ndarray
    z: float
    z_at_inversion: float
    times: np.ndarray
    persistent_indices: np.ndarray
    errors: np.ndarray
    common_curve: np.ndarray
    expected_curve: np.ndarray
    jaccard_curve: np.ndarray
    z_curve: np.ndarray
    z_pairs_curve: np.ndarray

    @property
    def inversion_errors(self) -> np.ndarray:
        """Training error at the inversion of each run, shape (R,); nan where there is none."""
        return np.array([analyzer.inversion_error_ for analyzer in self.analyzers])

    @property
    def inversion_epochs(self) -> np.ndarray:
        """Epoch of each run's inversion, float of shape (R,); nan where there is none."""
        epochs = [analyzer.inversion_epoch_ for analyzer in self.analyzers]
        return np.array([np.nan if epoch is None else epoch for epoch in epochs], dtype=float)

    @property
    def findings_(self) -> tuple[Finding, ...]:
        """ST1 and ST2: whether runs share their stragglers, and whether no other set is more reproducible."""
        return stability_findings(self)

    def summary(self) -> str:
        """The findings in words: the verdicts first, then what to do next, then what was read.

        Returns
        -------
        text : str
            A paragraph of at most 100 columns, made of ``findings_``.
        """
        return summary_of(self.findings_, stability_source(self))


def straggler_stability(
    runs: Sequence[Dynamics | BaseEstimator],
    *,
    analyzer: EntanglementAnalyzer | None = None,
    errors: Literal["auto"] | ArrayLike = "auto",
) -> StragglerStability:
    """Whether several runs have the same stragglers, and more so than chance would give.

    Of all sets "misclassified when the training error is such", Ciceri et al. (2024) find that of the stragglers
    the most reproducible between runs.

    Parameters
    ----------
    runs : list of Dynamics or fitted estimators
        Two or more, of the same samples in the same order. Of a model the training record is read.
    analyzer : EntanglementAnalyzer, default=None
        With the layer, rule and reference to use; it is cloned. None is ``EntanglementAnalyzer()``.
    errors : "auto" or array of shape (n_levels,), default="auto"
        Training errors, between 0 and 1, at which the sets of misclassified samples are compared too. ``"auto"`` is 30,
        evenly spaced in their logarithm, from the greatest to the least that every run has gone through.

    Returns
    -------
    found : StragglerStability
        Sets, overlaps, what chance would give, and the persistent stragglers; its ``summary()`` says it in words.

    Raises
    ------
    TypeError
        If a run can hold no record, or ``analyzer`` is none.
    ValueError
        If there are fewer than two runs, if they are not of the same samples, if a record lacks what is needed, or
        if an error is not between 0 and 1 or was not reached by a run.
    sklearn.exceptions.NotFittedError
        If a model is not fitted.

    See Also
    --------
    EntanglementAnalyzer : The inversion and the stragglers of one run.
    sklearn_nndyn.displays.StragglerStabilityDisplay : The picture of it.

    Notes
    -----
    Two random sets of |A| and |B| of P samples have a hypergeometric number k of them in common, with mean |A||B|/P.
    The paper's z is (mean k - mean of the null) / deviation of the observed k over pairs of runs; ``z_pairs`` has
    the deviation of the null in place of the observed. Pairs of runs share runs, so they are not independent:
    their deviation is no standard error.

    A run counts as of the epoch at which its training error is first at or below a level.

    References
    ----------
    Ciceri et al. (2024). Nature Machine Intelligence 6, 40-47. arXiv 2303.05161.

    Examples
    --------
    >>> from sklearn.base import clone
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier, fit_together
    >>> from sklearn_nndyn.analyzers import straggler_stability
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=20)
    >>> runs = fit_together([clone(clf).set_params(random_state=s) for s in range(3)], X / 16, y)
    >>> print(straggler_stability(runs).summary())
    Whether runs share their stragglers cannot be told: none of them has an inversion. ...
    """
    analyzer = EntanglementAnalyzer() if analyzer is None else analyzer
    check_instance("analyzer", analyzer, EntanglementAnalyzer)
    records = _records(runs)
    fitted = [clone(analyzer).fit(record) for record in records]
    masks = np.array([own.straggler_mask_ for own in fitted])
    inverts = np.array([own.inversion_epoch_ is not None for own in fitted])
    times = masks.sum(axis=0)
    persistent = np.flatnonzero(masks[inverts].all(axis=0)) if inverts.any() else np.array([], dtype=int)
    levels = _levels(errors, [own.training_error_ for own in fitted], masks.shape[1])
    return StragglerStability(
        analyzers=fitted,
        masks=masks,
        times=times,
        persistent_indices=persistent,
        errors=levels,
        **(_overlaps(masks) | {"z": _overlaps(masks[inverts])["z"]}),
        z_at_inversion=_z_at_inversion(records, fitted),
        **_curves(records, [own.training_error_ for own in fitted], levels),
    )


def _overlaps(masks):
    shared = overlap(masks)
    expected, deviation = chance_overlap(np.diag(shared), masks.shape[1])
    pairs = np.divide(shared - expected, deviation, out=np.full(shared.shape, np.nan), where=deviation > 0)
    np.fill_diagonal(pairs, np.nan)
    return {
        "common": shared,
        "jaccard": jaccard(shared),
        "expected": expected,
        "expected_deviation": deviation,
        "z_pairs": pairs,
        "z": overlap_z(shared, expected),
    }


def _curves(records, training_errors, levels):
    """Means over the pairs, level by level."""
    rows = []
    for level in levels:
        at = [int(np.argmax(error <= level)) for error in training_errors]
        masks = [record.prediction[:, i] != record.target for record, i in zip(records, at, strict=True)]
        found = _overlaps(np.array(masks))
        means = [
            float(np.mean(pairs_of(found[name]))) for name in ("common", "expected", "jaccard", "z_pairs")
        ]
        rows.append([*means, found["z"]])
    names = ("common_curve", "expected_curve", "jaccard_curve", "z_pairs_curve", "z_curve")
    return dict(zip(names, np.transpose(rows).reshape(len(names), -1), strict=True))


def _z_at_inversion(records, fitted):
    """z of the sets at the mean training error of the inversions, nan where not every run has come to it."""
    own = [analyzer.inversion_error_ for analyzer in fitted if analyzer.inversion_epoch_ is not None]
    errors = [analyzer.training_error_ for analyzer in fitted]
    if not own or np.mean(own) < max(error.min() for error in errors):
        return np.nan
    return _curves(records, errors, [np.mean(own)])["z_curve"].item()


def _levels(errors, training_errors, n_samples):
    """Decreasing levels that every run has reached."""
    highest = min(error[0] for error in training_errors)
    lowest = max(error.min() for error in training_errors)
    if isinstance(errors, str) and errors == "auto":
        least = max(lowest, 0.5 / n_samples)  # no error at all has no place among logarithms
        return np.maximum(np.geomspace(max(highest, least), least, N_LEVELS), lowest)
    given = np.asarray(errors).ravel()
    levels = np.sort(given.astype(np.float64))[::-1] if given.dtype.kind in "iuf" else np.array([np.nan])
    if not ((levels >= 0) & (levels <= 1)).all():
        raise ValueError(f"errors must be 'auto' or training errors between 0 and 1, got {errors!r}.")
    if (levels < lowest).any():
        raise ValueError(f"errors: not every run reached {levels.min():.4g}; all reached {lowest:.4g}.")
    return levels


def _records(runs):
    if isinstance(runs, (Dynamics, BaseEstimator, str)) or not np.iterable(runs):
        one = f"the class {runs.__name__}" if isinstance(runs, type) else f"one {type(runs).__name__}"
        raise TypeError(f"runs must be a list of records or fitted models, got {one}.")
    runs = list(runs)
    if len(runs) < 2:
        raise ValueError(f"runs must be two or more, got {len(runs)}.")
    records = [find_record(run, ("prediction", "centroids"), "train")[0] for run in runs]
    for record in records:
        refuse_unseen(record)
        refuse_unpredicted(record)
    for i, record in enumerate(records[1:], 1):
        if not np.array_equal(record.y, records[0].y):
            raise ValueError(
                f"runs must be of the same samples in the same order: runs[0] has {len(records[0])}, runs[{i}] has "
                f"{len(record)}" + ("." if len(record) != len(records[0]) else ", with other labels.")
            )
    refuse_repeats(records)
    return records
