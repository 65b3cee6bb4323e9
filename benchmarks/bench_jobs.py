"""Six jobs by us, by skorch, and by a baseline: lines, seconds, accuracy.

Text by a sparse vectorizer; tokens with a mask and a small transformer; a mixed table with embeddings; images with
augmentation; a Dataset on disk; fine-tuning. Ours and skorch's have the same network, epochs, optimizer (Adam), rate,
batch size and data; the baseline is a loop in plain torch with the same, for text and table scikit-learn's
`LinearSVC` and `HistGradientBoostingClassifier`. Seconds are of the processor, from the data to the accuracy, in turns,
medians; ours with the record and without. Lines are those of the function's body, formatted alike; networks, data,
augmentation and what all jobs of a library set (`OURS`, `SKORCH`) lie outside and are counted for neither. The file
is long because it holds eighteen small programs.

    python benchmarks/bench_jobs.py [text tokens table images dataset fine-tuning] [--repeats 3] [--threads 2]
"""

import ast
import copy
import importlib
import inspect
import statistics
import sys
import tempfile
import time
import unicodedata
import warnings
from pathlib import Path

import numpy as np
import torch
from _interleaved import THREADS, parser_of, print_table
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder
from sklearn.svm import LinearSVC
from skorch import NeuralNetClassifier
from torch import nn
from torch.utils.data import DataLoader, Dataset, default_collate

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP

OURS = {"lr": 3e-3, "random_state": 0}
SKORCH = {"lr": 3e-3, "criterion": nn.CrossEntropyLoss, "optimizer": torch.optim.Adam}
SKORCH |= {"iterator_train__shuffle": True, "train_split": None, "verbose": 0}


def loop(network, batches, epochs, groups=None):
    """Train in plain torch on batches (inputs, labels), made anew for each epoch."""
    optimizer = torch.optim.Adam(groups or network.parameters(), lr=3e-3)
    for _ in range(epochs):
        for inputs, y in batches():
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(*inputs), y).backward()
            optimizer.step()
    return network.eval()


def shuffled(arrays, y, size):
    """A function that cuts tensors into batches, in random order."""
    arrays, y = [torch.as_tensor(array) for array in arrays], torch.as_tensor(y)
    return lambda: (([a[rows] for a in arrays], y[rows]) for rows in torch.randperm(len(y)).split(size))


def text_data():
    """Docstrings of scikit-learn, and the subpackage of each."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))
    texts, packages = importlib.import_module("12_text").docstrings()
    return train_test_split(texts, packages, stratify=packages, random_state=0)


def text_ours(X, X_test, y, y_test, **more):
    clf = DynamicsClassifier(MLP((100,)), batch_size=64, max_epochs=6, **OURS, **more)
    return make_pipeline(TfidfVectorizer(sublinear_tf=True), clf).fit(X, y).score(X_test, y_test)


def text_skorch(X, X_test, y, y_test):
    vectorizer, labels = TfidfVectorizer(sublinear_tf=True, dtype=np.float32).fit(X), LabelEncoder().fit(y)
    sizes = len(vectorizer.vocabulary_), len(labels.classes_)
    module = nn.Sequential(nn.Linear(sizes[0], 100), nn.ReLU(), nn.Linear(100, sizes[1]))
    net = NeuralNetClassifier(module, batch_size=64, max_epochs=6, **SKORCH)
    net.fit(vectorizer.transform(X), labels.transform(y))
    return net.score(vectorizer.transform(X_test), labels.transform(y_test))


def text_baseline(X, X_test, y, y_test):
    return make_pipeline(TfidfVectorizer(sublinear_tf=True), LinearSVC()).fit(X, y).score(X_test, y_test)


class Transformer(nn.Module):
    """One layer of attention, and the mean over what is no padding."""

    def __init__(self, n_classes):
        super().__init__()
        self.embed, self.place = nn.Embedding(502, 32), nn.Parameter(torch.zeros(10, 32))
        self.attend = nn.TransformerEncoderLayer(32, 2, 64, 0.1, batch_first=True)
        self.last = nn.Linear(32, n_classes)

    def forward(self, ids, mask):
        h = self.attend(self.embed(ids) + self.place, src_key_padding_mask=~mask)
        return self.last((h * mask[..., None]).sum(1) / mask.sum(1, keepdim=True))


def tokens_data():
    """Ids of the words in names of Unicode's characters, and the first letter of the category of each."""
    characters = [c for c in map(chr, range(0x3000)) if unicodedata.name(c, "")][::2]
    names = [unicodedata.name(c) for c in characters]
    known, split = (
        CountVectorizer(max_features=500).fit(names).vocabulary_,
        CountVectorizer().build_analyzer(),
    )
    ids = np.array([([known.get(word, 500) + 1 for word in split(name)] + [0] * 10)[:10] for name in names])
    some, kinds = ids[:, 0] > 0, np.array([unicodedata.category(c)[0] for c in characters])
    return train_test_split(ids[some], kinds[some], stratify=kinds[some], random_state=0)


