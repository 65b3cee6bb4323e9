"""What the README shows runs, block after block."""

import re
import runpy
from pathlib import Path

import matplotlib
import pytest

from tests.readme_blocks import blocks, four_arrays

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def names(tmp_path, monkeypatch):
    """The arrays that the blocks take for granted, and nothing else."""
    monkeypatch.chdir(tmp_path)
    return four_arrays()


def test_every_block_runs(names):
    code = blocks(TEXT)
    assert len(code) >= 6
    matplotlib.use("Agg")
    for block in code:
        exec(block, names)
    assert names["clf"].early_stopping
    assert names["net"].dynamics_.n_classes == 4
    images = names["X_train"].reshape(-1, 1, 8, 8)
    fitted = names["DynamicsClassifier"](names["network"], loss=names["hellinger"], max_epochs=1).fit(
        images, names["y_train"]
    )
    assert fitted.dynamics_.layers


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
