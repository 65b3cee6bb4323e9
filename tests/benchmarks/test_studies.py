"""The studies' README, tables, rules and claims agree; and each study runs, small, and writes what agrees."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STUDIES = Path(__file__).parents[2] / "benchmarks" / "studies"
pytestmark = pytest.mark.skipif(not STUDIES.exists(), reason="the studies are not part of what is installed")


@pytest.fixture(scope="module")
def agreement():
    sys.path.insert(0, str(STUDIES))
    import agreement

    yield agreement
    sys.path.remove(str(STUDIES))


@pytest.fixture
def copy(tmp_path):
    """README, tables, rules and claims, to be altered."""
    ignored = shutil.ignore_patterns("*.py", "figures", "__pycache__")
    return Path(shutil.copytree(STUDIES, tmp_path / "studies", ignore=ignored))


def alter(file, pattern):
    """Change the first digit of the last match."""
    text = file.read_text()
    match = list(re.finditer(pattern, text))[-1]
    at = match.start() + re.search(r"\d", match[0]).start()
    file.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :])


def test_readme_tables_rules_and_claims_agree(agreement):
    assert agreement.problems() == []


@pytest.mark.parametrize(
    ("file", "pattern", "message"),
    [
        ("README.md", r"(?m)^\| .*held \(.*\d.*$", "README.md"),
        ("README.md", r"sha256 \d\w+", "README.md"),
        ("tables/loss_tails.md", r"\d\.\d+ ± ", "tables/loss_tails.md"),
        ("tables/losses.md", r"(?m)^\| 4a .*$", "tables/"),
        ("claims.json", r'"value": -?\d', ""),
        ("claims.json", r'"held": \d', ""),
        ("claims.json", r'"digest": "\w*\d', ""),
    ],
)
def test_an_altered_number_is_told(agreement, copy, file, pattern, message):
    assert agreement.problems(copy) == []
    alter(copy / file, pattern)
    found = agreement.problems(copy)
    assert found
    assert message in found[-1]


def test_rules_changed_after_the_run_are_told(agreement, copy):
    alter(copy / "rules" / "entanglement.json", r'"seeds": \[\d')
    assert any("is not the file by which" in text for text in agreement.problems(copy))


def test_a_claim_that_readme_leaves_out_is_told(agreement, copy):
    text = (copy / "README.md").read_text()
    (copy / "README.md").write_text(text.replace("<!-- claims: losses -->", ""))
    assert "README.md: no claims of losses" in agreement.problems(copy)


@pytest.mark.parametrize(("statistics", "kept"), [("earlier", True), ("current", False)])
def test_earlier_tables_go_once_no_claim_rests_on_them(agreement, tmp_path, statistics, kept):
    import _claims

    claims = [entry | {"statistics": statistics} for entry in _claims.read_claims(STUDIES)]
    (tmp_path / "claims.json").write_text(json.dumps(claims))
    for text in ("Earlier statistics: five seeds.", "Earlier statistics: two."), ("0.1",):
        _claims.write_tables(tmp_path, "losses", "Losses", {f"part {i}": own for i, own in enumerate(text)})
    found = _claims.sections_of((tmp_path / "tables" / "losses.md").read_text())
    assert found["part 0"] == "0.1"
    assert ("part 1" in found) is kept


@pytest.mark.slow
@pytest.mark.parametrize("study", ["loss_tails"])
def test_a_small_run_writes_claims_and_tables_that_agree(agreement, tmp_path, study):
    small = {"loss_tails": ["--data", "table"], "entanglement": ["--parts", "stability"]}[study]
    shutil.copytree(STUDIES / "rules", tmp_path / "rules")
    command = [
        sys.executable,
        str(STUDIES / f"{study}.py"),
        "--quick",
        "--threads",
        "1",
        "--out",
        str(tmp_path),
    ]
    subprocess.run([*command, *small], check=True, capture_output=True)
    (tmp_path / "README.md").write_text(f"<!-- claims: {study} -->\n<!-- end of claims -->\n")
    found = agreement.problems(tmp_path)
    assert found == ["README.md: its claims are not those of claims.json"]
