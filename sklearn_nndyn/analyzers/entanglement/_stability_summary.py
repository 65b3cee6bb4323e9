"""The findings of straggler_stability in words."""

import numpy as np

from sklearn_nndyn.analyzers.entanglement._overlap import pairs_of
from sklearn_nndyn.utils.text import figure, percent, range_of

LEAST_PAIRS = 10  # from fewer the spread of the overlaps, by which z is divided, is not known


def stability_summary(found):
    """The paragraph of a StragglerStability."""
    n_runs, n_samples = found.masks.shape
    inverts = ~np.isnan(found.inversion_epochs)
    start = f"Of {n_runs} runs of {n_samples:,} samples {_count(inverts.sum(), n_runs)} an inversion"
    if not inverts.any():
        return f"{start}: there are no stragglers to compare."
    sentences = [
        f"{start}, {_errors(found.inversion_errors[inverts])}.",
        _sizes(found.masks[inverts].sum(axis=1)),
    ]
    if inverts.sum() > 1:
        sentences += [_pairs(found, inverts), _z(found)]
    sentences.append(_persistent(found, inverts.sum()))
    return " ".join(sentence for sentence in sentences if sentence)


def _count(count, n_runs):
    return "all have" if count == n_runs else f"{count} {'has' if count == 1 else 'have'}"


def _errors(errors):
    if len(errors) == 1:
        return f"at a training error of {percent(errors[0])}"
    return (
        f"at a training error of {percent(errors.mean())} (standard deviation {percent(errors.std(ddof=1))})"
    )


def _sizes(sizes):
    return f"The stragglers are {range_of(sizes)} samples."


def _pairs(found, inverts):
    chosen = np.ix_(inverts, inverts)
    shared, overlap = pairs_of(found.common[chosen]), pairs_of(found.jaccard[chosen])
    return (
        f"Two runs have {range_of(shared)} of them in common, where chance would give "
        f"{figure(pairs_of(found.expected[chosen]).mean())}: on average {percent(overlap.mean())} of the stragglers "
        "of either."
    )


def _z(found):
    """z of sets at one training error each: at the mean one of the inversions, and where it is greatest."""
    n_runs = len(found.masks)
    if n_runs * (n_runs - 1) / 2 < LEAST_PAIRS or np.isnan(found.z_curve).all():
        return ""
    best = int(np.nanargmax(found.z_curve))
    greatest = f"{figure(found.z_curve[best])}, at a training error of {percent(found.errors[best])}"
    against = "Against the spread between pairs of runs,"
    if np.isnan(found.z_at_inversion):
        return f"{against} z of all sets of misclassified samples is at most {greatest}."
    return (
        f"{against} the sets of all runs at the mean training error of the inversions have z "
        f"{figure(found.z_at_inversion)}; of {len(found.errors)} such sets the most reproducible have z {greatest}."
    )


def _persistent(found, n_inverts):
    once = np.count_nonzero(found.times)
    return (
        f"{len(found.persistent_indices):,} samples are stragglers in every run that inverts, {once:,} in at least one "
        f"of {n_inverts}."
    )
