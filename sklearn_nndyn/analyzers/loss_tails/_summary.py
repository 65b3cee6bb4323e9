"""The findings of a LossTailAnalyzer in words."""

import numpy as np

from sklearn_nndyn.analyzers.loss_tails._chance import FRACTION
from sklearn_nndyn.analyzers.loss_tails._curves import QUANTILES
from sklearn_nndyn.dynamics import LossFacts
from sklearn_nndyn.utils.statistics import standard_error
from sklearn_nndyn.utils.text import figure, percent, samples, trained_on_note

FEW = 100
VERDICTS = {
    "borderline": "This is a matter of borderline samples",
    "wrong by far": "This is not a matter of borderline samples, but of samples that are wrong by far",
    "neither": "Neither borderline samples nor samples that are wrong by far explain most of this",
}
CHANGES = {
    "yes": ", more than chance gives; whether other seeds do the same, one run does not tell",
    "no": ": it has not risen",
    "cannot tell": ", which this run cannot tell from chance",
}


def loss_tail_summary(tails):
    """The paragraph of a fitted LossTailAnalyzer."""
    sentences = [_opening(tails)]
    if _fell_until_the_end(tails):
        sentences += [_no_turn(tails), _concentration(tails, [-1])]
    else:
        sentences += [_mean(tails), _change(tails), _centre(tails), _risers(tails), _minority(tails)]
        sentences += [_concentration(tails, [tails.onset_, -1]), _transitions(tails), _borderline(tails)]
    return " ".join(sentence for sentence in [*sentences, _few(len(tails.rise_))] if sentence)


def _fell_until_the_end(tails):
    return bool((tails.turn_ == len(tails.epochs_) - 1).all())


def _opening(tails):
    loss = LossFacts(tails.loss_name_).short
    first, last = tails.epochs_[[0, -1]]
    text = (
        f"Read from {tails.source_}: the {loss} of {samples(len(tails.rise_))} at {len(tails.epochs_)} epochs, "
        f"{first} to {last}."
    )
    return text + trained_on_note(tails.source_)


def _no_turn(tails):
    start, end = tails.mean_curve_[[0, -1]]
    return (
        f"The mean loss was least at the end ({figure(end)}, from {figure(start)} at the start): it never turned, "
        "and nothing of the kind happens here."
    )


def _mean(tails):
    start, end = tails.mean_curve_[[tails.onset_, -1]]
    if tails.onset == "auto":
        return f"The mean loss was least at epoch {tails.onset_epoch_} ({figure(start)}) and ended at {figure(end)}."
    return f"From epoch {tails.onset_epoch_}, as asked, the mean loss went from {figure(start)} to {figure(end)}."


def _change(tails):
    error = standard_error(tails.rise_)
    within = f" (standard error {figure(error)})" if np.isfinite(error) else ""
    verb = "rises" if tails.mean_rise_ > 0 else "changes"
    return (
        f"{_from_where(tails)} it {verb} by {figure(tails.mean_rise_)}{within}{CHANGES[tails.rise_verdict_]}."
    )


def _from_where(tails):
    if tails.onset != "auto":
        return "Since then"
    if len(tails.rise_) == 1:
        return "Measured on the sample that the turn was chosen on,"
    turns = np.unique(tails.epochs_[tails.turn_])
    which = f"epochs {turns[0]} and {turns[1]}" if len(turns) > 1 else f"epoch {turns[0]} for both"
    return f"Measured from turns that the other half of the samples chose ({which}),"


def _centre(tails):
    highest = tails.quantile_curves_[:, -1]
    curves = {
        "the median": tails.median_curve_,
        "the mean without the 10 % at either end": tails.trimmed_curve_,
        f"the {100 * QUANTILES[-1]:g} % quantile": highest,
    }
    went = [f"{name} went from {figure(c[tails.onset_])} to {figure(c[-1])}" for name, c in curves.items()]
    return f"Meanwhile {went[0]}, {went[1]}, and {went[2]}."


def _risers(tails):
    any_rise, *more = tails.rising_fractions_.items()
    by_more = ", ".join(f"by more than {threshold:g} for {percent(share)}" for threshold, share in more)
    text = f"The loss rose for {percent(any_rise[1])} of the samples ({by_more})"
    count = len(tails.carrier_indices_)
    if not count:
        return f"{text}."
    null, low, high = (percent(fraction) for fraction in tails.carrier_null_)
    return (
        f"{text}; {samples(count)} ({percent(tails.carrier_fraction_)} of all) make up for the whole rise of the mean, "
        f"where chance gives {null} ({low} to {high})."
    )


def _minority(tails):
    if tails.rise_verdict_ != "yes":
        return ""
    carried = (
        f"the {percent(FRACTION)} of greatest rise carry {percent(tails.gross_rise_share_)} of all that rose"
    )
    falls = tails.median_curve_[-1] < tails.median_curve_[tails.onset_]
    if tails.gross_rise_share_ > 0.5 and falls:
        return f"A small minority makes the mean rise: {carried}, and the median fell."
    return f"It is not a small minority that makes the mean rise: {carried}{'' if falls else ', and the median rose'}."


def _concentration(tails, at):
    share, gini = tails.tail_share_curve_[at], tails.gini_curve_[at]
    if np.isnan(share).any():
        return "Losses are negative in part, so shares of their total have no meaning here."
    worst = f"The worst {percent(tails.tail)}"
    if len(at) == 1:
        ending = f"the Gini coefficient is {figure(gini[0])}."
        return f"{worst} carry {percent(share[0])} of the total loss at the end; {ending}"
    return (
        f"{worst} carried {percent(share[0])} of the total loss at epoch {tails.onset_epoch_} and carry "
        f"{percent(share[1])} at the end; the Gini coefficient went from {figure(gini[0])} to {figure(gini[1])}."
    )


def _transitions(tails):
    if tails.transitions_ is None:
        return "Without predictions, nothing can be said of samples that are right or wrong."
    words = ("stayed right", "became wrong", "became right", "stayed wrong")
    detail = [
        f"{row['count']:,} {word}" + (f" ({row['rise_mean']:+.3g})" if row["count"] else "")
        for word, row in zip(words, tails.transitions_.values(), strict=True)
    ]
    count = {name: row["count"] for name, row in tails.transitions_.items()}
    before, after = ((count["CC"] + count[name]) / len(tails.rise_) for name in ("CW", "WC"))
    return (
        f"Of the samples (with the mean change of their loss) {', '.join(detail[:3])}, and {detail[3]}: accuracy went "
        f"from {percent(before)} to {percent(after)}."
    )


def _borderline(tails):
    if not tails.mean_rise_ > 0:
        return ""
    if tails.borderline_ is None:
        return "Without margins, nothing can be said of the border between the classes."
    found = tails.borderline_
    return (
        f"{VERDICTS[found['verdict']]}: of all that rose, {percent(found['borderline_share'])} rose on samples that "
        f"became right, or stayed right within a margin of {figure(found['near'])} (a tenth of the typical one), and "
        f"{percent(found['wrong_share'])} on samples that are wrong by more than that."
    )


def _few(n_samples):
    return f"With {samples(n_samples)} these figures say little." if n_samples < FEW else ""
