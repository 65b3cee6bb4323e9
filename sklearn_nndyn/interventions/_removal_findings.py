"""The findings of remove_and_refit: RM1 and RM2."""

import numpy as np
from scipy.stats import fisher_exact

from sklearn_nndyn.analyzers import Finding
from sklearn_nndyn.utils.statistics import between, count_interval
from sklearn_nndyn.utils.text import capital, counted, points, range_of

SURE = 0.05
NEXT = {"cannot tell": "Give more seeds.", "yes": "Look at what was left out, removed, and at its labels."}
ROUNDING = 1e-9  # three runs of each give 0.05


def removal_findings(found):
    """RM1 and RM2 of a RemovalExperiment."""
    trained = np.array([own is not None for own in found.classifiers["removed"]])
    if not trained.any():
        return _nothing(found), Finding.from_code("RM2", "cannot tell", n_runs=len(trained))
    return _inversion(found, trained), _test_error(found, trained)


def _nothing(found):
    would_lose = any(len(left_out) for left_out in found.removed)
    why = (
        f"without {found.what} a class would have no samples" if would_lose else "there is nothing to remove"
    )
    statement = f"What becomes of the inversion without {found.what} cannot be told: {why}."
    return Finding.from_code(
        "RM1",
        "cannot tell",
        n_runs=len(found.seeds),
        statement=statement,
        advice="Train longer, or remove others.",
    )


def _inversion(found, trained):
    n_runs = int(trained.sum())
    without, random = (
        int((~np.isnan(found.inversion_errors[name][trained])).sum()) for name in ("removed", "random")
    )
    table = [[without, n_runs - without], [random, n_runs - random]]
    by_chance = fisher_exact(table, alternative="less").pvalue
    verdict = "no" if without >= random else "yes" if by_chance <= SURE + ROUNDING else "cannot tell"
    verdict = (
        verdict if without or random else "cannot tell"
    )  # it went, or never was, without random ones too
    return Finding.from_code(
        "RM1",
        verdict,
        value=without / n_runs,
        interval=count_interval(without, n_runs),
        null=random / n_runs,
        n_runs=n_runs,
        statement=_inversion_words(found, verdict, without, random, n_runs),
        advice=NEXT.get(verdict, "") if without or random else "Train longer, or record more epochs.",
    )


def _inversion_words(found, verdict, without, random, n_runs):
    start = {
        "yes": f"Without {found.what} the inversion goes away",
        "no": f"Without {found.what} the inversion does not go away",
        "cannot tell": f"Whether the inversion goes away without {found.what} cannot be told",
    }[verdict]
    runs = f"{without} of {counted(n_runs, 'run')}"
    return f"{start}: in {runs} the classes mix again, without as many random samples in {random}."


def _test_error(found, trained):
    n_runs = int(trained.sum())
    difference = (found.test_errors["removed"] - found.test_errors["random"])[trained]
    difference = difference[np.isfinite(difference)]
    if not len(difference):
        return Finding.from_code("RM2", "cannot tell", n_runs=n_runs)
    interval = between(difference, 3)
    verdict = _sign(interval)
    if len(difference) == 2:
        interval = float(difference.min()), float(difference.max())
    mean = float(difference.mean())
    sure = {"cannot tell": ", which may be chance"}.get(verdict, "")
    worse = "above" if mean > 0 else "below"
    statement = f"The test error is {points(abs(mean))} {worse} that without random ones{sure}."
    return Finding.from_code(
        "RM2", verdict, value=mean, interval=interval, null=0.0, n_runs=n_runs, statement=statement
    )


def _sign(interval):
    """Yes above 0, no below it, and else it cannot be told."""
    if interval is None or interval[0] <= 0 <= interval[1]:
        return "cannot tell"
    return "yes" if interval[0] > 0 else "no"


def removal_source(found):
    """What was done, in a sentence."""
    again = zip(found.removed, found.classifiers["removed"], strict=True)
    sizes = [len(left_out) for left_out, own in again if own is not None]
    runs = counted(len(found.seeds), "run")
    if not sizes:
        return f"Read from {runs}."
    left = len(found.seeds) - len(sizes)
    rest = f"; {left} had none, or would have lost a class" if left else ""
    was = "was" if found.what.startswith("what") else "were"
    return f"{capital(found.what)} {was} left out of {runs}, {range_of(sizes)} samples{rest}."
