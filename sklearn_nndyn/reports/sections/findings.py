"""All findings in one table, and the summary of each analysis."""

from sklearn_nndyn.reports._blocks import Cell, Section, Table, Terms, Text
from sklearn_nndyn.reports._words import number, words
from sklearn_nndyn.utils.text import figure, in_words

COLUMNS = ("Code", "Claim", "Holds", "Value", "95 % interval", "By chance", "Runs", "What to do")


def section(material):
    """The table of the findings; under it the summaries, and what has none: its own section says why."""
    analyses = material.analyses
    summaries = {title: one.found.summary() for title, one in analyses.items() if one.found is not None}
    blocks = [
        findings_table(material.findings) if material.findings else None,
        Terms(pairs=list(summaries.items())) if summaries else None,
        without_findings([title for title, one in analyses.items() if one.found is None]),
    ]
    return Section(key="findings", title="Findings", blocks=[block for block in blocks if block])


def without_findings(titles):
    """What this record does not allow, by name; None where it allows all."""
    if not titles:
        return None
    return Text(
        words=f"No findings on {in_words(title.lower() for title in titles)}; below it says what to record."
    )


def findings_table(findings):
    """A row for each finding."""
    return Table(
        key="findings-table",
        caption="Each claim, whether it holds in this record, and what it rests on",
        columns=COLUMNS,
        rows=[_row(finding) for finding in findings],
    )


def _row(finding):
    return [
        words(finding.code),
        words(finding.title),
        Cell(words=finding.verdict, verdict=finding.verdict.replace(" ", "-")),
        number(finding.value),
        _interval(finding.interval),
        number(finding.null),
        number(finding.n_runs),
        words(finding.advice),
    ]


def _interval(interval):
    if interval is None:
        return words("–")
    return Cell(words=f"{figure(interval[0])} to {figure(interval[1])}", value=interval[0])
