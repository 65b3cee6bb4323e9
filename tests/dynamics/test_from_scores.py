"""A record of scores in an array is the record that our own classifier makes of them."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from sklearn_nndyn import Dynamics, DynamicsClassifier, DynamicsLog
from sklearn_nndyn.utils.versions import versions

MEASURED = ("loss", "margin", "prediction", "probability")


@pytest.fixture(scope="module")
def fitted():
    """{loss: record} of our own classifier, scores included."""
    X, y = load_digits(return_X_y=True)
    names = ("log", "focal", "tanimoto", "l2", "cubed_hinge")
    record = ("samples", "scores")
    make = lambda loss: DynamicsClassifier(loss=loss, record=record, max_epochs=3, random_state=0)  # noqa: E731
    return {loss: make(loss).fit(X[:400], y[:400]).dynamics_ for loss in names}


@pytest.mark.parametrize("loss", ["log", "focal", "tanimoto", "l2", "cubed_hinge"])
def test_it_is_the_record_of_the_classifier_up_to_rounding(fitted, loss):
    recorded = fitted[loss]
    made = Dynamics.from_scores(recorded.scores, recorded.y, epochs=recorded.epochs, loss=loss)
    assert made.loss_facts == recorded.loss_facts
    assert made.fields == recorded.fields
    for name in MEASURED:
        expected, found = getattr(recorded, name), getattr(made, name)
        if expected is None:
            assert found is None
            continue
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6 * abs(expected).max(), err_msg=name)


def test_the_slow_definition(make_record):
    whole = make_record()
    record = Dynamics.from_scores(whole.scores, whole.y)
    for i in range(len(record)):
        for t in range(record.n_epochs):
            scores, c = whole.scores[i, t].astype(float), record.target[i]
            p = np.exp(scores) / np.exp(scores).sum()
            assert record.loss[i, t] == pytest.approx(-np.log(p[c]), rel=1e-5)
            assert record.probability[i, t] == pytest.approx(p[c], rel=1e-5)
            assert record.margin[i, t] == pytest.approx(scores[c] - max(np.delete(scores, c)), rel=1e-5)
            assert record.prediction[i, t] == scores.argmax()


def test_what_it_keeps(make_record):
    scores = np.asfortranarray(make_record().scores)
    record = Dynamics.from_scores(scores, make_record().y, sample_ids=list("abcdefg"), epochs=[1, 2, 3, 5])
    assert np.shares_memory(record.scores, scores)
    assert record.sample_ids.tolist() == list("abcdefg")
    assert record.epochs.tolist() == [1, 2, 3, 5]
    assert record.header["versions"] == versions()
    assert record.header["loss"] == "log"


def test_epochs_are_counted_from_the_start():
    assert Dynamics.from_scores(np.zeros((2, 3, 2)), [0, 1]).epochs.tolist() == [0, 1, 2]


@pytest.mark.parametrize("shape", [(3, 2), (3, 2, 1)])
def test_two_classes_may_have_one_column(shape):
    """The score of the second class against the first: log odds."""
    z = np.random.default_rng(0).normal(size=shape)
    record = Dynamics.from_scores(z, ["a", "b", "b"])
    odds = z.reshape(3, 2)
    p = 1 / (1 + np.exp(-odds))
    np.testing.assert_allclose(record.probability, np.where([[True], [False], [False]], 1 - p, p), rtol=1e-5)
    np.testing.assert_allclose(record.margin, odds * [[-1], [1], [1]], rtol=1e-6)
    both = np.stack([np.zeros((3, 2)), odds], axis=-1)
    np.testing.assert_array_equal(record.loss, Dynamics.from_scores(both, ["a", "b", "b"]).loss)


def test_missing_rows_are_missing_cells(make_record):
    scores = make_record().scores.copy()
    scores[2, 1] = scores[3] = np.nan
    record = Dynamics.from_scores(scores, make_record().y)
    assert np.argwhere(~record.seen).tolist() == [[2, 1], [3, 0], [3, 1], [3, 2], [3, 3]]
    for name in ("loss", "margin", "probability"):
        assert np.isnan(getattr(record, name)[2, 1])
    assert record.prediction[2, 1] == -1
    whole = Dynamics.from_scores(make_record().scores, make_record().y)
    np.testing.assert_array_equal(record.loss[record.seen], whole.loss[record.seen])


class OnlyDlpack:
    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **kwargs):
        return self.array.__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OnlyArray:
    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


class OnADevice(OnlyDlpack):
    """As CuPy's: not given away without being asked."""

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    def get(self):
        return self.array


