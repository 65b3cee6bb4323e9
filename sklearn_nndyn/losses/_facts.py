"""What a loss says of itself, for those who read it later and do not have it."""

from collections.abc import Callable
from typing import Any

UNKNOWN = {"lower_bound": None, "unit": None, "proper": None}
FACTS = ("name", *UNKNOWN)


class Depending:
    """A fact that depends on a loss's parameters; asked of the class, the fact for their defaults.

    Parameters
    ----------
    default : object
        The fact for the default parameters.
    find : callable
        ``find(loss)`` is the fact for the parameters of ``loss``.
    """

    def __init__(self, default: Any, find: Callable[[Any], Any]):
        self.default, self.find = default, find

    def __get__(self, loss, owner=None):
        return self.default if loss is None else self.find(loss)


def state_facts(cls):
    """Make unknown what a class does not say of itself: what holds for a loss need not hold for its child."""
    for fact, unknown in {"name": cls.__name__, **UNKNOWN}.items():
        if fact not in cls.__dict__:
            setattr(cls, fact, unknown)


def loss_header(loss):
    """What the header of a record tells of the trained loss.

    Parameters
    ----------
    loss : ClassificationLoss
        What was minimised.

    Returns
    -------
    header : dict
        ``"loss"``, its name; and ``"loss_facts"``, a dictionary of ``"lower_bound"``, ``"unit"``, ``"proper"`` and
        ``"link"``, each None where it is not known.
    """
    return {
        "loss": loss.name,
        "loss_facts": {fact: getattr(loss, fact) for fact in (*UNKNOWN, "link")},
    }
