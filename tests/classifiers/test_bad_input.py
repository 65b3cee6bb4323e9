"""Whatever cannot be used is told before training starts, in the user's words, and costs nothing."""

import copy
import re

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.exceptions import NotFittedError

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.training._epoch_runner import EpochRunner
from sklearn_nndyn.training._net import DynamicsNet
from tests.pairwise import for_each

try:
    from sklearn.callback import ProgressBar
except ImportError:  # before scikit-learn 1.9

    class ProgressBar:
        """Something that is no skorch callback."""


N = 12
X = np.random.default_rng(0).normal(size=(N, 4))
IMAGES = np.random.default_rng(1).normal(size=(N, 1, 4, 4))
y = np.arange(N) % 2
THREE = np.arange(N) % 3


def with_entry(value, dtype=float):
    changed = X.astype(dtype)
    changed[3, 1] = value
    return changed


class Scores(torch.nn.Module):
    """A linear classifier, the base of those that do something wrong."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.linear(x)


class FailsInForward(Scores):
    def forward(self, x):
        raise KeyError("oops")


class FailsInTraining(Scores):
    def forward(self, x):
        if self.training:
            raise RuntimeError("only in training")
        return super().forward(x)


class ReturnsNothing(Scores):
    def forward(self, x):
        self.linear(x)


class ReturnsLabels(Scores):
    def forward(self, x):
        return super().forward(x).argmax(1)


class Detaches(Scores):
    def forward(self, x):
        return super().forward(x).detach()


class WritesIntoItsInput(Scores):
    def forward(self, x):
        return super().forward(x.relu_())


class IsFrozen(Scores):
    def __init__(self):
        super().__init__()
        self.requires_grad_(False)


class NeedsWidth(torch.nn.Module):
    def __init__(self, width):
        super().__init__()


class FailsInConstructor(torch.nn.Module):
    def __init__(self):
        raise OSError("no such file")


class NeedsTemperature(torch.nn.Module):
    def __init__(self, temperature):
        super().__init__()


FIT = ("X", "y", "sample_weight", "X_val", "y_val")

# what is wrong: (what is given in place of what is right, what is told)
DATA = {
    "X-nan": ({"X": with_entry(np.nan)}, "Input X contains NaN"),
    "X-infinite": ({"X": with_entry(np.inf)}, "Input X contains infinity"),
    "X-beyond-float32": (
        {"X": with_entry(1e300), "dtype": "float32"},
        "a value too large for dtype('float32')",
    ),
    "X-empty": ({"X": X[:0], "y": y[:0]}, "Found array with 0 sample(s)"),
    "X-no-features": ({"X": X[:, :0]}, "Found array with 0 feature(s)"),
    "X-empty-images": ({"X": IMAGES[:, :, :0]}, "X has samples of shape (1, 0, 4): there is nothing in them"),
    "X-one-axis": ({"X": X[:, 0]}, "Expected 2D array, got 1D array instead"),
    "X-sparse-nan": ({"X": sparse.csr_array(np.full((N, 2), np.nan))}, "Input X contains NaN"),
    "X-complex": ({"X": X + 1j}, "Complex data not supported"),
    "X-strings": (
        {"X": np.full((N, 2), "a", dtype=object)},
        "X must hold numbers: could not convert string to float: 'a'. Encode text first",
    ),
    "X-table-of-strings": (
        {"X": pd.DataFrame({"a": ["x"] * N})},
        "X must hold numbers: could not convert string to float: 'x'",
    ),
    "X-ragged": ({"X": [[1, 2], [3]], "y": [0, 1]}, "inhomogeneous shape"),
    "y-one-class": ({"y": np.zeros(N, int)}, "at least 2 classes, but y holds one class only: [0]"),
    "y-one-class-of-many": ({"y": ["cat"] * N}, "at least 2 classes, but y holds one class only: ['cat']"),
    "y-floats": ({"y": y + 0.5}, "Unknown label type: continuous"),
    "y-nan": ({"y": np.where(y == 1, np.nan, 0.0)}, "Input y contains NaN"),
    "y-too-short": ({"y": y[:5]}, "inconsistent numbers of samples: [12, 5]"),
    "y-two-columns": ({"y": np.c_[THREE, y]}, "y should be a 1d array, got an array of shape (12, 2)"),
    "y-missing": ({"y": None}, "requires y to be passed, but the target y is None"),
    "y-mixed": (
        {"y": np.array([1, "a"] * 6, dtype=object)},
        "y must hold strings, numbers or booleans, of one kind; got int, str",
    ),
    "y-with-none": ({"y": np.array(["a", None] * 6, dtype=object)}, "of one kind; got NoneType, str"),
    "y-dates": (
        {"y": np.array(["2020-01-01", "2020-01-02"] * 6, "M8[D]")},
        "of one kind; got date (dtype datetime64[D])",
    ),
    "X_val-alone": ({"X_val": X}, "X_val was given without y_val: validation needs both"),
    "y_val-alone": ({"y_val": y}, "y_val was given without X_val: validation needs both"),
    "X_val-and-fraction": (
        {"X_val": X, "y_val": y, "validation_fraction": 0.5},
        "either X_val and y_val or validation_fraction, not both",
    ),
    "X_val-too-narrow": (
        {"X_val": X[:, :3], "y_val": y},
        "X_val, y_val: X has 3 features, but DynamicsClassifier is expecting 4",
    ),
    "X_val-nan": ({"X_val": with_entry(np.nan), "y_val": y}, "X_val, y_val: Input X contains NaN"),
    "X_val-empty": ({"X_val": X[:0], "y_val": y[:0]}, "X_val, y_val: Found array with 0 sample(s)"),
    "X_val-too-short": (
        {"X_val": X[:3], "y_val": y},
        "X_val, y_val: Found input variables with inconsistent numbers of samples: [3, 12]",
    ),
    "X_val-other-images": (
        {"X": IMAGES, "X_val": np.zeros((N, 1, 5, 5)), "y_val": y},
        "X_val, y_val: X has samples of shape (1, 5, 5), but",
    ),
    "y_val-unseen": (
        {"X_val": X, "y_val": THREE},
        "y_val holds labels unseen at fit: [2]; the classes are [0, 1]",
    ),
    "y_val-of-another-kind": (
        {"X_val": X, "y_val": y.astype(str)},
        "y_val holds labels unseen at fit: ['0', '1']",
    ),
    "y_val-floats": ({"X_val": X, "y_val": y + 0.5}, "X_val, y_val: Unknown label type: continuous"),
    "sample_weight-negative": (
        {"sample_weight": -np.ones(N)},
        "Negative values in data passed to `sample_weight`",
    ),
    "sample_weight-nan": ({"sample_weight": np.full(N, np.nan)}, "Input sample_weight contains NaN"),
    "sample_weight-all-zero": ({"sample_weight": np.zeros(N)}, "zero"),
    "sample_weight-too-short": ({"sample_weight": np.ones(3)}, "sample_weight.shape == (3,), expected (12,)"),
    "sample_weight-of-one-class": (
        {"sample_weight": y},
        "y, where weights are greater than zero, holds one class only: [1]",
    ),
    "sample_weight-strings": (
        {"sample_weight": ["a"] * N},
        "sample_weight must hold numbers: could not convert string to float: 'a'",
    ),
    "class_weight-of-no-class": (
        {"class_weight": {7: 1}},
        "class_weight names [7], but the classes are [0, 1]",
    ),
    "class_weight-misspelt": (
        {"y": np.array(["cat", "dog"])[y], "class_weight": {"cat": 1, "dgo": 2}},
        "class_weight names ['dgo'], but the classes are ['cat', 'dog']",
    ),
    "class_weight-of-one-class": (
        {"class_weight": {0: 0}},
        "where weights are greater than zero, holds one class only: [1]",
    ),
    "validation_fraction-too-small": (
        {"validation_fraction": 0.05},
        "validation_fraction=0.05 cannot be held out of 12 samples, of which the smallest class has 6: every "
        "class needs samples on either side",
    ),
    "validation_fraction-too-large": (
        {"validation_fraction": 0.97},
        "Take another fraction, or give X_val and y_val",
    ),
    "validation_fraction-of-a-single-sample": (
        {"y": np.arange(N) == 3, "validation_fraction": 0.5},
        "of which the smallest class has 1",
    ),
    "validation_fraction-takes-a-class": (
        {"X": np.ones((40, 2)), "y": np.arange(40) < 2, "validation_fraction": 0.9},
        "of which the smallest class has 2",
    ),
    "batch-norm-of-one": (
        {"module": MLP((3,), batch_norm=True), "batch_size": 1},
        "needs batches of at least 2 samples: set batch_size to 2 or more",
    ),
}
PARAMETERS = {
    "loss-misspelt": (
        {"loss": "squard_hinge"},
        "Unknown loss 'squard_hinge'; the nearest name is 'squared_hinge'",
    ),
    "loss-number": ({"loss": 3}, "loss must be a name, a ClassificationLoss, a torch module or a callable"),
    "loss-needs-arguments": (
        {"loss": NeedsTemperature},
        "loss NeedsTemperature cannot be made without arguments",
    ),
    "loss-of-scores-alone": (
        {"loss": lambda scores: scores.sum(1)},
        "loss cannot be computed from scores of shape (3, 2)",
    ),
    "loss-averaged": (
        {"loss": torch.nn.functional.cross_entropy},
        "one value per sample, not averaged (torch's functions take reduction='none')",
    ),
    "loss-in-numpy": (
        {"loss": lambda scores, target: np.zeros(len(target))},
        "must give a torch tensor of one value per sample, got ndarray",
    ),
    "loss-flat": (
        {"loss": lambda scores, target: (scores.argmax(1) != target).float()},
        "not depend on the parameters of module",
    ),
    "optimizer-misspelt": ({"optimizer": "adm"}, "optimizer 'adm' is unknown. Did you mean \"adam\"?"),
    "optimizer-number": (
        {"optimizer": 3},
        'optimizer must be a name such as "adam" or a torch optimizer class, got 3',
    ),
    "optimizer-other-class": ({"optimizer": torch.nn.Linear}, "or a torch optimizer class, got <class"),
    "optimizer_params-misspelt": (
        {"optimizer": "sgd", "optimizer_params": {"momentm": 0.9}},
        "optimizer_params: SGD has no 'momentm'. Did you mean \"momentum\"?",
    ),
    "optimizer_params-of-another": (
        {"optimizer_params": {"momentum": 0.9}},
        "optimizer_params: Adam has no 'momentum'. It has betas, eps",
    ),
    "optimizer_params-bad-value": (
        {"optimizer_params": {"betas": (2, 3)}},
        "Adam cannot be made with optimizer_params={'betas': (2, 3)}: Invalid beta parameter",
    ),
    "optimizer_params-with-lr": (
        {"optimizer_params": {"lr": 1.0}},
        "optimizer_params holds lr, which is a parameter of the classifier",
    ),
    "optimizer_params-list": (
        {"optimizer_params": [0.9]},
        "optimizer_params must be None or a dict, got [0.9]",
    ),
    "lr-zero": ({"lr": 0}, "lr must be a finite number greater than 0, got 0"),
    "lr-negative": ({"lr": -0.1}, "lr must be a finite number greater than 0, got -0.1"),
    "lr-nan": ({"lr": np.nan}, "lr must be a finite number greater than 0, got nan"),
    "lr-string": ({"lr": "0.1"}, "lr must be a finite number greater than 0, got '0.1'"),
    "weight_decay-negative": (
        {"weight_decay": -1},
        "weight_decay must be a finite number, 0 or greater, got -1",
    ),
    "weight_decay-twice": (
        {"optimizer": "sgd", "weight_decay": 0.1, "optimizer_params": {"weight_decay": 0.2}},
        "weight_decay=0.1 and optimizer_params={'weight_decay': 0.2} set the same thing: set one of them",
    ),
    "weight_decay-not-supported": (
        {"optimizer": "rprop", "weight_decay": 0.1},
        "optimizer Rprop has no weight_decay; set weight_decay=0",
    ),
    "batch_size-zero": (
        {"batch_size": 0},
        'batch_size must be "auto", "full" or an integer, 1 or greater, got 0',
    ),
    "batch_size-negative": ({"batch_size": -1}, "or an integer, 1 or greater, got -1"),
    "batch_size-fraction": ({"batch_size": 2.5}, "or an integer, 1 or greater, got 2.5"),
    "batch_size-all": ({"batch_size": "all"}, "or an integer, 1 or greater, got 'all'"),
    "max_epochs-zero": ({"max_epochs": 0}, "max_epochs must be an integer, 1 or greater, got 0"),
    "max_epochs-fraction": ({"max_epochs": 1.5}, "max_epochs must be an integer, 1 or greater, got 1.5"),
    "shuffle-word": ({"shuffle": "yes"}, "shuffle must be True or False, got 'yes'"),
    "record-unknown": (
        {"record": ("samples", "loss")},
        "record: ['loss'] cannot be recorded; choose from samples, geometry, scores",
    ),
    "record-string": (
        {"record": "samples"},
        'record must be a tuple such as ("samples", "geometry"), got \'samples\'',
    ),
    "record-none": ({"record": None}, 'record must be a tuple such as ("samples", "geometry"), got None'),
    "record_epochs-word": (
        {"record_epochs": "some"},
        'record_epochs must be "all", "log", a positive step, a list of epochs',
    ),
    "record_epochs-negative": (
        {"record_epochs": [-1]},
        "a list of epochs (0 or greater) or a callable of the epoch, got [-1]",
    ),
    "record_epochs-step-zero": ({"record_epochs": 0}, "record_epochs must be"),
    "record_epochs-nothing": ({"record_epochs": []}, "record_epochs must be"),
    "record_epochs-of-no-epoch": (
        {"record_epochs": lambda: True},
        "record_epochs cannot be called with an epoch: TypeError",
    ),
    "snapshots-word": (
        {"snapshots": "no"},
        "snapshots must be True, False, \"trainable\", an integer, or a folder, got 'no': there is no such folder",
    ),
    "validation_fraction-zero": (
        {"validation_fraction": 0},
        "None or a number between 0 and 1, both excluded, got 0",
    ),
    "validation_fraction-one": (
        {"validation_fraction": 1},
        "None or a number between 0 and 1, both excluded, got 1",
    ),
    "early_stopping-number": (
        {"early_stopping": 1},
        "early_stopping must be True or False, got 1",
    ),
    "tol-negative": ({"tol": -1e-4}, "tol must be a finite number, 0 or greater, got -0.0001"),
    "n_iter_no_change-zero": (
        {"n_iter_no_change": 0},
        "n_iter_no_change must be an integer, 1 or greater, got 0",
    ),
    "class_weight-word": (
        {"class_weight": "even"},
        "class_weight must be None, \"balanced\" or a dict {class: weight >= 0}, got 'even'",
    ),
    "class_weight-negative": ({"class_weight": {0: -1}}, "a dict {class: weight >= 0}, got {0: -1}"),
    "device-unknown": ({"device": "gpu"}, "device 'gpu' cannot be used: Expected one of cpu, cuda"),
    "device-none": (
        {"device": None},
        'device must be "auto", a name such as "cpu" or "cuda", or a torch.device, got None',
    ),
    "device-without-data": ({"device": "meta"}, "device 'meta' cannot be used"),
    "dtype-half": ({"dtype": "float16"}, 'dtype must be "float32" or "float64", got \'float16\''),
    "warm_start-number": ({"warm_start": 2}, "warm_start must be True or False, got 2"),
    "random_state-word": (
        {"random_state": "a"},
        "random_state must be None, an integer from 0 to 2**32 - 1 or a numpy.random.RandomState, got 'a'",
    ),
    "random_state-generator": (
        {"random_state": np.random.default_rng(0)},
        "random_state must be None, an integer",
    ),
    "callbacks-string": ({"callbacks": "a"}, "callbacks must be a list of skorch callbacks, got str"),
    "callbacks-number": ({"callbacks": [3]}, "callbacks takes skorch callbacks, got int"),
    "callbacks-of-sklearn": (
        {"callbacks": [ProgressBar()]},
        "got ProgressBar. scikit-learn's own go through set_callbacks(...)",
    ),
    "num-workers-negative": ({"num_workers": -1}, "num_workers must be an integer, 0 or greater, got -1"),
    "num-workers-true": ({"num_workers": True}, "num_workers must be an integer, 0 or greater, got True"),
    "verbose-negative": ({"verbose": -1}, "verbose must be an integer, 0 or greater, got -1"),
    "module-number": (
        {"module": 3},
        "module must be None, an architecture such as MLP(), a torch.nn.Module class or instance, or",
    ),
    "module-architecture-class": ({"module": MLP}, "(input_shape, n_classes) -> torch.nn.Module, got MLP"),
    "module-without-parameters": (
        {"module": torch.nn.Identity()},
        "module Identity has no parameters: there is nothing to train",
    ),
    "module-frozen": (
        {"module": IsFrozen},
        "module IsFrozen: every parameter is frozen (requires_grad=False); there is nothing to train",
    ),
    "module-outputs": (
        {"module": torch.nn.Linear(4, 3)},
        "a score for each of the 2 classes, shape (2, 2) for 2 samples, but gives (2, 3)",
    ),
    "module-inputs": (
        {"module": torch.nn.Linear(5, 2)},
        "module cannot process a batch of shape (2, 4): RuntimeError: mat1 and mat2",
    ),
    "module-fails": (
        {"module": FailsInForward},
        "module cannot process a batch of shape (2, 4): KeyError: 'oops'",
    ),
    "module-fails-in-training": ({"module": FailsInTraining}, "(2, 4): RuntimeError: only in training"),
    "module-returns-nothing": ({"module": ReturnsNothing}, "for 2 samples, but gives NoneType"),
    "module-returns-labels": ({"module": ReturnsLabels}, "for 2 samples, but gives (2,)"),
    "module-detaches": (
        {"module": Detaches},
        "look for detach, no_grad or argmax in the module and in the loss",
    ),
    "module-writes-into-X": ({"module": WritesIntoItsInput}, "module writes into its input"),
    "module-class-needs-more": (
        {"module": NeedsWidth},
        "the class NeedsWidth needs width; only input_shape and n_classes are filled in",
    ),
    "module-class-fails": (
        {"module": FailsInConstructor},
        "module: FailsInConstructor() failed: OSError: no such file",
    ),
    "module-factory-fails": ({"module": lambda shape: None}, "((4,), 2) failed: TypeError"),
    "module-factory-makes-no-module": (
        {"module": lambda shape, k: k},
        "module must make a torch.nn.Module, but",
    ),
    "MLP-sizes": (
        {"module": MLP(100)},
        "MLP: hidden_layer_sizes must be a sequence of positive integers such as (100,), got 100",
    ),
    "MLP-size-zero": ({"module": MLP((5, 0))}, "a sequence of positive integers such as (100,), got (5, 0)"),
    "MLP-activation": (
        {"module": MLP(activation="rulu")},
        "activation must be one of relu, tanh, logistic, identity, leaky_relu, elu, gelu, silu, got 'rulu'",
    ),
    "MLP-dropout": ({"module": MLP(dropout=1)}, "dropout must be a number in [0, 1), got 1"),
    "MLP-batch_norm": ({"module": MLP(batch_norm="yes")}, "batch_norm must be True or False, got 'yes'"),
}
MISTAKES = {**DATA, **PARAMETERS}


@pytest.fixture
def no_training(monkeypatch):
    def trained(*args, **kwargs):
        pytest.fail("an epoch was trained")

    monkeypatch.setattr(EpochRunner, "run_epoch", trained)
    monkeypatch.setattr(DynamicsNet, "run_single_epoch", trained)


@pytest.fixture(scope="module")
def fitted():
    return DynamicsClassifier(MLP((5,)), max_epochs=2, random_state=0, dtype="float64").fit(X, y)


@pytest.fixture(scope="module")
def fitted_on_images():
    return DynamicsClassifier(MLP((5,)), max_epochs=2, random_state=0).fit(IMAGES, y)


def fit(clf, given):
    """Fit with ``given`` in place of what is right."""
    clf.set_params(**{name: value for name, value in given.items() if name not in FIT})
    data = {"X": X, "y": y} | {name: value for name, value in given.items() if name in FIT}
    return clf.fit(data.pop("X"), data.pop("y"), **data)


def test_what_is_right_is_trained():
    """The oracle of this file: the helper fits, and the guard hears of it."""
    fit(DynamicsClassifier(max_epochs=1), {})


def test_the_guard_hears_of_training(no_training):
    for optimizer in ("adam", "lbfgs"):
        with pytest.raises(pytest.fail.Exception, match="an epoch was trained"):
            fit(DynamicsClassifier(optimizer=optimizer), {})


@for_each("mistake", MISTAKES)
def test_it_is_told_before_training(mistake, no_training):
    given, message = mistake
    with pytest.raises((ValueError, TypeError)) as caught:
        fit(DynamicsClassifier(MLP((5,)), max_epochs=2), given)
    assert message in str(caught.value)


def asked(clf):
    """What a fitted classifier knows, as arrays of their own."""
    replayed = clf.replay(X, y, record=("samples",)).loss
    return clf.decision_function(X), clf.dynamics_.loss.copy(), clf.activations(X, epoch=1), replayed


def test_a_failed_refit_costs_nothing(fitted, no_training):
    known = asked(fitted)

    @for_each("mistake", MISTAKES)
    def refit(mistake):
        clf = copy.copy(fitted)
        before = dict(vars(clf))
        with pytest.raises((ValueError, TypeError)):
            fit(clf, mistake[0])
        parameters = clf.get_params(deep=False)
        assert vars(clf).keys() == before.keys()
        assert all(value is before[name] for name, value in vars(clf).items() if name not in parameters)
        np.testing.assert_array_equal(clf.decision_function(X), known[0])

    refit()
    for found, expected in zip(asked(fitted), known, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "given",
    [
        {"y": np.zeros(N, int)},
        {"X": with_entry(np.nan)},
        {"sample_weight": np.zeros(N)},
        {"module": FailsInForward},
        {"loss": 3},
        {"batch_size": 0},
    ],
    ids=str,
)
def test_a_failed_first_fit_leaves_it_unfitted(given, no_training):
    clf = DynamicsClassifier(MLP((5,)))
    with pytest.raises((ValueError, TypeError)):
        fit(clf, given)
    assert vars(clf).keys() == clf.get_params(deep=False).keys()
    with pytest.raises(NotFittedError):
        clf.predict(X)


def test_several_mistakes_are_named_at_once(no_training):
    clf = DynamicsClassifier(
        MLP((0,), dropout=2), lr=-1, batch_size=0, loss="lgo", optimizer=3, record="samples"
    )
    with pytest.raises(ValueError, match=r"^6 parameters cannot be used:\n- ") as caught:
        clf.fit(X, y)
    lines = str(caught.value).splitlines()[1:]
    starts = (
        "- lr must",
        "- batch_size must",
        "- MLP: hidden_layer_sizes",
        "- Unknown loss",
        "- optimizer must",
        "- record",
    )
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))
    assert "dropout must" in lines[2]


@pytest.mark.parametrize(
    ("value", "kind"),
    [({"loss": 3}, TypeError), ({"loss": "lgo"}, ValueError), ({"record": "samples"}, TypeError)],
)
def test_a_single_mistake_is_told_as_what_it_is(value, kind, no_training):
    with pytest.raises(kind) as caught:
        fit(DynamicsClassifier(), value)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


# partial_fit


def test_partial_fit_wants_all_labels_at_first(no_training):
    with pytest.raises(
        ValueError, match=r"y holds one class only: \[0\]\. Give all labels that will come in classes="
    ):
        DynamicsClassifier().partial_fit(X, y * 0)
    with pytest.raises(ValueError, match=r"but classes holds one class only: \[0\]\.$"):
        DynamicsClassifier().partial_fit(X, y * 0, classes=[0])
    with pytest.raises(ValueError, match=r"y holds labels unseen at fit: \[1\]; the classes are \[0, 2\]"):
        DynamicsClassifier().partial_fit(X, y, classes=[0, 2])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"y": THREE}, "y holds labels unseen at fit: [2]; the classes are [0, 1]"),
        ({"X": X[:, :3]}, "X has 3 features, but DynamicsClassifier is expecting 4 features as input"),
        ({"X": with_entry(np.inf)}, "Input X contains infinity"),
        ({"classes": [0, 1, 2]}, "classes=[0 1 2] differs from the classes of the first call, [0 1]"),
        ({"sample_weight": np.zeros(N)}, "zero"),
    ],
    ids=str,
)
def test_a_failed_partial_fit_costs_nothing(data, message, fitted, no_training):
    clf = copy.copy(fitted)
    before = dict(vars(clf))
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        clf.partial_fit(**{"X": X, "y": y, **data})
    assert message in str(caught.value)
    assert vars(clf) == before
    np.testing.assert_array_equal(clf.predict(X), fitted.predict(X))


# A fitted classifier


QUESTIONS = {
    "predict-too-narrow": (
        lambda clf: clf.predict(X[:, :3]),
        "X has 3 features, but DynamicsClassifier is expecting 4",
    ),
    "predict-one-sample": (lambda clf: clf.predict(X[0]), "Expected 2D array, got 1D array instead"),
    "predict-nan": (lambda clf: clf.predict_proba(with_entry(np.nan)), "Input X contains NaN"),
    "predict-more-axes": (
        lambda clf: clf.predict(X[:, None]),
        "X has samples of shape (1, 4), but DynamicsClassifier was fitted with samples of shape (4,)",
    ),
    "replay-too-narrow": (
        lambda clf: clf.replay(X[:, :3], y),
        "X has 3 features, but DynamicsClassifier is expecting 4",
    ),
    "replay-too-short": (lambda clf: clf.replay(X, y[:3]), "inconsistent numbers of samples: [12, 3]"),
    "replay-unseen": (
        lambda clf: clf.replay(X, THREE),
        "y holds labels unseen at fit: [2]; the classes are [0, 1]",
    ),
    "replay-of-another-kind": (
        lambda clf: clf.replay(X, y.astype(str)),
        "y holds labels unseen at fit: ['0', '1']",
    ),
    "replay-unknown-field": (
        lambda clf: clf.replay(X, y, record=("loss",)),
        "record: ['loss'] cannot be recorded",
    ),
    "replay-string": (lambda clf: clf.replay(X, y, record="samples"), "record must be a tuple"),
    "replay-unknown-epoch": (
        lambda clf: clf.replay(X, y, epochs=[1, 7]),
        "epochs [7] were not kept; there are those of [0, 1, 2]",
    ),
    "replay-no-epoch": (
        lambda clf: clf.replay(X, y, epochs=[]),
        "epochs must be at least one, in increasing order, got []",
    ),
    "replay-backwards": (
        lambda clf: clf.replay(X, y, epochs=[2, 1]),
        "epochs must be at least one, in increasing order, got [2, 1]",
    ),
    "at_epoch-unknown": (
        lambda clf: clf.at_epoch(7),
        "epochs [7] were not kept; there are those of [0, 1, 2]",
    ),
    "at_epoch-word": (
        lambda clf: clf.at_epoch("last"),
        "epochs ['last'] were not kept; there are those of [0, 1, 2]",
    ),
    "activations-unknown-epoch": (
        lambda clf: clf.activations(X, epoch=7),
        "epochs [7] were not kept; there are those of [0, 1, 2]",
    ),
    "activations-unknown-layer": (
        lambda clf: clf.activations(X, layer="linear9"),
        "layer 'linear9' does not exist; the hidden layers are 'linear1'",
    ),
    "activations-layer-too-far": (
        lambda clf: clf.activations(X, layer=1),
        "layer 1 does not exist; the hidden layers are 'linear1'",
    ),
    "staged_predict-too-narrow": (lambda clf: clf.staged_predict(X[:, :3]), "X has 3 features"),
}


@for_each("question", QUESTIONS)
def test_a_bad_question_is_told_what_is_wrong(question, fitted):
    ask, message = question
    with pytest.raises((ValueError, TypeError)) as caught:
        ask(fitted)
    assert message in str(caught.value)


@pytest.mark.parametrize("shape", [(1, 5, 5), (2, 4, 4), (1, 4, 5), (16,)], ids=str)
def test_images_of_another_shape(shape, fitted_on_images):
    message = (
        f"X has samples of shape {shape}, but DynamicsClassifier was fitted with samples of shape (1, 4, 4)."
    )
    for ask in (
        fitted_on_images.predict,
        lambda X: fitted_on_images.replay(X, y),
        fitted_on_images.activations,
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            ask(np.zeros((N, *shape)))


def test_labels_of_another_kind_among_many():
    """Numbers and strings compare alike in long arrays: '3' is not 3."""
    many = np.repeat(np.arange(60), 2)
    clf = DynamicsClassifier(MLP(()), max_epochs=1).fit(np.eye(120), many)
    for other in (many.astype(str), many.astype(str).astype(object)):
        with pytest.raises(ValueError, match=r"y holds labels unseen at fit: \['0', '1', '10'"):
            clf.replay(np.eye(120), other)


UNFITTED = (
    "predict",
    "predict_proba",
    "decision_function",
    "activations",
    "staged_predict",
    "staged_decision_function",
)


@pytest.mark.parametrize(
    "name", [*UNFITTED, "staged_predict_proba", "score", "replay", "staged_score", "at_epoch"]
)
def test_nothing_is_known_before_fit(name):
    method = getattr(DynamicsClassifier(), name)
    arguments = {"at_epoch": (1,), "score": (X, y), "replay": (X, y), "staged_score": (X, y)}.get(name, (X,))
    with pytest.raises(NotFittedError, match="This DynamicsClassifier instance is not fitted yet"):
        list(method(*arguments))


@pytest.mark.parametrize(
    "ask",
    [
        lambda clf: clf.replay(X, y),
        lambda clf: clf.at_epoch(1),
        lambda clf: clf.activations(X, epoch=1),
        lambda clf: clf.staged_predict(X),
        lambda clf: clf.staged_predict_proba(X),
        lambda clf: clf.staged_decision_function(X),
        lambda clf: clf.staged_score(X, y),
    ],
)
def test_the_past_is_not_known_without_snapshots(ask):
    clf = DynamicsClassifier(MLP((5,)), max_epochs=1, snapshots=False).fit(X, y)
    with pytest.raises(
        ValueError, match=r"weights of earlier epochs were not kept; fit with snapshots=True\."
    ):
        ask(clf)
    clf = DynamicsClassifier(MLP((5,)), max_epochs=1, record_epochs=[5]).fit(X, y)
    with pytest.raises(ValueError, match=r"weights of no epoch were kept, see record_epochs\."):
        ask(clf)


def test_a_linear_network_has_no_hidden_layer():
    clf = DynamicsClassifier(MLP(()), max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="the hidden layers are none: the network is one linear layer"):
        clf.activations(X)


@pytest.mark.parametrize("fit_it", [True, False])
@pytest.mark.parametrize("loss", ["hinge", "l2", torch.nn.MultiMarginLoss()], ids=str)
def test_raw_losses_have_no_probabilities_and_say_so(loss, fit_it):
    clf = DynamicsClassifier(MLP((5,)), loss=loss, max_epochs=1)
    clf = clf.fit(X, y) if fit_it else clf
    for name in ("predict_proba", "staged_predict_proba"):
        assert not hasattr(clf, name)
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'") as caught:
            getattr(clf, name)
        message = caught.value
        while message.__cause__ is not None:
            message = message.__cause__
        assert "acts on raw scores and gives no probabilities; use decision_function, or a loss with" in str(
            message
        )


@pytest.mark.parametrize("given", ["uint8", "bool", "float32", object, sparse.csr_array], ids=str)
def test_ids_that_arrive_as_floats_are_refused_with_what_to_write(given):
    ids = np.arange(12).reshape(6, 2) % 2
    X = given(ids) if given is sparse.csr_array else ids.astype(given)
    module = torch.nn.Sequential(torch.nn.Embedding(2, 3), torch.nn.Flatten(), torch.nn.Linear(6, 2))
    with pytest.raises(ValueError, match=r'whole numbers: give X.astype\("int64"\), no sparse matrix'):
        DynamicsClassifier(module).fit(X, [0, 1] * 3)


class OfLabels(torch.nn.MultiLabelSoftMarginLoss):
    """A user's own loss, for scores and targets of one shape; torch's own is known, and refused by name."""


@pytest.mark.parametrize("batch_size", [2, 6])
def test_a_value_for_each_of_two_classes_is_none_for_each_sample(batch_size):
    loss = OfLabels(reduction="none")
    by_class = lambda scores, target: (scores - torch.eye(2)[target]).square().mean(0)  # noqa: E731
    X, y = np.eye(6, 3, dtype="float32"), [0, 1] * 3
    with pytest.raises(ValueError, match="loss cannot be computed from scores"):
        DynamicsClassifier(loss=loss, batch_size=batch_size).fit(X, y)
    with pytest.raises(ValueError, match=r"values of shape \(2,\) for 3 samples; expected \(3,\)"):
        DynamicsClassifier(loss=by_class, batch_size=batch_size).fit(X, y)


@pytest.mark.parametrize("door", ["score", "staged_score"])
def test_labels_that_predictions_are_compared_with_are_checked_as_in_fit(door):
    clf = DynamicsClassifier(MLP((5,)), max_epochs=1, random_state=0).fit(X, y)
    for labels, told in (
        (np.eye(2)[y], r"Of one-hot rows take y.argmax\(axis=1\)"),
        (["a", None] * 6, "of one kind; got NoneType, str"),
        (y.astype("M8[D]"), "of one kind; got date"),
        (torch.empty(N, device="meta"), "y is a tensor on the meta device"),
        (np.ma.masked_array(y, mask=y == 1), "y is a masked array with 6 masked entries"),
    ):
        with pytest.raises((ValueError, TypeError), match=told):
            getattr(clf, door)(X, labels)
    unseen = np.r_[7, y[1:]]
    assert clf.score(X, unseen) == np.mean(clf.predict(X) == unseen)
