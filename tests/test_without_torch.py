"""A saved record loads without torch, every analyzer runs on it, and displays draw."""

import json
import subprocess
import sys

import pytest
from sklearn.datasets import load_digits

from sklearn_nndyn import DynamicsClassifier

# Put before a program: an import of these raises, as where they are not installed.
WITHOUT = """
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision", "skorch"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NotInstalled())
import warnings
warnings.simplefilter("error")
import sklearn_nndyn
from sklearn_nndyn import EntanglementAnalyzer, LearningPhaseAnalyzer, LossTailAnalyzer, SampleScoreAnalyzer
from sklearn_nndyn import load_dynamics
path = sys.argv[1]
"""

PROGRAMS = {
    "every public name that needs none": """
from sklearn_nndyn import analyzers, datasets, displays, dynamics
for package in (dynamics, datasets, displays, analyzers):
    for name in package.__all__:
        try:
            getattr(package, name)
        except ModuleNotFoundError as error:
            assert package is analyzers and error.name == "torch", (package, name)
""",
    "records": """
record = load_dynamics(path)
assert record.accuracy[-1] > 0.5
assert "torch" in record.header["versions"], "it was made where torch is"
record[::2].select_epochs(record.epochs[1:]).save(path + ".again")
assert load_dynamics(path + ".again").n_samples == (record.n_samples + 1) // 2
record.to_frame(), record.to_xarray(), repr(record)
""",
    "analyzers": """
record = load_dynamics(path)
for analyzer in (EntanglementAnalyzer(), LearningPhaseAnalyzer(), LossTailAnalyzer(), SampleScoreAnalyzer()):
    fitted = analyzer.fit(record)
    assert fitted.summary()
    assert len(fitted.transform(record)) == len(record)
""",
    "logs, arrays and staged ensembles": """
import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn_nndyn import Dynamics, DynamicsLog
from sklearn_nndyn.analyzers import find_label_errors
X, y = load_iris(return_X_y=True)
rounds = Dynamics.from_staged(HistGradientBoostingClassifier(max_iter=5).fit(X, y), X, y)
log = DynamicsLog(y)
for t, epoch in enumerate(rounds.epochs):
    log.add(epoch, np.arange(150), rounds.scores[:, t], activations={"z": X})
log.save(path + ".log")
record = DynamicsLog.load(path + ".log").dynamics()
assert (record.loss == rounds.loss).all()
assert "torch" not in record.header["versions"]
for analyzer in (EntanglementAnalyzer(), LossTailAnalyzer(), SampleScoreAnalyzer()):
    assert analyzer.fit(record).summary()
""",
    "wrong labels": """
from sklearn_nndyn.analyzers import find_label_errors
assert find_label_errors(load_dynamics(path)).scores.shape == (300,)
""",
    "displays": """
import inspect
from sklearn_nndyn import displays
record, drawn = load_dynamics(path), []
for name in displays.__all__:
    make = getattr(getattr(displays, name), "from_dynamics", None)
    parameters = [] if make is None else inspect.signature(make).parameters.values()
    if [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD] == ["dynamics"]:
        make(record).plot()
        drawn.append(name)
assert len(drawn) >= 8, drawn
""",
}  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "record.safetensors"
    record = ("samples", "geometry", "scores", "reconstruction", "gradients")
    X, y = load_digits(return_X_y=True)
    DynamicsClassifier(max_epochs=12, record=record, random_state=0).fit(X[:300], y[:300]).dynamics_.save(
        path
    )
    return path


# Put behind: every program in a namespace of its own, and what each raised as JSON.
ONE_AFTER_ANOTHER = """
import json, traceback
names, raised = dict(globals()), {}
for name, program in json.loads(sys.argv[2]).items():
    try:
        exec(program, dict(names))
        raised[name] = ""
    except BaseException:
        raised[name] = traceback.format_exc()
print(json.dumps(raised))
"""


@pytest.fixture(scope="module")
def raised(saved):
    """{program: what it raised}: one process for all of them, which would spend most of its time importing."""
    programs = json.dumps(PROGRAMS | {"needs torch": "sklearn_nndyn.DynamicsClassifier"})
    command = [sys.executable, "-c", WITHOUT + ONE_AFTER_ANOTHER, str(saved), programs]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_works_without_torch(raised, name):
    assert raised[name] == ""


def test_what_needs_torch_says_so(raised):
    assert "ModuleNotFoundError: No module named 'torch'" in raised["needs torch"]
