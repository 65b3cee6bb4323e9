"""How often Python reads a number from a tensor: on an accelerator it waits for the device each time."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sklearn_nndyn import DynamicsClassifier
from tests.training.reads import deep_convolution, deep_mlp, reads_of_an_epoch


@pytest.mark.parametrize("n_networks", [1, 10], ids=["one", "ten"])
@pytest.mark.parametrize("n_layers", [2, 8])
@pytest.mark.parametrize("make", [deep_mlp, deep_convolution], ids=["mlp", "convolution"])
@pytest.mark.parametrize(
    ("record", "reads"), [((), 2), (("samples", "geometry"), 4)], ids=["bare", "recorded"]
)
def test_an_epoch_reads_as_often_however_many_layers_and_networks(make, n_layers, record, reads, n_networks):
    """Losses and finite parameters; recorded also the norms of two records, which a stack reads at once."""
    shared = n_networks > 1 and bool(record)
    assert reads_of_an_epoch(make(n_layers), record, n_networks) == reads - shared


class CountsAnUpdateMore(Callback):
    """Changes Adam's count of updates of one parameter, in place, after the third epoch."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 3:
            next(iter(net.optimizer_.state.values()))["step"].add_(1)


def test_counts_that_a_callback_changed_are_read_again(monkeypatch):
    """The counts of updates are not read where nothing changed them; else the result is that of Adam's own step."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(24, 5)).astype("float32"), np.arange(24) % 3

    def weights(callbacks):
        clf = DynamicsClassifier(max_epochs=6, batch_size=8, callbacks=callbacks, random_state=0).fit(X, y)
        return torch.cat([p.detach().flatten() for p in clf.module_.parameters()])

    fused, unchanged = weights([CountsAnUpdateMore()]), weights([])
    monkeypatch.setattr("sklearn_nndyn.training._fused_step.kernel", lambda name: None)
    assert torch.equal(fused, weights([CountsAnUpdateMore()]))
    assert not torch.equal(fused, unchanged)


def test_averages_of_gradients_never_become_denormal(monkeypatch):
    """A feature that one batch alone has; a thousand updates later its average is zero, and no weight differs."""
    X, y = np.zeros((1000, 3), dtype="float32"), np.arange(1000) % 2
    X[0] = X[:, 0] = 1

    def fitted():
        clf = DynamicsClassifier(max_epochs=1, batch_size=1, shuffle=False, record=(), random_state=0).fit(
            X, y
        )
        state = clf.net_.optimizer_.state
        parameters = list(clf.module_.parameters())
        return torch.cat([p.detach().flatten() for p in parameters]), state[parameters[0]]["exp_avg"][:, 1:]

    weights, averages = fitted()
    monkeypatch.setattr("sklearn_nndyn.training._fused_step.kernel", lambda name: None)
    own_weights, own_averages = fitted()
    assert torch.equal(weights, own_weights)
    assert averages.eq(0).all()
    assert own_averages.ne(0).any()
