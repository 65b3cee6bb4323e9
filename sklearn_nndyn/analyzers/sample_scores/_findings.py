"""The findings of a SampleScoreAnalyzer: SS1 to SS4."""

import numpy as np

from sklearn_nndyn.analyzers._findings import Finding
from sklearn_nndyn.utils.statistics import count_interval
from sklearn_nndyn.utils.text import percent, samples

LABELS = "Look for wrong labels: find_label_errors ranks samples by how wrong theirs look."
MANY = 0.5  # of the samples: so many wrong ones are not learned yet, whatever their labels
TRAIN = "Train longer, or a larger network, before you judge single samples: many are not learned yet."
HELD_OUT = "How it does on others, held-out samples tell: fit with X_val and y_val."


def sample_score_findings(found):
    """SS1 to SS4 of a fitted SampleScoreAnalyzer."""
    wrong, never = np.isnan(found.epoch_learned_), found.correctness_ == 0
    unlike = found.area_under_margin_ < 0
    trained = np.count_nonzero(found.epochs_ > 0)
    by_guess = 1 - 1 / found.n_classes_
    look = TRAIN if wrong.mean() > MANY else LABELS
    return (
        _some(
            "SS1",
            wrong,
            found.guess_error_,
            "still wrong at the end",
            verbs=("is", "are"),
            none="Every sample is right at the end.",
            otherwise=HELD_OUT,
        ),
        _some(
            "SS2",
            never,
            by_guess**trained,
            "never right after the start",
            verbs=("was", "were"),
            none="Every sample was right at least once after the start.",
            advice=look,
        ),
        _some(
            "SS3",
            unlike,
            by_guess,
            "closer to another class than to the label, by scores averaged over the epochs",
            verbs=("is", "are"),
            advice=look,
            none="No sample is closer to another class than to its label, by scores averaged over the epochs.",
        ),
        _forgotten(found, trained),
    )


def _some(code, mask, null, what, verbs, none, advice="", otherwise=""):
    count = int(np.count_nonzero(mask))
    share = count / len(mask)
    some = f"{samples(count)} ({percent(share)}) {verbs[count != 1]} {what}."
    return Finding.from_code(
        code,
        "yes" if count else "no",
        value=share,
        interval=count_interval(count, len(mask)),
        null=null,
        statement=some if count else none,
        advice=advice if count else otherwise,
    )


def _forgotten(found, trained):
    """Nothing can be forgotten within one epoch after the start."""
    if trained < 2:
        return Finding.from_code("SS4", "cannot tell")
    forgotten = (found.correctness_ > 0) & (found.forgetting_events_ > 0)
    return _some(
        "SS4",
        forgotten,
        None,
        "forgotten at least once after having been right",
        verbs=("was", "were"),
        none="No sample was forgotten after having been right.",
    )


def sample_score_source(found):
    """What was read, in a sentence."""
    lack = ", without probabilities, so that confidence, variability and EL2N are not given"
    return f"Read from {found.source_}: {samples(len(found.correctness_))}{lack if found.confidence_ is None else ''}."
