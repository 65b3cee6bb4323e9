"""The findings of a SampleScoreAnalyzer in words."""

import numpy as np

from sklearn_nndyn.analyzers.sample_scores._true_class import RECORDED
from sklearn_nndyn.dynamics import LossFacts
from sklearn_nndyn.utils.text import figure, percent, samples


def sample_score_summary(found):
    """The paragraph of a fitted SampleScoreAnalyzer."""
    sentences = [
        _source(found),
        _margins(found),
        _forgetting(found),
        _map(found),
        _el2n(found),
        _learned(found),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _source(found):
    trained = found.epochs_[found.epochs_ > 0]
    return f"Read from {found.source_}: {samples(len(found.correctness_))} at {epochs_after_start(trained)}."


def epochs_after_start(trained):
    """The epochs that count, in words."""
    if len(trained) == 1:
        return f"one epoch, {trained[0]}"
    some = f"the {len(trained)} epochs after the start, {trained[0]} to {trained[-1]}"
    missing = "" if (np.diff(trained) == 1).all() else " (not each of them is recorded)"
    return f"{some}{missing}"


def _margins(found):
    margins = found.area_under_margin_
    text = f"The area under the margin has a median of {figure(np.median(margins))}"
    if not (margins < 0).any():
        return f"{text} and is negative for none."
    return (
        f"{text}; it is negative for {_count(margins < 0)}, for which the network on average preferred another class "
        "to the label."
    )


def _forgetting(found):
    events, right = found.forgetting_events_, found.correctness_ > 0
    forgotten = events[right & (events > 0)]
    text = (
        f"Never learned: {_count(~right)}; learned and never forgotten: {_count(events == 0)}; "
        f"forgotten at least once: {_count(right & (events > 0))}"
    )
    return (
        f"{text}, up to {forgotten.max()} time{'s' if forgotten.max() > 1 else ''}."
        if len(forgotten)
        else f"{text}."
    )


def _map(found):
    if found.probability_source_ is None:
        trained = (
            f", of a network trained with {LossFacts(found.loss_name_).in_words}," if found.loss_name_ else ""
        )
        return (
            f"The record{trained} holds no probability of the true class, so confidence, variability and EL2N are not "
            "given."
        )
    text = (
        f"The true class has a median confidence of {figure(np.median(found.confidence_))} and a median variability of "
        f"{figure(np.median(found.variability_))}"
    )
    return (
        f"{text}." if found.probability_source_ == RECORDED else f"{text}, from {found.probability_source_}."
    )


def _el2n(found):
    if found.el2n_ is None:
        return ""
    first, last = found.el2n_epochs_[[0, -1]]
    when = f"epochs {first} to {last}" if last > first else f"epoch {first}"
    bound = f", {found.el2n_source_}" if found.el2n_source_ == "an upper bound" else ""
    return f"EL2N of {when} has a median of {figure(np.median(found.el2n_))}{bound}."


def _learned(found):
    learned = found.epoch_learned_[~np.isnan(found.epoch_learned_)]
    wrong = len(found.epoch_learned_) - len(learned)
    if not len(learned):
        return "At the end all samples are wrong."
    return (
        f"At the end {samples(wrong)} {'is' if wrong == 1 else 'are'} wrong; of the others half are learned for good "
        f"by epoch {figure(np.median(learned))}."
    )


def _count(mask):
    return f"{samples(np.count_nonzero(mask))} ({percent(mask.mean())})"
