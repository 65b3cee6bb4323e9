"""Refinement: how much of the loss is calibration, and which epoch is best once calibrated."""

import numpy as np

from sklearn_nndyn.reports._blocks import Figure, Note, Section
from sklearn_nndyn.reports._charts import Chart, Line
from sklearn_nndyn.reports._words import curve_table, epoch_words, number
from sklearn_nndyn.utils.text import figure


def section(material):
    """The loss as refinement and calibration, and the temperature."""
    found = material.refinement.found
    blocks = (
        [Note(words=material.refinement.reason)] if found is None else [curves(found), temperature(found)]
    )
    return Section(key="refinement", title="Refinement", blocks=blocks)


def _marks(found):
    least, best = found.least_loss_epoch_, found.best_epoch_
    if least == best:
        return [(float(best), f"least loss and refinement: epoch {epoch_words(best)}")]
    return [
        (float(least), f"least loss: epoch {epoch_words(least)}"),
        (float(best), f"least refinement: epoch {epoch_words(best)}"),
    ]


def _positions(found):
    return [
        int(np.searchsorted(found.epochs_, epoch)) for epoch in (found.least_loss_epoch_, found.best_epoch_)
    ]


def curves(found):
    """Loss and refinement, with calibration between them."""
    loss, refined = found.loss_curve_, found.refinement_curve_
    chart = Chart(
        x=found.epochs_.astype(float),
        x_label="epoch",
        y_label="log loss (nats), logarithmic",
        lines=[
            Line(name="loss", y=loss, tone="second"),
            Line(
                name="refinement",
                y=refined,
                tone="first",
                dashed=True,
                low=np.minimum(refined, loss),
                high=np.maximum(refined, loss),
                band_name="calibration",
            ),
        ],
        marks=_marks(found),
        log_y=True,
    )
    columns = {
        "Loss": (loss, number),
        "Refinement": (refined, number),
        "Calibration": (found.calibration_curve_, number),
        "Temperature": (found.temperature_curve_, number),
    }
    return Figure(
        key="refinement-curves",
        title="The loss as refinement and calibration",
        chart=chart,
        caption=(
            "Refinement is the loss that is left when the scores are divided by their best temperature, chosen on "
            "other samples: how well the classes are told apart. The rest is calibration."
        ),
        alternative=(
            f"The mean log loss goes from {figure(loss[0])} to {figure(loss.min())} at epoch "
            f"{epoch_words(found.least_loss_epoch_)} and {figure(loss[-1])} at the end; refinement from "
            f"{figure(refined[0])} to {figure(refined.min())} at epoch {epoch_words(found.best_epoch_)} and "
            f"{figure(refined[-1])} at the end."
        ),
        table=curve_table(
            "refinement-table",
            "Refinement and calibration at some epochs",
            found.epochs_,
            columns,
            *_positions(found),
        ),
    )


def temperature(found):
    """The best temperature of each epoch; a gap where equal probabilities are better than any."""
    curve = np.where(np.isfinite(found.temperature_curve_), found.temperature_curve_, np.nan)
    chart = Chart(
        x=found.epochs_.astype(float),
        x_label="epoch",
        y_label="best temperature",
        lines=[Line(name="temperature", y=curve, tone="first")],
        marks=_marks(found),
    )
    return Figure(
        key="temperature",
        title="How sure the network is",
        chart=chart,
        caption="Above 1 the network is too sure, below 1 not sure enough: its scores are best divided by this number.",
        alternative=f"The best temperature is {figure(found.temperature_curve_[-1])} at the end.",
        table=curve_table(
            "temperature-table",
            "Best temperature at some epochs",
            found.epochs_,
            {"Temperature": (curve, number)},
            *_positions(found),
        ),
    )
