"""A torch Dataset as X: the same bits as from the array, and what cannot be used is refused in words."""

import random

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, cross_val_score
from skorch.helper import SliceDataset
from torch import nn
from torch.utils.data import ConcatDataset, Dataset, Subset, TensorDataset

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.model_selection import BatchedGridSearchCV
from sklearn_nndyn.utils.rows import datasets
from tests.classifiers.inputs.kinds import Listed, assert_same_fit, assert_same_record

X, Y = make_classification(90, 6, n_informative=4, n_classes=3, random_state=0)
X = X.astype("float32")
BYTES = (X * 20 + 128).clip(0, 255).astype("uint8")


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.last = nn.Embedding(9, 5), nn.Linear(5, 3)

    def forward(self, ids, scale):
        return self.last(self.table(ids).mean(1) * scale)


def dropout_mlp(shape, n_classes):
    return nn.Sequential(nn.Linear(shape[0], 12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, n_classes))


def classifier(module=dropout_mlp, **options):
    return DynamicsClassifier(module, **{"max_epochs": 3, "batch_size": 16, "random_state": 0} | options)


def pairs(values, labels=Y):
    return Listed(list(zip(values, labels, strict=True)))


@pytest.fixture(params=["in memory", "read anew"])
def reading(request, monkeypatch):
    if request.param == "read anew":
        monkeypatch.setattr(datasets, "LARGE_BYTES", 0)


def test_zero_weights_and_validation_data(reading):
    weight = np.arange(90) % 3
    of_array = classifier().fit(X[:60], Y[:60], weight[:60], X_val=X[60:], y_val=Y[60:])
    of_dataset = classifier().fit(pairs(X[:60], Y[:60]), None, weight[:60], X_val=pairs(X[60:], Y[60:]))
    assert_same_fit(of_array, of_dataset)
    assert_same_record(of_dataset.validation_dynamics_, of_array.validation_dynamics_)


def test_dicts_with_ids(reading):
    ids = np.random.default_rng(0).integers(0, 9, (90, 4))
    arrays = {"ids": ids, "scale": X[:, :1].astype("float64")}
    items = [{name: values[i] for name, values in arrays.items()} for i in range(90)]
    of_array, of_dataset = classifier(Tokens).fit(arrays, Y), classifier(Tokens).fit(pairs(items))
    assert_same_fit(of_array, of_dataset)
    np.testing.assert_array_equal(of_dataset.predict(Listed(items)), of_array.predict(arrays))


def test_ids_of_one_array():
    ids = np.random.default_rng(0).integers(0, 9, (90, 4))

    def module(shape, n_classes):
        return nn.Sequential(nn.Embedding(9, 5), nn.Flatten(), nn.Linear(20, 3))

    of_dataset = classifier(module).fit(pairs(ids))
    assert_same_fit(of_dataset, classifier(module).fit(ids, Y))
    with pytest.raises(ValueError, match="9"):
        of_dataset.predict(Listed(list(ids + 1)))


@pytest.mark.parametrize(
    "dataset",
    [
        TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)),
        Subset(TensorDataset(torch.from_numpy(X), torch.from_numpy(Y)), range(90)),
        ConcatDataset([pairs(X[:40], Y[:40]), pairs(X[40:], Y[40:])]),
        pairs(list(torch.from_numpy(X)), [torch.tensor(label) for label in Y]),
    ],
    ids=["TensorDataset", "Subset", "ConcatDataset", "tensors"],
)
def test_kinds(reading, dataset):
    assert_same_fit(classifier().fit(dataset), classifier().fit(X, Y))


def test_string_labels_and_labels_beside_it():
    names = np.array(["a", "b", "c"])[Y]
    assert_same_fit(classifier().fit(pairs(X, names)), classifier().fit(X, names))
    assert_same_fit(classifier().fit(Listed(list(X)), names), classifier().fit(X, names))
    assert_same_fit(classifier().fit(pairs(X, 0 * Y), names), classifier().fit(X, names))
    both = pairs(X, names)
    assert_same_fit(
        classifier().fit(SliceDataset(both), SliceDataset(both, idx=1)), classifier().fit(X, names)
    )


