"""Fine-tuning
===========

A network that was trained on half of the digits has to read noisy ones, of which 200 are labelled. It is trained on,
for an instance keeps its weights (and is copied for each fit: what is given is never changed). For comparison another
begins from the start. Then the body is frozen, so that the last layer alone learns; then it has a rate of its own, a
tenth; and that once more with weights averaged over the training, which are then what is recorded and what predicts.

    python examples/17_fine_tuning.py
"""

import copy

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import AveragedWeights

EPOCHS, LR = 20, 0.003
X, y = load_digits(return_X_y=True)
X = X.reshape(-1, 1, 8, 8) / 16
clean, X, y_clean, y = train_test_split(X, y, train_size=0.5, stratify=y, random_state=0)
noisy = (X + 0.4 * np.random.default_rng(0).normal(size=X.shape)).astype("float32")
X_train, X_test, y_train, y_test = train_test_split(noisy, y, train_size=200, stratify=y, random_state=0)


class Network(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        layers = nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2)
        self.body, self.head = nn.Sequential(*layers, nn.Flatten()), nn.Linear(128, n_classes)

    def forward(self, x):
        return self.head(self.body(x))


first = DynamicsClassifier(Network, max_epochs=30, random_state=0).fit(clean, y_clean)
print(f"clean digits {first.score(X, y):.3f}, noisy ones {first.score(X_test, y_test):.3f}; trained on:")
frozen, plain = copy.deepcopy(first.module_), copy.deepcopy(first.module_)
frozen.body.requires_grad_(False)
slow = {"param_groups": [("*body.*", {"lr": LR / 10})]}
averaged = AveragedWeights(copy.deepcopy(first.module_), decay=0.95)
ways = {"from the start": (Network, None), "frozen body": (frozen, None)}
ways |= {"slow body": (first.module_, slow), "averaged weights": (averaged, slow)}
for name, (module, params) in ways.items():
    clf = DynamicsClassifier(module, lr=LR, batch_size=10, snapshots="trainable", optimizer_params=params)
    clf.set_params(max_epochs=EPOCHS, random_state=0).fit(X_train, y_train)
    late = clf.replay(X_test, y_test).accuracy[-10:]
    print(f"{name:16}  {clf.score(X_test, y_test):.3f} ({late.min():.3f} to {late.max():.3f} in ten epochs)")
optimizer = torch.optim.Adam(plain.head.parameters(), lr=LR)
for rows in [b for _ in range(EPOCHS) for b in torch.randperm(200).split(10)]:
    optimizer.zero_grad()
    nn.functional.cross_entropy(plain(torch.tensor(X_train[rows])), torch.tensor(y_train[rows])).backward()
    optimizer.step()
right = plain(torch.tensor(X_test)).argmax(1).numpy() == y_test
print(f"{'plain torch':16}  {right.mean():.3f} (frozen body)")
