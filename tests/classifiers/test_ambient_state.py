"""A fit is the same whatever torch is set to around it, or it is refused in words before it starts."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from torch import nn

from sklearn_nndyn import DynamicsClassifier, fit_together

X, y = load_iris(return_X_y=True)


class Dropped(nn.Sequential):
    """Not a chain of linear layers, so that its dropout draws from the global generator."""

    def __init__(self, input_shape, n_classes):
        super().__init__(
            nn.Linear(4, 8), nn.LayerNorm(8), nn.Dropout(0.3), nn.BatchNorm1d(8), nn.Linear(8, n_classes)
        )


def make(**parameters):
    return DynamicsClassifier(**{"max_epochs": 3, "random_state": 0, **parameters})


def one(**parameters):
    return make(**parameters).fit(X, y)


def second_of_two(**parameters):
    return fit_together([make(**{**parameters, "random_state": s}) for s in (1, 0)], X, y)[1]


@pytest.fixture
def float64_by_default():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


FITS = [
    (one, {}),
    (second_of_two, {}),
    (one, {"dtype": "float64"}),
    (one, {"module": Dropped}),
    (one, {"module": Dropped, "optimizer": "sgd", "loss": nn.CrossEntropyLoss(label_smoothing=0.1)}),
    (one, {"module": nn.Sequential(nn.Linear(4, 3)), "reinitialize": True}),
]


@pytest.mark.parametrize(("fit", "parameters"), FITS)
def test_the_default_dtype_changes_nothing(fit, parameters, request):
    expected = fit(**parameters)
    request.getfixturevalue("float64_by_default")
    got = fit(**parameters)
    assert torch.get_default_dtype() == torch.float64
    np.testing.assert_array_equal(got.dynamics_.loss, expected.dynamics_.loss)
    for epoch in (0, 3):
        values = got.at_epoch(epoch).module_.state_dict(), expected.at_epoch(epoch).module_.state_dict()
        for name in values[1]:
            assert torch.equal(values[0][name], values[1][name])
    np.testing.assert_array_equal(got.decision_function(X), expected.decision_function(X))


def test_a_failing_module_leaves_the_default_dtype(float64_by_default):
    def fails(shape, n_classes):
        raise ZeroDivisionError

    with pytest.raises(Exception, match="module"):
        make(module=fails).fit(X, y)
    assert torch.get_default_dtype() == torch.float64


@pytest.mark.parametrize(
    ("mode", "name"),
    [(lambda: torch.autocast("cpu", torch.bfloat16), "autocast"), (torch.inference_mode, "inference_mode")],
)
def test_modes_around_a_fit_are_refused(mode, name):
    clf = make()
    with mode():
        for call in (clf.fit, clf.partial_fit, lambda X, y: fit_together([clf, make()], X, y)):
            with pytest.raises(ValueError, match=f"torch.{name} is on around this call.* outside of"):
                call(X, y)
    assert not hasattr(clf, "net_")


def test_inside_no_grad_it_trains_as_ever():
    expected = one(module=Dropped)
    with torch.no_grad():
        got = one(module=Dropped)
        assert not torch.is_grad_enabled()
    np.testing.assert_array_equal(got.dynamics_.loss, expected.dynamics_.loss)


def test_predictions_within_autocast_are_refused():
    clf = make().fit(X, y)
    ways = (
        clf.predict,
        clf.predict_proba,
        clf.decision_function,
        clf.activations,
        lambda X: clf.replay(X, y),
    )
    for way in ways:
        with (
            torch.autocast("cpu"),
            pytest.raises(ValueError, match=r"torch\.autocast is on around this call"),
        ):
            way(X)
        assert not torch.is_autocast_enabled("cpu")
