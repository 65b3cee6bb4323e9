"""Bring your own network and your own loss
========================================

Any torch module will do: a class, an instance, or a function of the input's shape and the number of classes. Any
loss will do that gives a value for each sample: a torch loss with `reduction`, a function of (scores, target), or a
`ClassificationLoss` of your own, which can also give probabilities. Nothing has to be changed in them for the
recorder to see every hidden layer.

Here a small convolution net with batch normalisation learns 8 x 8 images, with the focal loss, written out as if it
did not go by name already.

    python examples/3_own_module_and_loss.py
"""

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_nndyn import DynamicsClassifier


def convolution_net(input_shape, n_classes):
    """(n, 1, 8, 8) -> (n, n_classes)."""
    channels = input_shape[0]
    return torch.nn.Sequential(
        torch.nn.Conv2d(channels, 16, 3, padding=1, bias=False),
        torch.nn.BatchNorm2d(16),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False),
        torch.nn.BatchNorm2d(32),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(32, n_classes),
    )


def focal(scores, target):
    """(1 - p_c)^2 (-log p_c) of each sample: what is sure already counts little (Lin et al. 2017)."""
    log_p = torch.log_softmax(scores, dim=1).gather(1, target[:, None])[:, 0]
    return (1 - log_p.exp()) ** 2 * -log_p


def main():
    """Train, and follow the classes through the layers."""
    images, y = load_digits(return_X_y=True)
    images = images.reshape(-1, 1, 8, 8) / 16
    X_train, X_test, y_train, y_test = train_test_split(images, y, stratify=y, random_state=0)
    clf = DynamicsClassifier(
        convolution_net, loss=focal, lr=1e-2, max_epochs=15, batch_size=50, random_state=0
    )
    clf.fit(X_train, y_train, X_val=X_test, y_val=y_test)

    print("epoch    test accuracy    mean distance between the classes' centroids, layer by layer")
    record = clf.validation_dynamics_
    for e in (0, 1, 3, 15):
        distances = "    ".join(
            f"{name}: {mean_distance(centroids[e]):.2f}" for name, centroids in record.centroids.items()
        )
        print(f"{record.epochs[e]:5d}    {record.accuracy[e]:13.3f}    {distances}")
    print(f"\nActivations of the last hidden layer: {clf.activations(X_test).shape}")

    # The same samples under noise, looked at with the weights of every epoch, without training again.
    noise = np.random.default_rng(0).normal(scale=0.3, size=X_test.shape)
    noisy = clf.replay(X_test + noise, y_test)
    print(
        f"Accuracy under noise was best at epoch {noisy.epochs[noisy.accuracy.argmax()]}: {noisy.accuracy.max():.3f}"
    )


def mean_distance(centroids):
    """Mean over the pairs of classes; centroids (n_classes, width)."""
    differences = centroids[:, None] - centroids
    n_classes = len(centroids)
    return np.linalg.norm(differences, axis=-1).sum() / (n_classes * (n_classes - 1))


if __name__ == "__main__":
    main()
