"""A finding: what an analysis claims, and what the claim rests on."""

from dataclasses import dataclass
from typing import Any, Self

from sklearn_nndyn.analyzers.catalogue._table import TABLE

VERDICTS = ("yes", "no", "cannot tell")


@dataclass(frozen=True)
class Finding:
    """One claim of an analysis, with what chance would give.

    Parameters
    ----------
    code : str
        Short and stable: two letters for the phenomenon and a number, such as ``"LT1"``.
    title : str
        The claim in words, as a statement that the verdict answers: ``"The mean loss rises"``.
    verdict : {"yes", "no", "cannot tell"}
        Whether it holds in what was analysed.
    value : float or None, default=None
        The figure the verdict rests on, in the unit that the title or the advice names.
    interval : tuple of two floats or None, default=None
        95 % interval of ``value``; None where it cannot be given.
    null : float or None, default=None
        Value expected by chance.
    n_runs : int, default=1
        Runs it rests on.
    advice : str, default=""
        Advice on what to do next, in one sentence.
    statement : str, default=""
        The verdict in one sentence with the figures of this record, as ``summary()`` says it; empty where it goes
        without saying.

    Raises
    ------
    ValueError
        For a verdict that is none of the three, or fewer runs than one.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers import Finding
    >>> print(Finding("LT1", "The mean loss rises", "yes", value=0.02, interval=(0.014, 0.027), null=0.004))
    LT1 The mean loss rises: yes. 0.02 (95 % interval 0.014 to 0.027; chance gives 0.004); one run.
    """

    code: str
    title: str
    verdict: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    null: float | None = None
    n_runs: int = 1
    advice: str = ""
    statement: str = ""

    @classmethod
    def from_code(cls, code: str, verdict: str, **figures: Any) -> Self:
        """Make a finding that is in the table of codes, under the title it has there.

        Parameters
        ----------
        code : str
            Its code, such as ``"LT1"``.
        verdict : {"yes", "no", "cannot tell"}
            Whether it holds.
        **figures : float, tuple, int or str
            The other parameters by name: ``value``, ``interval``, ``null``, ``n_runs``, ``advice``, ``statement``.

        Returns
        -------
        finding : Finding
            With the title that the code has everywhere.

        Raises
        ------
        ValueError
            If there is no such code.

        Examples
        --------
        >>> from sklearn_nndyn.analyzers import Finding
        >>> Finding.from_code("LT1", "no").title
        'The mean loss rises'
        """
        if code not in TABLE:
            raise ValueError(f"There is no finding {code!r}; there are {', '.join(TABLE)}.")
        return cls(code, TABLE[code].title, verdict, **figures)

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(
                f"verdict must be one of {', '.join(map(repr, VERDICTS))}; got {self.verdict!r}."
            )
        if self.n_runs < 1:
            raise ValueError(f"n_runs must be 1 or more, got {self.n_runs!r}.")

    def __str__(self) -> str:
        return " ".join(
            filter(None, (f"{self.code} {self.title}: {self.verdict}.", self._figures(), self.advice))
        )

    def _figures(self) -> str:
        runs = "one run" if self.n_runs == 1 else f"{self.n_runs} runs"
        if self.value is None:
            return f"{runs[0].upper()}{runs[1:]}."
        beside = []
        if self.interval is not None:
            beside.append(f"95 % interval {self.interval[0]:.3g} to {self.interval[1]:.3g}")
        if self.null is not None:
            beside.append(f"chance gives {self.null:.3g}")
        rests_on = f" ({'; '.join(beside)})" if beside else ""
        return f"{self.value:.3g}{rests_on}; {runs}."
