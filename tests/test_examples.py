"""Every example runs from an empty folder, without a warning, and makes what its text promises."""

import runpy
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("[0-9]*.py"))
PROMISED = {
    "1_record_and_look": ["output/1_digits.png"],
    "5_loss_tails": [
        f"output/5_digits_{kind}.png"
        for kind in ("curves", "refinement", "shares", "samples", "density", "worst")
    ],
    "6_entanglement": [
        f"output/6_{kind}.png" for kind in ("runs", "stability", "stragglers", "removal", "ten_classes")
    ],
    "7_learning_phases": [f"output/7_{kind}.png" for kind in ("phases", "images", "gradients")],
    "8_which_loss": [
        f"output/8_{kind}.png"
        for kind in ("fixed_curves", "fixed_noise", "tuned_curves", "tuned_noise", "regions")
    ],
    "9_wrong_labels": [f"output/9_{kind}.png" for kind in ("map", "suspects")],
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example(example, tmp_path, monkeypatch, capsys):
    # An empty data folder: the larger sets are left out, and the example says so.
    monkeypatch.setenv("SKLEARN_NNDYN_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(example)])
    plt.switch_backend("agg")
    runpy.run_path(str(example), run_name="__main__")
    plt.close("all")
    assert capsys.readouterr().out.strip()
    assert all((tmp_path / path).stat().st_size > 10_000 for path in PROMISED.get(example.stem, []))


def test_there_are_examples():
    assert len(EXAMPLES) >= 3
