"""The order in memory in which convolution nets are run: by their parts alone, in every pass, and never seen."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP, VGG, ResNet
from sklearn_nndyn.recording import Reconstruction
from sklearn_nndyn.utils.modules import score_in_chunks
from sklearn_nndyn.utils.networks.memory_format import make_layout, pays_with_channels_last

RNG = np.random.default_rng(0)
X = RNG.standard_normal((150, 2, 8, 8)).astype(np.float32)
Y = RNG.integers(0, 3, 150)


def network(*between):
    """A convolution, some parts, and as many flat features as they leave."""
    module = nn.Sequential(nn.Conv2d(2, 6, 3, padding=1), *between, nn.Flatten(), nn.LazyLinear(3))
    module(torch.zeros(2, 2, 8, 8))  # the last layer has its shape
    return module


class Viewed(nn.Module):
    """Counts on the usual order in memory, as many networks do."""

    def __init__(self):
        super().__init__()
        self.convolution, self.linear = nn.Conv2d(2, 6, 3), nn.Linear(216, 3)

    def forward(self, x):
        h = self.convolution(x).relu()
        return self.linear(h.view(len(h), -1))


class Batches(Callback):
    """Needs the loop over batches that is skorch's own."""

    def on_batch_end(self, net, **kwargs):
        pass


def pooled(input_shape, n_classes):
    """A net with dropout, whose random numbers lie in the order of memory too."""
    return network(nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.2))


def classifier(**changes):
    """A short fit."""
    settings = {"max_epochs": 2, "batch_size": 40, "random_state": 0, "record": ("samples", "scores")}
    return DynamicsClassifier(**{"module": pooled, **settings, **changes})


def weights(clf):
    """The weights of a fitted classifier."""
    return {name: value.clone() for name, value in clf.module_.state_dict().items()}


def hooked():
    """A net with a hook of the user's."""
    module = network(nn.ReLU())
    module[0].register_forward_hook(lambda part, args, output: None)
    return module


@pytest.mark.parametrize(
    ("module", "pays"),
    [
        (network(nn.ReLU()), True),
        (ResNet([(4, 1), (8, 1)]).build((3, 8, 8), 3), True),
        (nn.Sequential(nn.Conv2d(3, 128, 3)), True),
        (nn.Sequential(nn.Conv2d(3, 129, 3)), False),
        (VGG("V8").build((3, 32, 32), 10), False),
        (MLP((5,)).build((3, 8, 8), 3), False),
        (nn.Sequential(nn.Conv1d(3, 4, 3)), False),
        (Viewed(), False),
        (hooked(), False),
    ],
    ids=["plain", "ResNet", "128", "129", "V8", "MLP", "Conv1d", "user's forward", "hook"],
)
def test_the_parts_of_a_network_decide(module, pays):
    assert pays_with_channels_last(module) == pays
    x = make_layout(module)(torch.zeros(2, 3, 8, 8))
    assert x.is_contiguous(memory_format=torch.channels_last) == pays


@pytest.mark.parametrize("channels", [1, 3])
def test_the_numbers_stay_and_images_alone_are_laid_out_anew(channels):
    layout = make_layout(network())
    x = torch.randn(4, channels, 5, 6)
    assert torch.equal(layout(x), x)
    assert layout(x).stride() == (30 * channels, 1, 6 * channels, channels)
    for other in (x.double(), x.flatten(2), {"x": x}):
        assert layout(other) is other


PARTS = {
    "pooling": nn.AvgPool2d(2),
    "adaptive": nn.AdaptiveMaxPool2d(2),
    "groups": nn.GroupNorm(2, 6),
    "instances": nn.InstanceNorm2d(6),
    "response": nn.LocalResponseNorm(3),
    "layer": nn.LayerNorm([6, 8, 8]),
    "unflattened": nn.Unflatten(1, (2, 3)),
    "shuffled": nn.ChannelShuffle(2),
    "padded": nn.ReflectionPad2d(1),
    "upsampled": nn.Upsample(scale_factor=2),
    "unfolded": nn.Unfold(2),
    "depthwise": nn.Conv2d(6, 6, 3, groups=6),
    "transposed": nn.ConvTranspose2d(6, 4, 2, stride=2),
    "softmax": nn.Softmax2d(),
    "linear": nn.Linear(8, 3),
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_whatever_follows_a_convolution_the_scores_and_gradients_are_those_of_torch(part):
    module, rows = network(part), torch.from_numpy(X[:20])
    plain = module(rows)
    plain.square().sum().backward()
    expected = [parameter.grad.clone() for parameter in module.parameters()]
    module.zero_grad()
    scores = module(make_layout(module)(rows))
    scores.square().sum().backward()
    torch.testing.assert_close(scores, plain)
    for parameter, gradient in zip(module.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-4)
        assert parameter.grad.is_contiguous()


def test_every_pass_runs_alike(monkeypatch):
    """Training, records, replay, decoders and predictions; else they would not agree to the last bit."""
    seen, forward = [], nn.Conv2d.forward

    def noting(part, x):
        seen.append((len(x), x.stride()[1]))
        return forward(part, x)

    monkeypatch.setattr(nn.Conv2d, "forward", noting)
    record = ("samples", "geometry", "gradients", Reconstruction())
    clf = classifier(record=record, early_stopping=True).fit(X, Y, X_val=X[:50], y_val=Y[:50])
    clf.predict(X)
    clf.replay(X[:50], Y[:50], X_train=X, y_train=Y)
    clf.activations(X, 0)
    strides = [stride for n_rows, stride in seen if n_rows > 3]  # with fewer it is only tried
    assert strides == [1] * len(strides)
    assert len(strides) > 20


def test_records_replay_and_predictions_agree_to_the_last_bit():
    clf = classifier().fit(X, Y)
    unrecorded = classifier(record=(), snapshots=False).fit(X, Y)
    torch.testing.assert_close(weights(clf), weights(unrecorded), rtol=0, atol=0)
    last = clf.dynamics_.scores[:, -1]
    np.testing.assert_array_equal(last, clf.decision_function(X))
    np.testing.assert_array_equal(last, clf.at_epoch(2).decision_function(X))
    np.testing.assert_array_equal(clf.replay(X, Y).scores, clf.dynamics_.scores)
    np.testing.assert_array_equal(last, score_in_chunks(clf.module_, torch.from_numpy(X)).numpy())


def test_the_loop_over_batches_is_skorchs_and_trains_the_same():
    torch.testing.assert_close(
        weights(classifier().fit(X, Y)),
        weights(classifier(callbacks=[Batches()]).fit(X, Y)),
        rtol=0,
        atol=0,
    )


def test_what_the_user_gets_lies_in_the_usual_order(tmp_path):
    clf = classifier(snapshots=tmp_path / "snapshots").fit(X, Y)
    states = [weights(clf), clf.at_epoch(1).module_.state_dict()]
    assert all(value.is_contiguous() for state in states for value in state.values())
    moments = [value for state in clf.net_.optimizer_.state.values() for value in state.values()]
    assert all(value.is_contiguous() for value in moments)
    assert clf.activations(X, 0).flags.c_contiguous


def test_a_network_that_counts_on_the_usual_order_is_trained_and_recorded():
    clf = classifier(module=Viewed(), record=("samples", "geometry")).fit(X, Y)
    assert np.isfinite(clf.dynamics_.loss).all()
    assert list(clf.dynamics_.centroids) == ["convolution"]
