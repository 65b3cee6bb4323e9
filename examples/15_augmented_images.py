"""Images with augmentation
========================

`batch_transform` changes the batches of training and nothing else: recorded, validated and predicted are the images as
they were given. Here each digit is shifted by up to one pixel; what is random is drawn from the generator that the
function is given, so that `random_state` fixes it. Beside it a loop in plain torch with the same shifts.

    python examples/15_augmented_images.py
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from sklearn_nndyn import DynamicsClassifier

EPOCHS, LR = 40, 3e-3
X, y = load_digits(return_X_y=True)
X = (X.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=300, stratify=y, random_state=0)


def network(shape, n_classes):
    return nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(128, n_classes),
    )  # fmt: skip


def shifted(batch, generator):
    """Each image moved by up to one pixel either way."""
    down, right = torch.randint(0, 3, (2, len(batch), 1, 1), generator=generator)
    rows, columns = torch.arange(8)[:, None] + down, torch.arange(8) + right
    return nn.functional.pad(batch, (1, 1, 1, 1))[torch.arange(len(batch))[:, None, None], 0, rows, columns][
        :, None
    ]


for transform in (None, shifted):
    clf = DynamicsClassifier(
        network, batch_transform=transform, batch_size=32, max_epochs=EPOCHS, random_state=0
    )
    clf.fit(X_train, y_train)
    print(
        f"{'shifted' if transform else 'as they are':12}  accuracy {clf.score(X_test, y_test):.3f}, "
        f"mean loss of the training images {clf.dynamics_.loss[:, -1].mean():.3f}"
    )

generator = torch.manual_seed(0)
plain, images, target = network(None, 10), torch.from_numpy(X_train), torch.from_numpy(y_train)
optimizer = torch.optim.Adam(plain.parameters(), lr=LR)
for batch in [b for _ in range(EPOCHS) for b in torch.randperm(len(images)).split(32)]:
    optimizer.zero_grad()
    nn.functional.cross_entropy(plain(shifted(images[batch], generator)), target[batch]).backward()
    optimizer.step()
right = plain(torch.from_numpy(X_test)).argmax(1).numpy() == y_test
print(f"plain torch   accuracy {right.mean():.3f}")
