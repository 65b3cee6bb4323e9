"""The programs that the guide shows for other frameworks run, where these are installed."""

import os
import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs/guide/frameworks"
NEEDS = {
    "lightning_loop": "lightning",
    "transformers_loop": "transformers",
    "keras_loop": "keras",
    "accelerate_loop": "accelerate",
    "boosting_rounds": "xgboost",
}


def test_every_program_is_shown():
    page = (FOLDER.parent / "own_training.rst").read_text(encoding="utf-8")
    assert {path.stem for path in FOLDER.glob("*.py")} == set(NEEDS)
    assert all(f"literalinclude:: frameworks/{name}.py\n" in page for name in NEEDS)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", NEEDS)
def test_a_program_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")
    pytest.importorskip(NEEDS[name])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name])
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    assert "497 samples" in capsys.readouterr().out
