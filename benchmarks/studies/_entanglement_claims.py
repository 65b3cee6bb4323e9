"""The claims of the study of entanglement, judged by its rules."""

import numpy as np
from _claims import claim, in_all, rounded, setting
from _entanglement_report import per_sample
from _rules import load_rules
from _tables import interval

RULES = load_rules("entanglement")
LIMITS = RULES["limits"]
PARITY = "MNIST parity"
KINDS = {
    "2b": (PARITY, ("rate", "optimiser")),
    "2c": (PARITY, ("batches",)),
    "2d": (PARITY, ("network",)),
    "2e": (PARITY, ("samples",)),
}
BY_FINDING = {"yes": "held", "no": "did not hold", "cannot tell": "not decided"}


def entry(number, *, data=PARITY, runs=None, ends=None, value=None, **found):
    """A claim by its number; a value and its interval may be given in place of values of seeds."""
    name, rule = next(item for item in RULES["claims"].items() if item[0].split()[0] == number)
    own = claim("entanglement", name, data, rule, runs=runs or len(RULES["seeds"]), **found)
    if value is not None and np.isfinite(value):
        own |= {"value": rounded(value), "interval": None if ends is None else [rounded(end) for end in ends]}
    return own


def settings_claims(found):
    """1 and 2, from {setting: figures}."""
    everywhere = "all settings"
    turns = [setting(s.name, own["eps"], words(np.isfinite(own["eps"]).all())) for s, own in found.items()]
    turned = {s: own["eps"][np.isfinite(own["eps"])] for s, own in found.items()}
    stable = [
        setting(s.name, own, words(own.std(ddof=1) < LIMITS["spread"] * own.mean()))
        for s, own in turned.items()
        if len(own) > 1
    ]
    return [
        entry("1", data=everywhere, verdict=verdict(turns), settings=turns),
        entry("2a", data=everywhere, verdict=verdict(stable), settings=stable),
        *(elsewhere(number, *about, turned) for number, about in KINDS.items()),
    ]


def elsewhere(number, data, kinds, turned):
    """2b to 2e."""
    reference = next(iter(turned.values())).mean()
    near = [
        setting(s.name, own, words(len(own) > 0 and abs(own.mean() / reference - 1) < LIMITS["moved"]))
        for s, own in turned.items()
        if s.kind in kinds
    ]
    return entry(number, data=data, verdict=verdict(near), settings=near)


def stability_claims(found, like):
    """3: by training error, and against others of the same size and class."""
    of_error = next(own for own in found.findings_ if own.code == "ST2")
    note = "" if of_error.null is None else f"z; greatest {of_error.null:.3g}"
    gain, beyond = like.gain, like.beyond_chance
    return [
        entry("3", verdict=BY_FINDING[of_error.verdict], value=of_error.value, ends=of_error.interval, note=note),
        entry("3a", verdict=sign(beyond[1], below="did not hold"), value=beyond[0], ends=beyond[1], note="samples"),
        entry(
            "3b", verdict=sign(gain[1], below="did not hold"), value=gain[0], ends=gain[1],
            note=f"stragglers {like.stragglers:.3f}, the others at most {max(like.hardest.values()):.3f}",
        ),
    ]  # fmt: skip


def removal_claims(found):
    """4."""
    errors = found.inversion_errors
    inverts = int(np.isfinite(errors["removed"]).sum())
    moved = abs(interval(errors["random"])[0] - interval(errors["all"])[0])
    parts = [inverts == 0, bool(np.isfinite(errors["random"]).all()) and moved < LIMITS["eps_moved"]]
    verdict = "held" if all(parts) else "held in part" if any(parts) else "did not hold"
    note = f"{inverts} of {len(errors['removed'])} invert without stragglers; eps* moves by {moved:.4f} for random ones"
    return [entry("4", verdict=verdict, note=note)]


def deletion_claims(found):
    """5, from {t: figures}."""
    return [deleted("5a", found, "clean"), deleted("5b", found, "noisy")]


def deleted(number, found, name):
    """Whether the set at the inversion has the greatest effect for each sample deleted."""
    if "inversion" not in found:
        return entry(number, verdict="cannot be asked")
    effect = {t: interval(per_sample(own, name))[0] for t, own in found.items()}
    best = max(effect, key=lambda t: abs(effect[t]))
    note = (
        f"errors of 10,000 for a hundred deleted at the inversion; most at epoch {found[best]['epoch'].mean():.0f}: "
        f"{effect[best]:+.1f}"
    )
    values = per_sample(found["inversion"], name)
    return entry(number, verdict=words(best == "inversion"), values=values, note=note)


def sign(ends, below):
    """By an interval that lies above 0, below it, or holds it."""
    if ends is None:
        return "cannot be asked"
    return "held" if ends[0] > 0 else below if ends[1] < 0 else "not decided"


def verdict(settings):
    """Of all of them."""
    return in_all([own["verdict"] for own in settings])


def words(held):
    """A verdict."""
    return "held" if held else "did not hold"
