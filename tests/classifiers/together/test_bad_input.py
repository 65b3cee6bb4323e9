"""Whatever cannot be used is told before anything is trained, of all estimators at once, and changes none."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.classifiers.together import _together
from tests.classifiers.together.comparing import small

N = 30
X = np.random.default_rng(0).normal(size=(N, 4))
Y = np.arange(N) % 3
ROWS = np.arange(20)

# what is wrong: (what is given in place of what is right, the error, all that is told)
CALLS = {
    "estimators-one": (
        {"estimators": small()},
        TypeError,
        "estimators must be a list of classifiers, got DynamicsClassifier(",
    ),
    "estimators-none": ({"estimators": []}, TypeError, "estimators must be a list of classifiers, got [].\n"),
    "estimators-other": (
        {"estimators": [small(), LogisticRegression()]},
        TypeError,
        "estimators[1] must be a DynamicsClassifier, got LogisticRegression.\n",
    ),
    "estimators-class": (
        {"estimators": [DynamicsClassifier, small()]},
        TypeError,
        "estimators[0] must be a DynamicsClassifier, got DynamicsClassifier.\n",
    ),
    "indices-too-few": (
        {"indices": [ROWS]},
        ValueError,
        "indices must hold the rows of each of 3 estimators, got 1 entries.\n",
    ),
    "indices-number": (
        {"indices": 5},
        TypeError,
        "indices must be a list of the rows of each estimator, got 5.\n",
    ),
    "indices-out-of-range": (
        {"indices": [ROWS, [0, 1, 2, 30], ROWS]},
        ValueError,
        "estimators[1]: indices[1] does not fit 30 samples: index 30 is out of bounds",
    ),
    "indices-mask-too-short": (
        {"indices": [ROWS, ROWS, np.ones(29, bool)]},
        ValueError,
        "estimators[2]: indices[2] does not fit 30 samples: boolean index did not match",
    ),
    "indices-fractions": (
        {"indices": [[0.5, 1.0], ROWS, ROWS]},
        ValueError,
        "estimators[0]: indices[0] must be positions of rows, as integers, or a mask; got an array of shape (2,) and "
        "dtype float64.\n",
    ),
    "indices-numbers": (
        {"indices": [1, 2, 3]},
        ValueError,
        "estimators[0]: indices[0] must be positions of rows, as integers, or a mask; got an array of shape () and "
        "dtype int64.\nestimators[1]: indices[1] must",
    ),
    "indices-one-class": (
        {"indices": [[0, 3, 6], ROWS, ROWS]},
        ValueError,
        "estimators[0]: Classification needs at least 2 classes, but y holds one class only: [0].\n",
    ),
    "y-too-few-vectors": (
        {"y": [Y, Y]},
        ValueError,
        "y must be one vector of 30 values, or one for each of 3 estimators; got 2 vectors.\n",
    ),
    "y-columns-for-rows": (
        {"y": np.stack([Y, Y, Y], axis=1)},
        ValueError,
        "y must be one vector of 30 values, or one for each of 3 estimators; got 30 vectors.\n",
    ),
    "y-too-short": (
        {"y": Y[:20]},
        ValueError,
        "estimators[0, 1, 2]: Found input variables with inconsistent numbers of samples: [30, 20]\n",
    ),
    "y-too-short-with-indices": (
        {"y": Y[:20], "indices": [np.arange(10)] * 3},
        ValueError,
        "estimators[0, 1, 2]: y has 20 values, but X has 30 samples.\n",
    ),
    "y-too-long-with-indices": (
        {"y": np.r_[Y, Y], "indices": [np.arange(10)] * 3},
        ValueError,
        "estimators[0, 1, 2]: y has 60 values, but X has 30 samples.\n",
    ),
    "y-of-one-too-short": (
        {"y": [Y, Y[:5], Y]},
        ValueError,
        "estimators[1]: Found input variables with inconsistent numbers of samples: [30, 5]\n",
    ),
    "y-missing": (
        {"y": None},
        ValueError,
        "estimators[0, 1, 2]: This DynamicsClassifier estimator requires y to be passed, but the target y is None.\n",
    ),
    "weights-too-few-vectors": (
        {"sample_weight": [np.ones(N)]},
        ValueError,
        "sample_weight must be one vector of 30 values, or one for each of 3 estimators; got 1 vectors.\n",
    ),
    "weights-too-short": (
        {"sample_weight": np.ones(7)},
        ValueError,
        "estimators[0, 1, 2]: sample_weight.shape == (7,), expected (30,)!\n",
    ),
    "weights-too-short-with-indices": (
        {"sample_weight": np.ones(7), "indices": [ROWS] * 3},
        ValueError,
        "estimators[0, 1, 2]: sample_weight has 7 values, but X has 30 samples.\n",
    ),
    "weights-of-one-negative": (
        {"sample_weight": [None, None, -np.ones(N)]},
        ValueError,
        "estimators[2]: Negative values in data passed to `sample_weight`.\n",
    ),
    "X-missing": ({"X": None}, TypeError, "Expected sequence or array-like, got <class 'NoneType'>\n"),
    "X-nan": (
        {"X": np.where(X > 1, np.nan, X)},
        ValueError,
        "estimators[0, 1, 2]: Input X contains NaN.",
    ),
    "X_val-without-y_val": (
        {"X_val": X},
        ValueError,
        "estimators[0, 1, 2]: X_val was given without y_val: validation needs both.\n",
    ),
    "X_val-narrower": (
        {"X_val": X[:, :2], "y_val": Y},
        ValueError,
        "estimators[0, 1, 2]: X_val, y_val: X has 2 features, but DynamicsClassifier is expecting 4 features",
    ),
    "y_val-unseen": (
        {"X_val": X, "y_val": Y + 1},
        ValueError,
        "estimators[0, 1, 2]: y_val holds labels unseen at fit: [3]; the classes are [0, 1, 2].\n",
    ),
    "memory-text": (
        {"memory_limit": "1GB"},
        ValueError,
        "memory_limit must be None or a number of bytes, 1 or more, got '1GB'.\n",
    ),
    "memory-none-at-all": (
        {"memory_limit": 0},
        ValueError,
        "memory_limit must be None or a number of bytes, 1 or more, got 0.\n",
    ),
}


def call(changes):
    given = {"estimators": [small(random_state=s) for s in range(3)], "X": X, "y": Y, **changes}
    return given["estimators"], lambda: fit_together(
        given.pop("estimators"), given.pop("X"), given.pop("y"), **given
    )


def assert_told(run, error, text):
    with pytest.raises(error) as caught:
        run()
    assert type(caught.value) is error
    assert f"{caught.value}\n".startswith(text), str(caught.value)


@pytest.mark.parametrize(("changes", "error", "text"), CALLS.values(), ids=CALLS)
def test_what_is_wrong_with_the_call_is_told_and_nothing_is_changed(changes, error, text, programs):
    estimators, run = call(changes)
    before = (
        [dict(vars(clf)) for clf in estimators if hasattr(clf, "lr")] if isinstance(estimators, list) else []
    )
    assert_told(run, error, text)
    assert programs == []
    after = [vars(clf) for clf in estimators if hasattr(clf, "lr")] if isinstance(estimators, list) else []
    assert after == before


def test_the_same_object_twice():
    first, second, third = small(), small(), small()
    with pytest.raises(
        ValueError, match=r"^estimators\[1\] and estimators\[3\] are the same object: give each its own"
    ):
        fit_together([first, second, third, second], X, Y)
    assert not hasattr(second, "net_")


def test_equal_estimators_are_not_the_same_object():
    assert len(fit_together([small(), small()], X, Y)) == 2


def test_one_of_bad_parameters_is_named_and_none_is_changed(programs):
    made = [small(random_state=s) for s in range(4)]
    made[2].lr = -1
    before = [dict(vars(clf)) for clf in made]
    assert_told(
        lambda: fit_together(made, X, Y),
        ValueError,
        "estimators[2]: lr must be a finite number greater than 0, got -1.\n",
    )
    assert [vars(clf) for clf in made] == before
    assert programs == []


def test_several_mistakes_are_told_at_once_equal_ones_together():
    made = [small(lr=-1), small(), small(lr=-1), small(loss="lgo"), small(batch_size=0, lr=0)]
    with pytest.raises(ValueError, match=r"^estimators\[0, 2\]: ") as caught:
        fit_together(made, X, Y)
    lines = str(caught.value).splitlines()
    assert lines[0] == "estimators[0, 2]: lr must be a finite number greater than 0, got -1."
    assert lines[1].startswith("estimators[3]: Unknown loss 'lgo'; the nearest name is 'log'.")
    assert lines[2:] == [
        "estimators[4]: 2 parameters cannot be used:",
        "- lr must be a finite number greater than 0, got 0.",
        '- batch_size must be "auto", "full" or an integer, 1 or greater, got 0.',
    ]


def test_a_mistake_of_type_stays_one():
    assert_told(
        lambda: fit_together([small(), small(record="samples")], X, Y),
        TypeError,
        'estimators[1]: record must be a tuple such as ("samples", "geometry"), got \'samples\'.\n',
    )


def test_a_module_that_does_not_fit_the_data_is_named():
    made = [small(), small(module=torch.nn.Sequential(torch.nn.Linear(5, 3)))]
    assert_told(
        lambda: fit_together(made, X, Y),
        ValueError,
        "estimators[1]: module cannot process a batch of shape (2, 4): RuntimeError: ",
    )
    assert not hasattr(made[0], "net_")


def test_fitted_estimators_stay_as_they_were():
    made = fit_together([small(random_state=s) for s in range(2)], X, Y)
    scores = [clf.decision_function(X) for clf in made]
    nets = [clf.net_ for clf in made]
    with pytest.raises(ValueError, match="y has 7 values"):
        fit_together(made, X, Y[:7], indices=[ROWS, ROWS])
    made[1].lr = 0
    with pytest.raises(ValueError, match="lr must be"):
        fit_together(made, X, Y)
    for clf, net, own in zip(made, nets, scores, strict=True):
        assert clf.net_ is net
        np.testing.assert_array_equal(clf.decision_function(X), own)


def test_an_interrupt_while_checking_changes_nothing(monkeypatch):
    made = [small(random_state=s) for s in range(3)]
    before = [dict(vars(clf)) for clf in made]
    prepare, calls = _together.prepare, []

    def interrupted(*args, **kwargs):
        calls.append(None)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return prepare(*args, **kwargs)

    monkeypatch.setattr(_together, "prepare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fit_together(made, X, Y)
    assert [vars(clf) for clf in made] == before
