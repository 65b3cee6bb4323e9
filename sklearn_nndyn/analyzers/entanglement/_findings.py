"""The findings of an EntanglementAnalyzer: EN1 to EN4."""

from typing import NamedTuple

import numpy as np

from sklearn_nndyn.analyzers._curves import LASTING, rise_beyond_wander
from sklearn_nndyn.analyzers._findings import Finding
from sklearn_nndyn.analyzers.entanglement._turn import LEAST_TURN, smoothed_curves, turn_tolerance
from sklearn_nndyn.utils.statistics import count_interval
from sklearn_nndyn.utils.text import capital, counted, epoch_words, figure, percent, samples

LEAST_EPOCHS = LASTING + 3  # that noise is estimated from
SIGMAS = 1.96 * np.sqrt(2)  # of the noise, in the difference of two values


class Turn(NamedTuple):
    """How a curve that should fall turns back: verdict, how far it has risen, noise of that, and what noise gives."""

    verdict: str
    risen: float | None = None
    interval: tuple | None = None
    null: float | None = None


def entanglement_findings(found):
    """EN1 to EN4 of a fitted EntanglementAnalyzer."""
    curve, name = reference_curve(found)
    turn = turn_of(found, curve, found.inversion_)
    return (
        _inversion(found, turn, name),
        _other(found, turn),
        _stragglers(found, turn.verdict),
        _classes(found),
    )


def reference_curve(found):
    """The curve whose turn is the inversion, made to fall before it turns, and its name."""
    if found.reference_ == "distance":
        return -found.mean_distance_, "mean distance between class centroids"
    if found.reference_ == "mean":
        return found.mean_radius_, "mean radius of the classes"
    return found.radii_[:, found.reference_], f"radius of class {found.classes_[found.reference_]}"


def turn_of(found, curve, at):
    """Verdict on the turn of a curve, with its position where the rule of the analyzer finds one."""
    values = curve[np.searchsorted(found.epochs_, found.burn_in) :]
    if np.isnan(values).any():
        return Turn("cannot tell")
    smoothed, noises, windows = smoothed_curves(values[None])
    (smooth,), (noise,) = smoothed, noises
    known, risen = len(values) >= LEAST_EPOCHS, smooth[-1] - smooth.min()
    beyond, chance = rise_beyond_wander(values)
    wanders = beyond <= chance
    chance = max(chance, turn_tolerance(smoothed, noises, windows, found.tolerance)[0])
    if at is not None:
        start = len(curve) - len(values)
        risen = smooth[-1] - smooth[at - start]
        is_clear = known and not wanders and risen > chance
        verdict = ("yes" if is_clear else "cannot tell") if risen > 0 else "no"
    else:
        verdict = _without_turn(smooth)
    half = SIGMAS * noise
    return Turn(
        verdict,
        float(risen),
        (float(risen - half), float(risen + half)) if noise else None,
        float(chance) if known else None,
    )


def _without_turn(smooth):
    """Verdict on a smoothed curve (n_epochs,) in which the rule finds no turn."""
    least = int(smooth.argmin())
    fallen, risen = smooth[: least + 1].max() - smooth[least], smooth[-1] - smooth[least]
    return "no" if min(fallen, risen) <= LEAST_TURN * np.ptp(smooth) else "cannot tell"


def _inversion(found, turn, name):
    say = {"yes": _mixes, "no": _does_not_mix, "cannot tell": _may_mix}[turn.verdict]
    statement, advice = say(found, turn, name)
    return Finding.from_code(
        "EN1",
        turn.verdict,
        value=turn.risen,
        interval=turn.interval,
        null=turn.null,
        statement=statement,
        advice=advice,
    )


def _mixes(found, turn, name):
    verb = "shrunk" if found.reference_ == "distance" else "grown"
    statement = (
        f"The classes of layer {found.layer_} separate until epoch {epoch_words(found.inversion_epoch_)} and mix "
        f"again from then on: the {name}{_in_words(name)} has {verb} by {figure(turn.risen)} (noise alone gives up to "
        f"{figure(turn.null)})."
    )
    return statement, "Quote the training error at the turn, not the epoch, and compare other seeds."


def _in_words(name):
    """What a radius is."""
    return ", how far samples lie from the centre of their class," if "radius" in name else ""


def _does_not_mix(found, turn, name):
    start = f"By the {name}, the classes of layer {found.layer_} do not mix again"
    if found.inversion_ is not None:
        asked = (
            f"{start}: the turn by the rule asked for, at epoch {epoch_words(found.inversion_epoch_)}, does "
            "not last."
        )
        return asked, 'Use rule="extremum" for a turn that lasts.'
    extreme = "greatest" if found.reference_ == "distance" else "least"
    statement = f"{start}: it has no {extreme} value from which it turns back for good."
    return statement, "A turn may still come with longer training."


