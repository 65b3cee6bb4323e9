"""Results are shown in a few lines, whatever they hold."""

from dataclasses import dataclass, fields

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sklearn_nndyn import DynamicsClassifier, compare_losses, fit_together
from sklearn_nndyn.analyzers import find_label_errors, straggler_stability
from sklearn_nndyn.interventions import feature_growth, remove_and_refit, scale_test
from sklearn_nndyn.utils.results import ShortRepr, in_short


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Found(ShortRepr):
    """A result."""

    n: int
    share: float
    name: str
    scores: np.ndarray


def test_figures_are_shown_and_of_arrays_the_shape():
    found = Found(n=3, share=0.123456, name="<b> & co", scores=np.zeros((600, 7)))
    assert repr(found) == (
        "Found\n  n: 3\n  share: 0.123\n  name: <b> & co\n  scores: float64 of shape (600, 7)"
    )
    html = found._repr_html_()
    assert html.startswith("<table><caption>Found</caption><tr><th>n</th><td>3</td></tr>")
    assert "&lt;b&gt; &amp; co" in html


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (12345.6, "12,346"),
        (np.array([0.5, 2]), "0.5, 2.0"),
        (np.array(["cat"] * 9), "str of shape (9,)"),
        (np.zeros((2, 2), bool), "bool of shape (2, 2)"),
        ((0, 0.25, "log", None), "0, 0.25, 'log', None"),
        ([np.zeros(3), None, np.zeros(2)], "3 ndarrays"),
        ({"loss": 1, "lr": 2}, "loss, lr"),
        ("a\nb", "a b"),
        ("x" * 80, "x" * 57 + "..."),
    ],
)
def test_a_value_is_one_short_line(value, text):
    assert in_short(value) == text


@pytest.fixture(scope="module")
def results():
    X, y = load_digits(return_X_y=True)
    X, y = X[:300] / 16, y[:300] % 3
    record = ("samples", "geometry", "scores")
    made = [DynamicsClassifier(max_epochs=6, lr=0.01, record=record, random_state=seed) for seed in (0, 1)]
    runs = fit_together(made, X[:150], y[:150], X_val=X[150:], y_val=y[150:])
    return [
        find_label_errors(runs[0]),
        straggler_stability(runs),
        scale_test(runs[0], onset=1),
        feature_growth(runs[0], X[150:], y[150:], onset=1),
        remove_and_refit(made[0], X[:150], y[:150], remove=1, seeds=(0,)),
        compare_losses(
            made[0], X[:150], y[:150], losses=["log", "l2"], seeds=1, learning_rates="fixed",
            X_test=X[150:], y_test=y[150:],
        ),
    ]  # fmt: skip


def test_every_result_is_shown_in_a_few_lines(results):
    for found in results:
        lines = repr(found).splitlines()
        assert lines[0] == type(found).__name__
        assert len(lines) == 1 + len(fields(found))
        assert len(repr(found)) < 1000
        assert len(found._repr_html_()) < 2500
