"""A torch Dataset as X: the same bits as from the array, and what cannot be used is refused in words."""

import random

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, cross_val_score
from skorch.helper import SliceDataset
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.model_selection import BatchedGridSearchCV
from sklearn_nndyn.utils.rows import datasets

X, Y = make_classification(90, 6, n_informative=4, n_classes=3, random_state=0)
X = X.astype("float32")
BYTES = (X * 20 + 128).clip(0, 255).astype("uint8")


class Listed(Dataset):
    """Gives the items of a list."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.last = nn.Embedding(9, 5), nn.Linear(5, 3)

    def forward(self, ids, scale):
        return self.last(self.table(ids).mean(1) * scale)


def dropout_mlp(shape, n_classes):
    return nn.Sequential(nn.Linear(shape[0], 12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, n_classes))


def convolution(shape, n_classes):
    return nn.Sequential(
        nn.Unflatten(1, (1, 6)),
        nn.Conv1d(1, 4, 3),
        nn.Tanh(),
        nn.Dropout(0.2),
        nn.Flatten(),
        nn.LazyLinear(n_classes),
    )


def classifier(module=dropout_mlp, **options):
    return DynamicsClassifier(module, **{"max_epochs": 3, "batch_size": 16, "random_state": 0} | options)


def pairs(values, labels=Y):
    return Listed(list(zip(values, labels, strict=True)))


@pytest.fixture(params=["in memory", "read anew"])
def reading(request, monkeypatch):
    if request.param == "read anew":
        monkeypatch.setattr(datasets, "LARGE_BYTES", 0)


def assert_equal_records(a, b):
    for name in ("loss", "margin", "probability", "prediction", "y", "epochs"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    for layer, centroids in a.centroids.items():
        np.testing.assert_array_equal(centroids, b.centroids[layer])


def assert_equal_fits(a, b):
    for left, right in zip(a.module_.parameters(), b.module_.parameters(), strict=True):
        assert torch.equal(left, right)
    assert_equal_records(a.dynamics_, b.dynamics_)


@pytest.mark.parametrize("module", [dropout_mlp, convolution])
@pytest.mark.parametrize("values", [X, X.astype("float64"), BYTES], ids=["float32", "float64", "uint8"])
@pytest.mark.parametrize("options", [{}, {"validation_fraction": 0.2}, {"batch_size": "full"}], ids=str)
def test_as_from_the_array(reading, module, values, options):
    of_array, of_dataset = classifier(module, **options).fit(values, Y), classifier(module, **options)
    of_dataset.fit(pairs(values))
    assert_equal_fits(of_array, of_dataset)
    np.testing.assert_array_equal(of_array.predict_proba(values), of_dataset.predict_proba(pairs(values)))
    assert of_dataset.score(pairs(values)) == of_array.score(values, Y)
    assert_equal_records(of_dataset.replay(pairs(values)), of_array.replay(values, Y))
    assert list(of_dataset.staged_score(pairs(values))) == list(of_array.staged_score(values, Y))


def test_zero_weights_and_validation_data(reading):
    weight = np.arange(90) % 3
    of_array = classifier().fit(X[:60], Y[:60], weight[:60], X_val=X[60:], y_val=Y[60:])
    of_dataset = classifier().fit(pairs(X[:60], Y[:60]), None, weight[:60], X_val=pairs(X[60:], Y[60:]))
    assert_equal_fits(of_array, of_dataset)
    assert_equal_records(of_dataset.validation_dynamics_, of_array.validation_dynamics_)


def test_recording_changes_nothing(reading):
    recorded, bare = classifier().fit(pairs(X)), classifier(record=()).fit(pairs(X))
    for left, right in zip(recorded.module_.parameters(), bare.module_.parameters(), strict=True):
        assert torch.equal(left, right)


def test_dicts_with_ids(reading):
    ids = np.random.default_rng(0).integers(0, 9, (90, 4))
    arrays = {"ids": ids, "scale": X[:, :1].astype("float64")}
    items = [{name: values[i] for name, values in arrays.items()} for i in range(90)]
    of_array, of_dataset = classifier(Tokens).fit(arrays, Y), classifier(Tokens).fit(pairs(items))
    assert_equal_fits(of_array, of_dataset)
    np.testing.assert_array_equal(of_dataset.predict(Listed(items)), of_array.predict(arrays))


def test_ids_of_one_array():
    ids = np.random.default_rng(0).integers(0, 9, (90, 4))

    def module(shape, n_classes):
        return nn.Sequential(nn.Embedding(9, 5), nn.Flatten(), nn.Linear(20, 3))

    of_dataset = classifier(module).fit(pairs(ids))
    assert_equal_fits(of_dataset, classifier(module).fit(ids, Y))
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
    assert_equal_fits(classifier().fit(dataset), classifier().fit(X, Y))


def test_string_labels_and_labels_beside_it():
    names = np.array(["a", "b", "c"])[Y]
    assert_equal_fits(classifier().fit(pairs(X, names)), classifier().fit(X, names))
    assert_equal_fits(classifier().fit(Listed(list(X)), names), classifier().fit(X, names))
    assert_equal_fits(classifier().fit(pairs(X, 0 * Y), names), classifier().fit(X, names))
    both = pairs(X, names)
    assert_equal_fits(
        classifier().fit(SliceDataset(both), SliceDataset(both, idx=1)), classifier().fit(X, names)
    )


def test_partial_fit_and_warm_start(reading):
    by_epoch = classifier()
    for _ in range(3):
        by_epoch.partial_fit(pairs(X))
    assert_equal_fits(by_epoch, classifier().fit(X, Y))


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
    assert_equal_fits(classifier(checkpoint=tmp_path).fit(pairs(X)), first)
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
    assert_equal_fits(classifier().fit(Computed(own_numbers)), classifier().fit(values, Y))


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


class OneShort(Computed):
    def __getitems__(self, places):
        return [(X[i], Y[i]) for i in places[1:]]


class NoLengthYet(Computed):
    def __len__(self):
        raise NotImplementedError


def test_tensors_with_a_gradient():
    tensors = [torch.from_numpy(x).requires_grad_() for x in X]
    assert_equal_fits(classifier().fit(pairs(tensors)), classifier().fit(X, Y))


def test_a_splitter_needs_a_slice_dataset():
    with pytest.raises(TypeError, match=r"skorch\.helper\.SliceDataset\(dataset\)"):
        cross_val_score(classifier(), pairs(X), Y, cv=3, error_score="raise")


class Endless(IterableDataset):
    def __iter__(self):
        return iter(pairs(X))


class NoLength(Dataset):
    def __getitem__(self, i):
        return X[i], Y[i]


def changed(i, item):
    items = list(zip(X, Y, strict=True))
    items[i] = item
    return Listed(items)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Listed([]), "without samples"),
        (Listed(list(X)), "gives samples without labels"),
        (TensorDataset(torch.from_numpy(X)), "gives samples without labels"),
        (Listed([(x, label, 1.0) for x, label in zip(X, Y, strict=True)]), "gives 3 values"),
        (changed(50, X[50]), "some samples with a label and some without"),
        (changed(50, (X[50, :4], 1)), "numbers of one shape"),
        (
            pairs([x[: 4 if i >= 256 else 6] for i, x in enumerate(np.tile(X, (4, 1)))], np.tile(Y, 4)),
            "of one shape",
        ),
        (changed(50, ({"a": X[50]}, 1)), "not all of the same keys"),
        (pairs(["text"] * 90), "gives str, not numbers"),
        (pairs([{"a": "text"}] * 90), "gives str under 'a', not numbers"),
        (pairs([object()] * 90), "must be numbers of one shape"),
        (pairs([None] * 90), "must be numbers of one shape"),
        (pairs([X[0, :0]] * 90), "minimum of 1 is required"),
        (pairs(np.where(X > 1, np.nan, X)), "contains NaN"),
        (pairs(X, [None, *Y[1:]]), "some without"),
        (pairs(X, np.zeros(90, int)), "at least 2 classes"),
        (Noisy(list(zip(torch.from_numpy(X), Y, strict=True))), "without random changes; .* batch_transform"),
        (Endless(), "map-style"),
        (NoLength(), "map-style"),
        (DataLoader(pairs(X)), "give its dataset"),
        (pairs(X, list(np.eye(3)[Y])), r"take y.argmax\(axis=1\)"),
        (pairs(X, ["a", *Y[1:]]), "of one kind; got int, str"),
        (pairs(X, [np.nan, *Y[1:]]), "Input y contains NaN"),
        (pairs([(x, x) for x in X]), "gives tuple, not numbers: give its parts names, in a dict"),
        (pairs([{0: x} for x in X]), r"the keys \[0\]: they must be strings"),
        (pairs(X + 1j), "Complex data not supported"),
        (pairs([{"a": {"b": x}} for x in X]), "gives dict under 'a', not numbers"),
        (
            Listed([{"x": x, "labels": label} for x, label in zip(X, Y, strict=True)]),
            "'labels' among them: it must give",
        ),
        (Computed(lambda i: (X[i + 10], Y[i])), "that cannot be read: IndexError"),
        (OneShort(None), "__getitems__ gives 7 samples where 8 are asked for"),
        (NoLengthYet(None), "a Dataset without a length"),
        (pairs([torch.from_numpy(x).to_sparse() for x in X]), "numbers of one shape"),
    ],
    ids=range(32),
)
def test_refused_before_training(reading, data, message):
    with pytest.raises((ValueError, TypeError), match=f"(?i){message}"):
        classifier().fit(data)


def test_refused_beside_a_fitted_one(reading):
    fitted = classifier().fit(X, Y)
    with pytest.raises(ValueError, match=r"4 features|shape"):
        fitted.predict(Listed(list(X[:, :4])))
    with pytest.raises(ValueError, match="unseen at fit"):
        fitted.replay(pairs(X, Y + 1))
    with pytest.raises(ValueError, match="X_val is a Listed that gives samples without labels"):
        classifier().fit(X, Y, X_val=Listed(list(X)))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        classifier().fit(pairs(X), Y[:50])
