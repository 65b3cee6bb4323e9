"""A finding says what it claims and what it rests on."""

import ast
import re
from pathlib import Path

import pytest

import sklearn_nndyn
from sklearn_nndyn.analyzers import Finding
from sklearn_nndyn.analyzers.catalogue._table import PHENOMENA, TABLE
from sklearn_nndyn.utils.text import summary_of


def test_a_finding_reads_as_a_sentence():
    finding = Finding(
        "LT2", "A small minority carries the rise", "cannot tell", value=0.031, n_runs=3, advice="Add seeds."
    )
    assert str(finding) == "LT2 A small minority carries the rise: cannot tell. 0.031; 3 runs. Add seeds."
    assert str(Finding("LP1", "R turns", "no")) == "LP1 R turns: no. One run."


def test_there_are_three_verdicts():
    with pytest.raises(ValueError, match="verdict must be one of 'yes', 'no', 'cannot tell'; got 'maybe'"):
        Finding("LT1", "The mean loss rises", "maybe")


def test_a_finding_rests_on_a_run():
    with pytest.raises(ValueError, match="n_runs must be 1 or more, got 0"):
        Finding("LT1", "The mean loss rises", "yes", n_runs=0)


def test_a_code_has_its_title_everywhere_and_an_unknown_one_is_refused():
    finding = Finding.from_code("LT1", "yes", value=0.5, statement="It rises.")
    assert (finding.title, finding.statement) == ("The mean loss rises", "It rises.")
    with pytest.raises(ValueError, match="There is no finding 'LT99'; there are LT1, LT2"):
        Finding.from_code("LT99", "yes")


def test_a_summary_says_findings_then_one_advice_then_the_source_and_is_wrapped():
    findings = [
        Finding.from_code("LT1", "yes", statement="It rises by 1 %.", advice="Look."),
        Finding.from_code("LT2", "yes", advice="Look at them."),
        Finding.from_code("LT3", "no", statement="Most rise too.", advice="Wait."),
    ]
    assert summary_of(findings, "Read.") == "It rises by 1 %. Most rise too. Look at them. Read."
    assert summary_of(findings[2:]) == "Most rise too. Wait."
    text = summary_of([Finding.from_code("LT1", "yes", statement=f"{'word ' * 19}99999 %" + " more" * 30)])
    assert max(map(len, text.splitlines())) <= 100
    assert "99999 %" in text


PACKAGE = Path(sklearn_nndyn.__file__).parent
CODE = re.compile(r"^[A-Z]{2}\d+$")


def codes_in_the_package():
    """Every text of the package's code, outside the table, that has the form of a code."""
    files = [
        path
        for path in PACKAGE.rglob("*.py")
        if "catalogue" not in path.parts and path.name != "_findings.py"
    ]
    files += [path for path in PACKAGE.rglob("_findings.py") if path.parent.name != "analyzers"]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    return {node.value for node in nodes if isinstance(node, ast.Constant) and CODE.match(str(node.value))}


def test_every_code_that_can_be_given_is_in_the_table_and_the_other_way_round():
    assert codes_in_the_package() == set(TABLE)


def test_the_table_is_complete_and_in_order():
    listed = [kind.code for kinds in PHENOMENA.values() for kind in kinds]
    assert len(listed) == len(set(listed)) == len(TABLE)
    for letters in {code[:2] for code in listed}:
        numbers = [int(code[2:]) for code in listed if code.startswith(letters)]
        assert numbers == sorted(numbers)
    for code, kind in TABLE.items():
        assert CODE.match(code)
        for text in (kind.meaning, kind.computed, kind.chance, kind.to_do):
            assert text.endswith("."), code
        assert not kind.title.endswith(".")
        assert "Yes: " in kind.meaning
