"""What an EntanglementAnalyzer refuses, and how it is said."""

from numbers import Integral, Real

RULES = ("extremum", "first_rise")
CURVES = ("mean", "distance")


def check_rule(rule):
    """One of the known rules."""
    if rule not in RULES:
        raise ValueError(f"rule must be 'extremum' or 'first_rise', got {rule!r}.")


def check_tolerance(tolerance):
    """ "auto", or a share of the range of a curve."""
    if isinstance(tolerance, str) and tolerance == "auto":
        return
    if not isinstance(tolerance, Real) or isinstance(tolerance, bool):
        raise TypeError(f"tolerance must be 'auto' or a number between 0 and 1, got {tolerance!r}.")
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance must be between 0 and 1, a share of a curve's range; got {tolerance!r}.")


def check_record(record):
    """At least one sample and two epochs."""
    if not len(record):
        raise ValueError("The record has no samples, so there is nothing to analyse.")
    if record.n_epochs < 2:
        raise ValueError(
            f"The record has one epoch only, {record.epochs[0]}: a turn needs more. Fit again with "
            'DynamicsClassifier(record_epochs="all").'
        )


def check_burn_in(burn_in, epochs):
    """A whole number before the last epoch."""
    if not isinstance(burn_in, Integral) or isinstance(burn_in, bool):
        raise TypeError(f"burn_in must be a whole number of epochs, got {burn_in!r}.")
    if not 0 <= burn_in < epochs[-1]:
        raise ValueError(
            f"burn_in must be 0 or more and before the last recorded epoch, {epochs[-1]}; got {burn_in}."
        )


def check_samples(samples, record):
    """As many as the record has."""
    n_samples = samples.shape[0] if hasattr(samples, "shape") else len(samples)
    if n_samples != len(record):
        raise ValueError(f"{n_samples} samples were given, but the record has {len(record)}.")


def find_layer(layer, layers):
    """The name of a layer given by name or position."""
    if isinstance(layer, str) and layer in layers:
        return layer
    if isinstance(layer, Integral) and not isinstance(layer, bool) and -len(layers) <= layer < len(layers):
        return layers[layer]
    raise ValueError(f"layer {layer!r} is not in the record; its layers are {', '.join(map(repr, layers))}.")


def find_reference(reference, classes):
    """ "mean", "distance", or the position of a class."""
    if isinstance(reference, str) and reference in CURVES:
        return reference
    names = classes.tolist()
    if reference in names:
        return names.index(reference)
    offered = ", ".join(map(repr, names[:20])) + (", ..." if len(names) > 20 else "")
    raise ValueError(
        f"reference must be 'mean', 'distance' or one of the classes {offered}; got {reference!r}."
    )
