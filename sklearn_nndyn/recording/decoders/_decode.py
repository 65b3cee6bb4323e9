"""One layer of one network given back as input."""

import torch

from sklearn_nndyn.recording._activations import activations_of, choose_layers
from sklearn_nndyn.recording.decoders._base import LayerReader
from sklearn_nndyn.utils.modules import capture_activations, hidden_layer_names
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode
from sklearn_nndyn.utils.random import untouched_generators


def decode(recording, module, X_train, X):
    """Inputs as a decoder gives them back.

    Parameters
    ----------
    recording : Reconstruction
        A recording of one layer.
    module : torch.nn.Module
    X_train : tensor of shape (n_train_samples, ...)
        Samples that the decoder learns from.
    X : tensor of shape (n_samples, ...)
        Samples to reconstruct.

    Returns
    -------
    given_back : tensor shaped as X
    """
    (name,) = choose_layers(recording.layers, hidden_layer_names(module, X_train[:2]))
    reader = LayerReader(recording, X_train, torch.zeros(len(X_train), dtype=torch.long), score=False)
    reader.is_reference = True
    with (
        torch.no_grad(),
        untouched_generators(X.device),
        evaluation_mode(module),
        capture_activations(module) as forward,
    ):
        reader.choose([name])
        reader.read(reader.activations(activations_of(X_train, forward), module), 0)
        activations = reader.activations(activations_of(X, forward), module)
        given_back = [reader.learned[name](h) for _, h in activations.of_layer(name)]
    return torch.cat(given_back).reshape(X.shape)
