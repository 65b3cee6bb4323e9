"""Validate the parameters of an EntanglementAnalyzer, and the record it reads."""

from math import inf

from sklearn_nndyn.utils.text import listed
from sklearn_nndyn.utils.validation import check_choice, check_count, check_share

RULES = ("extremum", "first_rise")
CURVES = ("mean", "distance")


def check_rule(rule):
    """One of the known rules."""
    check_choice("rule", rule, RULES)


def check_tolerance(tolerance):
    """ "auto", or a share of the range of a curve."""
    check_share("tolerance", tolerance, of="a curve's range", one=False, auto=True)


def check_record(record):
    """Check for at least one sample and two epochs."""
    if not len(record):
        raise ValueError("The record has no samples, so there is nothing to analyse.")
    if record.n_epochs < 2:
        raise ValueError(
            f"The record has one epoch only, {record.epochs[0]}: a turn needs more. Fit again with "
            'DynamicsClassifier(record_epochs="all"); in another loop, record after each epoch.'
        )


def check_burn_in(burn_in, epochs):
    """A whole number before the last epoch."""
    check_count("burn_in", burn_in, -inf, of="epochs")
    if not 0 <= burn_in < epochs[-1]:
        raise ValueError(
            f"burn_in must be 0 or more and before the last recorded epoch, {epochs[-1]}; got {burn_in}."
        )


def check_samples(samples, record):
    """Raise for a number of samples other than the record's."""
    n_samples = samples.shape[0] if hasattr(samples, "shape") else len(samples)
    if n_samples != len(record):
        raise ValueError(f"{n_samples} samples were given, but the record has {len(record)}.")


def find_reference(reference, classes):
    """ "mean", "distance", or the position of a class."""
    if isinstance(reference, str) and reference in CURVES:
        return reference
    names = classes.tolist()
    if reference in names:
        return names.index(reference)
    raise ValueError(
        f"reference must be 'mean', 'distance' or one of the classes {listed(names)}; got {reference!r}."
    )
