"""What all summaries have in common."""

import re

FIGURE = re.compile(r"(?<![\w.])[-+]?\d[\d,]*\.?\d*(?:e-?\d+)?")


def flat(text):
    """A paragraph on one line."""
    return " ".join(text.split())


def figures_in(text):
    """All numbers of a text, in their order; digits within names are none."""
    return [float(number.rstrip(".,").replace(",", "")) for number in FIGURE.findall(text)]


def sentences_of(text):
    """Sentences, parted at full stops, colons kept within."""
    return [one for one in re.split(r"(?<=\.)\s+(?=[A-Z\d])", flat(text)) if one]


def finding(found, code):
    """The finding of a code."""
    (one,) = [own for own in found.findings_ if own.code == code]
    return one


def verdicts(found):
    """{code: verdict}"""
    return {one.code: one.verdict for one in found.findings_}
