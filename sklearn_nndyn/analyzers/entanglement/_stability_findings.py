"""The findings of straggler_stability: ST1 and ST2."""

import numpy as np
from scipy.stats import t

from sklearn_nndyn.analyzers._findings import Finding
from sklearn_nndyn.analyzers.entanglement._overlap import pairs_of
from sklearn_nndyn.utils.text import counted, figure, percent, samples

LEAST_PAIRS = 10  # from fewer the spread of the overlaps, by which z is divided, is not known
CLEAR = 1.96


def stability_findings(found):
    """ST1 and ST2 of a StragglerStability."""
    inverts = ~np.isnan(found.inversion_epochs)
    return _shared(found, inverts), _most_reproducible(found)


def stability_source(found):
    """What was read, in a sentence."""
    n_runs, n_samples = found.masks.shape
    return f"Read from {counted(n_runs, 'run')} of {samples(n_samples)}."


def _shared(found, inverts):
    n_runs = len(inverts)
    if inverts.sum() < 2:
        some = "none" if not inverts.any() else "only one"
        statement = f"Whether runs share their stragglers cannot be told: {some} of them has an inversion."
        advice = "Train longer: a turn of the classes has to come first."
        return Finding.from_code("ST1", "cannot tell", n_runs=n_runs, statement=statement, advice=advice)
    chosen = np.ix_(inverts, inverts)
    common, expected = pairs_of(found.common[chosen]).mean(), pairs_of(found.expected[chosen]).mean()
    verdict = _verdict(pairs_of(found.z_pairs[chosen]))
    return Finding.from_code(
        "ST1",
        verdict,
        value=float(common),
        interval=jackknife_interval(found.common[chosen]),
        null=float(expected),
        n_runs=int(inverts.sum()),
        statement=_shared_words(found, inverts, verdict, common, expected),
        advice=_advice(verdict),
    )


def _verdict(z):
    """Verdict by the mean over pairs of (common - expected) / deviation by chance, which are not related by chance."""
    known = z[~np.isnan(z)]
    if not len(known):
        return "cannot tell"
    total = known.mean() * np.sqrt(len(known))
    return "yes" if total > CLEAR else "no" if total < -CLEAR else "cannot tell"


def jackknife_interval(common):
    """95 % interval of the mean over pairs of runs, leaving out one run at a time; None for fewer than three runs."""
    n_runs = len(common)
    if n_runs < 3:
        return None
    mean = pairs_of(common).mean()
    without = [pairs_of(np.delete(np.delete(common, run, 0), run, 1)).mean() for run in range(n_runs)]
    error = np.sqrt((n_runs - 1) / n_runs * ((np.array(without) - np.mean(without)) ** 2).sum())
    half = t.isf(0.025, n_runs - 1) * error
    return float(mean - half), float(mean + half)


def _shared_words(found, inverts, verdict, common, expected):
    start = {
        "yes": "Runs share their stragglers",
        "no": "Runs share fewer stragglers than chance gives",
        "cannot tell": "Whether runs share their stragglers cannot be told from chance",
    }[verdict]
    some = "all" if inverts.all() else f"{inverts.sum()}"
    error = percent(found.inversion_errors[inverts].mean())
    verdicts = [run.findings_[0].verdict for run in found.analyzers if run.inversion_ is not None]
    unclear = len(verdicts) - verdicts.count("yes")
    but = f" ({unclear} of them by no more than chance gives)" if unclear else ""
    return (
        f"{start}: two have {figure(common)} of them in common on average, where chance gives {figure(expected)}, and "
        f"{some} of the runs invert{but}, at a training error of {error}."
    )


def _advice(verdict):
    if verdict == "yes":
        return "Look at persistent_indices, stragglers in every run that inverts; remove_and_refit asks what they do."
    return "Give more runs." if verdict == "cannot tell" else ""


def _most_reproducible(found):
    """z of sets at one training error each: at the mean one of the inversions, and where it is greatest."""
    n_runs = len(found.masks)
    pairs = n_runs * (n_runs - 1) / 2
    z, curve = found.z_at_inversion, found.z_curve
    if pairs < LEAST_PAIRS or np.isnan(z) or np.isnan(curve).all():
        return Finding.from_code("ST2", "cannot tell", n_runs=n_runs)
    best = int(np.nanargmax(curve))
    greatest, rough = (
        float(curve[best]),
        1 / np.sqrt(2 * (n_runs - 1)),
    )  # relative error of a deviation over n runs
    low, high = float(z * (1 - 2 * rough)), float(z * (1 + 2 * rough))
    verdict = "yes" if z >= greatest else "no" if high < greatest else "cannot tell"
    return Finding.from_code(
        "ST2",
        verdict,
        value=float(z),
        interval=(low, high),
        null=greatest,
        n_runs=n_runs,
        statement=_reproducible_words(verdict, z, greatest, found.errors[best]),
    )


def _reproducible_words(verdict, z, greatest, error):
    if verdict == "yes":
        return f"No other set is more reproducible: at the mean error of the inversions the sets have z {figure(z)}."
    start = (
        "Others are more reproducible"
        if verdict == "no"
        else "Whether others are more reproducible cannot be told"
    )
    return (
        f"{start}: at the mean error of the inversions the sets have z {figure(z)}, and at most z {figure(greatest)}, "
        f"at {percent(error)}."
    )
