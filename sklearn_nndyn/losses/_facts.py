"""Facts about a loss, saved in the header of a record for readers who do not have the loss."""

from collections.abc import Callable
from typing import Any

UNKNOWN = {"lower_bound": None, "unit": None, "proper": None}
FACTS = ("name", *UNKNOWN)


class Depending:
    """A fact that depends on the parameters of a loss; on the class, the fact for the default parameters.

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
    """Set the facts that a class does not state to unknown: those of its base class need not hold for it."""
    for fact, unknown in {"name": cls.__name__, **UNKNOWN}.items():
        if fact not in cls.__dict__:
            setattr(cls, fact, unknown)


def loss_header(loss):
    """Entries about the trained loss in the header of a record.

    Parameters
    ----------
    loss : ClassificationLoss
        The loss that was minimised.

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