def test_together_and_searches():
    data = pairs(X)
    for own, seed in zip(
        fit_together([classifier(random_state=s) for s in (0, 1)], data), (0, 1), strict=True
    ):
        np.testing.assert_allclose(
            own.dynamics_.loss, classifier(random_state=seed).fit(X, Y).dynamics_.loss, rtol=1e-4, atol=1e-5
        )
    rows, labels = SliceDataset(data), np.array(list(SliceDataset(data, idx=1)))
    scores = cross_val_score(classifier(), rows, labels, cv=3)
    np.testing.assert_array_equal(scores, cross_val_score(classifier(), X, Y, cv=3))
    grid = {"lr": [0.001, 0.01]}
    one_by_one = GridSearchCV(classifier(), grid, cv=3).fit(rows, labels)
    batched = BatchedGridSearchCV(classifier(), grid, cv=3).fit(data)
    np.testing.assert_array_equal(
        one_by_one.cv_results_["mean_test_score"], batched.cv_results_["mean_test_score"]
    )


def test_checkpoint_knows_the_same_data(reading, tmp_path):
    first = classifier(checkpoint=tmp_path).fit(pairs(X))
    assert_same_fit(classifier(checkpoint=tmp_path).fit(pairs(X)), first)
    assert len(list(tmp_path.iterdir())) == 1


def test_large_rows_are_read_when_needed(monkeypatch):
    monkeypatch.setattr(datasets, "LARGE_BYTES", 0)
    asked = []

    class Counted(Listed):
        def __getitem__(self, i):
            asked.append(i)
            return super().__getitem__(i)

    data = Counted(list(zip(X, Y, strict=True)))
    classifier(record=(), shuffle=False, max_epochs=1).fit(data)
    assert asked[-90:] == list(range(90))


def test_the_users_generators_are_not_moved():
    state = torch.get_rng_state()
    with pytest.raises(ValueError, match="other values when it is read again"):
        classifier().fit(Noisy(list(zip(torch.from_numpy(X), Y, strict=True))))
    assert torch.equal(torch.get_rng_state(), state)


class Noisy(Listed):
    def __getitem__(self, i):
        x, label = self.items[i]
        return x + torch.randn(6), label


class Computed(Dataset):
    """Gives what a function makes of a position."""

    def __init__(self, make):
        self.make = make

    def __len__(self):
        return len(X)

    def __getitem__(self, i):
        return self.make(i)


def own_numbers(i):
    """Numbers drawn anew for each sample, the same ones each time."""
    torch.manual_seed(i)
    return torch.from_numpy(X[i]) + torch.randn(6), Y[i]


def test_a_dataset_may_seed_the_numbers_of_each_sample(reading):
    values = np.stack([own_numbers(i)[0].numpy() for i in range(90)])
    assert_same_fit(classifier().fit(Computed(own_numbers)), classifier().fit(values, Y))


def late(draw):
    """Random changes of samples that are not among the first."""
    return Computed(lambda i: (X[i] + (draw() if i > 60 else 0), Y[i]))


DRAWS = {"torch": lambda: torch.rand(()).item(), "numpy": np.random.rand, "python": random.random}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_random_changes_of_late_samples_are_refused(reading, draw):
    states = random.getstate(), np.random.get_state()[2], torch.get_rng_state()  # noqa: NPY002
    with pytest.raises(
        ValueError, match="without random changes; DynamicsClassifier makes them by batch_transform"
    ):
        classifier().fit(late(draw))
    assert states[:2] == (random.getstate(), np.random.get_state()[2])  # noqa: NPY002
    assert torch.equal(states[2], torch.get_rng_state())


def test_tensors_with_a_gradient():
    tensors = [torch.from_numpy(x).requires_grad_() for x in X]
    assert_same_fit(classifier().fit(pairs(tensors)), classifier().fit(X, Y))


def test_a_splitter_needs_a_slice_dataset():
    with pytest.raises(TypeError, match=r"skorch\.helper\.SliceDataset\(dataset\)"):
        cross_val_score(classifier(), pairs(X), Y, cv=3, error_score="raise")
