"""What the study of losses found: verdicts, tables and figures."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from _claims import claim, setting
from _options import in_all_decided
from _rules import load_rules
from _tables import interval, shown, table

from sklearn_nndyn.displays import DecisionRegionsDisplay, LossComparisonDisplay, NoiseRobustnessDisplay

RULES = load_rules("losses")
LIMITS = RULES["limits"]
PROTOCOLS = ("fixed", "tuned")
TITLES = {"fixed": "one rate for all", "tuned": "rates tuned"}
EXPECTATIONS = ("expectation", "regularized_expectation", "chebyshev")
REFERENCE = "MNIST, 1 hidden layer"
# Test accuracy after 5,000 steps at label noise 0, 0.4 and 0.7, by an independent implementation; one seed.
MEASURED = {
    "l1": (0.920, 0.300, 0.097), "l2": (0.972, 0.960, 0.920), "expectation": (0.954, 0.946, 0.930),
    "regularized_expectation": (0.970, 0.964, 0.937), "hinge": (0.975, 0.950, 0.762),
    "squared_hinge": (0.979, 0.954, 0.922), "cubed_hinge": (0.977, 0.951, 0.906), "log": (0.972, 0.958, 0.938),
    "squared_log": (0.972, 0.952, 0.929), "tanimoto": (0.959, 0.952, 0.936), "cauchy_schwarz": (0.976, 0.957, 0.926),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Cell:
    """A setting under one protocol, at one level of label noise."""

    setting: object
    protocol: str
    found: object
    noise: float

    @property
    def name(self):
        """In a table."""
        return self.setting.name + (f", label noise {self.noise:g}" if self.noise else "")

    @property
    def depth(self):
        """Hidden layers of a perceptron; 0 for other networks."""
        return len(getattr(self.setting.module, "hidden_layer_sizes", ()))

    def values(self, loss, outcome="final_accuracy"):
        """One for each seed."""
        return self.found.runs[outcome][self.found.select(loss=loss, label_noise=self.noise)]

    def gap(self, loss, other, outcome="final_accuracy"):
        """How much better a loss is than another, paired over the seeds."""
        return self.values(loss, outcome) - self.values(other, outcome)

    def lost(self, loss):
        """To label noise."""
        return Cell(self.setting, self.protocol, self.found, 0).values(loss) - self.values(loss)

    def best(self, losses):
        """The one of these with the greatest mean at the end."""
        return max(losses, key=lambda loss: np.nan_to_num(self.values(loss).mean(), nan=-np.inf))


def cells(found, protocol):
    """All that claims are about: with several seeds, and without noise in the inputs."""
    return [
        Cell(setting, own, comparison, noise)
        for (setting, own), comparison in found.items()
        for noise in setting.label_noise
        if own == protocol and setting.kind in ("noise", "depth", "toy")
    ]


def expectations_ahead(cell):
    """The best expectation loss against the best other one."""
    others = [loss for loss in cell.found.losses if loss not in EXPECTATIONS]
    return cell.gap(cell.best(EXPECTATIONS), cell.best(others))


@dataclass(frozen=True)
class Claim:
    """A difference (n_seeds,) that should exceed a limit, in the cells that can speak of it."""

    name: str
    speaks: Callable
    difference: Callable
    limit: float = 0.0

    def judge(self, cell):
        """held, did not hold, or not decided; with the difference in points."""
        mean, half = interval(self.difference(cell))
        return (
            "held"
            if mean - half > self.limit
            else "did not hold"
            if mean + half < self.limit
            else "not decided"
        )


def clean(cell):
    """Right labels."""
    return not cell.noise


def noisy(cell):
    """Wrong labels."""
    return cell.noise > 0


def deep(cell):
    """Three hidden layers and more."""
    return cell.depth > 2


def ahead(loss, other, outcome="final_accuracy"):
    """The difference that most claims are about."""
    return lambda cell: cell.gap(loss, other, outcome)


def keeps_more(loss, other):
    """How much less a loss loses to label noise than another."""
    return lambda cell: cell.lost(other) - cell.lost(loss)


SPEED = "learning_speed"
CLAIMS = (
    Claim("1a squared hinge learns faster than log", clean, ahead("squared_hinge", "log", SPEED)),
    Claim("1b it ends better", clean, ahead("squared_hinge", "log")),
    Claim("2a squared hinge is better than log under label noise", noisy, ahead("squared_hinge", "log")),
    Claim("2b it loses less to it", noisy, keeps_more("squared_hinge", "log")),
    Claim("3 expectation losses are best at label noise 0.6", lambda c: c.noise == 0.6, expectations_ahead),
    Claim("4a Tanimoto is at most 2 points below log", clean, ahead("tanimoto", "log"), LIMITS["viable"]),
    Claim("4b Cauchy-Schwarz too", clean, ahead("cauchy_schwarz", "log"), LIMITS["viable"]),
    Claim("5a L1 on probabilities learns more slowly than log", clean, ahead("log", "expectation", SPEED)),
    Claim("5b L1 on scores too", clean, ahead("log", "l1", SPEED)),
    Claim("6a L1 on probabilities is stuck in deep networks", deep, ahead("log", "expectation"), LIMITS["stuck"]),
    Claim("6b L1 on scores too", deep, ahead("log", "l1"), LIMITS["stuck"]),
    Claim(
        "7 L1 on scores collapses at label noise 0.4 and more", lambda c: c.noise >= 0.4, ahead("log", "l1"),
        LIMITS["collapses"],
    ),
)  # fmt: skip


def claims(found):
    """The entries of claims.json: each claim under each protocol."""
    return [entry(about, protocol, cells(found, protocol)) for about in CLAIMS for protocol in PROTOCOLS]


def entry(about, protocol, own):
    """In all cells that can speak of a claim, in points."""
    judged = [
        setting(cell.name, 100 * about.difference(cell), about.judge(cell))
        for cell in own
        if about.speaks(cell)
    ]
    verdict = in_all_decided([one["verdict"] for one in judged]) if judged else "cannot be asked"
    return claim(
        "losses", about.name, TITLES[protocol], RULES["claims"][about.name], runs=RULES["seeds"]["mnist"],
        verdict=verdict, settings=judged, note=spread([one["value"] for one in judged]),
    )  # fmt: skip


def spread(means):
    """The least and the greatest difference."""
    return f"{min(means):+.1f} to {max(means):+.1f} points" if means else ""


def tables(found):
    """{title: Markdown}."""
    text = {}
    for protocol in PROTOCOLS:
        own, words = cells(found, protocol), TITLES[protocol]
        depths = sorted((c for c in own if c.setting.data == "mnist" and clean(c)), key=lambda c: c.depth)
        noise = [c for c in own if len(c.setting.label_noise) > 1]
        text[f"Accuracy at the end, hidden layers, {words}"] = accuracy_table(depths)
        text[f"Accuracy at the end, label noise, {words}"] = accuracy_table(noise)
        text[f"Accuracy at the end, toy sets, {words}"] = accuracy_table(
            [c for c in own if c.setting.kind == "toy"]
        )
        text[f"Learning speed, {words}"] = accuracy_table([c for c in own if clean(c)], SPEED)
    text["The rates that were chosen"] = rates_table(cells(found, "tuned"))
    text["Noise in the training pixels, one rate for all"] = input_table(found)
    text["As once measured"] = measured_table(found)
    return text


def accuracy_table(own, outcome="final_accuracy"):
    """Percent, a row for each loss and a column for each cell; the best in bold."""
    columns = [{loss: cell.values(loss, outcome) for loss in cell.found.losses} for cell in own]
    return _percent_table([cell.name for cell in own], columns)


def _percent_table(titles, columns):
    best = [max(column, key=lambda loss: np.nan_to_num(column[loss].mean())) for column in columns]
    rows = []
    for loss in columns[0]:
        cells_of_row = [shown(100 * column[loss], "{:.1f}") for column in columns]
        bold = [f"**{text}**" if loss == top else text for text, top in zip(cells_of_row, best, strict=True)]
        rows.append([loss.replace("_", " "), *bold])
    return table(["%", *titles], rows)


def input_table(found):
    """Accuracy at each deviation of the noise in the training pixels."""
    ((setting, own),) = [
        (setting, own) for (setting, _), own in found.items() if setting.kind == "input noise"
    ]

    def at(loss, level):
        return own.runs["final_accuracy"][own.select(loss=loss, input_noise=level)]

    columns = [{loss: at(loss, level) for loss in own.losses} for level in setting.input_noise]
    return _percent_table([f"deviation {level:g}" for level in setting.input_noise], columns)


def measured_table(found):
    """Ours and theirs, side by side; one seed each."""
    ((setting, comparison),) = [(s, own) for (s, _), own in found.items() if s.kind == "measured"]
    rows = []
    for loss, theirs in MEASURED.items():
        own = [
            comparison.runs["final_accuracy"][comparison.select(loss=loss, label_noise=noise)].mean()
            for noise in setting.label_noise
        ]
        pairs = zip(own, theirs, strict=True)
        rows.append(
            [
                loss.replace("_", " "),
                *(f"{mine:.3f} / {other:.3f} ({mine - other:+.3f})" for mine, other in pairs),
            ]
        )
    titles = [f"label noise {noise:g}: ours / measured" for noise in setting.label_noise]
    return table([f"{setting.name}, 5,000 steps", *titles], rows)


def rates_table(own):
    """The rate that the tuning took for each loss."""
    rows = [
        [loss.replace("_", " "), *(f"{cell.values(loss, 'lr')[0]:.0e}".replace("e-0", "e-") for cell in own)]
        for loss in own[0].found.losses
    ]
    return table(["rate", *(cell.name for cell in own)], rows)


def figures(found, networks):
    """{name: figure}."""
    by_place = {(setting.name, setting.kind, protocol): own for (setting, protocol), own in found.items()}
    pictures = {
        "noise": _noise_figure(by_place),
        "depth": _depth_display(found).plot().figure_,
        "curves": LossComparisonDisplay.from_comparison(by_place[REFERENCE, "noise", "fixed"])
        .plot(kind="multiples")
        .figure_,
    }
    for data, (X, y, fitted) in networks.items():
        pictures[data] = DecisionRegionsDisplay.from_estimators(fitted, X, y).plot().figure_
    return pictures


def _noise_figure(by_place):
    """Accuracy against label noise under both protocols."""
    figure, axes = plt.subplots(2, 1, figsize=(8, 7), layout="constrained")
    for ax, protocol in zip(axes, PROTOCOLS, strict=True):
        display = NoiseRobustnessDisplay.from_comparison(by_place[REFERENCE, "noise", protocol])
        display.title = f"MNIST at the end, {TITLES[protocol]}"
        display.plot(ax)
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def _depth_display(found):
    """Accuracy against the number of hidden layers, one rate for all."""
    own = sorted(
        (c for c in cells(found, "fixed") if c.setting.data == "mnist" and clean(c)), key=lambda c: c.depth
    )
    losses = own[0].found.losses
    each = np.array([[interval(cell.values(loss)) for cell in own] for loss in losses])
    depths = np.array([cell.depth for cell in own])
    title = "MNIST, test accuracy at the end, one rate for all"
    return NoiseRobustnessDisplay(
        losses, depths, each[..., 0], each[..., 1], noise="hidden layers", title=title
    )
