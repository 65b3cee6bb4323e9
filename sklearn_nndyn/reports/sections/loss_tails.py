"""Loss tails: how the losses are spread, how few carry the sum, and which samples are worst."""

import numpy as np

from sklearn_nndyn.displays._style import loss_label
from sklearn_nndyn.reports._blocks import Figure, Note, Section, Table
from sklearn_nndyn.reports._charts import Chart, Line
from sklearn_nndyn.reports._samples import identity_cells, identity_columns
from sklearn_nndyn.reports._words import curve_table, number, share, words
from sklearn_nndyn.utils.text import epoch_words, figure, percent

WORST = 25
GROUPS = {
    "CC": "right at the {} and at the end",
    "CW": "right, then wrong",
    "WC": "wrong, then right",
    "WW": "wrong at both",
}


def section(material):
    """Spread and concentration of the losses, what became of the samples, and the worst of them."""
    tails = material.loss_tails.found
    if tails is None:
        blocks = [Note(words=material.loss_tails.reason)]
    else:
        blocks = [spread(material, tails), concentration(tails), groups(tails), worst(material, tails)]
    return Section(key="loss-tails", title="Loss tails", blocks=[block for block in blocks if block])


def _marks(tails):
    if tails.rise_verdict_ == "no":
        return []
    return [(float(tails.onset_epoch_), f"{tails.onset_name_}: epoch {epoch_words(tails.onset_epoch_)}")]


def spread(material, tails):
    """Mean, median, and what lies between the quantiles."""
    known = tails.quantiles_.tolist()
    low, high = (tails.quantile_curves_[:, known.index(quantile)] for quantile in (0.01, 0.99))
    log_y = bool(tails.mean_curve_.min() > 0)
    band = {"low": low, "high": high, "band_name": "1 to 99 % of the samples"}
    chart = Chart(
        x=tails.epochs_.astype(float),
        x_label="epoch",
        y_label=loss_label(material.held_out.loss_facts) + (", logarithmic" if log_y else ""),
        lines=[
            Line(name="mean", y=tails.mean_curve_, tone="second"),
            Line(name="median", y=tails.median_curve_, tone="first", dashed=True, **band),
        ],
        marks=_marks(tails),
        log_y=log_y,
    )
    mean, median = tails.mean_curve_, tails.median_curve_
    columns = {
        "Mean": (mean, number),
        "Median": (median, number),
        "1 %": (low, number),
        "99 %": (high, number),
    }
    return Figure(
        key="loss-spread",
        title="Loss of the samples",
        chart=chart,
        caption="Where a few samples carry a rise, the mean goes up while the median and most of the band go down.",
        alternative=(
            f"The mean loss goes from {figure(mean[0])} to {figure(mean[tails.onset_])} at epoch "
            f"{epoch_words(tails.onset_epoch_)} and {figure(mean[-1])} at the end; the median from {figure(median[0])} "
            f"to {figure(median[tails.onset_])} and {figure(median[-1])}."
        ),
        table=curve_table(
            "loss-spread-table",
            "Spread of the losses at some epochs",
            tails.epochs_,
            columns,
            tails.onset_,
        ),
    )


def concentration(tails):
    """How much of the total loss the worst samples carry."""
    shares, tail = tails.tail_share_curve_, percent(tails.tail)
    if not np.isfinite(shares).any():
        return None
    chart = Chart(
        x=tails.epochs_.astype(float),
        x_label="epoch",
        y_label="share of the total loss",
        lines=[Line(name=f"worst {tail} of the samples", y=shares, tone="second")],
        marks=_marks(tails),
        from_zero=True,
    )
    return Figure(
        key="loss-concentration",
        title=f"What the worst {tail} carry",
        chart=chart,
        caption="Whoever is worst at each epoch; were all losses equal, the share would be that of the samples.",
        alternative=f"Their share of the total loss goes from {percent(shares[0])} to {percent(shares[-1])}.",
        table=curve_table(
            "loss-concentration-table",
            "Concentration of the loss at some epochs",
            tails.epochs_,
            {
                f"Carried by the worst {tail}": (shares, share),
                "Gini coefficient": (tails.gini_curve_, number),
            },
            tails.onset_,
        ),
    )


def groups(tails):
    """What the samples rose by, by whether they were right before the rise and at the end; nothing without a rise."""
    if tails.transitions_ is None or tails.rise_verdict_ == "no":
        return None
    rows = [
        [
            words(GROUPS.get(group, group).format(tails.onset_name_)),
            number(found["count"], lambda n: f"{n:,.0f}"),
            number(found["rise_sum"]),
            number(found["rise_mean"]),
        ]
        for group, found in tails.transitions_.items()
    ]
    columns = ("Samples that are", "Count", "Rise, summed", "Rise, mean")
    caption = f"Rise of the loss since the {tails.onset_name_}"
    return Table(key="loss-groups", caption=caption, columns=columns, rows=rows)


def worst(material, tails):
    """The samples of greatest loss at the end."""
    record = material.held_out
    order = np.argsort(-record.loss[:, -1], kind="stable")[:WORST]
    key = material.held_out_key
    rows = [
        [
            *identity_cells(material, key, i),
            number(record.loss[i, tails.onset_]),
            number(record.loss[i, -1]),
            number(float(record.loss[i, -1]) - float(record.loss[i, tails.onset_])),
        ]
        for i in order.tolist()
    ]
    columns = (
        *identity_columns(material, key),
        f"Loss at the {tails.onset_name_}",
        "Loss at the end",
        "Rise",
    )
    return Table(
        key="worst-samples",
        caption=f"The {len(rows)} {material.held_out_words} of greatest loss at the end",
        columns=columns,
        rows=rows,
        sortable=True,
        copies=columns.index("Sample"),
        folded=True,
    )
