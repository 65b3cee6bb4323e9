"""A Dataset on disk
=================

A torch Dataset is given to `fit` as it is, and gives the labels too. Where it is large its samples never lie in memory
all at once: `num_workers` processes read them. An array in a file (`numpy.memmap`) is read a batch at a time too. Here
36,000 noisy digits lie in a file of bytes, and are learned both ways, to the same last bit, and by a loop.

    python examples/16_dataset_on_disk.py
"""

import tempfile

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

from sklearn_nndyn import DynamicsClassifier


class Images(Dataset):
    def __init__(self, pixels, labels):
        self.pixels, self.labels = pixels, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.pixels[i].copy(), self.labels[i]


def network(shape, n_classes):
    layers = nn.BatchNorm2d(1), nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(3), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(256, n_classes))


if __name__ == "__main__":
    (digits, labels), rng = load_digits(return_X_y=True), np.random.default_rng(0)
    N, N_TRAIN = 36_000, 34_000
    chosen = rng.integers(0, len(digits), N)
    with tempfile.TemporaryFile() as file:
        X, y = np.memmap(file, np.uint8, "w+", shape=(N, 1, 16, 16)), labels[chosen]
    for image, digit, (down, right) in zip(X, digits[chosen], rng.integers(3, 6, (N, 2)), strict=True):
        image[:] = rng.integers(0, 80, image.shape)
        image[0, down : down + 8, right : right + 8] += (digit.reshape(8, 8) * 10).astype(np.uint8)
    train, test = Subset(Images(X, y), range(N_TRAIN)), Subset(Images(X, y), range(N_TRAIN, N))
    clf = DynamicsClassifier(network, lr=0.003, batch_size=50, num_workers=2, max_epochs=1, random_state=0)
    accuracy, record = clf.fit(train).score(test), clf.dynamics_
    same = (clf.fit(X[:N_TRAIN], y[:N_TRAIN]).dynamics_.loss == record.loss).all()
    print(f"Dataset: accuracy {accuracy:.3f}; the same record from the mapped file: {same}")
    torch.manual_seed(0)
    plain = network(None, 10)
    optimizer = torch.optim.Adam(plain.parameters(), lr=0.003)
    for images, target in DataLoader(train, batch_size=50, shuffle=True, num_workers=2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(plain(images.float()), target).backward()
        optimizer.step()
    right = plain.eval()(torch.tensor(X[N_TRAIN:]).float()).argmax(1).numpy() == y[N_TRAIN:]
    print(f"plain torch: accuracy {right.mean():.3f}")
