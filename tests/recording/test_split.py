"""A record says of which samples it is."""

import pytest
import torch
from sklearn.datasets import load_iris
from skorch import NeuralNetClassifier
from skorch.dataset import ValidSplit

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.classifiers import fit_together
from sklearn_nndyn.recording import RecordDynamics


def classifier(X, y):
    return DynamicsClassifier(max_epochs=1, validation_fraction=0.3, random_state=0).fit(X, y)


def together(X, y):
    make = lambda seed: DynamicsClassifier(max_epochs=1, validation_fraction=0.3, random_state=seed)  # noqa: E731
    return fit_together([make(0), make(1)], X, y)[1]


def skorch_net(X, y):
    return NeuralNetClassifier(
        torch.nn.Linear(4, 3),
        criterion=torch.nn.CrossEntropyLoss,
        max_epochs=1,
        train_split=ValidSplit(3),
        callbacks=[RecordDynamics()],
        verbose=0,
    ).fit(X, y)


@pytest.mark.parametrize("fitted", [classifier, together, skorch_net])
def test_the_header_tells_training_and_validation_apart(fitted):
    X, y = load_iris(return_X_y=True)
    model = fitted(X.astype("float32"), y)
    assert model.dynamics_.header["split"] == "train"
    assert model.validation_dynamics_.header["split"] == "validation"
