"""A probe is a fresh classifier on a layer, scored on what it has not seen."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Probe, Recorder
from sklearn_nndyn.recording.decoders._base import draw_folds

LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
X, Y = load_digits(return_X_y=True)
X, X_VAL = (X[:300] / 16).astype(np.float32), (X[300:400] / 16).astype(np.float32)
Y, Y_VAL = Y[:300].astype(str), Y[300:400].astype(str)


def fitted(probe, **changes):
    settings = {"max_epochs": 2, "record": ("samples", probe), "record_epochs": [0, 2], "random_state": 0}
    return DynamicsClassifier(MLP((20, 10)), **(settings | changes)).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)


@pytest.mark.parametrize(
    ("probe", "classifier"),
    [("probe", LOGISTIC), (Probe(0, classifier=LinearDiscriminantAnalysis()), LinearDiscriminantAnalysis())],
)
def test_it_is_a_fresh_classifier_on_held_out_samples(probe, classifier):
    clf = fitted(probe)
    layer = -1 if probe == "probe" else 0
    folds = draw_folds(len(X), 5, "cpu").numpy()
    (of_train,), (of_val,) = (
        record.probe_accuracy.values() for record in (clf.dynamics_, clf.validation_dynamics_)
    )
    for look, epoch in enumerate([0, 2]):
        h, h_val = clf.activations(X, layer, epoch), clf.activations(X_VAL, layer, epoch)
        assert of_val[look] == clone(classifier).fit(h, Y).score(h_val, Y_VAL)
        correct = [
            clone(classifier).fit(h[folds != k], Y[folds != k]).predict(h[folds == k]) == Y[folds == k]
            for k in range(5)
        ]
        assert of_train[look] == pytest.approx(np.concatenate(correct).mean())


def test_replay_is_memory():
    clf = fitted(Probe("all"))
    assert list(clf.dynamics_.probe_accuracy) == ["linear1", "linear2"]
    alone, beside = clf.replay(X, Y), clf.replay(X_VAL, Y_VAL, X_train=X, y_train=Y)
    for layer in ("linear1", "linear2"):
        np.testing.assert_array_equal(alone.probe_accuracy[layer], clf.dynamics_.probe_accuracy[layer])
        np.testing.assert_array_equal(
            beside.probe_accuracy[layer], clf.validation_dynamics_.probe_accuracy[layer]
        )


@pytest.mark.parametrize("classifier", ["logistic", DecisionTreeClassifier(random_state=0)])
def test_separable_classes_are_told_apart(classifier):
    rng = np.random.default_rng(0)
    y = torch.from_numpy(rng.integers(0, 3, 500))
    x = torch.randn(500, 4, generator=torch.Generator().manual_seed(0)) + 20 * torch.nn.functional.one_hot(
        y, 4
    )
    recorder = Recorder(
        x, y, get_loss("log"), n_classes=3, record=[Probe("scores", classifier=classifier)], capacity=1
    )
    module = torch.nn.Linear(4, 3)
    with torch.no_grad():
        module.weight.copy_(torch.eye(4)[:3] / 10)
    recorder.record(module, 0)
    assert recorder.dynamics(y.numpy(), np.arange(3), {}).probe_accuracy["scores"] == [1.0]


@pytest.mark.parametrize("classifier", ["logistic", SGDClassifier(random_state=0)])
def test_labels_of_chance_cannot_be_told(classifier):
    rng = np.random.default_rng(0)
    y, x = torch.from_numpy(rng.integers(0, 2, 2000)), torch.from_numpy(rng.normal(size=(2000, 5))).float()
    recorder = Recorder(
        x, y, get_loss("log"), n_classes=2, record=[Probe("scores", classifier=classifier)], capacity=1
    )
    recorder.record(torch.nn.Linear(5, 2), 0)
    (accuracy,) = recorder.dynamics(y.numpy(), np.arange(2), {}).probe_accuracy["scores"]
    assert abs(accuracy - 0.5) < 4 * 0.5 / np.sqrt(2000)


def test_a_fold_without_all_classes_is_no_error():
    x, y = torch.zeros(4, 2), torch.tensor([0, 0, 0, 1])
    recorder = Recorder(x, y, get_loss("log"), n_classes=2, record=[Probe("scores")], capacity=1)
    recorder.record(torch.nn.Linear(2, 2), 0)
    # The only sample of class 1 is never known when it is asked for.
    assert recorder.dynamics(y.numpy(), np.arange(2), {}).probe_accuracy["scores"] == [0.75]


def test_watching_changes_nothing():
    watched, unwatched = fitted(Probe(classifier=SGDClassifier())), fitted("samples")
    for name, value in watched.module_.state_dict().items():
        assert torch.equal(value, unwatched.module_.state_dict()[name])


@pytest.mark.parametrize("classifier", ["svm", LogisticRegression, StandardScaler(), None])
def test_what_is_no_classifier_is_refused(classifier):
    with pytest.raises(
        ValueError, match=r'Probe: classifier must be "logistic" or a scikit-learn classifier, got'
    ):
        fitted(Probe(classifier=classifier))
