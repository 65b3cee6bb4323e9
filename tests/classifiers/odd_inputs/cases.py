"""What a case is, and the fit that it is compared with."""

from dataclasses import dataclass, field

import numpy as np

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP

N = 12
OF_FIT = ("X", "y", "sample_weight", "X_val", "y_val", "sample_weight_val")
X = np.random.default_rng(0).normal(size=(N, 4))
IDS = np.arange(N * 4).reshape(N, 4) % 5
y = np.arange(N) % 2
NAMES = np.array(["a", "b"])[y]


@dataclass
class Case:
    """One odd thing, given in place of what is usual.

    ``told`` is what the refusal says. Where there is none, the fit works, and is the one with ``same_as`` in its place.
    """

    given: dict = field(repr=False)
    told: str | None = None
    same_as: dict | None = field(default=None, repr=False)

    @property
    def usual(self):
        """The same fit with things as they usually are."""
        return self.given if self.same_as is None else {**self.given, **self.same_as}


def right(same_as=None, **given):
    """A case that works."""
    return Case(given, None, same_as)


def refused(told, **given):
    """A case that is refused."""
    return Case(given, told)


def fit(given):
    """A fit with ``given`` in place of what is usual."""
    data = {"X": X, "y": y} | {name: value for name, value in given.items() if name in OF_FIT}
    parameters = {name: value for name, value in given.items() if name not in OF_FIT}
    settings = {"module": MLP((5,)), "max_epochs": 2, "random_state": 0, **parameters}
    return DynamicsClassifier(**settings).fit(**data)


def asked(clf, given):
    """What is asked afterwards with the same rows and labels."""
    rows, labels = given.get("X", X), given.get("y", y)
    return {
        "decision_function": clf.decision_function(rows),
        "replay": clf.replay(rows, labels, record=("samples",)).loss,
        "score": clf.score(rows, labels),
        "staged_score": list(clf.staged_score(rows, labels)),
    }


def difference(case):
    """What is different from the usual fit, or None."""
    odd, usual = fit(case.given), fit(case.usual)
    if repr(odd.classes_.tolist()) != repr(usual.classes_.tolist()):  # 1, 1.0 and True are not the same
        return f"classes {odd.classes_} in place of {usual.classes_}"
    if not np.array_equal(odd.dynamics_.loss, usual.dynamics_.loss):
        return "another loss"
    for door, found in asked(odd, case.given).items():
        if not np.array_equal(found, asked(usual, case.usual)[door]):
            return f"another {door}"
    return None if np.isfinite(odd.dynamics_.loss).all() else "a loss that is not finite"
