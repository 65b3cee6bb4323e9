"""The findings of feature_growth: FG1 and FG2."""

import numpy as np

from sklearn_nndyn.analyzers import Finding
from sklearn_nndyn.interventions._scores import trained_with
from sklearn_nndyn.utils.statistics import rank_interval
from sklearn_nndyn.utils.text import counted, epoch_words, figure, percent, samples

NEXT = {
    "yes": "Weight decay on the last layer is worth a try.",
    "cannot tell": "Give more held-out samples, or compare several seeds.",
}


def feature_growth_findings(found):
    """FG1 and FG2 of a FeatureGrowth."""
    if found.onset_epoch == found.end_epoch:
        return _no_turn(found), Finding.from_code("FG2", "cannot tell")
    return _cause(found), _order(found)


def _no_turn(found):
    statement = (
        "There is no growth to test: the mean log loss of these samples is least at the end, epoch "
        f"{epoch_words(found.end_epoch)}, and never turned."
    )
    advice = "Give onset, an earlier recorded epoch, to measure the growth since then all the same."
    return Finding.from_code("FG1", "no", statement=statement, advice=advice)


def _cause(found):
    """Judged by the samples that rose: to the others, the growth has been of use."""
    change = found.change["rising_loss"]
    if np.isnan(change):
        return Finding.from_code("FG1", "no", statement="No sample rose, so there is no cause to look for.")
    rise = found.rise[found.rise > 0].mean()
    mean, low, high = found.random_interval["rising_loss"]
    verdict = "no" if change >= 0 or change > high else "yes" if change < low else "cannot tell"
    undone, by_chance = float(0.0 - change / rise), float(0.0 - mean / rise)
    return Finding.from_code(
        "FG1",
        verdict,
        value=undone,
        interval=found.undone_interval,
        null=by_chance,
        statement=_cause_words(found, verdict, undone, by_chance),
        advice=NEXT.get(verdict, ""),
    )


def _cause_words(found, verdict, undone, by_chance):
    start = {
        "yes": "The units that grew most make the loss rise",
        "no": "The units that grew most are not what makes the loss rise",
        "cannot tell": "Whether the units that grew most make the loss rise cannot be told",
    }[verdict]
    units = counted(len(found.restored_units), "most grown unit")
    return (
        f"{start}: to bring the {units} back {_undoes(undone)} what rose, and to bring back random ones that move the "
        f"scores as much {_undoes(by_chance)} it."
    )


def _undoes(share):
    """What becomes of what rose; less than nothing undone is more of it."""
    return f"undoes {percent(share)} of" if share >= 0 else f"adds {percent(-share)} to"


def _order(found):
    r = found.correlation
    if np.isnan(r):
        return Finding.from_code("FG2", "cannot tell")
    known = ~(np.isnan(found.growth) | np.isnan(found.share_on_correct))
    low, high = (float(end) for end in rank_interval(r, int(known.sum())))
    verdict = "cannot tell" if not found.p_value < 0.05 else "yes" if r > 0 else "no"
    more = {"yes": "grew more", "no": "grew less"}.get(verdict)
    return Finding.from_code(
        "FG2",
        verdict,
        value=r,
        interval=None if np.isnan([low, high]).any() else (low, high),
        null=0.0,
        statement=f"Units of samples that were right already {more} (rank correlation {figure(r)})."
        if more
        else "",
    )


def feature_growth_source(found):
    """What was read, in a sentence or two."""
    ends = [epoch_words(found.onset_epoch), epoch_words(found.end_epoch)]
    since = f"epoch {ends[0]}" if ends[0] == ends[1] else f"epochs {' to '.join(ends)}"
    read = f"Read from the log loss of {samples(len(found.rise))} at {since}."
    return " ".join(filter(None, (read, trained_with(found.loss_facts))))
