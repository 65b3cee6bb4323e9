"""The findings of a LearningPhaseAnalyzer: LP1 to LP5."""

import numpy as np

from sklearn_nndyn.analyzers._findings import Finding
from sklearn_nndyn.utils.text import epoch_words, figure

NO_TURN = "To reuse the layer for another task, it does not tell where to stop: choose by data of that task."


def learning_phase_findings(found):
    """LP1 to LP5 of a fitted LearningPhaseAnalyzer."""
    falls, rises = _fall_verdict(found), _rise_verdict(found)
    return (
        _fall(found, falls),
        _rise(found, rises, falls),
        _near_constant(found, falls),
        _order(found, rises),
        _first_rise(found),
    )


def _fall_verdict(found):
    if found.phases_.exist[1]:
        return "yes"
    return "no" if found.lowest_ == 0 else "cannot tell"


def _rise_verdict(found):
    if found.phases_.exist[2]:
        return "yes"
    return "no" if _ends_near_its_least(found) or _falls_from_a_peak(found) else "cannot tell"


def _ends_near_its_least(found):
    return int(found.phases_.positions[2]) == len(found.epochs_) - 1


def _falls_from_a_peak(found):
    return found.lowest_ == 0 and found.first_rise_epoch_ is not None


def _finding(found, code, verdict, **figures):
    return Finding.from_code(code, verdict, n_runs=len(found.run_curves_), **figures)


def _change(found, name):
    """Value, interval and null of the fall or the rise."""
    null = found.chance_[name]
    return {
        "value": getattr(found, f"{name}_"),
        "interval": getattr(found, f"{name}_interval_"),
        "null": null if np.isfinite(null) else None,
    }


def place(found, position):
    """A recorded epoch in words: its iteration, where they were counted."""
    if found.iterations_ is not None:
        return f"iteration {found.iterations_[position].item():,}"
    return f"epoch {epoch_words(found.epochs_[position])}"


def _fall(found, verdict):
    curve = f"the reconstruction error of layer {found.layer_}, of inputs given back from it,"
    change = _change(found, "fall")
    chance = _chance(change)
    statement = {
        "yes": f"T{curve[1:]} falls by {figure(change['value'])}{chance} until {place(found, found.lowest_)}.",
        "no": f"T{curve[1:]} never falls below its start.",
        "cannot tell": f"Whether {curve} falls cannot be told{_why(found)}{chance}.",
    }[verdict]
    advice = "" if found.turning_epoch_ is not None else NO_TURN
    return _finding(found, "LP1", verdict, statement=statement, advice=advice, **change)


def _chance(change):
    return "" if change["null"] is None else f" (chance gives up to {figure(change['null'])})"


def _why(found):
    if np.isfinite(found.chance_["fall"]):
        return " from chance"
    return f": of {len(found.epochs_)} recorded epochs in one run its wander is not known"


def _rise(found, verdict, falls):
    again = " again" if falls == "yes" else ""
    change = _change(found, "rise")
    if verdict == "yes":
        statement = f"It rises{again} by {figure(change['value'])}{_chance(change)}."
    elif verdict == "no":
        statement = f"It does not rise{again}: {_lasting(found)}."
    else:
        statement = f"Whether it rises{again} cannot be told{_why(found)}." if falls == "yes" else ""
    return _finding(found, "LP2", verdict, statement=statement, advice=_stops(found), **change)


def _lasting(found):
    if _falls_from_a_peak(found):
        return "from a peak it falls until the end"
    least = found.lowest_ == len(found.epochs_) - 1
    return "it is least at the end" if least else "it is still near its least at the end"


def _stops(found):
    if found.stop_epochs_ is None:
        return ""
    first, last = (
        place(found, int(np.flatnonzero(found.epochs_ == epoch)[0])) for epoch in found.stop_epochs_
    )
    if first == last:
        return f"To reuse the layer for another task, try a stop at {first}, the turn; check it on data of that task."
    return (
        f"To reuse the layer for another task, try stops from {first}, the turn, to {last}, before half of the fall is "
        "undone, and check them on data of that task."
    )


def _near_constant(found, falls):
    first_end = int(found.phases_.positions[0])
    verdict = "yes" if found.phases_.exist[0] else "no" if falls == "yes" else "cannot tell"
    there = verdict == "yes"
    statement = f"At first it stays near its start, until {place(found, first_end)}." if there else ""
    value = float(found.epochs_[first_end]) if there else None
    return _finding(found, "LP3", verdict, value=value, statement=statement)


def _order(found, rises):
    r = found.rise_learning_correlation_
    if rises != "yes" or r is None or np.isnan(r):
        return _finding(found, "LP4", "cannot tell")
    low, high = (float(end) for end in found.rise_learning_interval_)
    verdict = "yes" if low > 0 else "no" if high < 0 else "cannot tell"
    when = {"yes": "later", "no": "earlier"}.get(verdict)
    statement = (
        f"From the turn on the error of samples learned {when} rises by more (rank correlation {figure(r)})."
    )
    interval = None if np.isnan([low, high]).any() else (low, high)
    return _finding(
        found, "LP4", verdict, value=r, interval=interval, null=0.0, statement=statement if when else ""
    )


def _first_rise(found):
    """A peak above the start, before the fall."""
    curve = found.reconstruction_curve_
    null = found.chance_["first_rise"]
    before = curve[: found.lowest_ + 1] if found.lowest_ else curve
    peak = int(before.argmax())
    verdict = "yes" if found.first_rise_epoch_ is not None else "no" if peak == 0 else "cannot tell"
    if verdict == "yes":
        peak = int(np.flatnonzero(found.epochs_ == found.first_rise_epoch_)[0])
    return _finding(
        found,
        "LP5",
        verdict,
        value=float(curve[peak] - curve[0]),
        null=null if np.isfinite(null) else None,
        statement=f"At first it rises above its start, until {place(found, peak)}."
        if verdict == "yes"
        else "",
    )


def learning_phase_source(found):
    """What was read, in a sentence."""
    if len(found.run_curves_) > 1:
        return f"Read from {found.source_}."
    return f"Read from {found.source_}: one run; to learn of other seeds, give fit a list of runs."
