"""The findings of feature_growth in words."""

import numpy as np

from sklearn_nndyn.interventions._scores import trained_with
from sklearn_nndyn.utils.text import counted, epoch_words, figure, percent, samples, signed


def feature_growth_summary(found):
    """The paragraph of a FeatureGrowth."""
    if found.onset_epoch == found.end_epoch:
        return (
            f"The mean log loss of {samples(len(found.rise))} is least at the end, epoch "
            f"{epoch_words(found.end_epoch)} "
            f"({figure(found.mean_loss[1])}): it never turned, so there is no growth to test. Give onset, an earlier "
            "recorded epoch, to measure the growth since then all the same."
        )
    sentences = [
        _rise(found),
        trained_with(found.loss_facts),
        _growth(found),
        _correlation(found),
        _restored(found),
    ]
    return " ".join(sentence for sentence in [*sentences, _verdict(found)] if sentence)


def _rise(found):
    start, end = (figure(loss) for loss in found.mean_loss)
    n_rising = np.count_nonzero(found.rise > 0)
    of_them = f", by {figure(found.rise[found.rise > 0].mean())} in the mean" if n_rising else ""
    return (
        f"From epoch {epoch_words(found.onset_epoch)} to epoch {epoch_words(found.end_epoch)} the mean log loss "
        f"of {samples(len(found.rise))} "
        f"went from {start} to {end}; it rose for {n_rising:,} of them{of_them}."
    )


def _growth(found):
    known = found.growth[~np.isnan(found.growth)]
    if not len(known):
        return "None of the hidden units has outgoing weights."
    low, middle, high = np.quantile(known, [0, 0.5, 1])
    return (
        f"The outgoing weights of the {len(found.growth):,} units of the last hidden layer grew by a factor of "
        f"{figure(middle)} (median; {figure(low)} to {figure(high)})."
    )


def _correlation(found):
    if np.isnan(found.correlation):
        return "Growth cannot be ranked against the share of activation that falls on samples that were right already."
    direction = "more" if found.correlation > 0 else "less"
    clear = f"grew {direction}" if found.p_value < 0.05 else "grew neither clearly more nor clearly less"
    silent = np.count_nonzero(np.isnan(found.share_on_correct))
    without = f", without {silent:,} that are silent" if silent else ""
    return (
        f"Units whose activation falls more on samples that were right already {clear} (rank correlation "
        f"{figure(found.correlation)}, p = {figure(found.p_value)}{without})."
    )


def _restored(found):
    interval = found.random_interval
    detail = [
        f"the mean log loss of {whose} by {signed(found.change[name])} ({_against(interval[name])})"
        for whose, name in (("the samples that rose", "rising_loss"), ("all samples", "loss"))
        if not np.isnan(found.change[name])
    ]
    accuracy = found.change["accuracy"]
    return (
        f"Bringing the {counted(len(found.restored_units), 'most grown unit')} back to the norm at the turn changes "
        f"{', '.join(detail)}, and accuracy by {signed(accuracy)} ({_against(interval['accuracy'])}); in brackets "
        "the mean and the 95 % interval of random sets of as many units."
    )


def _against(interval):
    mean, low, high = (signed(value) for value in interval)
    return f"{mean}, {low} to {high}"


def _verdict(found):
    """Judged by the samples that rose: to the others, the growth has been of use."""
    if np.isnan(found.change["rising_loss"]):
        return "Without samples that rose, nothing can be said of a cause."
    rise, change = found.rise[found.rise > 0].mean(), found.change["rising_loss"]
    mean, low, _ = found.random_interval["rising_loss"]
    if change >= 0:
        return "The growth of these units is not what made the loss rise."
    by_chance = percent(0.0 - mean / rise)
    undone = f"The growth of these units explains {percent(-change / rise)} of what rose"
    if change < low:
        return f"{undone}, more than that of random units ({by_chance})."
    return f"{undone}, no more than that of random units may ({by_chance})."
