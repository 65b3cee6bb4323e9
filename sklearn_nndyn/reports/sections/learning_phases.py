"""Learning phases: how well a layer gives its input back while the network learns."""

import numpy as np

from sklearn_nndyn.reports._blocks import Figure, Note, Section
from sklearn_nndyn.reports._charts import Chart, Line
from sklearn_nndyn.reports._words import curve_table, number, share
from sklearn_nndyn.utils.text import epoch_words, figure, percent


def section(material):
    """The curve of the reconstruction error with its phases, and the accuracies beside it."""
    found = material.learning_phases.found
    if found is None:
        blocks = [Note(words=material.learning_phases.reason)]
    else:
        blocks = [reconstruction(found), accuracies(found)]
    return Section(
        key="learning-phases", title="Learning phases", blocks=[block for block in blocks if block]
    )


def _axis(found):
    """Places on the x axis, its words, and whether these are updates."""
    if found.iterations_ is None:
        return found.epochs_.astype(float), "epoch", False
    return found.iterations_.astype(float), "updates of the weights, logarithmic", True


def reconstruction(found):
    """Error of giving the input back."""
    x, x_label, by_updates = _axis(found)
    curve, error = found.reconstruction_curve_, found.reconstruction_error_
    chart = Chart(
        x=x,
        x_label=x_label,
        y_label=f"squared error, layer {found.layer_}",
        lines=[
            Line(
                name="reconstruction error",
                y=curve,
                tone="first",
                low=curve - 2 * error,
                high=curve + 2 * error,
                band_name="two standard errors",
            )
        ],
        spans=spans(found, x),
        marks=[]
        if found.turning_epoch_ is None
        else [(float(x[found.lowest_]), f"turn: epoch {epoch_words(found.turning_epoch_)}")],
        by_updates=by_updates,
        from_zero=True,
    )
    return Figure(
        key="reconstruction",
        title="How well the layer gives its input back",
        chart=chart,
        caption="The lower, the more of the input is kept. The turn is the earliest sensible stop for pre-training.",
        alternative=(
            f"The reconstruction error is {figure(curve[0])} at first, least ({figure(curve[found.lowest_])}) at epoch "
            f"{epoch_words(found.lowest_epoch_)}, and {figure(curve[-1])} at the end."
        ),
        table=_table(found, {"Reconstruction error": (curve, number), "Standard error": (error, number)}),
    )


def spans(found, x):
    """(from, to, name) of the phases that are there."""
    first, second, third = (int(at) for at in found.phases_.positions)
    stays, falls, rises = found.phases_.exist
    all_three = [
        (stays, 0, first, "near constant"),
        (falls, first if stays else 0, second, "falling"),
        (rises, third, len(x) - 1, "rising"),
    ]
    return [(float(x[a]), float(x[b]), name) for there, a, b, name in all_three if there and b > a]


def accuracies(found):
    """The network's own accuracy, and that of a fresh classifier on the layer."""
    curves = {"the network": found.accuracy_curve_, "a probe on the layer": found.probe_curve_}
    curves = {name: np.asarray(curve) for name, curve in curves.items() if curve is not None}
    if not curves:
        return None
    x, x_label, by_updates = _axis(found)
    chart = Chart(
        x=x,
        x_label=x_label,
        y_label="share classified correctly",
        lines=[
            Line(name=name, y=curve, tone=tone)
            for (name, curve), tone in zip(curves.items(), ("second", "third"), strict=False)
        ],
        by_updates=by_updates,
    )
    return Figure(
        key="phase-accuracies",
        title="Accuracy beside it",
        chart=chart,
        caption="A probe is a fresh linear classifier, trained on the layer each time.",
        alternative=" ".join(
            f"{name.capitalize()} goes from {percent(curve[0])} to {percent(curve[-1])}."
            for name, curve in curves.items()
        ),
        table=_table(
            found, {name.capitalize(): (curve, share) for name, curve in curves.items()}, "accuracies"
        ),
    )


def _table(found, columns, key="reconstruction error"):
    if found.iterations_ is not None:
        columns = {"Updates": (found.iterations_, lambda n: number(n, lambda n: f"{n:,.0f}"))} | columns
    caption = f"{key.capitalize()} at some epochs"
    return curve_table(f"{key.replace(' ', '-')}-table", caption, found.epochs_, columns, found.lowest_)
