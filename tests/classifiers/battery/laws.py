"""The laws, each as a function of a case that gives None, or what is wrong."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn.parameter import is_lazy

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.recording import Probe

N, EPOCHS = 24, 2
PLAIN = (int, float, str, bool, bytes, type(None))


@dataclass
class Case:
    """A fit with something that is not ours in it."""

    name: str
    kind: str
    parameters: dict = field(repr=False)

    @property
    def data(self):
        rng = np.random.default_rng(0)
        y = np.arange(N) % (2 if self.kind == "two classes" else 3)
        if self.kind == "ids":
            X = rng.integers(1, 9, (N, 5))
            X[::3, 3:] = 0
            return X, y
        shape = {"images": (1, 6, 6), "sequences": (5, 4)}.get(self.kind, (8,))
        X = rng.normal(size=(N, *shape)) + 0.5 * y.reshape(-1, *(1 for _ in shape))
        return X.astype(np.float32), y

    def make(self, random_state=0, **changes):
        settings = {"max_epochs": EPOCHS, "batch_size": 8, "lr": 0.01, "random_state": random_state}
        return DynamicsClassifier(**{**settings, **self.parameters, **changes})

    def fit(self, random_state=0, **changes):
        return self.make(random_state, **changes).fit(*self.data)


def weights(clf):
    return {name: value.clone() for name, value in clf.module_.state_dict().items()}


def difference(one, other, exact=True):
    """The first entry that differs, or None."""
    for name, value in other.items():
        same = torch.equal if exact else _close
        if one.keys() != other.keys() or not same(one[name], value):
            return name
    return None


def _close(a, b):
    return torch.allclose(a.double(), b.double(), rtol=1e-3, atol=1e-5, equal_nan=True)


def recorded_is_unrecorded(case):
    """Weights of a recorded fit are bitwise those of an unrecorded one, and the generators stay."""
    torch.manual_seed(7)
    np.random.seed(7)
    recorded = case.fit(
        record=("samples", "geometry", "scores", Probe("scores", cv=2)), record_iterations=None
    )
    drawn = torch.rand(2), np.random.rand(2)
    torch.manual_seed(7)
    np.random.seed(7)
    if not (torch.equal(drawn[0], torch.rand(2)) and (drawn[1] == np.random.rand(2)).all()):
        return "the global generators moved"
    return difference(weights(recorded), weights(case.fit(record=(), snapshots=False)))


def two_fits_are_equal(case):
    """One seed, one result: weights and record."""
    first, second = case.fit(), case.fit()
    odd = difference(weights(first), weights(second))
    if odd is None and not np.array_equal(first.dynamics_.loss, second.dynamics_.loss, equal_nan=True):
        odd = "the recorded loss"
    return odd


def given_is_unchanged(case):
    """Module, loss and data are as before a fit; callbacks are not asked, for skorch fills the objects it is given."""
    X, y = case.data
    given = {**case.parameters, "X": X, "y": y, "callbacks": None}
    before = described(given)
    case.make().fit(X, y)
    after = described(given)
    return next((name for name in after if after.get(name) != before.get(name)), None)


def described(value, name=""):
    """{place: what lies there} of a thing, all the way down; what is neither data nor a module by its identity."""
    if torch.is_tensor(value):
        content = "lazy" if is_lazy(value) else value.detach().numpy().tobytes()
        return {name: (content, value.requires_grad, value.is_leaf and value.grad is None)}
    if isinstance(value, np.ndarray):
        return {name: value.tobytes()}
    if isinstance(value, torch.nn.Module):
        return described(vars(value), name)
    if isinstance(value, (list, tuple)):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        inner = [described(one, f"{name}.{key}") for key, one in value.items()]
        return {place: content for one in inner for place, content in one.items()}
    return {name: value if isinstance(value, PLAIN) else id(value)}


def alone_is_together(case):
    """Trained with a neighbour, or alone: the same weights, up to rounding, which Adam would enlarge."""
    X, y = case.data
    together = fit_together([case.make(seed, optimizer="sgd") for seed in (0, 1)], X, y)
    for seed, clf in enumerate(together):
        odd = difference(weights(clf), weights(case.fit(seed, optimizer="sgd")), exact=False)
        if odd is not None:
            return odd
    return None


def replay_is_the_record(case):
    """Replayed on the training samples, the record comes again."""
    clf = case.fit()
    X, y = case.data
    replayed, record = clf.replay(X, y), clf.dynamics_
    for name in ("loss", "margin", "probability"):
        one, other = getattr(replayed, name), getattr(record, name)
        if other is not None and not np.allclose(one, other, rtol=1e-3, atol=1e-4, equal_nan=True):
            return name
    for layer, values in record.centroids.items():
        if not np.allclose(replayed.centroids[layer], values, rtol=1e-3, atol=1e-4, equal_nan=True):
            return layer
    return None


LAWS = {
    "recorded = unrecorded": recorded_is_unrecorded,
    "two fits equal": two_fits_are_equal,
    "given unchanged": given_is_unchanged,
    "alone = together": alone_is_together,
    "replay = record": replay_is_the_record,
}
