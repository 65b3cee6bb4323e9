"""The findings of remove_and_refit in words."""

import numpy as np

from sklearn_nndyn.utils.text import counted, range_of, share_of_runs

WITHOUT = {"all": "On all samples", "removed": "Without them", "random": "Without as many random ones"}


def removal_summary(found):
    """The paragraph of a RemovalExperiment."""
    sizes = [len(left_out) for left_out in found.removed]
    trained = [own is not None for own in found.classifiers["removed"]]
    n_runs = len(found.seeds)
    runs = counted(n_runs, "run")
    if not any(trained):
        nothing = f"In {runs} there was nothing to remove: {found.what} {_verb(found)} no sample."
        if any(sizes):
            nothing = f"In {runs} nothing was left out: without {found.what} a class would have no samples."
        return f"{nothing} {_told(found, 'all', n_runs)}"
    start = f"In {runs} {found.what} {_verb(found)} left out, {range_of(np.array(sizes)[trained])} samples"
    if not all(trained):
        left = n_runs - sum(trained)
        start += f" ({left} had none, or would have lost a class, and {_was(left)} not trained again)"
    return " ".join([f"{start}.", *(_told(found, name, sum(trained)) for name in WITHOUT)])


def _verb(found):
    return "was" if found.what.startswith("what") else "were"


def _was(count):
    return "was" if count == 1 else "were"


def _told(found, name, n_runs):
    n_runs = len(found.seeds) if name == "all" else n_runs
    errors = found.inversion_errors[name]
    inverts = ~np.isnan(errors)
    which = "every" if inverts.all() and name == "all" else f"{inverts.sum()} of {n_runs}"
    at = f" at a training error of {_mean(errors[inverts])}" if inverts.any() else ""
    ends = f"training error ends at {_mean(found.training_errors[name])}"
    tests = found.test_errors[name]
    test = f", test error at {_mean(tests)}" if np.isfinite(tests).any() else ""
    return f"{WITHOUT[name]}: an inversion in {which} run{'' if which == 'every' else 's'}{at}; {ends}{test}."


def _mean(values):
    return share_of_runs(values[np.isfinite(values)])
