"""An import loads nothing that it need not, in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

DRAWING = {"matplotlib", "PIL", "jinja2"}
COMPILING = {"torch._dynamo", "torch._inductor", "torch.distributed.tensor"}
FRAMEWORKS = {"lightning", "transformers", "accelerate", "keras", "xgboost", "lightgbm", "torchvision"}
OTHERS = {"dask", "distributed", "polars", "xarray", "sphinx", "pytest"}
NEVER = DRAWING | COMPILING | FRAMEWORKS | OTHERS
NO_TORCH = NEVER | {"torch", "skorch"}
UNUSED = {
    "sklearn_nndyn": NO_TORCH | {"numpy", "scipy", "sklearn", "pandas"},
    "sklearn_nndyn.reports": NO_TORCH,  # it imports dynamics, analyzers and displays
    "sklearn_nndyn.model_selection": NEVER,  # it imports classifiers, training and recording
}
SCRIPT = """
import sys
from importlib import import_module
before = set(sys.modules)
module = import_module(sys.argv[1])
if sys.argv[1] != "sklearn_nndyn":
    [getattr(module, name) for name in module.__all__]
print(*set(sys.modules) - before)
"""


@pytest.mark.parametrize(
    "package",
    [
        "sklearn_nndyn",
        pytest.param("sklearn_nndyn.reports", marks=pytest.mark.slow),
        "sklearn_nndyn.model_selection",
    ],
)
def test_it_loads_nothing_that_it_need_not(package):
    """The first optimizer has torch import its compiler, which takes as long as torch: none is made at the import."""
    command = [sys.executable, "-c", SCRIPT, package]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    loaded = set(done.stdout.split())
    assert package in loaded
    assert loaded & UNUSED[package] == set()
