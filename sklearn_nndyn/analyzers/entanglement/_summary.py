"""The findings of an EntanglementAnalyzer in words."""

import numpy as np

from sklearn_nndyn.utils.text import capital, figure, percent, samples

MOST_CLASSES = 12


def entanglement_summary(found):
    """The paragraph of a fitted EntanglementAnalyzer."""
    sentences = [_source(found)]
    if found.inversion_ is None:
        sentences.append(_no_turn(found))
    else:
        sentences += [_turn(found), _stragglers(found)]
    sentences += [_distance(found), _classes(found), _pairs(found)]
    return " ".join(sentence for sentence in sentences if sentence)


def _source(found):
    first, last = found.epochs_[[0, -1]]
    n_classes = len(found.classes_)
    return (
        f"Read from {found.source_}: layer {found.layer_} of {samples(len(found.straggler_mask_))} of {n_classes} "
        f"class{'' if n_classes == 1 else 'es'} at {len(found.epochs_)} epochs, {first} to {last}."
    )


def _curve(found):
    """The reference curve, its name, and the word for its value at the turning epoch."""
    if found.reference_ == "distance":
        return found.mean_distance_, "the mean distance between class centroids", "greatest"
    if found.reference_ == "mean":
        return found.mean_radius_, "the mean radius of the classes", "least"
    name = f"the radius of class {found.classes_[found.reference_]}"
    return found.radii_[:, found.reference_], name, "least"


def _no_turn(found):
    curve, name, extreme = _curve(found)
    if np.isnan(curve).any():
        lack = "there are no two classes with" if found.reference_ == "distance" else "it has no"
        return f"{capital(name)} is not defined here: {lack} samples. So there is no inversion point."
    return (
        f"{capital(name)} went from {figure(curve[0])} to {figure(curve[-1])} and has no {extreme} value from which "
        "it turned back for good: there is no inversion point here, and no stragglers."
    )


def _turn(found):
    curve, name, extreme = _curve(found)
    turn, end = curve[[found.inversion_, -1]]
    before = curve[np.searchsorted(found.epochs_, found.burn_in) : found.inversion_ + 1]
    went, start = ("grew", before.min()) if extreme == "greatest" else ("fell", before.max())
    goes_on = end < turn if extreme == "least" else end > turn
    after = "but later they came apart further" if goes_on else "since then they mix again"
    return (
        f"{capital(name)} {went} from {figure(start)} to {figure(turn)} at epoch {found.inversion_epoch_}; at the end "
        f"it is {figure(end)}. Until then the classes came apart, {after}: the inversion point, at a training error of "
        f"{percent(found.inversion_error_)}."
    )


def _distance(found):
    """Radius and distance told both, where one of them turns and the other does not."""
    apart, epoch = found.mean_distance_, found.distance_inversion_epoch_
    if (
        found.reference_ == "distance"
        or np.isnan(apart).any()
        or (found.inversion_ is None) == (epoch is None)
    ):
        return ""
    if epoch is None:
        return "The mean distance between class centroids has no such turn."
    return f"But the mean distance between class centroids turns, at epoch {epoch}: the two do not agree."


def _stragglers(found):
    count = len(found.straggler_indices_)
    description = (
        f"Still misclassified there {'is' if count == 1 else 'are'} {samples(count)}: the stragglers."
    )
    if not count:
        description = "No sample is misclassified there: there are no stragglers."
    return f"{description} The training error ends at {percent(found.training_error_[-1])}."


def _classes(found):
    turned = ~np.isnan(found.class_inversion_epochs_)
    if not turned.any():
        return "No class's own radius turns."
    description = [
        f"{name} at epoch {epoch:.0f} (error {percent(error)})"
        for name, epoch, error in zip(
            found.classes_[turned],
            found.class_inversion_epochs_[turned],
            found.class_inversion_errors_[turned],
            strict=True,
        )
    ]
    if len(description) > MOST_CLASSES:
        first, last = (pick(found.class_inversion_epochs_[turned]) for pick in (np.min, np.max))
        return f"By their own radii {len(description)} of {len(turned)} classes turn, at epochs {first:g} to {last:g}."
    some = f"{len(description)} of {len(turned)} classes turn{'s' if len(description) == 1 else ''}"
    return f"By its own radius {'each class turns' if turned.all() else some}: {', '.join(description)}."


def _pairs(found):
    near = found.reentanglement_
    if len(near) < 3 or not near.max() > 0:
        return ""
    pairs = np.transpose(np.tril_indices(len(near), -1))
    most = sorted(pairs, key=lambda pair: -near[tuple(pair)])[:3]
    description = [
        f"{found.classes_[b]} and {found.classes_[a]} ({figure(near[a, b])})"
        for a, b in most
        if near[a, b] > 0
    ]
    return (
        f"The pairs that have come nearest again since their distance was greatest: {', '.join(description)}."
    )
