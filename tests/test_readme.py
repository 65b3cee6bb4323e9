"""What the README shows runs, block after block."""

import re
import runpy
from pathlib import Path

import matplotlib
import pytest

from tests.readme_blocks import blocks, four_arrays, with_fewer_epochs

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def names(tmp_path, monkeypatch):
    """The arrays that the blocks take for granted, and nothing else."""
    monkeypatch.chdir(tmp_path)
    return four_arrays()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(with_fewer_epochs, id="few-epochs"),
        pytest.param(str, id="as-written", marks=pytest.mark.slow),
    ],
)
def test_every_block_runs(names, change):
    """As they stand, or with fewer epochs."""
    code = blocks(TEXT)
    assert len(code) >= 6
    matplotlib.use("Agg")
    for block in code:
        exec(change(block), names)
    assert names["clf"].early_stopping
    assert names["net"].dynamics_.n_classes == 4
    images = names["X_train"].reshape(-1, 1, 8, 8)
    fitted = names["DynamicsClassifier"](names["network"], loss=names["hellinger"], max_epochs=1).fit(
        images, names["y_train"]
    )
    assert fitted.dynamics_.layers


def test_fewer_epochs_are_fewer_and_never_more():
    code = "DynamicsClassifier(max_epochs=60)\nDynamicsClassifier(max_epochs=2, lr=60)\n"
    assert with_fewer_epochs(code) == code.replace("max_epochs=60", "max_epochs=12")


def test_every_file_it_points_to_exists():
    links = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


FIGURES = runpy.run_path(str(ROOT / "benchmarks/readme_figures.py"))


def test_its_figures_of_speed_are_those_of_the_tables():
    tables = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    words = " ".join(TEXT.split())
    assert [phrase for phrase in FIGURES["phrases"](tables) if phrase not in words] == []


def test_other_tables_make_other_figures_and_a_missing_row_is_named():
    table = "| 1 | ours / bare |\n|---|---|\n| A | 0.1 |\n| B | 0.3 |\n| C | 0.2 |\n"
    assert "takes 0.10 to 0.30 of" in FIGURES["training"](table)
    with pytest.raises(ValueError, match="row 'cross-fitted' and a column 'once, s'"):
        FIGURES["reconstruction"](table)


def test_figures_are_put_in_where_they_stand():
    tables = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")
    assert FIGURES["with_figures"](TEXT, tables) == TEXT
    other = re.sub(r"(cross-fitted \| )[\d.]+", r"\g<1>7.77", tables)
    written = FIGURES["with_figures"](TEXT, other)
    assert written.replace("7.8 seconds", "1.3 seconds") == TEXT != written
    with pytest.raises(ValueError, match="says 0 times 'training takes"):
        FIGURES["with_figures"]("Another README.", tables)


def test_a_table_of_peers_is_kept_and_remembered(tmp_path, monkeypatch):
    for name in ("TABLES", "README"):
        monkeypatch.setitem(FIGURES["write"].__globals__, name, tmp_path / name)
        (tmp_path / name).write_text(FIGURES[name].read_text("utf-8"), "utf-8")
    monkeypatch.setitem(FIGURES["write"].__globals__, "HISTORY", tmp_path / "history.csv")
    monkeypatch.setitem(FIGURES["remember"].__globals__, "commit", lambda: "abc123")
    rows = [{"problem": name, "ours / bare": f"0.{i}5 (0.10 to 0.90)"} for i, name in enumerate("ABC")]
    for conditions in ("Once.", "Twice."):
        FIGURES["write"](conditions, [*rows, {"problem": "Conv2", "ours / bare": "0.88"}])
    tables, readme = ((tmp_path / name).read_text("utf-8") for name in ("TABLES", "README"))
    assert "| B | 0.15 (0.10 to 0.90) |\n" in tables
    assert "Once." not in tables
    assert tables.splitlines()[-5:] == FIGURES["TABLES"].read_text("utf-8").splitlines()[-5:]
    assert "training takes 0.05 to 0.25 of" in readme
    assert "net 0.88" in readme
    history = (tmp_path / "history.csv").read_text("utf-8").splitlines()
    assert len(history) == 1 + 2 * 4
    assert history[2].split(",")[1:] == ["abc123", "Once.", "B", "ours / bare", "0.15", "0.10", "0.90"]
