"""The section on refinement: the figures of the analyzer, in pictures, words and tables, or what is missing."""

import numpy as np
import pytest

from sklearn_nndyn import RefinementAnalyzer, report
from sklearn_nndyn.utils.text import figure
from tests.analyzers.refinement.planted_scores import planted_record
from tests.reports.records import Page, made_record

RECORD = planted_record(n_samples=300)


@pytest.fixture(scope="module")
def page():
    return Page(report(RECORD).html)


def test_the_words_and_the_table_have_the_figures_of_the_analyzer(page):
    found = RefinementAnalyzer().fit(RECORD)
    text = page.text("refinement")
    assert f"least loss: epoch {found.least_loss_epoch_}" in text
    assert f"least refinement: epoch {found.best_epoch_}" in text
    cells = page.text("refinement-table")
    for curve in (found.loss_curve_, found.refinement_curve_, found.calibration_curve_):
        assert figure(curve[-1]) in cells
    told = " ".join(
        attributes.get("aria-label", "") + words
        for tag in ("svg", "figure")
        for attributes, words in page.all(tag)
    )
    assert f"at epoch {found.best_epoch_}" in " ".join(told.split())


def test_its_findings_are_among_the_findings(page):
    table = page.text("findings-table")
    assert all(code in table for code in ("RF1", "RF2", "RF3"))


def test_without_scores_it_says_what_to_record():
    assert "record=('samples', 'scores'" in Page(report(made_record(leave_out=("scores",))).html).text(
        "refinement"
    )


def test_an_infinite_temperature_is_a_dash():
    scores = np.where(np.arange(4)[None, :, None] < 2, -1, 1) * RECORD.scores[:, [9, 10, 11, 12]]
    record = type(RECORD).from_scores(scores, RECORD.y)
    assert "–" in Page(report(record).html).text("temperature-table")
    assert report(record).html == report(record).html
