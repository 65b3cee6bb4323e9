"""An entry of the table of codes."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FindingKind:
    """Explanation of one code, as the page of findings has it.

    Parameters
    ----------
    code : str
        Two letters for the phenomenon and a number.
    title : str
        The claim, as a statement that the verdict answers.
    meaning : str
        What a verdict of yes, no and cannot tell says.
    computed : str
        How the figure and its interval are computed, and when the verdict is yes.
    chance : str
        What ``null`` is.
    to_do : str
        What to do next.
    false_alarms : str, default=""
        Measured rates of a false yes; empty where none was measured.
    """

    code: str
    title: str
    meaning: str
    computed: str
    chance: str
    to_do: str
    false_alarms: str = ""
