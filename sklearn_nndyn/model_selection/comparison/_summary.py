"""The findings of compare_losses in words."""

import numpy as np

from sklearn_nndyn.utils.text import counted, points

SURE = 0.05
NOISES = ("label_noise", "input_noise")
MOST_ERRORS = 3


def comparison_summary(found):
    """The paragraph of a LossComparison."""
    sentences = [_what(found), _speed(found), _final(found), *(_noisy(found, kind) for kind in NOISES)]
    sentences += [_at_the_edge(found), *ended_runs(found).values()]
    return " ".join(sentence for sentence in sentences if sentence)


def _what(found):
    rates = "learning rates tuned on held-out training samples" if found.tuned else "learning rates as given"
    counts = f"{counted(len(found.losses), 'loss', 'es')}, {counted(len(found.seeds), 'seed')}"
    return f"{counts}, {counted(found.epochs[-1], 'epoch')}, {rates}."


def _speed(found):
    mean, rows = _best(found, "learning_speed", {})
    if mean is None:
        return "No run was finished."
    first, last = found.stretch
    over = f"over epochs {first} to {last}" if first < last else f"at epoch {last}"
    return f"{rows[0][0]} learns fastest: a mean test accuracy of {mean} {over}{_clean(found)}{_told_apart(rows)}."


def _final(found):
    mean, rows = _best(found, "final_accuracy", {})
    return "" if mean is None else f"{rows[0][0]} ends best, at {mean}{_clean(found)}{_told_apart(rows)}."


def _best(found, outcome, noise):
    """The best in figures, None where there is no value; and the ranks."""
    rows = found.ranks(outcome, **noise)
    loss, mean, half = found.intervals(outcome, **noise)[0]
    if np.isnan(mean):
        return None, rows
    values = found.runs[outcome][found.select(loss=loss, **_level(found, noise))]
    return _percent(mean, half, values[np.isfinite(values)]), rows


def _level(found, noise):
    """{kind of noise: level}, the first where none is given."""
    return {kind: noise.get(kind, getattr(found, kind)[0]) for kind in NOISES}


def _clean(found, but=None):
    """The first levels where they are not zero: all that is said is said of them."""
    noise = [
        f"{_words(kind)} {getattr(found, kind)[0]:g}"
        for kind in NOISES
        if kind != but and getattr(found, kind)[0]
    ]
    return f" ({', '.join(noise)})" if noise else ""


def _words(kind):
    return kind.replace("_", " ")


def _told_apart(rows):
    """Who is not surely behind the best, and who is last."""
    others = [row for row in rows[1:] if not np.isnan(row[2])]
    if not others:
        return ""
    if all(np.isnan(p) for _, _, _, p in others):
        return "; one seed cannot tell it from the others"
    by = points(-others[-1][2])
    if len(others) == 1:
        ((loss, _, _, p),) = others
        return f"; {loss} is {'' if p < SURE else 'not surely '}behind it, by {by} (p = {p:.2g})"
    near = [loss for loss, _, _, p in others if not p < SURE]
    last = f"{others[-1][0]} is last, {by} behind"
    if not near:
        return f"; all others are behind it (p < {SURE:g}); {last}"
    if len(near) == len(others):
        return f"; no other is surely behind it (p < {SURE:g}); {last}"
    return (
        f"; not surely behind it (p < {SURE:g}) {'is' if len(near) == 1 else 'are'} {', '.join(near)}; {last}"
    )


def _percent(mean, half, values):
    """A mean accuracy; two runs as they are, and from three on the 95 % interval, which ends at 0 and 100 %."""
    text = f"{100 * mean:.2f} %"
    if len(values) < 2:
        return text
    if len(values) == 2:
        return f"{text} (two runs: {100 * min(values):.2f} to {100 * max(values):.2f})"
    low, high = mean - half, mean + half
    if low >= 0 and high <= 1:
        return f"{text} ± {100 * half:.2f}"
    return f"{text} (95 % interval {100 * max(low, 0):.2f} to {100 * min(high, 1):.2f})"


def _noisy(found, kind):
    """Who is best, and who loses least, at the highest level of a noise."""
    levels = getattr(found, kind)
    if len(levels) < 2:
        return ""
    low, high = min(levels), max(levels)
    mean, rows = _best(found, "final_accuracy", {kind: high})
    if mean is None:
        return ""
    text = f"With {_words(kind)} {high:g}{_clean(found, but=kind)} {rows[0][0]} is best, at {mean}{_told_apart(rows)}."
    lost = _lost(found, kind, low, high)
    if not lost:
        return text
    steady = min(lost, key=lost.get)
    change = (
        f"loses least, {points(lost[steady])}"
        if lost[steady] >= 0
        else f"gains most, {points(-lost[steady])}"
    )
    return f"{text} From {low:g} to {high:g} {steady} {change}."


def _lost(found, kind, low, high):
    """{loss: final accuracy at the low level less that at the high one}, of those that have both."""
    before, after = (
        {loss: mean for loss, mean, _ in found.intervals("final_accuracy", **{kind: level})}
        for level in (low, high)
    )
    lost = {loss: before[loss] - after[loss] for loss in found.losses}
    return {loss: value for loss, value in lost.items() if np.isfinite(value)}


def _at_the_edge(found):
    """Losses for which the best rate may lie outside of what was tried."""
    if len(found.tried) < 2:
        return ""
    edges = np.isin(found.runs["lr"], (found.tried[0], found.tried[-1]))
    names = [loss for loss in found.losses if edges[found.select(loss=loss)].any()]
    if not names:
        return ""
    return (
        f"The learning rate is the lowest or the highest of those tried for {', '.join(names)}: other lr_factors may "
        "do better."
    )


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
