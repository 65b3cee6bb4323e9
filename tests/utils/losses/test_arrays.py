"""The losses in NumPy are those in torch: values, facts, names and messages."""

import numpy as np
import pytest
import torch

from sklearn_nndyn.losses import get_loss, loss_names
from sklearn_nndyn.utils.losses.arrays import LOSSES, array_loss, log_softmax
from tests.pairwise import for_each


def some_scores(n_classes, scale):
    rng = np.random.default_rng(0)
    return scale * rng.normal(size=(200, n_classes)), rng.integers(0, n_classes, 200)


def values(loss, scores, y_encoded):
    by_class = scores.T.copy()
    return loss.formula(log_softmax(by_class) if loss.link else by_class, y_encoded)


def test_every_loss_is_there_in_the_same_order():
    assert list(LOSSES) == loss_names()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 100.0, 1e4])
@pytest.mark.parametrize("n_classes", [2, 3, 10])
@for_each("name", loss_names())
def test_values_are_those_of_torch(name, n_classes, scale):
    scores, y_encoded = some_scores(n_classes, scale)
    expected = get_loss(name).double().per_sample(torch.tensor(scores), torch.tensor(y_encoded)).numpy()
    np.testing.assert_allclose(values(array_loss(name), scores, y_encoded), expected, rtol=1e-9, atol=1e-13)


@for_each("name", loss_names())
def test_facts_are_those_of_torch(name):
    theirs, ours = get_loss(name), array_loss(name)
    for fact in ("name", "lower_bound", "unit", "proper", "link"):
        assert getattr(ours, fact) == getattr(theirs, fact), fact
    assert ours.is_known


def test_log_p_sums_to_one_however_large_the_scores():
    log_p = log_softmax(np.array([[1e300, 0.0], [-1e300, 1e-300]]))
    np.testing.assert_allclose(np.exp(log_p).sum(axis=0), 1)


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(
        ValueError, match=r"Unknown loss 'squard_log'; the nearest name is 'squared_log'\. The losses"
    ):
        array_loss("squard_log")


@pytest.mark.parametrize("loss", [3, None, ["log"], float])
def test_what_is_no_loss_is_refused(loss):
    with pytest.raises(TypeError, match="loss must be a name, or a function of scores and positions"):
        array_loss(loss)


@pytest.mark.parametrize("loss", [get_loss("log"), torch.nn.CrossEntropyLoss(), get_loss(torch.nn.NLLLoss)])
def test_modules_of_torch_are_refused_with_what_to_give(loss):
    with pytest.raises(
        TypeError, match=rf"loss is a torch module, {type(loss).__name__}, .* give its name, or a func"
    ):
        array_loss(loss)


def test_a_users_function_is_given_samples_first():
    scores, y_encoded = some_scores(3, 1.0)

    def hinge(scores, y_encoded):
        assert scores.shape == (200, 3)
        return np.maximum(0, 1 - scores[np.arange(200), y_encoded])

    loss = array_loss(hinge)
    np.testing.assert_array_equal(values(loss, scores, y_encoded), hinge(scores, y_encoded))
    assert (loss.name, loss.link, loss.lower_bound, loss.is_known) == ("own_hinge", None, None, False)


def test_a_users_function_is_never_taken_for_one_of_ours():
    def log(scores, y_encoded):
        return scores[:, 0]

    assert array_loss(log).name == "own_log"
    assert not array_loss(log).is_known


@pytest.mark.parametrize("result", [0.0, [[1.0]], ["a"] * 200, [None] * 200], ids=repr)
def test_a_users_function_must_give_a_number_for_each_sample(result):
    scores, y_encoded = some_scores(3, 1.0)
    with pytest.raises(ValueError, match=r"loss must give a number for each sample, shape \(200,\); got"):
        values(array_loss(lambda scores, y: result), scores, y_encoded)
