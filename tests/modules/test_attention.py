"""Transformers with padded rows: seen layer by layer, with the scores they predict by."""

import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.backends import mha

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.utils.networks.evaluation import unfused_attention

RNG = np.random.default_rng(0)
LENGTH = 7
IDS = RNG.integers(1, 30, size=(90, LENGTH)).astype("float32")
IDS[np.arange(LENGTH) >= RNG.integers(2, LENGTH, 90)[:, None]] = 0
Y = (IDS[:, 0] > 15).astype(int)


class Encoder(nn.Module):
    """Reads padded ids by torch's encoder, and means over what is no padding."""

    def __init__(self, dropout, mask):
        super().__init__()
        self.embed, self.mask = nn.Embedding(30, 8), mask
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=dropout)
        self.encoder, self.out = nn.TransformerEncoder(layer, 2), nn.Linear(8, 2)

    def forward(self, x):
        ids = x.long()
        padding = (ids == 0) if self.mask else torch.zeros_like(ids, dtype=torch.bool)
        h = self.encoder(self.embed(ids), src_key_padding_mask=padding if self.mask else None)
        keep = (~padding)[:, :, None].float()
        return self.out((h * keep).sum(1) / keep.sum(1))


class SelfAttention(nn.Module):
    """One layer of attention, by itself."""

    def __init__(self):
        super().__init__()
        self.embed, self.out = nn.Embedding(30, 8), nn.Linear(8, 2)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        ids = x.long()
        h = self.embed(ids)
        return self.out(self.attention(h, h, h, key_padding_mask=ids == 0)[0].mean(1))


NETWORKS = {
    "padded": lambda shape, k: Encoder(0.1, True),
    "padded-without-dropout": lambda shape, k: Encoder(0.0, True),
    "not-padded": lambda shape, k: Encoder(0.1, False),
    "attention": lambda shape, k: SelfAttention(),
}


def classifier(module, **changes):
    settings = {"max_epochs": 2, "batch_size": 30, "random_state": 0, **changes}
    return DynamicsClassifier(module, **settings)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_it_is_recorded_as_it_trains_and_predicts(network):
    clf = classifier(network, record=("samples", "geometry", "scores")).fit(IDS, Y)
    unrecorded = classifier(network, record=(), snapshots=False).fit(IDS, Y)
    for a, b in zip(clf.module_.parameters(), unrecorded.module_.parameters(), strict=True):
        assert torch.equal(a, b)
    last = clf.dynamics_.scores[:, -1]
    assert np.array_equal(last[:, 1] - last[:, 0], clf.decision_function(IDS))
    assert np.array_equal(clf.decision_function(IDS), unrecorded.decision_function(IDS))
    assert clf.activations(IDS, layer=0).shape[0] == len(IDS)
    again = clf.replay(IDS, Y)
    np.testing.assert_allclose(again.loss, clf.dynamics_.loss, rtol=1e-5, atol=1e-6)
    assert again.centroids.keys() == clf.dynamics_.centroids.keys()


def test_padded_and_shorter_rows_are_seen_alike():
    """What is recorded is what training runs: the loss of the network in training mode, where nothing is dropped."""
    clf = classifier(NETWORKS["padded-without-dropout"]).fit(IDS, Y)
    scores = clf.module_.train()(torch.tensor(IDS))
    loss = nn.functional.cross_entropy(scores, torch.tensor(Y), reduction="none")
    np.testing.assert_allclose(clf.dynamics_.loss[:, -1], loss.detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("before", [True, False])
def test_the_users_setting_is_left_as_it_was(before):
    mha.set_fastpath_enabled(before)
    try:
        with pytest.raises(KeyError), unfused_attention(), unfused_attention():
            raise KeyError(mha.get_fastpath_enabled())
        with unfused_attention():
            assert not mha.get_fastpath_enabled()
        assert mha.get_fastpath_enabled() == before
    finally:
        mha.set_fastpath_enabled(True)


def test_threads_that_end_in_another_order_than_they_began():
    inside, leave = threading.Event(), threading.Event()

    def longer():
        with unfused_attention():
            inside.set()
            leave.wait(10)

    with unfused_attention():
        thread = threading.Thread(target=longer)
        thread.start()
        inside.wait(10)
    assert not mha.get_fastpath_enabled()
    leave.set()
    thread.join()
    assert mha.get_fastpath_enabled()
