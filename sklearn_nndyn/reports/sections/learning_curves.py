"""Loss and accuracy over the epochs."""

import numpy as np

from sklearn_nndyn.displays._style import loss_label
from sklearn_nndyn.reports._blocks import Figure, Note, Section
from sklearn_nndyn.reports._charts import Chart, Line
from sklearn_nndyn.reports._words import curve_table, number, share
from sklearn_nndyn.utils.text import epoch_words, figure, percent


def section(material):
    """Two figures, each with its table."""
    return Section(
        key="learning-curves",
        title="Learning curves",
        blocks=[loss_block(material), accuracy_block(material)],
    )


def curves_of(material, curve):
    """{name of the samples: curve (n_epochs,)} of the records that share the epochs of the held-out one."""
    records = {material.record_words: material.record, material.held_out_words: material.held_out}
    epochs = material.held_out.epochs
    return {name: curve(record) for name, record in records.items() if np.array_equal(record.epochs, epochs)}


def mean_loss(record):
    """Mean loss (n_epochs,) of the samples that were seen; nan where none was."""
    mean = record.loss.mean(axis=0, dtype=np.float64)
    for at in np.flatnonzero(np.isnan(mean)):
        seen = record.loss[~np.isnan(record.loss[:, at]), at]
        mean[at] = seen.mean(dtype=np.float64) if len(seen) else np.nan
    return mean


def loss_block(material):
    """The mean losses, with the turn of the held-out one."""
    if any(one.loss is None for one in (material.record, material.held_out)) or not len(material.held_out):
        return Note(
            words='The record holds no losses. Record them with DynamicsClassifier(record=("samples",)).'
        )
    curves = curves_of(material, mean_loss)
    return line_figure(
        material,
        "loss-curves",
        "Mean loss",
        curves,
        loss_label(material.held_out.loss_facts),
        (figure, number),
        mark=material.loss_tails.found and _turn(material.loss_tails.found),
        mark_name=material.loss_tails.found and material.loss_tails.found.onset_name_,
        log_y=all(np.nanmin(curve, initial=np.inf) > 0 for curve in curves.values()),
    )


def _turn(tails):
    return None if tails.onset_ == len(tails.epochs_) - 1 else tails.onset_


def accuracy_block(material):
    """The shares classified correctly."""
    if any(one.prediction is None for one in (material.record, material.held_out)) or not len(
        material.held_out
    ):
        return Note(
            words='The record holds no predictions. Record them with DynamicsClassifier(record=("samples",)).'
        )
    curves = curves_of(material, lambda record: record.accuracy)
    return line_figure(
        material, "accuracy-curves", "Accuracy", curves, "share classified correctly", (percent, share)
    )


def line_figure(material, key, title, curves, y_label, shown, mark=None, mark_name="turn", log_y=False):
    """A figure of curves over the epochs; ``shown`` puts a value into words, and into a cell."""
    epochs, (in_words, cell) = material.held_out.epochs, shown
    tones = ("first", "second") if len(curves) > 1 else ("first",)
    lines = [
        Line(name=name, y=curve, tone=tone) for (name, curve), tone in zip(curves.items(), tones, strict=True)
    ]
    marks = [] if mark is None else [(float(epochs[mark]), f"{mark_name}: epoch {epoch_words(epochs[mark])}")]
    log = ", logarithmic" if log_y else ""
    return Figure(
        key=key,
        title=title,
        chart=Chart(
            x=epochs.astype(float),
            x_label="epoch",
            y_label=f"{y_label}{log}",
            lines=lines,
            marks=marks,
            log_y=log_y,
        ),
        caption=f"{title} of {' and of '.join(curves)}, epoch by epoch.",
        alternative=" ".join(_told(name, curve, epochs, in_words) for name, curve in curves.items()),
        table=curve_table(
            f"{key}-table",
            f"{title} at some epochs",
            epochs,
            {name.capitalize(): (curve, cell) for name, curve in curves.items()},
            mark,
        ),
    )


def _told(name, curve, epochs, in_words):
    known = np.isfinite(curve)
    if not known.any():
        return f"The {name} were not seen."
    curve, epochs = curve[known], epochs[known]
    low, high = int(curve.argmin()), int(curve.argmax())
    return (
        f"For the {name}: {in_words(curve[0])} at epoch {epoch_words(epochs[0])}, least {in_words(curve[low])} at "
        f"epoch {epoch_words(epochs[low])}, most {in_words(curve[high])} at epoch {epoch_words(epochs[high])}, "
        f"{in_words(curve[-1])} at the end."
    )
