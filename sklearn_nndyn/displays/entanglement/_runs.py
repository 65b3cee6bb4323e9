"""Which fitted analyzers a picture of entanglement is drawn from, and which of their curves."""

from sklearn_nndyn.analyzers import EntanglementAnalyzer
from sklearn_nndyn.displays._doors import expect_fitted

MOST_CLASSES = 3


def check_analyzer(analyzer):
    """A fitted EntanglementAnalyzer."""
    return expect_fitted(analyzer, EntanglementAnalyzer, "inversion_error_")


def runs_and_labels(given, labels):
    """The runs that are not None, of one or several given, and their labels or None.

    Parameters
    ----------
    given : object, list of objects and None, or dict of label to either
    labels : None, str, or sequence of str, one for each that is given

    Returns
    -------
    runs : list of n_runs objects
    labels : list of n_runs str, or None
    """
    if isinstance(given, dict):
        if labels is not None:
            raise ValueError(
                "labels: the runs come with labels of their own, as a dict; give one or the other."
            )
        labels = [label for label, runs in given.items() for _ in _listed(runs)]
        given = [run for runs in given.values() for run in _listed(runs)]
    given = _listed(given)
    if isinstance(labels, str):
        labels = [labels] * len(given)
    if labels is not None and len(labels) != len(given):
        raise ValueError(f"labels: there are {len(given)} runs, but {len(labels)} labels.")
    there = [i for i, run in enumerate(given) if run is not None]
    if not there:
        raise ValueError("There is no run to draw: give at least one that is not None.")
    return [given[i] for i in there], None if labels is None else [str(labels[i]) for i in there]


def _listed(given):
    return list(given) if isinstance(given, (list, tuple)) else [given]


def verdict_of(run, code="EN1"):
    """What a finding says: by itself, whether the classes mix again."""
    return next(finding.verdict for finding in run.findings_ if finding.code == code)


def radius_of(run):
    """Radius of the reference class, or the mean radius of all classes; shape (n_epochs,)."""
    return run.mean_radius_ if isinstance(run.reference_, str) else run.radii_[:, run.reference_]


def radius_name_of(run):
    """What that is, in words."""
    return (
        "mean radius R"
        if isinstance(run.reference_, str)
        else f"radius R of class {run.classes_[run.reference_]}"
    )


def few_radii_of(run):
    """{name: radius} of the classes where they are few, but for the one that is drawn anyway."""
    if not 1 < len(run.classes_) <= MOST_CLASSES:
        return {}
    return {
        f"R of class {name}": radius
        for position, (name, radius) in enumerate(zip(run.classes_, run.radii_.T, strict=True))
        if position != run.reference_
    }
