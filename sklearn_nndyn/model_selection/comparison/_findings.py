"""The findings of compare_losses: CL1 to CL4."""

import numpy as np

from sklearn_nndyn.analyzers import Finding
from sklearn_nndyn.utils.text import in_words

SURE = 0.05
NOISES = {"label_noise": "CL3", "input_noise": "CL4"}
MOST_NAMES = 3
MORE_SEEDS = (
    "Give more seeds; until then take, of those that are not significantly behind, the one that suits."
)
FEW_SEEDS = "Give three seeds or more."
EDGES = {"lower": ("lowest", 0), "higher": ("highest", -1)}
TAKE = {
    "CL2": "Take {}, and tune what else there is.",
    "CL3": "Where labels may be wrong, take {}.",
    "CL4": "Where inputs are noisy, take {}.",
}


def comparison_findings(found):
    """CL1 and CL2; CL3 and CL4 where there are levels of label or input noise."""
    asked = [
        ("CL1", "learning_speed", {}, "learns fastest"),
        ("CL2", "final_accuracy", {}, "ends best"),
    ]
    for kind, code in NOISES.items():
        levels = getattr(found, kind)
        if len(levels) > 1:
            words = f"ends best with {kind.replace('_', ' ')} {max(levels):g}"
            asked.append((code, "final_accuracy", {kind: max(levels)}, words))
    return tuple(_best(found, *own) for own in asked)


def _best(found, code, outcome, noise, claim):
    """Yes where every other loss that has a value is significantly behind the best."""
    (loss, mean, half), *_ = means = found.intervals(outcome, **noise)
    if np.isnan(mean):
        statement = "No run was finished." if code == "CL1" else ""
        return Finding.from_code(code, "cannot tell", n_runs=len(found.seeds), statement=statement)
    others = {name: p for name, _, behind, p in found.ranks(outcome, **noise)[1:] if not np.isnan(behind)}
    verdict = "yes" if others and all(p < SURE for p in others.values()) else "cannot tell"
    at = _accuracy(found, code, outcome, noise)
    return Finding.from_code(
        code,
        verdict,
        value=mean,
        interval=None if np.isnan(half) else (max(mean - half, 0.0), min(mean + half, 1.0)),
        null=means[1][1] if others else None,
        n_runs=len(found.seeds),
        statement=_words(verdict, claim, f"{loss} {{}}, at {at}", others),
        advice=_other_rates(found, noise) or _advice(found, code, verdict, loss, others),
    )


def _accuracy(found, code, outcome, noise):
    """The mean accuracy of the best; at the end with its interval, or both values where there are two."""
    loss, mean, half = found.intervals(outcome, **noise)[0]
    text = f"{100 * mean:.2f} %"
    if code != "CL2":
        return f"a mean test accuracy of {text} over the epochs" if code == "CL1" else text
    clean = {kind: getattr(found, kind)[0] for kind in NOISES}
    values = found.runs[outcome][found.select(loss=loss, **clean)]
    values = values[np.isfinite(values)]
    if len(values) == 2:
        return f"{text} (two runs: {100 * min(values):.2f} to {100 * max(values):.2f})"
    if np.isnan(half):
        return text
    low, high = mean - half, mean + half
    if low >= 0 and high <= 1:
        return f"{text} ± {100 * half:.2f}"
    return f"{text} (95 % interval {100 * max(low, 0):.2f} to {100 * min(high, 1):.2f})"


def _words(verdict, claim, best, others):
    if verdict == "yes":
        behind = "all others are" if len(others) > 1 else f"{next(iter(others))} is"
        return f"{best.format(claim)}; {behind} significantly behind."
    return f"Which loss {claim} cannot be told: {best.format('comes first')}, but {_why(others)}."


def _why(others):
    if not others:
        return "there is no other to compare it with"
    if all(np.isnan(p) for p in others.values()):
        return "one seed does not tell it from the others"
    near = [name for name, p in others.items() if not p < SURE]
    if len(near) == len(others) > 1:
        return "no other is significantly behind"
    shown = near if len(near) <= MOST_NAMES else [*near[: MOST_NAMES - 1], "others"]
    return f"{in_words(shown)} {'is' if len(near) == 1 else 'are'} not significantly behind"


def _other_rates(found, noise):
    """On which side to try more rates; empty where none was best at the edge."""
    best_at = {side: found_at for side in EDGES if (found_at := losses_at_edge(found, side, **noise))}
    if not best_at:
        return ""
    words = [f"the {EDGES[side][0]} is best for {_named(found, losses)}" for side, losses in best_at.items()]
    return f"Add {in_words(list(best_at))} lr_factors: of the rates tried {in_words(words)}."


def _named(found, losses):
    return in_words(losses) if len(losses) <= MOST_NAMES else f"{len(losses)} of {len(found.losses)} losses"


def _advice(found, code, verdict, loss, others):
    if verdict == "yes":
        return TAKE[code].format(loss) if code in TAKE else ""
    if not others:
        return "Give several losses."
    return FEW_SEEDS if len(found.seeds) < 3 else MORE_SEEDS


def losses_at_edge(found, side, **noise):
    """Losses whose best rate is the lowest or the highest tried, at some noise: a better one may lie outside."""
    if len(found.tried) < 2:
        return []
    edge = found.tried[EDGES[side][1]]
    levels = {kind: getattr(found, kind)[0] for kind in NOISES} | noise
    return [loss for loss in found.losses if edge in found.runs["lr"][found.select(loss=loss, **levels)]]
