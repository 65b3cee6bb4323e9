"""One layer of one network given back as input."""

import torch

from sklearn_nndyn.recording._activations import activations_of, choose_layers
from sklearn_nndyn.recording.decoders._base import LayerReader
from sklearn_nndyn.utils.modules import capture_activations, hidden_layers
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode, unchanged
from sklearn_nndyn.utils.random import untouched_generators


def decode(recording, module, X_train, X):
    """Samples as the decoder of a `Reconstruction` of one layer gives them back; it learns from ``X_train``."""
    (name,) = choose_layers(recording.layers, hidden_layers(module, X_train[:2])[0])
    reader = LayerReader(recording, X_train, torch.zeros(len(X_train), dtype=torch.long), score=False)
    reader.is_reference = True
    with (
        torch.no_grad(),
        untouched_generators(X.device),
        evaluation_mode(module),
        unchanged(module),
        capture_activations(module) as forward,
    ):
        reader.choose([name])
        reader.read(reader.activations(activations_of(X_train, forward), module), 0)
        activations = reader.activations(activations_of(X, forward), module)
        given_back = [reader.learned[name](h) for _, h in activations.of_layer(name)]
    return torch.cat(given_back).reshape(X.shape)
