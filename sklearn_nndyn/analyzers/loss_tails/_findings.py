"""The findings of a LossTailAnalyzer: LT1 to LT4."""

import numpy as np

from sklearn_nndyn.analyzers._findings import Finding
from sklearn_nndyn.analyzers.loss_tails._chance import LEAST_EPOCHS, gross_share_interval, scattered_share
from sklearn_nndyn.dynamics import LossFacts
from sklearn_nndyn.utils.statistics import between, count_interval
from sklearn_nndyn.utils.text import SOURCES, epoch_words, figure, percent, samples

FEW = 100
CARRIERS = "Look at the samples that rise most, carrier_indices_, and judge the network by its median loss or accuracy."


def loss_tail_findings(tails):
    """LT1 to LT4 of a fitted LossTailAnalyzer."""
    majority = _majority(tails)
    return _rise(tails), _minority(tails, majority.verdict), majority, _where(tails)


def verdict_of(interval):
    """Yes above a half, no below it, and cannot tell where the interval holds it."""
    if interval is None or interval[0] <= 0.5 <= interval[1]:
        return "cannot tell"
    return "yes" if interval[0] > 0.5 else "no"


def _rise(tails):
    say = {"yes": _rises, "no": _does_not_rise, "cannot tell": _may_rise}[tails.rise_verdict_]
    statement, advice = say(tails)
    return Finding.from_code(
        "LT1",
        tails.rise_verdict_,
        value=tails.mean_rise_,
        interval=between(tails.rise_),
        null=None if np.isnan(tails.rise_null_) else tails.rise_null_,
        statement=statement,
        advice=advice,
    )


def _mean(tails):
    return f"mean {LossFacts(tails.loss_name_).short}"


def _amount(tails, value):
    unit = f" {tails.loss_unit_}" if tails.loss_unit_ else ""
    return f"{figure(value)}{unit}"


def _rises(tails):
    low, high = (figure(end) for end in between(tails.rise_))
    asked = "" if tails.onset == "auto" else ", as asked,"
    statement = (
        f"The {_mean(tails)} rises from epoch {epoch_words(tails.onset_epoch_)}{asked} to the end by "
        f"{_amount(tails, tails.mean_rise_)} (interval {low} to {high}; wander from epoch to epoch alone gives up "
        f"to {figure(tails.rise_null_)})."
    )
    return statement, "Compare other seeds before you stop earlier: one run tells of its own samples only."


def _does_not_rise(tails):
    if tails.onset == "auto" or tails.onset_ == len(tails.epochs_) - 1:
        statement = f"The {_mean(tails)} does not rise: it is least at the end, epoch {epoch_words(tails.epochs_[-1])}."
        return statement, "A rise may still come with longer training."
    statement = (
        f"From epoch {epoch_words(tails.onset_epoch_)}, as asked, to the end the {_mean(tails)} has not risen"
    )
    return f"{statement}: it {_went(tails)}.", "Leave onset out to measure from the least mean loss."


def _may_rise(tails):
    asked = " asked for" if tails.onset != "auto" else ""
    above = "that" if asked else "its least value,"
    statement = (
        f"The {_mean(tails)} ends above {above} of epoch {epoch_words(tails.onset_epoch_)}{asked}, but"
    )
    if len(tails.epochs_) < LEAST_EPOCHS:
        few = f"of {len(tails.epochs_)} recorded epochs its wander is not known: whether it rises cannot be told."
        return f"{statement} {few}", "Record nine epochs or more, or train longer."
    chance = f"this run cannot tell the rise of {_amount(tails, tails.mean_rise_)} from chance"
    if tails.mean_rise_ <= 0:
        chance = (
            "this run cannot tell whether by more than chance: on samples that had no part in choosing that epoch it "
            f"{_went(tails)} from there to the end"
        )
    return (
        f"{statement} {chance}.",
        "Do not stop earlier for it: more held-out samples or several seeds would tell.",
    )


def _went(tails):
    """Which way the mean loss went from the turn to the end, and how far."""
    rise = tails.mean_rise_
    return f"{'rose' if rise > 0 else 'fell'} by {_amount(tails, abs(rise))}" if rise else "stayed the same"


def _minority(tails, majority):
    if tails.rise_verdict_ != "yes":
        return Finding.from_code("LT2", tails.rise_verdict_)
    interval = gross_share_interval(tails.rise_)
    half = verdict_of(interval)
    verdict = half if half != "yes" else majority
    null = scattered_share(tails.rise_)
    return Finding.from_code(
        "LT2",
        verdict,
        value=tails.gross_rise_share_,
        interval=interval,
        null=null,
        statement=_minority_words(verdict, percent(tails.gross_rise_share_), percent(null)),
        advice=CARRIERS if verdict == "yes" else "",
    )


def _minority_words(verdict, share, null):
    start = {
        "yes": "A small minority carries the rise",
        "no": "It is not a small minority that carries the rise",
        "cannot tell": "Whether a small minority carries the rise cannot be told",
    }[verdict]
    return f"{start}: one sample in twenty has {share} of all increases, where chance gives {null}."


def _majority(tails):
    if tails.rise_verdict_ == "no" and tails.onset == "auto":
        return Finding.from_code("LT3", "cannot tell")
    n_fell = np.count_nonzero(tails.rise_ < 0)
    share, interval = n_fell / len(tails.rise_), count_interval(n_fell, len(tails.rise_))
    rises = tails.rise_verdict_ == "yes"
    return Finding.from_code(
        "LT3",
        verdict_of(interval),
        value=share,
        interval=interval,
        null=0.5,
        statement=f"Meanwhile the loss of {percent(share)} of the samples falls." if rises else "",
    )


def _where(tails):
    if tails.rise_verdict_ != "yes" or tails.borderline_ is None:
        return Finding.from_code("LT4", "cannot tell")
    found = tails.borderline_
    verdict = "no" if found["verdict"] == "borderline" else verdict_of(found["wrong_interval"])
    verdict = "cannot tell" if verdict == "no" and found["verdict"] == "neither" else verdict
    return Finding.from_code(
        "LT4",
        verdict,
        value=found["wrong_share"],
        interval=found["wrong_interval"],
        null=found["wrong_fraction"],
        statement=_where_words(verdict, found),
    )


def _where_words(verdict, found):
    share = percent(found["wrong_share"])
    if verdict == "yes":
        return f"The rise is not on borderline samples: {share} of it is on samples that are wrong by far."
    if verdict == "no":
        return f"The rise is on borderline samples: only {share} of it is on samples that are wrong by far."
    return f"Neither borderline samples nor those wrong by far ({share} of it) explain it."


def loss_tail_source(tails):
    """What was read, in a sentence."""
    few = ", too few to say much" if len(tails.rise_) < FEW else ""
    if tails.source_ == SOURCES["train"]:
        trained = f"for want of a validation record: {samples(len(tails.rise_))} that it was trained on"
        return f"Read from {tails.source_}, {trained}{few}."
    return f"Read from {tails.source_}: {samples(len(tails.rise_))}{few}."
