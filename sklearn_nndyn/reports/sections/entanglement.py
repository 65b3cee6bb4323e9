"""Entanglement: when the classes of a hidden layer stop coming apart."""

import numpy as np

from sklearn_nndyn.reports._blocks import Code, Figure, Note, Section, Text
from sklearn_nndyn.reports._charts import Chart, Line
from sklearn_nndyn.reports._samples import sample_name
from sklearn_nndyn.reports._words import curve_table, number, share
from sklearn_nndyn.utils.text import epoch_words, figure, samples

MOST_IDS = 100


def section(material):
    """Radius and distance of the classes, and the stragglers."""
    found = material.entanglement.found
    if found is None:
        blocks = [Note(words=material.entanglement.reason)]
    else:
        blocks = [curves(found), *stragglers(material.record, found)]
    return Section(key="entanglement", title="Entanglement", blocks=blocks)


def curves(found):
    """The mean radius of the classes and the mean distance between them."""
    pair = {
        "mean radius of the classes": found.mean_radius_,
        "mean distance between them": found.mean_distance_,
    }
    pair = {name: curve for name, curve in pair.items() if np.isfinite(curve).any()}
    chart = Chart(
        x=found.epochs_.astype(float),
        x_label="epoch",
        y_label=f"in layer {found.layer_}, activations of length 1",
        lines=[
            Line(name=name, y=curve, tone=tone)
            for (name, curve), tone in zip(pair.items(), ("first", "second"), strict=False)
        ],
        marks=[]
        if found.inversion_ is None
        else [
            (
                float(found.inversion_epoch_),
                f"{turn_name(found)}: epoch {epoch_words(found.inversion_epoch_)}",
            )
        ],
        from_zero=True,
    )
    columns = {name.capitalize(): (curve, number) for name, curve in pair.items()}
    columns["Training error"] = found.training_error_, share
    return Figure(
        key="entanglement-curves",
        title="Radius of the classes, and distance between them",
        chart=chart,
        caption="Classes come apart while the radius falls and the distance grows; after the turn they mix again.",
        alternative=" ".join([*(_range(name, curve) for name, curve in pair.items()), _turn(found)]),
        table=curve_table(
            "entanglement-table",
            "Geometry of the classes at some epochs",
            found.epochs_,
            columns,
            found.inversion_,
        ),
    )


def turn_name(found):
    """What the epoch of the inversion is called: a turn only where finding EN1 says that the classes mix again."""
    return "turn" if found.findings_[0].verdict == "yes" else "unclear turn"


def _range(what, curve):
    low, high = np.nanmin(curve), np.nanmax(curve)
    return (
        f"The {what} goes from {figure(curve[0])} to {figure(curve[-1])}, between {figure(low)} and "
        f"{figure(high)}."
    )


def _turn(found):
    if found.inversion_ is None:
        return "The radius has no turn."
    if turn_name(found) != "turn":
        return f"Whether it turns at epoch {epoch_words(found.inversion_epoch_)} cannot be told."
    return f"The radius turns at epoch {epoch_words(found.inversion_epoch_)}."


def straggler_words(found, count):
    """How many samples are still wrong, and whether finding EN3 calls them stragglers."""
    words = f"{samples(count)} {'is' if count == 1 else 'are'} still misclassified at the {turn_name(found)}"
    return f"{words}: the stragglers" if turn_name(found) == "turn" else words


def stragglers(record, found):
    """The samples that are still wrong at the turn."""
    if found.inversion_ is None:
        return [Text(words="Without a turn there are no stragglers.")]
    ids = [sample_name(record, i) for i in found.straggler_indices_[:MOST_IDS].tolist()]
    count = len(found.straggler_indices_)
    first = f", the first {MOST_IDS} of which are" if count > MOST_IDS else ""
    end = f"{first}{':' if ids else '.'}"
    return [
        Text(words=straggler_words(found, count) + end),
        *([Code(name="Ids of the stragglers", lines=" ".join(ids))] if ids else []),
    ]
