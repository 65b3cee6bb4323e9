"""The verdict: what a hurried reader takes home."""

import numpy as np

from sklearn_nndyn.reports._blocks import Section, Terms, Text
from sklearn_nndyn.utils.text import epoch_words, figure, percent


def section(material):
    """Two or three sentences, and the figures they rest on, large."""
    sentences = [
        accuracy_words(material),
        loss_words(material),
        holds_words(material),
        labels_words(material),
    ]
    return Section(
        key="verdict",
        title="Verdict",
        blocks=[
            Text(words=" ".join(filter(None, sentences)).replace(" %", "\u00a0%")),
            Terms(pairs=[tile for tile in tiles(material) if tile], tiles=True),
        ],
    )


def seen_at_end(record):
    """How many samples have a prediction at the last epoch."""
    return 0 if record.prediction is None else int(np.count_nonzero(record.prediction[:, -1] >= 0))


def accuracy_words(material):
    """How much is right at the end, and whether it was ever more."""
    record, seen = material.held_out, seen_at_end(material.held_out)
    if not seen:
        return f"The record holds {record.n_samples:,} {material.held_out_words} and no predictions of the last epoch."
    accuracy = record.accuracy
    best = int(np.nanargmax(accuracy))
    now = (
        f"After epoch {epoch_words(record.epochs[-1])} the network is right on {percent(accuracy[-1])} of "
        f"{seen:,} {material.held_out_words}"
    )
    if record.n_epochs == 1:
        return f"{now}. No other epoch is recorded."
    most = "never more" if best == record.n_epochs - 1 else _best_words(record, best)
    return f"{now}; {most}."


def _best_words(record, best):
    if record.accuracy[best] == record.accuracy[-1]:
        return f"the same as at epoch {epoch_words(record.epochs[best])}, and never more"
    return (
        f"at its best, at epoch {epoch_words(record.epochs[best])}, it was {percent(record.accuracy[best])}"
    )


def loss_words(material):
    """The least mean loss and the last. Whether a rise is more than noise, its finding says."""
    tails = material.loss_tails.found
    if tails is None:
        return ""
    least, end = tails.mean_curve_[tails.onset_], tails.mean_curve_[-1]
    if tails.onset_ == len(tails.epochs_) - 1:
        return f"Their mean loss is least at the end, {figure(end)}."
    return (
        f"Their mean loss is least at epoch {epoch_words(tails.onset_epoch_)}, {figure(least)}, and {figure(end)} at "
        "the end."
    )


def holds_words(material):
    """Which of the claims hold."""
    holding = [
        f"{finding.title} ({finding.code})" for finding in material.findings if finding.verdict == "yes"
    ]
    return f"What holds: {'; '.join(holding)}." if holding else ""


def labels_words(material):
    """How many labels look wrong, where that can be said."""
    errors = material.label_errors.found
    if errors is None or not len(errors.indices):
        return ""
    first = errors.indices[0]
    share = percent(errors.suggestion_shares[first])
    return (
        f"Among the {material.record_words}, the label that looks most wrong is that of sample {first}: "
        f"{errors.y[first]}, predicted {errors.suggestions[first]} at {share} of the epochs."
    )


def tiles(material):
    """(what, figure) of the large figures; None where there is none."""
    record, tails, scores = material.held_out, material.loss_tails.found, material.sample_scores.found
    return [
        (f"right, of {material.held_out_words}", percent(record.accuracy[-1]))
        if seen_at_end(record)
        else None,
        ("epoch of least mean loss", epoch_words(tails.onset_epoch_)) if tails else None,
        (f"{material.record_words} wrong at the end", f"{np.isnan(scores.epoch_learned_).sum():,}")
        if scores
        else None,
        ("labels to look at", f"{len(material.label_errors.found.indices):,}")
        if material.label_errors.found is not None
        else None,
    ]
