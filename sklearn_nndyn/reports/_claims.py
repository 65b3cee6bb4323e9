"""What an analysis claims: its findings, or for one that has none yet its paragraph."""

from dataclasses import dataclass

from sklearn_nndyn.analyzers import Finding


@dataclass(frozen=True)
class Claims:
    """Findings, and the words around them."""

    findings: tuple[Finding, ...] = ()
    paragraph: str = ""


def claims_of(found):
    """Findings where the analysis has some; its summary where it has none.

    Parameters
    ----------
    found : fitted analyzer, or result with a ``summary``

    Returns
    -------
    claims : Claims
    """
    return Claims(findings=tuple(getattr(found, "findings_", ())), paragraph=found.summary())
