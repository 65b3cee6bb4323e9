"""What to record: names, or objects that say more."""

import torch

from sklearn_nndyn.recording._activations import SCORES, choose_layers
from sklearn_nndyn.recording._geometry import Geometry
from sklearn_nndyn.recording._gradients import Gradients
from sklearn_nndyn.recording._samples import Samples
from sklearn_nndyn.recording.decoders._base import LayerRecording
from sklearn_nndyn.recording.decoders._probe import Probe
from sklearn_nndyn.recording.decoders._reconstruction import Reconstruction
from sklearn_nndyn.utils.modules import capture_activations
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode, unchanged
from sklearn_nndyn.utils.random import untouched_generators
from sklearn_nndyn.utils.text import in_words

RECORDINGS = {"gradients": Gradients, "reconstruction": Reconstruction, "probe": Probe}
OBJECTS = {"samples": Samples, "geometry": Geometry, **RECORDINGS}
DEFAULTS = {name: kind() for name, kind in OBJECTS.items()}  # what a name stands for; never changed
RECORDABLE = ("samples", "geometry", "scores", *RECORDINGS)


def what_to_record(record):
    """{name: None, or the object that says more} of a ``record`` that was checked."""
    named = {}
    for entry in record:
        if isinstance(entry, str):
            named[entry] = DEFAULTS.get(entry)
        else:
            named[_name(entry)] = entry
    return named


def check_record(record):
    """What to record: a collection of known names and objects, each once, or nothing.

    Raises
    ------
    TypeError
        If it is no collection, or holds neither names nor objects.
    ValueError
        For an unknown name, one given twice, or parameters of an object that cannot be used.
    """
    if isinstance(record, (str, type)) or not hasattr(record, "__iter__"):
        raise TypeError(f'record must be a tuple such as ("samples", "geometry"), got {record!r}.')
    unknown = [entry for entry in record if _name(entry) not in RECORDABLE]
    if unknown:
        raise ValueError(
            f"record: {unknown} cannot be recorded; choose from {', '.join(RECORDABLE)}, or give objects such as "
            "Reconstruction(layers=0)."
        )
    names = [_name(entry) for entry in record]
    say_more = {*RECORDINGS, *(_name(entry) for entry in record if not isinstance(entry, str))}
    twice = [name for name in RECORDABLE if names.count(name) > 1 and name in say_more]
    if twice:
        raise ValueError(f"record: {', '.join(twice)} was asked for twice; give one of them.")
    for entry in record:
        if not isinstance(entry, str):
            entry.check()
    _check_without_a_pass(record)


def _check_without_a_pass(record):
    named = what_to_record(record)
    others = [name for name in named if name != "samples"]
    if chosen_samples(record).in_training and others:
        raise ValueError(
            f'record: Samples(when="training") makes no pass over the samples, and {in_words(map(repr, others))} '
            f"need{'' if len(others) > 1 else 's'} one: record them without it, or in a fit of their own."
        )


def chosen_samples(record):
    """The `Samples` of a ``record``; the default ones where it has none."""
    return what_to_record(record).get("samples", DEFAULTS["samples"])


def without_choice(record):
    """The same ``record`` of all samples, at the end of epochs."""
    return tuple("samples" if isinstance(entry, Samples) else entry for entry in record)


def check_all_samples(record, called):
    """Refuse a choice of samples where there is nothing to choose from, or no training to see.

    Raises
    ------
    ValueError
        For `Samples` other than the default ones.
    """
    samples = chosen_samples(record)
    if not samples.is_default:
        raise ValueError(
            f"record: {called} records all samples that it is given, at the end of epochs; {samples!r} is for the fit "
            "of a DynamicsClassifier."
        )


def _name(entry):
    if isinstance(entry, str):
        return entry
    return next((name for name, kind in OBJECTS.items() if isinstance(entry, kind)), None)


def layer_recordings(record):
    """The objects of a checked ``record`` that learn something from layers."""
    return [entry for entry in what_to_record(record).values() if isinstance(entry, LayerRecording)]


def check_recorded(record, module, data):
    """Whether what is to be recorded is there, for sets of rows {"train": X, "validation": X}.

    Raises
    ------
    ValueError
        See `check_network`; or where what is recorded of validation samples only would be of none.
    """
    check_network(record, module, data["train"])
    for recording in layer_recordings(record):
        if not recording.train and "validation" not in data:
            raise ValueError(
                f"{type(recording).__name__}(train=False) records validation samples only, but there are none: give "
                "X_val and y_val, or set validation_fraction."
            )


def check_network(record, module, X, call=None):
    """Whether what is to be recorded is there in a network, tried on the first rows of ``X``.

    Raises
    ------
    ValueError
        For layers that do not exist or cannot be decoded, and gradients without a closed form.
    """
    named, recordings = what_to_record(record), layer_recordings(record)
    geometry = named.get("geometry", DEFAULTS["geometry"])
    if not recordings and "gradients" not in named and geometry.layers is None:
        return
    x = X[:2]
    with torch.no_grad(), untouched_generators(x.device), evaluation_mode(module), unchanged(module):
        if recordings or geometry.layers is not None:
            with capture_activations(module, call) as forward:
                scores, layers = forward(x)
            geometry.choose(list(layers))
        for recording in recordings:
            chosen = choose_layers(recording.layers, list(layers))
            recording.check_data({name: {**layers, SCORES: scores}[name] for name in chosen}, X)
        if "gradients" in named:
            named["gradients"].check_network(module, x)
