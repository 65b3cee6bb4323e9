"""The claims of the study of learning phases, judged by its rules."""

import numpy as np
from _claims import claim
from _rules import load_rules
from _tables import above, shown

RULES = load_rules("learning_phases")
V8 = "V8, CIFAR-10"
FROM, UNTIL = RULES["limits"]["between"]
RATIOS = RULES["limits"]["ratios"]


def claims(found, judged):
    """The entries of claims.json, of the settings that were run."""
    of_phases = [entry for name, own in found.items() for entry in phase_claims(name, own)]
    of_v8 = [entry for name, own in found.items() if name.startswith("V8") for entry in v8_claims(name, own)]
    networks = {name: own for name, own in judged.items() if not name.startswith("single")}
    rest = [
        entry
        for name, own in networks.items()
        for entry in (*transfer_claims(name, own), *few_claims(name, own))
    ]
    return [*of_phases, *of_v8, *single_layer_claims(found), *rest]


def entry(about, data, held, runs, values=None, note=""):
    """A claim of one setting."""
    verdict = "held" if held else "did not hold"
    rule = RULES["claims"][about]
    return claim("learning_phases", about, data, rule, runs=runs, verdict=verdict, values=values, note=note)


def greater(about, data, values):
    """Whether the whole interval lies above 0."""
    return entry(about, data, above(values, 0), len(values), values)


def phase_claims(name, own):
    """1."""
    yield entry("1 R falls, then rises", name, own.exist[1] and own.exist[2], len(own.curves))
    yield entry("1 a first phase, near constant", name, own.exist[0], len(own.curves))


def v8_claims(name, own):
    """2."""
    turns, ratio = own.iterations[own.curves.argmin(axis=1)], own.end / own.start
    held = ((turns >= FROM) & (turns <= UNTIL)).all()
    note = f"iteration {own.at(own.curves.argmin(axis=1))}"
    yield entry("2 V8: least R between iterations 64 and 1,024", name, held, len(turns), note=note)
    for limit in RATIOS:
        yield entry(f"2 V8: R(end) / R(0) > {limit:g}", name, above(ratio, limit), len(ratio), ratio)


def single_layer_claims(found):
    """3, where all three were run."""
    rises = {
        name: (own.end - own.least) / own.least for name, own in found.items() if name.startswith("single")
    }
    if len(rises) < 3:
        return []
    plain, small, slow = (rises[f"single layer{rest}"] for rest in ("", ", weights x 0.01", ", slow"))
    note = "; ".join(f"{name}: {shown(own)}" for name, own in rises.items())
    about = "3 single layer: (R(end) - R(m)) / R(m) is greater with weights x 0.01"
    more, less = small - plain, plain - slow
    slower = "3 single layer: it is smaller at a tenth of the rate"
    return [
        entry(about, "single layers", above(more, 0), len(more), more, note),
        entry(slower, "single layers", above(less, 0), len(less), less),
    ]


def transfer_claims(name, own):
    """4."""
    transfer = own.extras["transfer"]
    earlier = transfer.argmax(axis=1) < own.accuracy.argmax(axis=1)
    yield entry("4 transfer is best before own accuracy is", name, earlier.all(), len(earlier))
    for when, stopped in (("at its best", transfer.max(axis=1)), ("at the turn", own.at_least(transfer))):
        about = f"4 stopping {when} helps transfer, against training to the end"
        yield greater(about, name, stopped - transfer[:, -1])


def few_claims(name, own):
    """5."""
    shares = own.shares("gradient_norm", 0.05)
    about = "5 from the turn to the end the worst 5 % come to carry more of the gradient"
    yield greater(about, name, shares[:, 2] - shares[:, 1])
    if "removal" in own.extras:
        worst, at_random = own.extras["removal"][:, :2].T
        about = "5 without the worst 5 % the rise is less than without random ones"
        yield greater(about, name, at_random - worst)
    yield greater("5 the samples learned last lose most", name, np.asarray(own.phases.run_correlations_))
