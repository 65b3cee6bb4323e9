"""What is wrong with dicts, sparse matrices, Datasets, files and ids is told in words, before anything is trained."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, Dataset, IterableDataset, TensorDataset

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.classifiers import _validation
from sklearn_nndyn.utils.rows import datasets
from tests.classifiers.inputs.kinds import Listed, Normed, halves, mapped
from tests.pairwise import for_each

RNG = np.random.default_rng(0)
VALUES, Y = RNG.normal(size=(90, 16)), np.arange(90) % 3
IDS = RNG.integers(1, 30, (90, 7))
MASK = np.arange(7) < RNG.integers(2, 8, 90)[:, None]
TOKENS = {"ids": IDS, "mask": MASK, "extra": VALUES[:, :2]}


class Words(nn.Module):
    """Looks ids up."""

    def __init__(self, n_classes):
        super().__init__()
        self.embed, self.out = nn.Embedding(30, 6), nn.Linear(42, n_classes)

    def forward(self, ids):
        return self.out(self.embed(ids).flatten(1))


class Reader(nn.Module):
    """Mean of the embedded ids that are not masked, beside two numbers."""

    def __init__(self, n_classes):
        super().__init__()
        self.embed, self.out = nn.Embedding(30, 6), nn.Linear(8, n_classes)

    def forward(self, extra, ids, mask):
        h = (self.embed(ids) * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self.out(torch.cat([h, extra], 1))


def images(shape, n_classes):
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.LazyLinear(n_classes))


def with_value(values, value, row=80):
    """The values with another one in a late row."""
    changed = np.array(values, copy=True)
    changed[row, 1] = value
    return changed


def tokens(**changes):
    return TOKENS | changes


def pairs(values, labels=Y):
    return Listed(list(zip(values, labels, strict=True)))


def changed(item, i=80):
    """A Dataset with another item in a late place."""
    given = list(zip(VALUES, Y, strict=True))
    given[i] = item
    return Listed(given)


class Computed(Dataset):
    """Gives what a function makes of a position."""

    def __init__(self, make):
        self.make = make

    def __len__(self):
        return 90

    def __getitem__(self, i):
        return self.make(i)


class OneShort(Computed):
    def __getitems__(self, places):
        return [(VALUES[i], Y[i]) for i in places[1:]]


class NoLengthYet(Computed):
    def __len__(self):
        raise NotImplementedError


class Endless(IterableDataset):
    def __iter__(self):
        return iter(pairs(VALUES))


class NoLength(Dataset):
    def __getitem__(self, i):
        return VALUES[i], Y[i]


NOISY = Computed(lambda i: (torch.from_numpy(VALUES[i]) + torch.randn(16), Y[i]))
ALL_NAN = np.full((90, 2), np.nan)

DICTS = {
    "empty": (Reader, {}, "X is a dict and needs names"),
    "numbers-for-names": (Reader, {0: IDS}, r"needs names, strings, .* got \[0\]"),
    "bytes-for-names": (Reader, {b"ids": IDS}, r"needs names, strings, .* got \[b'ids'\]"),
    "lengths": (Reader, tokens(mask=MASK[:-1]), "one row for each sample each, got ids 90, mask 89, extra 90"),
    "missing": (Reader, {"ids": IDS, "mask": MASK}, "cannot process a batch of ids .*extra"),
    "unknown": (Reader, tokens(more=VALUES), "cannot process a batch of .*more"),
    "other-name": (Reader, {"id": IDS, "mask": MASK, "extra": VALUES[:, :2]}, "unexpected keyword argument 'id'"),
    "ragged": (Reader, tokens(ids=[[1, 2], [3]] * 45), r"X\['ids'\] must have rows of one length"),
    "text": (Reader, tokens(ids=np.full((90, 7), "a")), r"X\['ids'\] must hold numbers"),
    "object": (Reader, tokens(ids=IDS.astype(object)), r"X\['ids'\] must hold numbers.* got dtype object"),
    "complex": (Reader, tokens(extra=VALUES[:, :2] + 1j), r"X\['extra'\]: Complex data not supported"),
    "dates": (Reader, tokens(extra=np.zeros((90, 2), "M8[D]")), r"X\['extra'\] must hold numbers, .* dates"),
    "scalar": (Reader, tokens(ids=3), r"X\['ids'\] must be an array, a table or a list, got 3\."),
    "none": (Reader, tokens(extra=None), r"X\['extra'\] must be an array, a table or a list, got None"),
    "nested": (Reader, tokens(extra={"a": VALUES}), r"X\['extra'\] must be an array, .* got a dict"),
    "masked": (
        Reader,
        tokens(extra=np.ma.masked_array(VALUES[:, :2], MASK[:, :2])),
        r"X\['extra'\] is a masked array",
    ),
    "nan": (Reader, tokens(extra=with_value(VALUES[:, :2], np.nan)), r"Input X\['extra'\] contains NaN"),
    "infinity": (Reader, tokens(extra=with_value(VALUES[:, :2], np.inf)), r"X\['extra'\] contains infinity"),
    "too-large": (Reader, tokens(extra=with_value(VALUES[:, :2], 1e300)), r"X\['extra'\] contains infinity"),
    "nan-in-sparse": (
        Normed,
        halves(VALUES) | {"left": sp.csr_matrix(with_value(VALUES[:, :9], np.nan))},
        r"Input X\['left'\] contains NaN",
    ),
    "no-rows": (Reader, {name: values[:0] for name, values in TOKENS.items()}, r"got an array of shape \(0, "),
    "list-of-dicts": (Reader, [{"ids": ids} for ids in IDS], "X is a list of dicts: give one dict of arrays"),
    "to-an-mlp": (None, TOKENS, r"X is a dict of 'ids', 'mask', 'extra', and .* takes one array"),
    "float-ids": (Reader, tokens(ids=IDS.astype(float)), "cannot process a batch of ids"),
    "id-too-large": (Reader, tokens(ids=with_value(IDS, 30)), "looks up id 30 in 'embed', which holds ids 0 to 29"),
    "id-negative": (Reader, tokens(ids=with_value(IDS, -1)), "looks up id -1 in 'embed', which holds ids 0 to 29"),
}  # fmt: skip
IDS_ALONE = {
    "too-large": (Words, with_value(IDS, 30), r"X: .* looks up id 30 in 'embed', .* \(num_embeddings=30\)"),
    "negative": (Words, with_value(IDS, -1), "X: the module looks up id -1 in 'embed'"),
    "beyond-int64": (Words, with_value(IDS.astype("uint64"), 2**63), "cannot process a batch of shape"),
    "floats": (Words, IDS.astype(float), r"cannot process a batch of shape \(2, 7\)"),
    "bytes": (Words, IDS.astype("uint8"), r"cannot process a batch of shape \(2, 7\)"),
    "sparse": (Words, sp.csr_matrix(IDS), r"cannot process a batch of shape \(2, 7\)"),
}
SPARSE = {
    "nan": (None, sp.csr_matrix(with_value(VALUES, np.nan)), "Input X contains NaN"),
    "infinity": (None, sp.csr_matrix(with_value(VALUES, np.inf)), "Input X contains infinity"),
    "complex": (None, sp.csr_matrix(VALUES + 1j), "Complex data not supported"),
    "no-rows": (None, sp.csr_matrix((0, 5)), "0 sample"),
    "no-columns": (None, sp.csr_matrix((90, 0)), "0 feature"),
    "one-axis": (None, sp.coo_array(VALUES[:, 0]), "Expected 2D"),
    "rows": (None, [sp.csr_matrix(row[None]) for row in VALUES], r"give one, scipy\.sparse\.vstack\(X\)"),
    "of-torch": (None, torch.from_numpy(VALUES).to_sparse(), r"X is a sparse tensor: give X\.to_dense\(\)"),
    "to-a-convolution": (images, sp.csr_matrix(VALUES), r"cannot process a batch of shape \(2, 16\)"),
}
DATASETS = {
    "empty": (None, Listed([]), "without samples"),
    "no-labels": (None, Listed(list(VALUES)), "gives samples without labels"),
    "one-tensor": (None, TensorDataset(torch.from_numpy(VALUES)), "gives samples without labels"),
    "three": (None, Listed([(x, 0, 1.0) for x in VALUES]), "gives 3 values"),
    "label-missing": (None, changed(VALUES[80]), "some samples with a label and some without"),
    "label-none": (None, pairs(VALUES, [None, *Y[1:]]), "some without"),
    "label-nan": (None, pairs(VALUES, [np.nan, *Y[1:]]), "Input y contains NaN"),
    "label-one-hot": (None, pairs(VALUES, list(np.eye(3)[Y])), r"take y.argmax\(axis=1\)"),
    "label-of-two-kinds": (None, pairs(VALUES, ["a", *Y[1:]]), "of one kind; got int, str"),
    "one-class": (None, pairs(VALUES, 0 * Y), "at least 2 classes"),
    "shape": (None, changed((VALUES[80, :4], 1)), "numbers of one shape"),
    "shape-later": (
        None,
        ConcatDataset([pairs(VALUES)] * 3 + [pairs(VALUES[:, :4])]),
        "of one shape",
    ),
    "keys": (None, changed(({"a": VALUES[80]}, 1)), "not all of the same keys"),
    "keys-no-strings": (None, pairs([{0: x} for x in VALUES]), r"the keys \[0\]: they must be strings"),
    "labels-among-keys": (
        None,
        Listed([{"x": x, "labels": 0} for x in VALUES]),
        "'labels' among them: it must give",
    ),
    "text": (None, pairs(["text"] * 90), "gives str, not numbers"),
    "text-by-name": (None, pairs([{"a": "text"}] * 90), "gives str under 'a', not numbers"),
    "dict-by-name": (None, pairs([{"a": {"b": x}} for x in VALUES]), "gives dict under 'a', not numbers"),
    "object": (None, pairs([object()] * 90), "must be numbers of one shape"),
    "none": (None, pairs([None] * 90), "must be numbers of one shape"),
    "masked": (None, pairs([np.ma.masked_array(x, x > 0) for x in VALUES]), "got a masked array"),
    "masked-by-name": (None, pairs([{"a": np.ma.masked_array(x, x > 0)} for x in VALUES]), "got a masked array"),
    "nothing-in-it": (None, pairs([VALUES[0, :0]] * 90), "minimum of 1 is required"),
    "tuple": (None, pairs([(x, x) for x in VALUES]), "gives tuple, not numbers: give its parts names"),
    "sparse": (None, pairs([torch.from_numpy(x).to_sparse() for x in VALUES]), "numbers of one shape"),
    "nan": (None, pairs(with_value(VALUES, np.nan)), "contains NaN"),
    "complex": (None, pairs(VALUES + 1j), "Complex data not supported"),
    "random": (None, NOISY, "without random changes; .* batch_transform"),
    "without-length": (None, NoLength(), "map-style"),
    "length-not-written": (None, NoLengthYet(None), "a Dataset without a length"),
    "iterable": (None, Endless(), "map-style"),
    "loader": (None, DataLoader(pairs(VALUES)), "give its dataset"),
    "class": (None, TensorDataset, "X must be an array, a table or a list, got a type"),
    "too-long": (None, Computed(lambda i: (VALUES[i + 10], Y[i])), "that cannot be read: IndexError"),
    "getitems-short": (None, OneShort(None), "gives 7 samples where 8 are asked for"),
    "id-too-large": (Reader, pairs([{"ids": with_value(IDS, 30)[i], "mask": MASK[i], "extra": VALUES[i, :2]}
                                    for i in range(90)]), "looks up id 30 in 'embed'"),
}  # fmt: skip
FILES = {
    "nan": (lambda folder: mapped(with_value(VALUES, np.nan), folder, "float32"), "Input X contains NaN"),
    "infinity": (lambda folder: mapped(with_value(VALUES, np.inf), folder, "float64"), "Input X contains infinity"),
    "too-large": (lambda folder: mapped(with_value(VALUES, 1e300), folder, "float64"), "Input X contains infinity"),
    "one-axis": (lambda folder: mapped(VALUES[:, 0], folder, "float32"), "Expected 2D array, got 1D"),
    "complex": (lambda folder: mapped(VALUES, folder, "complex64"), "Complex data not supported"),
    "fields": (lambda folder: mapped(np.zeros(90), folder, [("a", "f4"), ("b", "f4")]), "with fields a, b"),
    "nan-in-a-dict": (
        lambda folder: halves(VALUES) | {"right": mapped(with_value(VALUES[:, 9:], np.nan), folder, "float64")},
        r"Input X\['right'\] contains NaN",
    ),
}  # fmt: skip
TABLE = {
    f"{kind}: {name}": case
    for kind, cases in {"dict": DICTS, "ids": IDS_ALONE, "sparse": SPARSE, "Dataset": DATASETS}.items()
    for name, case in cases.items()
}


def refused(module, X, message, **parameters):
    """Fit, and see it refused with an unfitted classifier left."""
    clf = DynamicsClassifier(module, max_epochs=1, random_state=0, **parameters)
    y = None if isinstance(X, (Dataset, DataLoader)) else Y
    with pytest.raises((ValueError, TypeError), match=f"(?i){message}"):
        clf.fit(X, y)
    assert not hasattr(clf, "net_")


@pytest.fixture(params=["small", "large"])
def size(request, monkeypatch):
    """What counts as large stays where it is, and is read in parts."""
    if request.param == "large":
        monkeypatch.setattr(_validation, "LARGE_BYTES", 0)
        monkeypatch.setattr(datasets, "LARGE_BYTES", 0)


@for_each("case", TABLE)
def test_refused_before_training(size, case):
    refused(*case)


@for_each("case", FILES)
def test_files_are_refused_before_training(size, case, tmp_path):
    make, message = case
    X = make(tmp_path)
    refused(Normed if isinstance(X, dict) else None, X, message)


# kind: module, what was fitted, {name: what is then given, message}
AFTERWARDS = {
    "dict": (
        Reader,
        TOKENS,
        {
            "missing": ({"ids": IDS, "mask": MASK}, "X has 'ids', 'mask', but was fitted with 'ids', 'mask', 'extra'"),
            "unknown": (tokens(more=VALUES), "X has 'ids', 'mask', 'extra', 'more', but was fitted with"),
            "width": (tokens(extra=VALUES[:, :3]), r"X\['extra'\] has samples of shape \(3,\), but was fitted with"),
            "one-array": (VALUES, "X must be a dict of 'ids', 'mask', 'extra', as in fit; got ndarray"),
            "nan": (tokens(extra=with_value(VALUES[:, :2], np.nan)), r"Input X\['extra'\] contains NaN"),
            "id": (tokens(ids=with_value(IDS, 30)), "the module looks up id 30 in 'embed'"),
        },
    ),
    "ids": (
        Words,
        IDS,
        {
            "fractions": (IDS + 0.5, r"whole numbers \(ids\), and this X holds"),
            "nan": (with_value(IDS.astype(float), np.nan), "NaN"),
            "too-large": (with_value(IDS, 30), "the module looks up id 30"),
            "width": (IDS[:, :5], "X has 5 features, but .* is expecting 7"),
        },
    ),
    "one array": (
        Normed,
        VALUES,
        {
            "dict": (halves(VALUES), "X must be one array, as in fit; got a dict of 'left', 'right'"),
            "sparse-width": (sp.csr_matrix(VALUES[:, :5]), "X has 5 features, but .* is expecting 16"),
            "sparse-nan": (sp.csr_matrix(with_value(VALUES, np.nan)), "Input X contains NaN"),
            "sparse-complex": (sp.csr_matrix(VALUES + 1j), "Complex data not supported"),
            "Dataset-width": (Listed(list(VALUES[:, :4])), r"4 features|shape"),
            "Dataset-random": (NOISY, "gives other values when it is read again"),
            "images": (VALUES.reshape(90, 4, 4), r"samples of shape \(4, 4\), but .* was fitted with"),
        },
    ),
}  # fmt: skip
LATER = {f"{kind}: {name}": (kind, name) for kind, (_, _, cases) in AFTERWARDS.items() for name in cases}


@pytest.fixture(scope="module")
def fitted():
    """A classifier for each kind."""
    return {
        kind: DynamicsClassifier(module, max_epochs=1, random_state=0).fit(X, Y)
        for kind, (module, X, _) in AFTERWARDS.items()
    }


@for_each("case", LATER)
def test_refused_afterwards(fitted, size, case):
    kind, name = case
    X, message = AFTERWARDS[kind][2][name]
    for way in (
        fitted[kind].predict,
        lambda given: fitted[kind].replay(given, Y),
        lambda given: fitted[kind].activations(given, 0),
        lambda given: DynamicsClassifier(AFTERWARDS[kind][0]).fit(
            AFTERWARDS[kind][1], Y, X_val=given, y_val=Y
        ),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            way(X)


def test_labels_of_another_number():
    for X in (TOKENS, sp.csr_matrix(VALUES), pairs(VALUES)):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            DynamicsClassifier(Reader if X is TOKENS else None).fit(X, Y[:-1])


def test_validation_data_without_labels():
    with pytest.raises(ValueError, match="X_val is a Listed that gives samples without labels"):
        DynamicsClassifier().fit(VALUES, Y, X_val=Listed(list(VALUES)))


def test_there_are_thirty():
    assert len(TABLE) + len(FILES) + len(LATER) >= 90