def _may_mix(found, turn, name):
    start = f"Whether the classes of layer {found.layer_} mix again cannot be told"
    if turn.risen is None:
        return f"{start}: the {name} is not defined here, for want of samples.", ""
    if turn.null is None:
        few = counted(
            int(len(found.epochs_) - np.searchsorted(found.epochs_, found.burn_in)), "recorded epoch"
        )
        return f"{start}: of {few} the noise is not known.", "Record nine epochs or more, or train longer."
    statement = f"{start}: the turn of the {name} is no larger than its noise."
    return statement, "Train longer or in larger batches, and compare several seeds."


def _other(found, turn):
    """The other curve in words, distance beside radius: the one that is not the reference."""
    distance = found.reference_ != "distance"
    name = "mean distance between class centroids" if distance else "mean radius of the classes"
    epoch = found.distance_inversion_epoch_ if distance else found.radius_inversion_epoch_
    at = None if epoch is None else int(np.searchsorted(found.epochs_, epoch))
    other = turn_of(found, -found.mean_distance_ if distance else found.mean_radius_, at)
    return Finding.from_code(
        "EN2",
        _of_all((turn.verdict, other.verdict)),
        value=other.risen,
        interval=other.interval,
        null=other.null,
        statement=_other_words(turn.verdict, other.verdict, name, epoch),
    )


def _other_words(own, other, name, epoch):
    if own == other == "yes":
        return f"The {name} turns too, at epoch {epoch_words(epoch)}."
    if other == "yes":
        return f"The {name} does turn, at epoch {epoch_words(epoch)}: the two measures do not agree."
    if own == "yes":
        lack = "has no such turn" if other == "no" else "shows no turn that is larger than its noise"
        return f"But the {name} {lack}: the two measures do not agree."
    if own == "no" and epoch is not None:
        return f"The {name} turns at epoch {epoch_words(epoch)}, but by no more than its noise."
    return ""


def _stragglers(found, inverts):
    if inverts != "yes":
        return Finding.from_code("EN3", inverts)
    count, total = len(found.straggler_indices_), len(found.straggler_mask_)
    statement, advice = "No sample is misclassified at the turn: there are no stragglers.", ""
    if count:
        verb = "is" if count == 1 else "are"
        share = percent(count / total)
        statement = f"Still misclassified at the turn {verb} {samples(count)} ({share}): the stragglers."
        same = "straggler_stability asks whether they are the same with other seeds"
        advice = f"Look at the stragglers, straggler_indices_; {same}."
    return Finding.from_code(
        "EN3",
        "yes" if count else "no",
        value=count / total,
        interval=count_interval(count, total),
        null=found.guess_error_,
        statement=statement,
        advice=advice,
    )


def _classes(found):
    """How many of the classes that have samples turn by their own radius, beyond chance."""
    present = np.flatnonzero(~np.isnan(found.radii_).any(axis=0))
    if len(found.epochs_) < LEAST_EPOCHS or not len(present):
        return Finding.from_code("EN4", "cannot tell")
    curves, epochs = found.radii_[:, present].T, found.class_inversion_epochs_[present]
    smooth, _, _ = smoothed_curves(curves[:, np.searchsorted(found.epochs_, found.burn_in) :])
    verdicts = [
        _without_turn(own)
        if np.isnan(epoch)
        else turn_of(found, curve, int(np.searchsorted(found.epochs_, epoch))).verdict
        for own, curve, epoch in zip(smooth, curves, epochs, strict=True)
    ]
    count, total = verdicts.count("yes"), len(present)
    clearly = " beyond noise" if "cannot tell" in verdicts else ""
    return Finding.from_code(
        "EN4",
        _of_all(verdicts),
        value=count / total,
        statement=f"{capital(_so_many(count, total))}{clearly} by {'their' if count > 1 else 'its'} own radius.",
    )


def _of_all(verdicts):
    """Yes if all are, no if one is, and else it cannot be told."""
    if "no" in verdicts:
        return "no"
    return "cannot tell" if "cannot tell" in verdicts else "yes"


def _so_many(count, total):
    if total == 1:
        return "the one class mixes again" if count else "the one class does not mix again"
    if count in (0, total):
        return "no class mixes again" if not count else "all classes mix again"
    return f"{count} of {counted(total, 'class', 'es')} mix{'es' if count == 1 else ''} again"


def entanglement_source(found):
    """What was read, in a sentence."""
    n_classes = counted(len(found.classes_), "class", "es")
    return f"Read from {found.source_}: {samples(len(found.straggler_mask_))} of {n_classes}."
