"""Figures, counts and lists in words: one form for summaries, pictures and messages."""

from math import floor, log10
from textwrap import fill

WIDTH = 100
SOURCES = {
    "validation": "the validation record of the model",
    "train": "the training record of the model",
    "record": "a record",
    "array": "an array of losses",
}


def figure(value):
    """Three digits; from a thousand on a whole number with commas."""
    return f"{value:.3g}" if not abs(value) >= 999.5 else f"{value:,.0f}"


def epoch_words(epoch):
    """A whole epoch as it is, a fraction in three digits."""
    return f"{float(epoch):.3g}" if float(epoch) % 1 else f"{int(epoch):,}"


def percent(share):
    """A share in per cent, three digits; as many as show that something is left where it is not all."""
    if 0.9995 <= share < 1:
        return f"{100 * share:.{-floor(log10(100 * (1 - share)))}f} %"
    return f"{figure(100 * share)} %"


def points(difference):
    """A difference of two shares in points of per cent, two digits, never as -0."""
    return f"{100 * difference + 0.0:.2g} points"


def counted(count, noun, ending="s"):
    """The count with its noun: 1 sample, 1,797 samples."""
    return f"{count:,} {noun}{'' if count == 1 else ending}"


def samples(count):
    """The count of samples with its noun."""
    return counted(count, "sample")


def range_of(counts):
    """The least and the greatest of whole numbers: 709 to 761; one of them where they are equal."""
    low, high = int(min(counts)), int(max(counts))
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def in_words(items, conjunction="and"):
    """Items with commas between them and a conjunction before the last: radius, distance and error."""
    *first, last = map(str, items)
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def listed(values, most=20):
    """Values as one types them, with commas between; the first ones where there are many."""
    values = list(values)
    return ", ".join(map(repr, values[:most])) + (", ..." if len(values) > most else "")


def capital(text):
    """A text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


def trained_on_note(source):
    """What has to be said where a model's training record was read for want of another."""
    if not source.startswith(SOURCES["train"]):
        return ""
    return " The model has no validation record, so these are samples it was trained on."


def shown(values, most=6):
    """The values of an array, or where there are many the first and the last."""
    texts = [_short(value) for value in values.tolist()]
    return ", ".join(texts if len(texts) <= most else [*texts[: most - 1], "...", texts[-1]])


def _short(value):
    return f"{value:.6g}" if isinstance(value, float) and value % 1 else repr(value)


def paragraph(sentences):
    """Sentences, those that are not empty, as a paragraph of 100 columns; a number keeps its per cent sign."""
    text = " ".join(sentence for sentence in sentences if sentence).replace(" %", "\u00a0%")
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False).replace("\u00a0%", " %")


def summary_of(findings, source=""):
    """Findings in words, the verdict first: what each states, then what to do next, then what was read (``source``).

    One sentence of advice is given: that of the last finding that holds and has some, else of the first that has some.
    """
    advised = [finding for finding in findings if finding.advice]
    holding = [finding.advice for finding in advised if finding.verdict == "yes"]
    advice = holding[-1] if holding else next((finding.advice for finding in advised), "")
    return paragraph([*(finding.statement for finding in findings), advice, source])
