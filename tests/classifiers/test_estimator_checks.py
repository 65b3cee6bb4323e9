"""scikit-learn's own checks, and what its meta-estimators ask of parameters."""

from math import prod

import pytest
import torch
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.losses import LogLoss
from sklearn_nndyn.modules import MLP

NEEDS_A_SETTING_OF_SCIPY = {"check_array_api_input"}


def linear_network(input_shape, n_classes):
    """A network made by a function."""
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(prod(input_shape), n_classes))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        pytest.param(
            {
                "loss": "cauchy_schwarz",
                "batch_size": "full",
                "dtype": "float64",
                "max_epochs": 30,
                "lr": 0.03,
            },
            marks=pytest.mark.slow,
        ),
        *(
            pytest.param({"loss": loss}, marks=pytest.mark.slow)
            for loss in ("l1", "squared_hinge", "tanimoto")
        ),
        # Not warm starts, after which a second fit goes on and differs; not batch normalisation, whose statistics
        # count a repeated sample twice and a weighted one once.
        *(
            pytest.param({"batch_size": "full", "max_epochs": 60, "lr": 0.02, **own}, marks=pytest.mark.slow)
            for own in ({"class_weight": "balanced"}, {"module": MLP(())}, {"module": linear_network})
        ),
    ],
    ids=lambda own: "-".join(getattr(value, "__name__", str(value)) for value in own.values()) or "default",
)
def test_every_check_passes_and_none_is_excused(parameters):
    results = check_estimator(DynamicsClassifier(**parameters), on_fail=None, on_skip=None)
    passed = {result["check_name"] for result in results if result["status"] == "passed"}
    others = {
        f"{result['check_name']} {result['status']}: {result['exception']}"
        for result in results
        if result["status"] != "passed" and result["check_name"] not in NEEDS_A_SETTING_OF_SCIPY
    }
    assert not others
    assert {"check_sample_weight_equivalence_on_dense_data", "check_classifiers_train"} <= passed


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_probabilities_are_the_same_wherever_a_sample_stands(link):
    """To the last bit: the check on the order of samples draws one order, and would find it on some days only."""
    generator = torch.Generator().manual_seed(0)
    scores = 3 * torch.randn(1007, 3, generator=generator)
    loss = LogLoss(link=link)
    for _ in range(20):
        order = torch.randperm(1007, generator=generator)
        assert torch.equal(loss.predict_proba(scores[order]), loss.predict_proba(scores)[order])
    alone = torch.cat([loss.predict_proba(one) for one in scores.split(1)])
    assert torch.equal(alone, loss.predict_proba(scores))


def test_an_architecture_is_cloned_with_the_classifier():
    clf = DynamicsClassifier(MLP((7,), dropout=0.1), lr=0.3)
    copy = clone(clf)
    assert copy.module is not clf.module
    assert copy.get_params().keys() == clf.get_params().keys()
    assert copy.module.get_params() == clf.module.get_params()
    copy.set_params(module__hidden_layer_sizes=(2, 3), module__activation="tanh")
    assert copy.module.hidden_layer_sizes == (2, 3)
    assert clf.module.hidden_layer_sizes == (7,)


def test_nested_names_reach_the_network():
    clf = DynamicsClassifier(MLP(), max_epochs=1)
    nested = {name for name in clf.get_params() if name.startswith("module__")}
    assert nested == {f"module__{name}" for name in MLP().get_params()}
    clf.set_params(module__hidden_layer_sizes=(6, 4), module__batch_norm=True)
    clf.fit([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]], [0, 1, 0, 1])
    assert [p.shape[0] for p in clf.module_.parameters() if p.ndim == 2] == [6, 4, 2]
    assert "batch_norm2.weight" in clf.module_.state_dict()


def test_an_unknown_nested_name_is_refused_by_name():
    with pytest.raises(ValueError, match="Invalid parameter 'width' for estimator MLP"):
        DynamicsClassifier(MLP()).set_params(module__width=3)


def test_what_was_given_is_what_is_held():
    """fit stores nothing in its parameters: not even in an architecture, nor in a torch instance."""
    module = MLP((3,))
    clf = DynamicsClassifier(module, max_epochs=2, random_state=0)
    before = repr(clf.get_params())
    clf.fit([[0.0, 1.0], [1.0, 0.0]], ["a", "b"])
    assert clf.module is module
    assert repr(clf.get_params()) == before
