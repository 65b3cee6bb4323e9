"""Networks as people write them: {name: (kind of input, function that makes one)}."""

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch.nn.utils import spectral_norm as old_spectral_norm
from torch.nn.utils.rnn import pack_padded_sequence

N_CLASSES = 3


class Around(nn.Module):
    """A forward pass given as a function of the parts and the input."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.parts, self.run = nn.ModuleDict(parts), forward

    def forward(self, x):
        return self.run(self.parts, x)


def chain(*between, width=8, out=N_CLASSES):
    """Layers between two linear ones."""
    return nn.Sequential(nn.Linear(8, width), *between, nn.Linear(width, out))


def convolutions(*between, channels=4):
    return nn.Sequential(
        nn.Conv2d(1, channels, 3, padding=1), *between, nn.Flatten(), nn.LazyLinear(N_CLASSES)
    )


class Tied(nn.Module):
    """An autoencoder whose two layers share their weights, with a head."""

    def __init__(self):
        super().__init__()
        self.into, self.back, self.head = nn.Linear(8, 6), nn.Linear(6, 8), nn.Linear(8, N_CLASSES)
        self.tied, self.also = nn.Linear(8, 8), nn.Linear(8, 8)
        self.also.weight = self.tied.weight

    def forward(self, x):
        h = self.back(torch.relu(self.into(x)))
        return self.head(self.also(torch.relu(self.tied(h))))


class FrozenNorm(nn.BatchNorm1d):
    """Stays in evaluation mode, as in fine-tuning."""

    def train(self, mode=True):
        return super().train(False)


class Counts(nn.Module):
    """Remembers in a buffer how often it was trained, and in an attribute how often it was called."""

    def __init__(self):
        super().__init__()
        self.layers, self.calls = chain(nn.ReLU()), 0
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        self.calls += 1
        if self.training:
            self.steps += 1
        return self.layers(x) / (1 + 0.01 * self.steps)


class Noise(nn.Module):
    """Adds noise, in evaluation too unless ``training_only``, from torch or NumPy."""

    def __init__(self, source, training_only):
        super().__init__()
        self.source, self.training_only = source, training_only

    def forward(self, x):
        if self.training_only and not self.training:
            return x
        if self.source == "torch":
            return x + 0.1 * torch.randn_like(x)
        return x + torch.as_tensor(0.1 * np.random.randn(*x.shape), dtype=x.dtype)


class Padded(nn.Module):
    """A transformer of ids in which 0 is padding."""

    def __init__(self, **options):
        super().__init__()
        self.embed = nn.Embedding(9, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 8, batch_first=True, dropout=0.1, **options)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=not options)
        self.head = nn.Linear(8, N_CLASSES)

    def forward(self, ids):
        padding = ids == 0
        h = self.encoder(self.embed(ids), src_key_padding_mask=padding)
        keep = (~padding)[:, : h.shape[1], None].to(h)
        return self.head((h * keep).sum(1) / keep.sum(1))


class Routed(nn.Module):
    """Two experts, each of the rows that a gate sends to it."""

    def __init__(self):
        super().__init__()
        self.gate, self.experts = nn.Linear(8, 2), nn.ModuleList(nn.Linear(8, N_CLASSES) for _ in range(2))

    def forward(self, x):
        gates = self.gate(x).softmax(-1)
        return sum(gates[:, [i]] * expert(x) for i, expert in enumerate(self.experts))


def frozen(module, name="0"):
    module.get_submodule(name).requires_grad_(False)
    return module


def pruned(module):
    prune.l1_unstructured(module[0], "weight", 0.5)
    return module


def hooked(module):
    module[0].register_forward_hook(_doubles)
    return module


def _doubles(part, args, output):
    return 2 * output


def _last(parts, x):
    return parts["head"](parts["body"](x)[0][:, -1])


def recurrent(kind, width=6, **options):
    body = kind(4, width, batch_first=True, **options)
    out = (body.proj_size or width) * (1 + body.bidirectional)
    return Around(_last, body=body, head=nn.Linear(out, N_CLASSES))


def _cells(parts, x):
    h = c = x.new_zeros(len(x), 6)
    for step in x.unbind(1):
        h, c = parts["cell"](step, (h, c))
    return parts["head"](h)


def _packed(parts, x):
    lengths = torch.full((len(x),), x.shape[1])
    _, (h, _) = parts["body"](pack_padded_sequence(x, lengths, batch_first=True))
    return parts["head"](h[-1])


def _attended(parts, x):
    h, _ = parts["attention"](x, x, x)
    return parts["head"](h.mean(1))


def _causal(parts, x):
    mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
    return parts["head"](parts["layer"](x, src_mask=mask, is_causal=True)[:, -1])


def _decoded(parts, x):
    return parts["head"](parts["layer"](x, x.flip(1))[:, 0])


def _by_hand(parts, x):
    q, k, v = parts["qkv"](x).chunk(3, -1)
    return parts["head"](nn.functional.scaled_dot_product_attention(q, k, v).mean(1))


def _tabulated(parts, ids):
    return parts["head"](parts["embed"](ids).flatten(1))


def _bag(parts, ids):
    return parts["head"](parts["bag"](ids))


def _twice(parts, x):
    shared = parts["shared"]
    return parts["head"](torch.relu(shared(torch.relu(shared(x)))))


def _residual(parts, x):
    return parts["head"](x + torch.relu(parts["inner"](x)))


def _bilinear(parts, x):
    return parts["pair"](x[:, :4], x[:, 4:])


def _frequencies(parts, x):
    return parts["head"](torch.fft.rfft(parts["into"](x)).abs())


def _tuple(parts, x):
    h = torch.relu(parts["into"](x))
    return parts["head"](h), h


def _dict(parts, x):
    h = torch.relu(parts["into"](x))
    return {"hidden": h, "logits": parts["head"](h)}


def two_layers(forward):
    return Around(forward, into=nn.Linear(8, 8), head=nn.Linear(8, N_CLASSES))


MODULES = {
    # chains and their nonlinearities
    "linear": ("rows", lambda: nn.Linear(8, N_CLASSES)),
    "linear without bias": ("rows", lambda: nn.Linear(8, N_CLASSES, bias=False)),
    "relu": ("rows", lambda: chain(nn.ReLU())),
    "tanh and dropout": ("rows", lambda: chain(nn.Tanh(), nn.Dropout(0.3))),
    "gelu": ("rows", lambda: chain(nn.GELU())),
    "prelu": ("rows", lambda: chain(nn.PReLU())),
    "selu and alpha dropout": ("rows", lambda: chain(nn.SELU(), nn.AlphaDropout(0.2))),
    "rrelu": ("rows", lambda: chain(nn.RReLU())),
    "glu": ("rows", lambda: nn.Sequential(nn.Linear(8, 12), nn.GLU(), nn.Linear(6, N_CLASSES))),
    "lazy linear": ("rows", lambda: nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(N_CLASSES))),
    # normalisation
    "batch norm": ("rows", lambda: chain(nn.BatchNorm1d(8), nn.ReLU())),
    "batch norm without statistics": ("rows", lambda: chain(nn.BatchNorm1d(8, track_running_stats=False))),
    "batch norm, cumulative": ("rows", lambda: chain(nn.BatchNorm1d(8, momentum=None))),
    "batch norm that is frozen": ("rows", lambda: chain(FrozenNorm(8), nn.ReLU())),
    "layer norm": ("rows", lambda: chain(nn.LayerNorm(8), nn.ReLU())),
    "rms norm": ("rows", lambda: chain(nn.RMSNorm(8), nn.ReLU())),
    "group norm": ("rows", lambda: chain(nn.GroupNorm(2, 8), nn.ReLU())),
    "batch norm of images": ("images", lambda: convolutions(nn.BatchNorm2d(4), nn.ReLU())),
    "instance norm": ("images", lambda: convolutions(nn.InstanceNorm2d(4, affine=True), nn.ReLU())),
    "instance norm with statistics": (
        "images",
        lambda: convolutions(nn.InstanceNorm2d(4, track_running_stats=True), nn.ReLU()),
    ),
    "local response norm": ("images", lambda: convolutions(nn.LocalResponseNorm(2), nn.ReLU())),
    # weights that are computed, shared or frozen
    "weight norm": (
        "rows",
        lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(8, 8)), nn.Linear(8, 3)),
    ),
    "spectral norm": (
        "rows",
        lambda: nn.Sequential(parametrizations.spectral_norm(nn.Linear(8, 8)), nn.Linear(8, 3)),
    ),
    "spectral norm, old style": (
        "rows",
        lambda: nn.Sequential(old_spectral_norm(nn.Linear(8, 8)), nn.Linear(8, 3)),
    ),
    "orthogonal": (
        "rows",
        lambda: nn.Sequential(parametrizations.orthogonal(nn.Linear(8, 8)), nn.Linear(8, 3)),
    ),
    "pruned": ("rows", lambda: pruned(chain(nn.ReLU()))),
    "tied weights": ("rows", Tied),
    "a layer called twice": (
        "rows",
        lambda: Around(_twice, shared=nn.Linear(8, 8), head=nn.Linear(8, N_CLASSES)),
    ),
    "frozen body": ("rows", lambda: frozen(chain(nn.ReLU()))),
    "frozen body with batch norm": ("rows", lambda: frozen(chain(nn.BatchNorm1d(8), nn.ReLU()), "1")),
    # other graphs
    "residual": ("rows", lambda: Around(_residual, inner=nn.Linear(8, 8), head=nn.Linear(8, N_CLASSES))),
    "bilinear": ("rows", lambda: Around(_bilinear, pair=nn.Bilinear(4, 4, N_CLASSES))),
    "frequencies": ("rows", lambda: Around(_frequencies, into=nn.Linear(8, 8), head=nn.Linear(5, N_CLASSES))),
    "experts": ("rows", Routed),
    "gives a tuple": ("rows", lambda: two_layers(_tuple)),
    "gives a dict": ("rows", lambda: two_layers(_dict)),
    "one output": ("two classes", lambda: chain(nn.ReLU(), out=1)),
    "with a hook": ("rows", lambda: hooked(chain(nn.ReLU()))),
    # what changes by being called
    "counts its calls": ("rows", Counts),
    "noise from torch": ("rows", lambda: chain(Noise("torch", training_only=True))),
    "noise from torch, always": ("rows", lambda: chain(Noise("torch", training_only=False))),
    "noise from numpy": ("rows", lambda: chain(Noise("numpy", training_only=True))),
    "noise from numpy, always": ("rows", lambda: chain(Noise("numpy", training_only=False))),
    # images
    "convolutions and pooling": (
        "images",
        lambda: convolutions(nn.ReLU(), nn.MaxPool2d(2), nn.Dropout2d(0.2)),
    ),
    "depthwise convolution": ("images", lambda: convolutions(nn.Conv2d(4, 4, 3, groups=4), nn.ReLU())),
    "transposed convolution": ("images", lambda: convolutions(nn.ConvTranspose2d(4, 2, 2), nn.ReLU())),
    "adaptive pooling": ("images", lambda: convolutions(nn.ReLU(), nn.AdaptiveAvgPool2d(1))),
    "pixel shuffle": ("images", lambda: convolutions(nn.PixelShuffle(2), nn.ReLU())),
    # sequences
    "convolution of sequences": (
        "sequences",
        lambda: nn.Sequential(nn.Conv1d(5, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(N_CLASSES)),
    ),
    "rnn": ("sequences", lambda: recurrent(nn.RNN)),
    "lstm": ("sequences", lambda: recurrent(nn.LSTM, num_layers=2, dropout=0.2)),
    "lstm with projections": ("sequences", lambda: recurrent(nn.LSTM, proj_size=3)),
    "gru, both ways": ("sequences", lambda: recurrent(nn.GRU, bidirectional=True)),
    "lstm cells": ("sequences", lambda: Around(_cells, cell=nn.LSTMCell(4, 6), head=nn.Linear(6, N_CLASSES))),
    "packed sequences": (
        "sequences",
        lambda: Around(_packed, body=nn.LSTM(4, 6, batch_first=True), head=nn.Linear(6, N_CLASSES)),
    ),
    "attention": (
        "sequences",
        lambda: Around(
            _attended,
            attention=nn.MultiheadAttention(4, 2, dropout=0.1, batch_first=True),
            head=nn.Linear(4, N_CLASSES),
        ),
    ),
    "causal transformer layer": (
        "sequences",
        lambda: Around(
            _causal,
            layer=nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
            head=nn.Linear(4, N_CLASSES),
        ),
    ),
    "transformer decoder layer": (
        "sequences",
        lambda: Around(
            _decoded,
            layer=nn.TransformerDecoderLayer(4, 2, 8, batch_first=True),
            head=nn.Linear(4, N_CLASSES),
        ),
    ),
    "attention by hand": (
        "sequences",
        lambda: Around(_by_hand, qkv=nn.Linear(4, 12), head=nn.Linear(4, N_CLASSES)),
    ),
    "transformer with padding": ("ids", Padded),
    "transformer with padding, norm first": ("ids", lambda: Padded(norm_first=True)),
    # ids
    "embedding": ("ids", lambda: Around(_tabulated, embed=nn.Embedding(9, 4), head=nn.Linear(20, N_CLASSES))),
    "embedding with a largest norm": (
        "ids",
        lambda: Around(_tabulated, embed=nn.Embedding(9, 4, max_norm=1.0), head=nn.Linear(20, N_CLASSES)),
    ),
    "embedding bag": ("ids", lambda: Around(_bag, bag=nn.EmbeddingBag(9, 6), head=nn.Linear(6, N_CLASSES))),
}
