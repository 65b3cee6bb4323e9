"""No finding contradicts another, its summary, or the curves: rules over runs of six data sets."""

import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.datasets import load_images, make_checkerboard
from sklearn_nndyn.modules import MLP
from tests.analyzers.findings.rules import RULES, analyses_of, contradictions


def mnist(n_samples=2000):
    """The first of the training images of MNIST."""
    try:
        found = load_images("mnist")
    except FileNotFoundError:
        pytest.skip("MNIST is not on this machine")
    return found.X_train[:n_samples].reshape(n_samples, -1) / 255, found.y_train[:n_samples]


DATA = {
    "digits": lambda: load_digits(return_X_y=True),
    "breast cancer": lambda: load_breast_cancer(return_X_y=True),
    "iris": lambda: load_iris(return_X_y=True),
    "wine": lambda: load_wine(return_X_y=True),
    "checkerboard": lambda: make_checkerboard(n_samples=800, random_state=0),
    "MNIST": mnist,
}
VERDICTS = ("yes", "no", "cannot tell")
EARLY = (0, 1, 2, 4, 7, 8, 10, 16, 25, 32, 40)
RATES, EPOCHS = (0.001, 0.01, 0.1), (1, 3, 60, 300)
DEFAULT = [("breast cancer", 0.01, 60), ("iris", 0.1, 60), ("wine", 0.001, 30)]


def trained(name, lr, n_epochs):
    """The two records of one run."""
    X, y = DATA[name]()
    X, X_val, y, y_val = train_test_split(X, y, test_size=0.4, stratify=y, random_state=0)
    scaler = StandardScaler().fit(X)
    clf = DynamicsClassifier(
        MLP((20,), activation="tanh"),
        lr=lr,
        max_epochs=n_epochs,
        record=("samples", "scores", "geometry", "reconstruction"),
        record_iterations=None,
        snapshots=False,
        random_state=0,
    )
    clf.fit(scaler.transform(X), y, X_val=scaler.transform(X_val), y_val=y_val)
    return clf.dynamics_, clf.validation_dynamics_


def broken_in(records, until):
    """What is contradicted in the first epochs of a run, which are those of a shorter one."""
    return contradictions(analyses_of(*(record.until(until) for record in records)))


@pytest.mark.parametrize(("name", "lr", "n_epochs"), DEFAULT)
def test_findings_agree(name, lr, n_epochs):
    records = trained(name, lr, n_epochs)
    for until in (1, 3, n_epochs):
        assert broken_in(records, until) == []


def test_fractions_of_epochs_have_three_digits():
    """Recorded after 1, 2, 4, ... updates, as where layers are decoded: epoch 0.889, not 0.8888888888888888."""
    train, held_out = (record.select_epochs(EARLY) for record in trained("breast cancer", 0.01, 40))
    epochs = np.round(train.epochs / 9, 12)
    run = analyses_of(replace(train, epochs=epochs), replace(held_out, epochs=epochs))
    for found in run.analyzers:
        assert not re.search(r"[1-9]\d*\.\d{3,}|0\.0*[1-9]\d{3,}", found.summary())


@pytest.mark.slow
@pytest.mark.parametrize("lr", RATES)
@pytest.mark.parametrize("name", DATA)
def test_findings_of_72_runs_agree(name, lr):
    """Four lengths of each of eighteen runs."""
    records = trained(name, lr, max(EPOCHS))
    assert {until: found for until in EPOCHS if (found := broken_in(records, until))} == {}


def test_every_rule_can_be_broken():
    """A list of rules that nothing breaks holds nothing: each finding in turn is turned round."""
    records = trained("iris", 0.1, 20)
    broken = set()
    for until in (3, 20):
        run = analyses_of(*(record.until(until) for record in records))
        run.entanglement.radius_inversion_epoch_, run.entanglement.distance_inversion_epoch_ = None, 1
        for found in run.analyzers:
            kept = found.findings_
            for at, one in enumerate(kept):
                for verdict in VERDICTS:
                    found.findings_ = (*kept[:at], turned_round(one, verdict), *kept[at + 1 :])
                    broken |= names_of(contradictions(run))
            found.findings_ = tuple(turned_round(one, "no") for one in kept)
            broken |= names_of(contradictions(run))
            found.findings_ = kept
    assert {rule.__name__ for rule in RULES} == broken


def names_of(found):
    """Names of the rules that these contradictions begin with."""
    return {rule.__name__ for rule in RULES for one in found if one.startswith(rule.__doc__)}


def turned_round(one, verdict):
    """A finding with another verdict, a value that is out of place, and words that do not fit."""
    words = f"1 samples by heart {np.pi * 1e7:.0f}. " + "And more. " * 7 + "1 2 3 4 5 6 7 8 9 10 11"
    return replace(one, verdict=verdict, value=np.nan, interval=(2.0, 1.0), n_runs=2, statement=words)
