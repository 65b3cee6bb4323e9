"""Scores of the samples: how they were learned, and those whose labels look most wrong."""

import numpy as np

from sklearn_nndyn.reports._blocks import Note, Section, Table, Text
from sklearn_nndyn.reports._samples import identity_cells, identity_columns
from sklearn_nndyn.reports._words import epoch_cell, number, share, words

MOST = 100
COLUMNS = (
    "Mostly predicted",
    "Area under the margin",
    "Confidence",
    "Variability",
    "Correct",
    "EL2N",
    "Forgotten",
    "Learned at epoch",
)


def section(material):
    """How the scores are spread, and a sortable table of the most suspect samples."""
    scores, errors = material.sample_scores.found, material.label_errors.found
    if scores is None:
        blocks = [Note(words=material.sample_scores.reason)]
    else:
        blocks = [spread(scores), introduction(material, scores), table(material, scores, errors)]
        blocks += [] if errors else [Note(words=f"Wrong labels: {material.label_errors.reason}")]
    return Section(key="samples", title="Samples", blocks=blocks)


def columns_of(scores):
    """{title: ((n_samples,) values, kind of cell)} of the scores that the record allows."""
    values = (
        (scores.area_under_margin_, number),
        (scores.confidence_, number),
        (scores.variability_, number),
        (scores.correctness_, share),
        (scores.el2n_, number),
        (scores.forgetting_events_, lambda count: number(count, lambda n: f"{n:,.0f}")),
        (scores.epoch_learned_, epoch_cell),
    )
    every = dict(zip(COLUMNS[1:], values, strict=True))
    return {title: known for title, known in every.items() if known[0] is not None}


def spread(scores):
    """Quantiles of every score."""
    rows = []
    for title, (values, cell) in columns_of(scores).items():
        known = np.asarray(values, dtype=float)
        known = known[np.isfinite(known)]
        quantiles = np.quantile(known, (0, 0.05, 0.5, 0.95, 1)) if len(known) else [np.nan] * 5
        rows.append([words(title), *(cell(value) for value in quantiles)])
    columns = ("Score", "Least", "5 %", "Median", "95 %", "Greatest")
    return Table(
        key="score-quantiles",
        caption="How the scores are spread over the samples",
        columns=columns,
        rows=rows,
    )


def introduction(material, scores):
    """What the table lists, and how to have the rest."""
    n_samples = len(scores.area_under_margin_)
    listed = "all of them are" if n_samples <= MOST else f"the {MOST} of least area under the margin are"
    return Text(
        words=(
            f"Of {n_samples:,} {material.record_words}, {listed} listed, the most suspect first. A row for each sample "
            "is what SampleScoreAnalyzer().fit_transform(record) gives."
        )
    )


def table(material, scores, errors):
    """The samples of least area under the margin."""
    order = np.argsort(scores.area_under_margin_, kind="stable")[:MOST].tolist()
    columns = columns_of(scores)
    rows = [
        [
            *identity_cells(material, "record", i),
            words("–" if errors is None else errors.suggestions[i]),
            *(cell(values[i]) for values, cell in columns.values()),
        ]
        for i in order
    ]
    titles = (*identity_columns(material, "record"), COLUMNS[0], *columns)
    return Table(
        key="sample-scores",
        caption=f"Scores of the {len(rows)} most suspect {material.record_words}",
        columns=titles,
        rows=rows,
        sortable=True,
        copies=titles.index("Sample"),
    )
