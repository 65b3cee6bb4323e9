"""What compare_losses found, in words: its findings, and the runs they rest on."""

import numpy as np

from sklearn_nndyn.model_selection.comparison._findings import NOISES
from sklearn_nndyn.utils.text import counted, in_words, summary_of

MOST_ERRORS = 3


def comparison_summary(found):
    """The paragraph of a LossComparison."""
    return summary_of(found.findings_, comparison_source(found))


def comparison_source(found):
    """The runs that were compared, and those that ended early, in a sentence."""
    rates = "learning rates tuned on held-out training samples" if found.tuned else "learning rates as given"
    counts = f"{counted(len(found.losses), 'loss', 'es')}, {counted(len(found.seeds), 'seed')}"
    ended = [sentence.rstrip(".") for sentence in ended_runs(found).values()]
    return "; ".join([f"Compared were {counts}{_first_levels(found)}, {rates}", *ended]) + "."


def _first_levels(found):
    """The levels that all is said of, where nothing else is said, if they are not zero."""
    first = {kind.replace("_", " "): getattr(found, kind)[0] for kind in NOISES}
    noise = [f"{kind} {level:g}" for kind, level in first.items() if level]
    return f", with {in_words(noise)} where no other is named" if noise else ""


def ended_runs(found):
    """{"diverged", "failed" or "interrupted": the sentence on such runs}."""
    ended = found.runs["ended"]
    kinds = np.where(np.isin(ended, ("", "diverged", "interrupted")), ended, "failed")
    return {
        kind: say(found, kinds == kind, np.count_nonzero(kinds == kind))
        for kind, say in _SAY.items()
        if (kinds == kind).any()
    }


def _losses_of(found, chosen):
    return ", ".join(dict.fromkeys(found.runs["loss"][chosen].tolist()))


def _diverged(found, chosen, number):
    verb = "counts" if number == 1 else "count"
    return (
        f"{counted(number, 'run')} diverged and {verb} as of the epoch before ({_losses_of(found, chosen)})."
    )


def _failed(found, chosen, number):
    errors = list(dict.fromkeys(found.runs["ended"][chosen].tolist()))
    more = f"; and {len(errors) - MOST_ERRORS} more" if len(errors) > MOST_ERRORS else ""
    description = "; ".join(error.rstrip(".") for error in errors[:MOST_ERRORS])
    verb = "does" if number == 1 else "do"
    return f"{counted(number, 'run')} failed and {verb} not count ({_losses_of(found, chosen)}): {description}{more}."


def _interrupted(found, chosen, number):
    verbs = ("was", "does") if number == 1 else ("were", "do")
    return f"{counted(number, 'run')} {verbs[0]} not finished when the keyboard interrupted, and {verbs[1]} not count."


_SAY = {"diverged": _diverged, "failed": _failed, "interrupted": _interrupted}
