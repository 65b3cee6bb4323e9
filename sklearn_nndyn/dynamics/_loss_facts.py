"""What a record tells of the loss that was trained."""

from collections.abc import Mapping
from typing import NamedTuple


class LossFacts(NamedTuple):
    """The trained loss, as the header of a record describes it.

    Parameters
    ----------
    name : str, default=""
        As ``get_loss`` knows it, or that of the user's class or function; empty where the record does not tell.
    lower_bound : float or None, default=None
        No sample's loss is below it; None where it is not known.
    unit : str or None, default=None
        Such as ``"nats"``; None where there is none, or it is not known.
    proper : bool or None, default=None
        Whether the expected loss is least at the true probabilities; None where it is not known.
    link : {"softmax", "sigmoid"} or None, default=None
        How scores become probabilities: their softmax, or their sigmoids divided by the sum of these; None for a loss
        without probabilities, or where it is not known.

    Examples
    --------
    >>> from sklearn_nndyn.dynamics import Dynamics
    >>> header = {"loss": "log", "loss_facts": {"lower_bound": 0.0, "unit": "nats"}}
    >>> record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0], loss=[[0.5], [1.5]], header=header)
    >>> record.loss_facts
    LossFacts(name='log', lower_bound=0.0, unit='nats', proper=None, link=None)
    >>> record.loss_facts.in_words
    'the log loss'
    """

    name: str = ""
    lower_bound: float | None = None
    unit: str | None = None
    proper: bool | None = None
    link: str | None = None

    @property
    def in_words(self) -> str:
        """ "the squared log loss", or "the loss" where the name is not one word."""
        return f"the {self.short}"

    @property
    def short(self) -> str:
        """ "squared log loss", or "loss" where the name is not one word."""
        return f"{self.name.replace('_', ' ')} loss" if self.name.isidentifier() else "loss"

    @property
    def least(self) -> float:
        """What shares of a total loss are taken above: the lower bound, or 0 where it is not known."""
        return 0.0 if self.lower_bound is None else self.lower_bound

    @property
    def is_log_of_softmax(self) -> bool:
        """Whether the trained loss is - log softmax(scores) of the true class, for all that is known."""
        return self.name == "log" and self.link != "sigmoid"


def read_loss_facts(header):
    """The `LossFacts` of a header."""
    name, facts = header.get("loss"), header.get("loss_facts")
    known = {fact: facts.get(fact) for fact in LossFacts._fields[1:]} if isinstance(facts, Mapping) else {}
    return LossFacts(name if isinstance(name, str) else "", **known)