def tokens_ours(ids, ids_test, y, y_test, **more):
    clf = DynamicsClassifier(Transformer, batch_size=64, max_epochs=4, **OURS, **more)
    clf.fit({"ids": ids, "mask": ids > 0}, y)
    return clf.score({"ids": ids_test, "mask": ids_test > 0}, y_test)


def tokens_skorch(ids, ids_test, y, y_test):
    labels = LabelEncoder().fit(y)
    n_classes = len(labels.classes_)
    net = NeuralNetClassifier(Transformer, module__n_classes=n_classes, batch_size=64, max_epochs=4, **SKORCH)
    net.fit({"ids": ids, "mask": ids > 0}, labels.transform(y))
    found = net.predict({"ids": ids_test, "mask": ids_test > 0})
    return accuracy_score(labels.transform(y_test), found)


def tokens_baseline(ids, ids_test, y, y_test):
    classes, y = np.unique(y, return_inverse=True)
    network = loop(Transformer(len(classes)), shuffled([ids, ids > 0], y, 64), 4)
    with torch.no_grad():
        found = network(torch.tensor(ids_test), torch.tensor(ids_test > 0)).argmax(1)
    return accuracy_score(y_test, classes[found])


class Embedded(nn.Module):
    """Numbers, and four categories that are looked up."""

    def __init__(self, n_classes=2):
        super().__init__()
        self.embed = nn.ModuleList([nn.Embedding(30, 8) for _ in range(4)])
        self.layers = nn.Sequential(nn.Linear(36, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, n_classes))

    def forward(self, numbers, kinds):
        found = [embed(kinds[:, i]) for i, embed in enumerate(self.embed)]
        return self.layers(torch.cat([numbers, *found], 1))


def table_data():
    """A made table: a category turns the sign of a number's effect."""
    rng = np.random.default_rng(0)
    numbers, kinds = rng.normal(size=(8000, 4)).astype("float32"), rng.integers(0, 30, (8000, 4))
    effects = np.take_along_axis(rng.normal(size=(30, 4)), kinds, 0)
    y = ((effects * numbers).sum(1) + effects.sum(1) + rng.normal(size=8000) > 0).astype(int)
    return train_test_split(numbers, kinds, y, random_state=0)


def table_ours(numbers, numbers_test, kinds, kinds_test, y, y_test, **more):
    clf = DynamicsClassifier(Embedded, batch_size=64, max_epochs=10, **OURS, **more)
    clf.fit({"numbers": numbers, "kinds": kinds}, y)
    return clf.score({"numbers": numbers_test, "kinds": kinds_test}, y_test)


def table_skorch(numbers, numbers_test, kinds, kinds_test, y, y_test):
    net = NeuralNetClassifier(Embedded, batch_size=64, max_epochs=10, **SKORCH)
    net.fit({"numbers": numbers, "kinds": kinds}, y)
    return accuracy_score(y_test, net.predict({"numbers": numbers_test, "kinds": kinds_test}))


