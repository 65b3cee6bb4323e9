"""A Dataset on disk
=================

A torch Dataset is given to `fit` as it is, `clf.fit(dataset)`, and gives the labels too. Where it is large its samples
never lie in memory all at once: `num_workers` processes read them when they are needed. An array that lies in a file
(`numpy.memmap`) is read a batch at a time too. Here 36,000 noisy images of digits are written to a file of bytes, and
learned both ways, to the same last bit; and by a loop over a DataLoader in plain torch.

    python examples/16_dataset_on_disk.py
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

from sklearn_nndyn import DynamicsClassifier

N, N_TRAIN, SIDE = 36_000, 34_000, 16


class Images(Dataset):
    """Images of a file, as bytes, and their labels."""

    def __init__(self, pixels, labels):
        self.pixels, self.labels = pixels, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.pixels[i].copy(), self.labels[i]


def write(path):
    """Digits in random places, with noise; returns their labels."""
    (digits, labels), rng = load_digits(return_X_y=True), np.random.default_rng(0)
    images, chosen = rng.integers(0, 80, (N, 1, SIDE, SIDE), dtype=np.uint8), rng.integers(0, len(digits), N)
    for image, digit, (down, right) in zip(images, digits[chosen], rng.integers(3, 6, (N, 2)), strict=True):
        image[0, down : down + 8, right : right + 8] += (digit.reshape(8, 8) * 10).astype(np.uint8)
    images.tofile(path)
    return labels[chosen]


class Network(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(3), nn.Flatten(), nn.Linear(256, 10))

    def forward(self, x):
        return super().forward(x / 255)


def main(folder):
    """Learn from the Dataset, from the mapped file, and by a loop."""
    y = write(folder / "digits")
    X = np.memmap(folder / "digits", np.uint8, "r", shape=(N, 1, SIDE, SIDE))
    train, test = Subset(Images(X, y), range(N_TRAIN)), Subset(Images(X, y), range(N_TRAIN, N))
    clf = DynamicsClassifier(Network, lr=0.003, batch_size=50, num_workers=2, max_epochs=1, random_state=0)
    clf.fit(train)
    mapped = clone(clf).fit(X[:N_TRAIN], y[:N_TRAIN])
    print(
        f"Dataset: accuracy {clf.score(test):.3f}; mapped file: {mapped.score(X[N_TRAIN:], y[N_TRAIN:]):.3f}"
    )
    print(f"the same record: {(clf.dynamics_.loss == mapped.dynamics_.loss).all()}")

    torch.manual_seed(0)
    plain = Network()
    optimizer = torch.optim.Adam(plain.parameters(), lr=0.003)
    for images, labels in DataLoader(train, batch_size=50, shuffle=True, num_workers=2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(plain(images), labels).backward()
        optimizer.step()
    right = plain(torch.from_numpy(X[N_TRAIN:].copy())).argmax(1).numpy() == y[N_TRAIN:]
    print(f"plain torch: accuracy {right.mean():.3f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
