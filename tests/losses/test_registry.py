"""From names, classes, modules and callables to losses."""

import re

import pytest
import torch

from sklearn_nndyn.losses import CustomLoss, HingeLoss, LogLoss, TanimotoLoss, get_loss, loss_names

TWELVE = [
    "log",
    "squared_log",
    "l1",
    "l2",
    "expectation",
    "regularized_expectation",
    "chebyshev",
    "hinge",
    "squared_hinge",
    "cubed_hinge",
    "tanimoto",
    "cauchy_schwarz",
]
ALL = [
    *TWELVE,
    "generalized_cross_entropy",
    "symmetric_cross_entropy",
    "focal",
    "label_smoothing",
    "poly1",
]


ELSEWHERE = [
    "cross_entropy",
    "cross-entropy",
    "CrossEntropyLoss",
    "CE",
    "nll",
    "NLLLoss",
    "log_loss",
    "multi_logloss",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "negative-log-likelihood",
    "torch.nn.functional.cross_entropy",
    "nn.CrossEntropyLoss",
]


@pytest.mark.parametrize(("family", "names"), [("all", ALL), ("paper", TWELVE)])
def test_the_names_in_order(family, names):
    assert loss_names(family) == names
    loss_names(family).clear()
    assert loss_names(family) == names


def test_all_are_listed_where_nothing_is_said():
    assert loss_names() == ALL


def test_an_unknown_family_is_named():
    with pytest.raises(ValueError, match=r"family must be one of 'all', 'paper'; got 'log'\."):
        loss_names("log")


@pytest.mark.parametrize("name", ALL)
def test_a_name_gives_a_new_loss_each_time(name):
    assert get_loss(name) is not get_loss(name)
    assert get_loss(name).reduction == "mean"


@pytest.mark.parametrize("name", [name for name in ALL if "hinge" not in name])
def test_class_names_are_the_names_in_camel_case(name):
    assert type(get_loss(name)).__name__ == "".join(map(str.capitalize, name.split("_"))) + "Loss"


@pytest.mark.parametrize(("name", "power"), [("hinge", 1), ("squared_hinge", 2), ("cubed_hinge", 3)])
def test_the_three_hinges_are_one_class(name, power):
    assert isinstance(get_loss(name), HingeLoss)
    assert get_loss(name).power == power


def test_a_loss_is_itself():
    loss = LogLoss(link="sigmoid")
    assert get_loss(loss) is loss


def test_a_class_is_called():
    assert isinstance(get_loss(TanimotoLoss), TanimotoLoss)
    assert isinstance(get_loss(torch.nn.MultiMarginLoss).loss, torch.nn.MultiMarginLoss)


def test_a_torch_loss_is_copied():
    brought = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    held = get_loss(brought).loss
    assert held is not brought
    assert held.label_smoothing == 0.1
    assert (held.reduction, brought.reduction) == ("none", "mean")


def test_a_callable_is_held():
    def loss(scores, target):
        return scores.sum(-1)

    assert isinstance(get_loss(loss), CustomLoss)
    assert get_loss(loss).loss is loss


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("tanimotto", "tanimoto"),
        ("LOG", "log"),
        ("square_hinge", "squared_hinge"),
        ("L1", "l1"),
        ("focal_loss", "focal"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, nearest):
    with pytest.raises(ValueError, match=f"Unknown loss '{name}'; the nearest name is '{nearest}'") as raised:
        get_loss(name)
    listed = str(raised.value).partition("The losses are ")[2]
    assert re.findall(r"'(\w+)'", listed) == ALL


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_log_loss_goes_by_its_names_elsewhere(name):
    assert isinstance(get_loss(name), LogLoss)
    assert name not in loss_names()


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("mse", "regularized_expectation", "l2"),
        ("MSELoss", "regularized_expectation", "l2"),
        ("mean_squared_error", "regularized_expectation", "l2"),
        ("brier", "regularized_expectation", "l2"),
        ("Brier-score", "regularized_expectation", "l2"),
        ("mae", "expectation", "l1"),
    ],
)
def test_a_name_that_may_mean_two_losses_is_answered_with_both(name, first, second):
    message = f"^Loss '{name}' has another name here: '{first}', .* or '{second}', that of the raw scores\\. Write the"
    with pytest.raises(ValueError, match=message):
        get_loss(name)


def test_the_binary_cross_entropy_is_the_log_loss_of_two_classes():
    for name in ("bce", "BCEWithLogitsLoss", "binary_crossentropy", "logistic", "F.binary_cross_entropy"):
        with pytest.raises(
            ValueError, match=f"^Loss '{name}' has another name here: 'log', which for two classes"
        ):
            get_loss(name)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("gce", "generalized_cross_entropy"),
        ("sce", "symmetric_cross_entropy"),
        ("deviance", "log"),
        ("kl_div", "log"),
        ("KLDivLoss", "log"),
    ],
)
def test_a_short_name_is_answered_with_the_long_one(name, meant):
    with pytest.raises(ValueError, match=f"^Loss '{name}' has another name here: '{meant}'"):
        get_loss(name)


@pytest.mark.parametrize("name", ["huber", "ctc", "", "wasserstein", "dice", "entropy", "multi_margin"])
def test_a_name_that_is_near_to_none_is_answered_with_the_list(name):
    with pytest.raises(ValueError, match=rf"^Unknown loss '{name}'\. The losses are 'log', "):
        get_loss(name)


def test_a_slip_in_a_name_from_elsewhere_leads_to_its_loss():
    with pytest.raises(ValueError, match=r"^Unknown loss 'cros_entropy'; the nearest name is 'log'"):
        get_loss("cros_entropy")


@pytest.mark.parametrize("wrong", [None, 3, ["log"], int, dict])
def test_what_is_no_loss_is_named(wrong):
    with pytest.raises(
        TypeError, match="a name, a ClassificationLoss, a torch module or a callable"
    ) as raised:
        get_loss(wrong)
    assert f"got {wrong!r} of type {type(wrong).__name__}" in str(raised.value)