def table_baseline(numbers, numbers_test, kinds, kinds_test, y, y_test):
    trees = HistGradientBoostingClassifier(categorical_features=range(4, 8), random_state=0)
    return trees.fit(np.hstack([numbers, kinds]), y).score(np.hstack([numbers_test, kinds_test]), y_test)


class Convolutions(nn.Module):
    """Two convolutions and a linear layer."""

    def __init__(self, n_classes=10):
        super().__init__()
        layers = nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2)
        self.body, self.head = nn.Sequential(*layers, nn.Flatten()), nn.Linear(128, n_classes)

    def forward(self, x):
        return self.head(self.body(x))


def digits(n=1797, noise=0.0, seed=0):
    """Images of digits, between 0 and 1, and labels."""
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    rows = rng.permutation(1797) if n == 1797 else rng.integers(0, 1797, n)
    X = X[rows].reshape(-1, 1, 8, 8) / 16
    return (X + noise * rng.normal(size=X.shape)).astype("float32"), y[rows]


def images_data():
    """Digits, 300 of them to learn from."""
    return train_test_split(*digits(), train_size=300, random_state=0)


def shifted(batch, generator=None):
    """Each image moved by up to one pixel either way."""
    down, right = torch.randint(0, 3, (2, len(batch), 1, 1), generator=generator)
    rows, columns = torch.arange(8)[:, None] + down, torch.arange(8) + right
    padded = nn.functional.pad(batch, (1, 1, 1, 1))
    return padded[torch.arange(len(batch))[:, None, None], 0, rows, columns][:, None]


def images_ours(X, X_test, y, y_test, **more):
    clf = DynamicsClassifier(Convolutions, batch_transform=shifted, max_epochs=40, **OURS, **more)
    return clf.set_params(batch_size=32).fit(X, y).score(X_test, y_test)


def images_skorch(X, X_test, y, y_test):
    def collate(samples):
        images, labels = default_collate(samples)
        return shifted(images), labels

    net = NeuralNetClassifier(Convolutions, iterator_train__collate_fn=collate, max_epochs=40, **SKORCH)
    return net.set_params(batch_size=32).fit(X, y).score(X_test, y_test)


def images_baseline(X, X_test, y, y_test):
    cut = shuffled([X], y, 32)
    network = loop(Convolutions(), lambda: (([shifted(images)], labels) for (images,), labels in cut()), 40)
    return accuracy_score(y_test, network(torch.tensor(X_test)).argmax(1))


class Images(Dataset):
    """Images of a file, as bytes."""

    def __init__(self, file, labels):
        self.pixels, self.labels = np.memmap(file, np.uint8, "r", shape=(len(labels), 1, 8, 8)), labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.pixels[i].astype("float32") / 16, self.labels[i]


def dataset_data():
    """Two Datasets that read files, and the labels of the second."""
    sets = []
    for n, seed in (20_000, 0), (2_000, 1):
        images, labels = digits(n, noise=0.4, seed=seed)
        file = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the Dataset)
        file.write((16 * images.clip(0, 1)).astype(np.uint8).tobytes())
        sets.append(Images(file, labels))
    return *sets, labels


def dataset_ours(train, test, y_test, **more):
    clf = DynamicsClassifier(Convolutions, batch_size=64, max_epochs=2, **OURS, **more)
    return clf.fit(train).score(test)


def dataset_skorch(train, test, y_test):
    net = NeuralNetClassifier(Convolutions, batch_size=64, max_epochs=2, **SKORCH)
    return accuracy_score(y_test, net.fit(train, None).predict(test))


def dataset_baseline(train, test, y_test):
    loader = DataLoader(train, batch_size=64, shuffle=True)
    network = loop(Convolutions(), lambda: (([images], labels) for images, labels in loader), 2)
    with torch.no_grad():
        found = torch.cat([network(images).argmax(1) for images, _ in DataLoader(test, batch_size=256)])
    return accuracy_score(y_test, found)


