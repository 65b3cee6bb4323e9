"""``net_`` of a fitted classifier, used as people use a skorch net."""

import copy
import io

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback
from skorch.dataset import Dataset, ValidSplit
from skorch.exceptions import SkorchTrainingImpossibleError
from skorch.history import History

from sklearn_nndyn import DynamicsClassifier
from tests.problems import Problem, ThreeKinds

PROBLEM = Problem("own-module", ThreeKinds)
X, y = PROBLEM.data()
POSITIONS = np.unique(y, return_inverse=True)[1]


@pytest.fixture(scope="module")
def clf():
    return PROBLEM.classifier().fit(X, y)


@pytest.fixture
def net(clf):
    return copy.deepcopy(clf.net_)


@pytest.mark.parametrize(
    "rows", [X, torch.from_numpy(X), Dataset(X, POSITIONS)], ids=["array", "tensor", "dataset"]
)
def test_it_predicts_from_whatever_skorch_takes(clf, net, rows):
    np.testing.assert_allclose(net.predict_proba(rows), clf.predict_proba(X), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_of_any_precision_are_taken(dtype):
    clf = PROBLEM.classifier(dtype=dtype).fit(X, y)
    for given in ("float16", "float32", "float64"):
        rows = X.astype("float16").astype(given)
        np.testing.assert_allclose(clf.net_.predict_proba(rows), clf.predict_proba(rows), rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"use_safetensors": True}], ids=["torch", "safetensors"])
def test_its_parameters_are_saved_and_loaded(net, options):
    file = io.BytesIO()
    net.save_params(f_params=file, **options)
    file.seek(0)
    other = clone(net).initialize()
    assert not np.allclose(other.predict_proba(X), net.predict_proba(X))
    other.load_params(f_params=file, **options)
    np.testing.assert_array_equal(other.predict_proba(X), net.predict_proba(X))


def test_all_of_its_state_is_saved_and_loaded(net, tmp_path):
    files = {f"f_{name}": str(tmp_path / name) for name in ("params", "optimizer", "criterion", "history")}
    net.save_params(**files)
    other = clone(net).initialize()
    other.load_params(**files)
    np.testing.assert_array_equal(other.predict_proba(X), net.predict_proba(X))
    assert other.history == net.history == History.from_file(files["f_history"])
    steps = [
        [float(s["step"]) for s in one.optimizer_.state_dict()["state"].values()] for one in (net, other)
    ]
    assert steps[0] == steps[1] != []


class TestItsOwnTraining:
    def test_the_history_has_the_mean_losses(self, net):
        net.set_params(train_split=ValidSplit(3), lr=1e-12)
        net.partial_fit(X, POSITIONS, epochs=2)
        assert len(net.history) == 4 + 2
        train, valid = net.train_split(Dataset(X, POSITIONS), POSITIONS)
        for split, part in (("train", train), ("valid", valid)):
            rows = np.array(part.indices)
            scores = net.forward(X[rows])
            expected = torch.nn.functional.cross_entropy(scores, torch.from_numpy(POSITIONS[rows])).item()
            # Dropout is on in training, and moves the mean.
            np.testing.assert_allclose(
                net.history[-1, f"{split}_loss"], expected, rtol=0.2 if split == "train" else 1e-5
            )
            assert f"{split}_loss_best" in net.history[-1]

    def test_the_classifier_can_go_on_from_there(self, clf):
        clf = copy.deepcopy(clf)
        clf.net_.partial_fit(X, POSITIONS, epochs=2)
        clf.set_params(warm_start=True).fit(X, y)
        assert clf.n_iter_ == 4 + 2 + 4 == len(clf.loss_curve_)
        np.testing.assert_array_equal(clf.dynamics_.epochs, [0, 1, 2, 3, 4, 6, 7, 8, 9, 10])

    def test_it_begins_anew_with_fit(self, net):
        before = net.predict_proba(X)
        net.set_params(lr=1e-12).fit(X, POSITIONS)
        assert len(net.history) == 4
        assert not np.allclose(net.predict_proba(X), before)

    def test_a_trimmed_net_trains_no_more(self, clf):
        clf = copy.deepcopy(clf).set_params(warm_start=True)
        before = clf.predict_proba(X)
        clf.net_.trim_for_prediction()
        np.testing.assert_array_equal(clf.predict_proba(X), before)
        with pytest.raises(SkorchTrainingImpossibleError, match="were trimmed for prediction"):
            clf.fit(X, y)
        assert clf.set_params(warm_start=False).fit(X, y).n_iter_ == 4

    def test_arguments_of_the_module_are_the_classifiers(self, net):
        with pytest.raises(
            TypeError, match=r"module__width cannot be set on the net.*set it on the classifier"
        ):
            net.set_params(module__width=5)


def test_steps_and_iterators_of_ones_own(clf, net):
    rows, target = torch.from_numpy(X), torch.from_numpy(POSITIONS)
    mean = clf.dynamics_.loss[:, -1].mean()
    assert float(net.validation_step((rows, target))["loss"]) == pytest.approx(mean, rel=1e-5)
    assert torch.equal(net.evaluation_step((rows, target)), net.forward(X))
    assert torch.equal(torch.cat(list(net.forward_iter(X))), net.forward(X))
    batch, _ = next(iter(net.get_iterator(net.get_dataset(X, POSITIONS), training=True)))
    assert batch.shape == (16, 16)
    assert not torch.equal(net.forward(X, training=True), net.forward(X, training=True))  # dropout


def test_callbacks_hear_in_their_order_and_predict_within():
    heard = []

    class Listens(Callback):
        def __init__(self, name):
            self.name = name

        def on_epoch_end(self, net, dataset_valid=None, **kwargs):
            heard.append(self.name)
            right = net.predict(dataset_valid) == dataset_valid.y.numpy()
            net.history.record("own", float(right.mean()))

    callbacks = [("z", Listens(1)), ("a", Listens(2)), Listens(3)]
    clf = DynamicsClassifier(callbacks=callbacks, validation_fraction=0.3, max_epochs=2, random_state=0).fit(
        X, y
    )
    assert heard == [1, 2, 3] * 2
    np.testing.assert_allclose(clf.net_.history[:, "own"], clf.validation_scores_)