LIBRARIES = {
    "lists": lambda a: a.tolist(),
    "torch": torch.from_numpy,
    "torch with a gradient": lambda a: torch.tensor(a, requires_grad=True) * 1,
    "torch, float16": lambda a: torch.tensor(a).half(),
    "torch, bfloat16": lambda a: torch.tensor(a).bfloat16(),
    "__array__": OnlyArray,
    "__dlpack__": OnlyDlpack,
    "a device": OnADevice,
    "ints": lambda a: a.astype(int),
    "float64": lambda a: a.astype(float),
    "big-endian": lambda a: a.astype(">f4"),
    "not contiguous": lambda a: np.repeat(a, 2, axis=2)[:, :, ::2],
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_arrays_of_every_library_are_taken(library):
    scores = np.random.default_rng(0).integers(-8, 8, (5, 2, 3)).astype(np.float32)
    expected = Dynamics.from_scores(scores, [0, 1, 2, 0, 1])
    found = Dynamics.from_scores(LIBRARIES[library](scores), torch.tensor([0, 1, 2, 0, 1]))
    np.testing.assert_array_equal(found.loss, expected.loss)
    np.testing.assert_array_equal(found.y, expected.y)


S = np.zeros((4, 2, 3))
WRONG = {
    "no array": (
        {"scores": object()},
        TypeError,
        "scores must be an array of numbers or of strings, got object",
    ),
    "ragged": ({"scores": [[[1]], [[1, 2]]]}, TypeError, "scores cannot be read as an array: ValueError"),
    "text": ({"scores": np.full((4, 2, 3), "a")}, TypeError, "scores must be numbers, got <U1"),
    "complex": ({"scores": S.astype(complex)}, TypeError, "scores must be numbers, got complex128"),
    "flat": (
        {"scores": np.zeros(4)},
        ValueError,
        r"scores must be \(n_samples, n_epochs, n_classes\) with the 4",
    ),
    "rows": ({"scores": np.zeros((5, 2, 3))}, ValueError, r"with the 4 samples of y; got shape \(5, 2, 3\)"),
    "columns": (
        {"scores": np.zeros((4, 2, 5))},
        ValueError,
        r"has shape \(4, 2, 5\), expected \(4, 2, 3\): a score for each of the 3 classes",
    ),
    "epochs first": (
        {"scores": np.zeros((2, 4, 3))},
        ValueError,
        r"got shape \(2, 4, 3\)\. Give scores\.swapaxes\(0, 1\): samples come first",
    ),
    "one column": ({"scores": np.zeros((4, 2))}, ValueError, r"expected \(4, 2, 3\)"),
    "infinite": (
        {"scores": np.where(np.arange(3) > 1, np.inf, S)},
        ValueError,
        "scores are infinite, or nan for some",
    ),
    "half missing": (
        {"scores": np.where(np.arange(3) > 1, np.nan, S)},
        ValueError,
        r"nan for some classes only, in 8 rows; the first is \[0, 0\]: 0.0, 0.0, nan",
    ),
    "labels": (
        {"y": [0, 1, 2, 7], "classes": [0, 1, 2]},
        ValueError,
        "y has labels that are not among the classes",
    ),
    "label axes": (
        {"y": [[0, 1, 2, 0]]},
        ValueError,
        r"y must hold a label for each sample.*got shape \(1, 4\)",
    ),
    "no labels": ({"y": []}, ValueError, "y must hold a label for each sample"),
    "labels of objects": ({"y": [None, 1, 2, 0]}, TypeError, "y must be an array of numbers or of strings"),
    "epochs": (
        {"epochs": [0, 1, 2]},
        ValueError,
        r"epochs must number the 2 epochs of scores, its second axis; got shape \(3,\)",
    ),
    "epochs back": ({"epochs": [1, 0]}, ValueError, "epochs must increase from 0 or later"),
    "ids twice": (
        {"sample_ids": [1, 1, 2, 3]},
        ValueError,
        "sample_ids must name each sample once, but has .* 1",
    ),
    "ids of floats": ({"sample_ids": [0.5, 1, 2, 3]}, TypeError, "sample_ids must hold integers or strings"),
    "few ids": ({"sample_ids": [1, 2]}, ValueError, r"sample_ids has shape \(2,\), expected \(4 samples\)"),
    "loss": ({"loss": "lgo"}, ValueError, "Unknown loss 'lgo'; the nearest name is 'log'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_told(name):
    changes, error, message = WRONG[name]
    given = {"scores": S, "y": [0, 1, 2, 0]} | changes
    with pytest.raises(error, match=message):
        Dynamics.from_scores(given.pop("scores"), given.pop("y"), **given)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_probabilities_are_no_scores(dtype):
    """Their softmax would be another thing: losses that never come near 0, without a word."""
    y = np.arange(9) % 3
    scores = np.random.default_rng(0).normal(size=(9, 2, 3))
    p = (np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)).astype(dtype)
    with pytest.raises(
        ValueError, match="scores are probabilities, it seems: in every row they lie between 0 and 1"
    ):
        Dynamics.from_scores(p, y)
    with pytest.raises(ValueError, match=r"Give their logarithms, np\.log\(np\.clip\(scores, 1e-12, 1\)\)"):
        DynamicsLog(y).add(0, np.arange(9), p[:, 0])
    given = Dynamics.from_scores(np.log(np.clip(p, 1e-12, 1)), y)
    np.testing.assert_allclose(
        given.probability, p[np.arange(9), :, y], rtol=1e-2 if dtype == np.float16 else 1e-5
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p + 1e-2,  # no shares of one
        lambda p: p * [1, 1, -1] + [0, 0, 2 / 3],  # one is negative, or sums are others
        lambda p: np.eye(3)[p.argmax(axis=2)],  # votes
        lambda p: p[:3],  # so few may be scores by chance
    ],
    ids=["sums", "signs", "votes", "few"],
)
def test_scores_that_are_near_to_probabilities_are_taken(change):
    p = change(np.random.default_rng(0).dirichlet([1, 1, 1], size=(9, 2)))
    np.testing.assert_array_equal(
        Dynamics.from_scores(p, (np.arange(9) % 3)[: len(p)], classes=[0, 1, 2]).scores, p
    )


def test_a_loss_of_raw_scores_takes_whatever_sums_to_one():
    p = np.random.default_rng(0).dirichlet([1, 1, 1], size=(9, 2))
    assert Dynamics.from_scores(p, np.arange(9) % 3, loss="l2").shape == (9, 2)


def test_one_column_is_refused_where_the_loss_needs_both():
    with pytest.raises(ValueError, match="the loss 'l2' needs the score of each class"):
        Dynamics.from_scores(np.zeros((2, 3)), [0, 1], loss="l2")


def test_probabilities_are_told_wherever_the_first_cell_that_was_seen_lies():
    p = np.random.default_rng(0).dirichlet(np.ones(3), size=(20, 4))
    p[0, 0] = np.nan
    with pytest.raises(ValueError, match="scores are probabilities, it seems"):
        Dynamics.from_scores(p, np.arange(20) % 3)
    p[:] = np.nan
    assert not Dynamics.from_scores(p, np.arange(20) % 3).seen.any()


def test_probabilities_of_the_second_class_are_no_scores():
    p = np.random.default_rng(0).random((12, 4))
    y = np.arange(12) % 2
    with pytest.raises(
        ValueError, match=r"scores are probabilities of the second class, it seems: .* log odds"
    ):
        Dynamics.from_scores(p, y)
    odds = Dynamics.from_scores(np.log(p / (1 - p)), y)
    np.testing.assert_allclose(odds.probability, np.where(y[:, None] == 1, p, 1 - p), rtol=1e-5)
    votes = Dynamics.from_scores((p > 0.5).astype(float), y)
    assert votes.prediction.max() == 1
