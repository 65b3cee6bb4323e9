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
LONG = (
    "2_search_over_losses",  # its searches, and its Pipeline, are the README's too
    "4_search_all_at_once",
    "6_entanglement",  # its analyzers and pictures are drawn by the pages of the guide
    "7_learning_phases",
    "8_which_loss",
    "11_many_processes",  # each process imports torch; tests/classifiers/checkpoint and the dask tests start some
    "13_tokens_with_a_mask",
    "14_mixed_table",
    "15_augmented_images",
    "16_dataset_on_disk",
    "17_fine_tuning",
)


def marked(path):
    """The long ones are left to the long run."""
    return pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if path.stem in LONG else [])


@pytest.mark.parametrize("example", map(marked, EXAMPLES))
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


@pytest.mark.parametrize(
    "example", [path for path in EXAMPLES if int(path.stem.split("_")[0]) >= 12], ids=lambda path: path.stem
)
def test_examples_of_what_people_bring_are_short(example):
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 60


def test_there_are_examples():
    assert len(EXAMPLES) >= 3
