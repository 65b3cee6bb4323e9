"""The findings of a LearningPhaseAnalyzer in words."""

import numpy as np

from sklearn_nndyn.analyzers.learning_phases._phases import CLEAR
from sklearn_nndyn.utils.statistics import standard_error
from sklearn_nndyn.utils.text import figure, percent

MOST_CLASSES = 12
AUTHORS = (
    "in the authors' run on CIFAR-10 R was least at iteration 128, transfer best at 1024, and the network's own "
    "accuracy at 8192"
)


def learning_phase_summary(found):
    """The paragraph of a fitted LearningPhaseAnalyzer."""
    sentences = [
        _source(found),
        _curve(found),
        _phases(found),
        _errors(found),
        _runs(found),
        _classes(found),
        _correlation(found),
        _advice(found),
        _accuracies(found),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def place(epoch, iteration):
    """An epoch in words: iteration 128 (epoch 0.327), or epoch 12."""
    epoch = f"epoch {figure(epoch)}"
    return epoch if iteration is None else f"iteration {iteration:,} ({epoch})"


def _at(found, position):
    """The epoch at a position, in words."""
    iteration = None if found.iterations_ is None else found.iterations_[position].item()
    return place(found.epochs_[position].item(), iteration)


def _briefly(found, position):
    """The same where one unit is enough."""
    return _at(found, position).split(" (")[0]


def _source(found):
    return (
        f"Read from {found.source_}: how well layer {found.layer_} gives the input back at {len(found.epochs_)} "
        f"epochs, {_at(found, 0)} to {_at(found, -1)}."
    )


def _curve(found):
    start, least, end = found.reconstruction_curve_[[0, found.lowest_, -1]]
    times = f", {figure(end / start)} times the first" if start else ""
    return (
        f"The mean squared error of reconstruction, R, is {figure(start)} at first, least ({figure(least)}) at "
        f"{_at(found, found.lowest_)}, and {figure(end)} at the end{times}."
    )


def _phases(found):
    if found.first_rise_epoch_ is not None and found.lowest_ == 0:
        return f"{_to_the_peak(found)}, and then falls (by {figure(_peak(found) - found.reconstruction_curve_[-1])})."
    if not found.phases_.exist[1:].any():
        return (
            f"It neither falls clearly (by {_within(found.fall_, found.fall_error_)}) nor rises clearly "
            f"(by {_within(found.rise_, found.rise_error_)}): there are no phases here."
        )
    return f"{_first_and_second(found)} {_third(found)}"


def _peak(found):
    return found.reconstruction_curve_[found.epochs_ == found.first_rise_epoch_].item()


def _to_the_peak(found):
    position = int(np.flatnonzero(found.epochs_ == found.first_rise_epoch_)[0])
    above = figure(_peak(found) - found.reconstruction_curve_[0])
    return f"It first rises (by {above}) until {_briefly(found, position)}"


def _within(change, error):
    return figure(change) + (f", standard error {figure(error)}" if np.isfinite(error) else "")


def _first_and_second(found):
    first_end, lowest, _ = found.phases_.positions
    if not found.phases_.exist[1]:
        return f"There is no second phase: R does not clearly fall (by {_within(found.fall_, found.fall_error_)})."
    falls = f"falls (by {_within(found.fall_, found.fall_error_)}) until {_briefly(found, lowest)}"
    if found.first_rise_epoch_ is not None:
        return f"{_to_the_peak(found)}, and then {falls}, the second phase."
    if not found.phases_.exist[0]:
        soon = "and is well on its way at the first epoch after the start: no first phase is seen"
        return f"It {falls}, the second phase, {soon}."
    return f"It stays near its start until {_briefly(found, first_end)}, the first phase, and {falls}, the second."


def _third(found):
    rise = _within(found.rise_, found.rise_error_)
    _, lowest, third_start = found.phases_.positions
    if found.phases_.exist[2]:
        near = f"is near its least until {_briefly(found, third_start)}, and "
        return f"Then it {'' if third_start == lowest else near}rises (by {rise}), the third phase."
    last = len(found.epochs_) - 1
    if third_start == last:
        return f"There is no third phase: R is {'' if lowest == last else 'still near its '}least at the end."
    return f"There is no third phase: since then R has not clearly risen (by {rise})."


def _errors(found):
    if len(found.run_curves_) > 1:
        n_runs = len(found.run_curves_)
        return f"Clear is what exceeds {CLEAR:g} standard errors over the {n_runs} runs, and what their noise gives."
    return (
        f"Clear is what exceeds {CLEAR:g} standard errors over the samples, and what a curve gives that wanders. This "
        "is one run, which does not tell of other seeds: give fit a list of them."
    )


def _runs(found):
    if len(found.run_curves_) == 1:
        return ""
    turns = found.phases_.run_exist[:, 1:].all(axis=1)
    if not turns.any():
        return "By themselves, none of the runs turns."
    counted = found.iterations_ is not None
    own = (found.phases_.run_iterations if counted else found.phases_.run_epochs)[turns, 1]
    count = f"all {len(turns)} runs turn" if turns.all() else f"{turns.sum()} of {len(turns)} runs turn"
    where = f"{'iteration' if counted else 'epoch'} {_within(own.mean(), standard_error(own))}"
    return f"By themselves, {count}, on average at {where}."


def _classes(found):
    turned = ~np.isnan(found.class_turning_epochs_)
    if not turned.any():
        return "No class's own curve turns."
    epochs = found.class_turning_epochs_[turned]
    count = "all" if turned.all() else f"{turned.sum()} of {len(turned)}"
    text = f"By themselves, the curves of {count} classes turn"
    if np.ptp(epochs) == 0:
        return f"{text}, at epoch {figure(epochs[0])}."
    if len(epochs) > MOST_CLASSES:
        return f"{text}, at epochs {figure(epochs.min())} to {figure(epochs.max())}."
    named = zip(found.classes_[turned], epochs, strict=True)
    return f"{text}: {', '.join(f'{name} at epoch {figure(epoch)}' for name, epoch in named)}."


def _correlation(found):
    r = found.rise_learning_correlation_
    if not found.phases_.exist[2]:
        return ""  # of what does not rise there is no order
    if r is None:
        return "Without predictions, nothing can be said of when samples are learned."
    if np.isnan(r):
        return "How samples rise since then cannot be ranked against when they are learned."
    low, high = found.rise_learning_interval_
    detail = f"(rank correlation {figure(r)}, 95 % interval {figure(low)} to {figure(high)})"
    if low > 0 or high < 0:
        when = "last" if low > 0 else "first"
        return f"The samples whose R gets worse since then are rather those learned {when} {detail}."
    return f"Whether a sample is learned early or late says nothing clear of how its R changes since then {detail}."


def _advice(found):
    if found.turning_epoch_ is None:
        return (
            "R does not turn here, so it gives no advice where to stop pre-training for transfer: choose by data of "
            "the transfer task."
        )
    first, last = _stops(found)
    until = f"{last}, the last epoch at which less than half of the fall has been given back"
    if found.stop_epochs_[1] == found.epochs_[-1]:
        until = f"the end, {last}, where still less than half of the fall has been given back"
    return (
        f"To pre-train for transfer, stop no earlier than the turn, {first}, and no later than {until}: best transfer "
        f"lay between the turn and the pronounced rise ({AUTHORS}). That is one run: check the range on data of your "
        "own transfer task."
    )


def _stops(found):
    if found.iterations_ is None:
        return [place(epoch, None) for epoch in found.stop_epochs_]
    return [f"iteration {iteration:,}" for iteration in found.stop_iterations_]


def _accuracies(found):
    curves = {
        "a fresh linear classifier on the layer": found.probe_curve_,
        "the network itself": found.accuracy_curve_,
    }
    detail = [
        f"{name} at {_briefly(found, int(curve.argmax()))} ({percent(curve.max())})"
        for name, curve in curves.items()
        if curve is not None
    ]
    return f"On the classes trained for, most accurate is {', and '.join(detail)}." if detail else ""
