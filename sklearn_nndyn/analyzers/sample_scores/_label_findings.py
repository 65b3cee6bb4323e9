"""Findings on wrong labels: whether there are some and how many, whether that is certain, and which."""

import numpy as np

from sklearn_nndyn.analyzers._findings import Finding
from sklearn_nndyn.analyzers.sample_scores._label_count import LEARNED_BY_HEART, LEAST_EPOCHS
from sklearn_nndyn.utils.text import counted, percent

MARGIN = "how far the score of the label lies above the highest other"
SEVERAL = "several networks tell more, by find_label_errors(clf, X, y, runs=10)."


def label_findings(found):
    """The findings of a LabelErrors, a tuple."""
    return _are_wrong(found), _can_be_told(found), _stand_out(found)


def _are_wrong(found):
    low, _ = found.count_interval or (0, 0)
    return Finding.from_code(
        "SS8",
        "yes" if low else "cannot tell",
        value=float(found.n_errors),
        interval=found.count_interval,
        null=found.expected_by_chance,
        n_runs=found.n_runs,
        statement=_range(found) if found.count_interval else "",
        advice=_what_next(found, low) if found.count_interval else "",
    )


def _what_next(found, low):
    look = f"Look at {'them' if low else 'labels'} in the order of ranking, the most suspect first"
    return f"{look}." if found.n_runs > 1 else f"{look}; {SEVERAL}"


def _range(found):
    low, high = found.count_interval
    some = f"Between {low:,} and {high:,}" if low else f"At most {high:,}"
    runs = "this one run" if found.n_runs == 1 else "these runs"
    return f"{some} of {len(found.y):,} labels are wrong, as far as {runs} can tell."


def _can_be_told(found):
    known = found.count_interval is not None
    width = np.ptp(found.count_interval) / len(found.y) if known else None
    why, what_would = ("", "") if known else _what_would(found)
    runs = "this run" if found.n_runs == 1 else "these runs"
    return Finding.from_code(
        "SS9",
        "yes" if known else "no",
        value=None if width is None else float(width),
        n_runs=found.n_runs,
        statement="" if known else f"It cannot be told from {runs} how many labels are wrong: {why}.",
        advice=what_would,
    )


def _what_would(found):
    """(why it cannot be told, what to do)."""
    if found.n_runs > 1:
        return (
            f"networks that did not see them get {percent(found.end_error)} of them wrong, and not clearly so",
            "Train longer, or a network that generalises better; more runs of the same kind will not tell.",
        )
    if found.end_error < LEARNED_BY_HEART:
        why = "the network has learned nearly all labels by heart"
        return why, f"Read earlier epochs alone, by record.until(epoch); {SEVERAL}"
    if len(found.epochs) < LEAST_EPOCHS:
        verb = "is" if len(found.epochs) == 1 else "are"
        few = f"{counted(len(found.epochs), 'recorded epoch')} after the start {verb} too few"
        return few, f"Train longer; {SEVERAL}"
    why = f"it still gets {percent(found.end_error)} of them wrong, and hard samples look like wrong labels"
    return why, f"Train longer, or a network that fits better; {SEVERAL}"


def _stand_out(found):
    return Finding.from_code(
        "SS10",
        "yes" if found.n_errors else "no",
        value=float(found.n_errors),
        null=found.expected_by_chance,
        n_runs=found.n_runs,
        statement=_suspects(found),
    )


def _suspects(found):
    first = int(found.ranking[0])
    worst = f"sample {first} (labelled {found.y[first]}, {_predicted(found, first)})"
    if not found.n_errors:
        return f"No group of samples stands out by low margins, {MARGIN}; the most suspect is {worst}."
    if found.n_errors == 1:
        return f"1 sample stands out by its low margin, {MARGIN}: {worst}."
    return f"{counted(found.n_errors, 'sample')} stand out by low margins, {MARGIN}; the most suspect is {worst}."


def _predicted(found, sample):
    """What networks said of a sample in place of its label, or that they agreed."""
    label, suggestion = found.y[sample], found.suggestions[sample]
    share = percent(found.suggestion_shares[sample])
    how = (
        f"at {share} of the epochs"
        if found.n_runs == 1
        else f"with a probability of {share} by networks not trained on it"
    )
    return f"predicted {suggestion} {how}" if suggestion != label else f"and predicted so {how}"
