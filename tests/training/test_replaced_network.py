"""A callback that puts another network into the net, which the optimizer knows nothing of."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sklearn_nndyn import DynamicsClassifier, fit_together

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
y = (X[:, 0] > 0).astype(int)


class Replace(Callback):
    def on_train_begin(self, net, **kwargs):
        net.module_ = torch.nn.Linear(4, 2)


def classifier(batch_size, seed=0):
    return DynamicsClassifier(
        lambda shape, k: torch.nn.Linear(4, k),
        callbacks=[Replace()],
        batch_size=batch_size,
        max_epochs=2,
        random_state=seed,
    )


@pytest.mark.parametrize("batch_size", [20, "full"])
def test_a_network_that_the_optimizer_does_not_hold_is_refused(batch_size):
    with pytest.raises(ValueError, match="the optimizer holds no parameter of net"):
        classifier(batch_size).fit(X, y)


def test_it_is_refused_among_networks_trained_together():
    with pytest.raises(ValueError, match="the optimizer holds no parameter of net"):
        fit_together([classifier(20, seed) for seed in (0, 1)], X, y)
