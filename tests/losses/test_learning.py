"""Every loss learns."""

import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_nndyn.losses import get_loss, loss_names


def _trained(loss, X, y, *, lr, max_epochs, batch_size=100):
    """A plain network 64-100-10, trained by Adam on the gradients the loss gives."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(64, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10))
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    for _ in range(max_epochs):
        for batch in torch.randperm(len(X)).split(batch_size):
            optimizer.zero_grad()
            scores = network(X[batch])
            scores.backward(loss.value_and_gradient(scores, y[batch])[1] / len(batch))
            optimizer.step()
    return network


def _digits():
    X, y = load_digits(return_X_y=True)
    parts = train_test_split((X / 16).astype("float32"), y, test_size=0.3, stratify=y, random_state=0)
    return map(torch.as_tensor, parts)


KINDS = ("log", "tanimoto", "squared_hinge")  # on probabilities, far from convex, and on raw scores


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in KINDS else pytest.mark.slow) for name in loss_names()],
)
def test_learns_the_digits_at_the_rate_its_docstring_names(name):
    """3e-3 is named for all."""
    X_train, X_test, y_train, y_test = _digits()
    loss = get_loss(name)
    with torch.random.fork_rng(devices=[]):
        network = _trained(loss, X_train, y_train, lr=3e-3, max_epochs=40)
    with torch.no_grad():
        assert (loss.decide(network(X_test)) == y_test).float().mean() >= 0.95


@pytest.mark.parametrize("name", loss_names())
def test_a_few_steps_lower_the_loss(name):
    X_train, _, y_train, _ = _digits()
    loss = get_loss(name)
    with torch.random.fork_rng(devices=[]):
        before = _trained(loss, X_train, y_train, lr=3e-3, max_epochs=0)
        after = _trained(loss, X_train, y_train, lr=3e-3, max_epochs=3)
    with torch.no_grad():
        assert loss(after(X_train), y_train) < loss(before(X_train), y_train)