def tuning_data():
    """A network trained on half of the digits, and the other half with noise, 200 of them to learn from."""
    X, y = digits()
    pretrained = loop(Convolutions(), shuffled([X[:900]], y[:900], 64), 30).train()
    noisy = X[900:] + 0.4 * np.random.default_rng(0).normal(size=X[900:].shape).astype("float32")
    return pretrained, *train_test_split(noisy, y[900:], train_size=200, random_state=0)


def tuning_ours(pretrained, X, X_test, y, y_test, **more):
    slow = {"param_groups": [("body.*", {"lr": 3e-4})]}
    clf = DynamicsClassifier(pretrained, optimizer_params=slow, batch_size=10, max_epochs=20, **OURS, **more)
    return clf.fit(X, y).score(X_test, y_test)


def tuning_skorch(pretrained, X, X_test, y, y_test):
    slow = [("body.*", {"lr": 3e-4})]
    net = NeuralNetClassifier(copy.deepcopy(pretrained), batch_size=10, max_epochs=20, **SKORCH)
    return net.set_params(optimizer__param_groups=slow).fit(X, y).score(X_test, y_test)


def tuning_baseline(pretrained, X, X_test, y, y_test):
    network = copy.deepcopy(pretrained)
    groups = [{"params": network.body.parameters(), "lr": 3e-4}, {"params": network.head.parameters()}]
    loop(network, shuffled([X], y, 10), 20, groups)
    return accuracy_score(y_test, network(torch.tensor(X_test)).argmax(1))


JOBS = {
    "text": (text_data, text_ours, text_skorch, text_baseline),
    "tokens": (tokens_data, tokens_ours, tokens_skorch, tokens_baseline),
    "table": (table_data, table_ours, table_skorch, table_baseline),
    "images": (images_data, images_ours, images_skorch, images_baseline),
    "dataset": (dataset_data, dataset_ours, dataset_skorch, dataset_baseline),
    "fine-tuning": (tuning_data, tuning_ours, tuning_skorch, tuning_baseline),
}


def lines_of(function):
    """Lines of the body, without empty ones."""
    source = inspect.getsource(function).splitlines()
    first = ast.parse("\n".join(source)).body[0].body[0].lineno
    return sum(bool(line.strip()) for line in source[first - 1 :])


def measure(ways, repeats):
    """Median seconds of the processor of each way, in turns, and mean accuracy."""
    found = {name: [] for name in ways}
    for turn in range(repeats):
        for name, way in ways.items():
            torch.manual_seed(turn)
            start = time.process_time()
            found[name].append((way(), time.process_time() - start))
    columns = {name: tuple(zip(*pairs, strict=True)) for name, pairs in found.items()}
    return {name: (statistics.mean(a), statistics.median(s)) for name, (a, s) in columns.items()}


def row_of(name, repeats):
    """One row of the table."""
    make, ours, by_skorch, baseline = JOBS[name]
    torch.manual_seed(0)
    data = make()
    bare = {"record": (), "snapshots": False}
    ways = {
        "ours": lambda: ours(*data),
        "bare": lambda: ours(*data, **bare),
        "skorch": lambda: by_skorch(*data),
        "baseline": lambda: baseline(*data),
    }
    found = measure(ways, repeats)
    seconds = [f"{found[way][1]:.2f}" for way in ways]
    accuracies = [f"{found[way][0]:.3f}" for way in ("ours", "skorch", "baseline")]
    return [name, lines_of(ours), lines_of(by_skorch), *seconds, *accuracies]


def main():
    """Print the table."""
    given = parser_of(__doc__, names=JOBS, repeats=3, threads=THREADS).parse_args()
    torch.set_num_threads(given.threads)
    warnings.simplefilter("ignore")
    header = ["job", "lines: ours", "skorch", "s: ours", "unrecorded", "skorch", "baseline"]
    rows = [row_of(name, given.repeats) for name in given.names]
    print_table([*header, "accuracy: ours", "skorch", "baseline"], rows)


if __name__ == "__main__":
    main()
