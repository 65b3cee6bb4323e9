"""The study of learning phases in tables, verdicts and figures."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from _tables import above, interval, judge, shown, table

from sklearn_nndyn import LearningPhaseAnalyzer
from sklearn_nndyn.analyzers import worst_shares
from sklearn_nndyn.displays import LearningPhaseDisplay, WorstSharesDisplay

V8, RESNET = "V8, CIFAR-10", "ResNet-10, CIFAR-10"
AUTHORS = {
    "iteration": (0, 4, 16, 64, 128, 512, 1024, 2048, 4096, 8192),
    "reconstruction": (0.591, 0.586, 0.562, 0.531, 0.510, 0.528, 0.521, 0.561, 0.616, 0.693),
    "test accuracy": (0.097, 0.138, 0.274, 0.398, 0.450, 0.577, 0.614, 0.658, 0.666, 0.676),
    "transfer": (0.789, 0.790, 0.796, 0.833, 0.832, 0.847, 0.853, 0.834, 0.819, 0.801),
}
WORST = (0.01, 0.05, 0.1)


class Found:
    """What the runs of one setting say.

    Parameters
    ----------
    runs : list of (Dynamics, Dynamics, dict)
        Validation record, training record, extras of each seed.
    """

    def __init__(self, runs):
        self.validation, self.train, extras = zip(*runs, strict=True)
        self.phases = LearningPhaseAnalyzer().fit(list(self.validation))
        self.curves, self.iterations = self.phases.run_curves_, self.phases.iterations_
        self.accuracy = np.array([record.accuracy for record in self.validation])
        self.seconds = [float(own["seconds"]) for own in extras]
        names = set.intersection(*(set(own) for own in extras))
        self.extras = {name: np.array([own[name] for own in extras]) for name in names}
        self.linear = next((own["linear"] for own in extras if "linear" in own), None)

    @property
    def start(self):
        """R(0) of each run."""
        return self.curves[:, 0]

    @property
    def least(self):
        """R(m) of each run."""
        return self.curves.min(axis=1)

    @property
    def end(self):
        """R(end) of each run."""
        return self.curves[:, -1]

    def at(self, positions):
        """Iterations in a table: one, or the range over the seeds."""
        found = self.iterations[np.unique(positions)]
        return f"{found[0]}" if len(found) == 1 else f"{found[0]}-{found[-1]}"

    def shares(self, of, share):
        """Share that the worst carry at the start, at the turn, and at the end, (n_seeds, 3)."""
        curves = [worst_shares(record, of=of, shares=[share])[:, 0] for record in self.train]
        turns = self.curves.argmin(axis=1)
        return np.array([[own[0], own[turn], own[-1]] for own, turn in zip(curves, turns, strict=True)])


def report(runs, folder):
    """Print all tables; draw the figures into a folder, or nowhere if it is None."""
    found = {name: Found(own) for name, own in runs.items()}
    for title, text in (
        ("Claims", claims_table(found)),
        ("Phases", phases_table(found)),
        ("V8 beside the authors' run", authors_table(found[V8])),
        ("When each is best", optima_table(found)),
        ("From the majority to a few", few_table(found)),
        ("Without the worst samples", removal_table(found)),
        ("Batch norm", batch_norm_table(found)),
        ("Closed form and trained decoder (V8, seed 0)", decoder_table(found[V8])),
    ):
        print(f"\n### {title}\n\n{text}")
    seconds = sum(sum(own.seconds) for own in found.values())
    print(f"\nAll runs together: {seconds:.0f} s of one thread.")
    if folder is not None:
        figures(found, folder)


def phases_table(found):
    """Where the curve lies, and where it turns."""
    rows = []
    for name, own in found.items():
        phases = own.phases
        first, _, third = phases.phases_.boundary_iterations
        there = (phases.first_phase_exists_, phases.second_phase_exists_, phases.third_phase_exists_)
        rows.append(
            [
                name,
                shown(own.start),
                shown(own.least),
                own.at(own.curves.argmin(axis=1)),
                shown(own.end),
                shown(own.end / own.start),
                ", ".join("yes" if one else "no" for one in there),
                f"{first:.0f}, {third:.0f}",
            ]
        )
    titles = [
        "",
        "R(0)",
        "least R",
        "at iteration",
        "R(end)",
        "R(end) / R(0)",
        "constant, falling, rising",
        "end of the first, start of the third",
    ]
    return table(titles, rows)


def authors_table(own):
    """Our three curves under theirs, at their iterations."""
    looks = [np.flatnonzero(own.iterations == i) for i in AUTHORS["iteration"]]
    ours = {"reconstruction": own.curves, "test accuracy": own.accuracy, "transfer": own.extras["transfer"]}
    rows = []
    for name, values in ours.items():
        rows.append([f"{name}, authors", *(f"{value:.3f}" for value in AUTHORS[name])])
        rows.append(
            [f"{name}, ours", *(f"{values[:, at[0]].mean():.3f}" if len(at) else "-" for at in looks)]
        )
        rows.append(
            ["± (95 %)", *(f"{interval(values[:, at[0]])[1]:.3f}" if len(at) else "-" for at in looks)]
        )
    return table(["iteration", *map(str, AUTHORS["iteration"])], rows)


def optima_table(found):
    """Looks of least R, best transfer, best own accuracy."""
    rows = []
    for name, own in found.items():
        if "transfer" in own.extras:
            transfer = own.extras["transfer"]
            rows.append(
                [
                    name,
                    own.at(own.curves.argmin(axis=1)),
                    own.at(transfer.argmax(axis=1)),
                    own.at(own.accuracy.argmax(axis=1)),
                    shown(transfer.max(axis=1)),
                    shown(_at_least_R(own, transfer)),
                    shown(transfer[:, -1]),
                    shown(transfer[:, 0]),
                ]
            )
    titles = [
        "",
        "least R at",
        "best transfer at",
        "best own accuracy at",
        "transfer: best",
        "at least R",
        "at the end",
        "untrained",
    ]
    return table(titles, rows)


def _at_least_R(own, values):
    return np.take_along_axis(values, own.curves.argmin(axis=1)[:, None], axis=1)[:, 0]


def few_table(found):
    """Shares of the worst 5 %, and whether the samples learned last lose most."""
    rows = []
    for name, own in found.items():
        for of, called in (("gradient_norm", "gradient norm"), ("loss", "loss")):
            shares = own.shares(of, 0.05)
            correlation = shown(own.phases.run_correlations_) if of == "loss" else ""
            rows.append(
                [
                    name if of == "gradient_norm" else "",
                    called,
                    *(shown(column) for column in shares.T),
                    correlation,
                ]
            )
    return table(
        [
            "",
            "of",
            "share of the worst 5 % at first",
            "at the turn",
            "at the end",
            "rank correlation of rise and epoch learned",
        ],
        rows,
    )


def removal_table(found):
    """Rise of R from the turn on."""
    rows = []
    for name, own in found.items():
        if "removal" in own.extras:
            worst, at_random, everything, turn = own.extras["removal"].T
            rows.append(
                [
                    name,
                    *(shown(end - turn) for end in (everything, at_random, worst)),
                    shown((at_random - worst) / (at_random - turn)),
                ]
            )
    return table(
        [
            "",
            "rise with all samples",
            "without random 5 %",
            "without the worst 5 %",
            "share of the rise that the worst make",
        ],
        rows,
    )


def batch_norm_table(found):
    """Both modes."""
    rows = []
    for name, own in found.items():
        if "batch_norm" in own.extras:
            for mode, curves in (("evaluation", own.curves), ("training", own.extras["batch_norm"])):
                rows.append(
                    [
                        name,
                        mode,
                        shown(curves[:, 0]),
                        shown(curves.min(axis=1)),
                        own.at(curves.argmin(axis=1)),
                        shown(curves[:, -1] / curves[:, 0]),
                    ]
                )
    return table(["", "batch norm in", "R(0)", "least R", "at iteration", "R(end) / R(0)"], rows)


def decoder_table(own):
    """R by both decoders at every second look."""
    if own.linear is None:
        return "not measured"
    ridge, iterations = own.curves[0, ::2], own.iterations[::2]
    rows = [
        [name, *(f"{value:.3f}" for value in values)]
        for name, values in (("ridge, closed form", ridge), ("linear, trained", own.linear))
    ]
    return table(["iteration", *map(str, iterations)], rows)


def claims_table(found):
    """Every claim with its verdict."""
    return table(["claim", "verdict", "figures"], [list(row) for row in claims(found)])


def claims(found):
    """(claim, verdict, figures) of each."""
    deep = {name: own for name, own in found.items() if not name.startswith("single")}
    turned = {name: own.phases.turning_epoch_ is not None for name, own in found.items()}
    first = [own.phases.first_phase_exists_ for own in found.values()]
    yield (
        "R falls, then rises (by more than two standard errors over the seeds)",
        judge(turned.values()),
        _named(turned),
    )
    yield "a first phase near constant", judge(first), _named(dict(zip(found, first, strict=True)))
    yield from _v8_claims(found[V8])
    yield from _single_layer_claims(found)
    earlier = {
        name: own.extras["transfer"].argmax(axis=1) < own.accuracy.argmax(axis=1)
        for name, own in deep.items()
    }
    yield (
        "transfer is best before own accuracy is, in every seed",
        judge([own.all() for own in earlier.values()]),
        _named({n: own.all() for n, own in earlier.items()}),
    )
    gain = {
        name: own.extras["transfer"].max(axis=1) - own.extras["transfer"][:, -1] for name, own in deep.items()
    }
    yield (
        "stopping at its best helps transfer, against training to the end",
        judge([above(own, 0) for own in gain.values()]),
        _figures(gain),
    )
    at_turn = {
        name: _at_least_R(own, own.extras["transfer"]) - own.extras["transfer"][:, -1]
        for name, own in deep.items()
    }
    yield (
        "stopping at the turn helps transfer, against training to the end",
        judge([above(own, 0) for own in at_turn.values()]),
        _figures(at_turn),
    )
    grown = {name: np.diff(own.shares("gradient_norm", 0.05)[:, 1:])[:, 0] for name, own in deep.items()}
    yield (
        "after the turn the worst 5 % carry more of the gradient",
        judge([above(own, 0) for own in grown.values()]),
        _figures(grown),
    )
    removed = {name: own.extras["removal"] for name, own in deep.items() if "removal" in own.extras}
    less = {name: values[:, 1] - values[:, 0] for name, values in removed.items()}
    yield (
        "without the worst 5 % the rise is less than without random ones",
        judge([above(own, 0) for own in less.values()]),
        _figures(less),
    )
    learned = {name: own.phases.run_correlations_ for name, own in deep.items()}
    yield (
        "the samples learned last lose most (rank correlation above 0)",
        judge([above(own, 0) for own in learned.values()]),
        _figures(learned),
    )


def _v8_claims(own):
    turns = own.iterations[own.curves.argmin(axis=1)]
    ratio = own.end / own.start
    yield (
        "V8: least R between iterations 64 and 1024",
        judge((turns >= 64) & (turns <= 1024), "seeds"),
        own.at(own.curves.argmin(axis=1)),
    )
    yield "V8: R(end) / R(0) > 1", "held" if above(ratio, 1) else "did not hold", shown(ratio)
    yield "V8: R(end) / R(0) > 1.2", "held" if above(ratio, 1.2) else "did not hold", shown(ratio)
    if "batch_norm" in own.extras:
        ratio = own.extras["batch_norm"][:, -1] / own.extras["batch_norm"][:, 0]
        yield (
            "V8, batch norm in training mode: R(end) / R(0) > 1",
            "held" if above(ratio, 1) else "did not hold",
            shown(ratio),
        )


def _single_layer_claims(found):
    rises = {
        name: (own.end - own.least) / own.least for name, own in found.items() if name.startswith("single")
    }
    plain, small, slow = (rises[f"single layer{rest}"] for rest in ("", ", weights x 0.01", ", slow"))
    yield (
        "single layer: R rises more with initial weights x 0.01",
        "held" if above(small - plain, 0) else "did not hold",
        _figures(rises),
    )
    yield (
        "single layer: R rises less at a tenth of the rate",
        "held" if above(plain - slow, 0) else "did not hold",
        "",
    )


def _named(held):
    names = [name for name, one in held.items() if not one]
    return f"not: {'; '.join(names)}" if names else ""


def _figures(values):
    return "; ".join(f"{name}: {shown(own)}" for name, own in values.items())


def figures(found, folder):
    """Three pictures."""
    _save(LearningPhaseDisplay.from_analyzer(found[V8].phases).plot().figure_, folder, "learning_phases_v8")
    display = WorstSharesDisplay.from_dynamics(found[V8].train[0], of="gradient_norm").plot()
    _save(display.figure_, folder, "learning_phases_few")
    _save(_all_settings(found), folder, "learning_phases_all")


def _all_settings(found):
    """R / R(0) of every setting, a line a seed, and transfer where it was measured."""
    fig, axes = plt.subplots(2, 4, figsize=(12, 5.2), layout="constrained")
    for ax, (name, own) in zip(axes.flat, found.items(), strict=False):
        ax.plot(own.iterations, (own.curves / own.curves[:, :1]).T, color="#0072B2", marker="o", markersize=3)
        ax.set_xscale("symlog", linthresh=1)
        ax.set_title(name, loc="left", fontsize=10)
        ax.set_xticks([0, 1, 16, 256, 4096], ["0", "1", "16", "256", "4,096"])
        if "transfer" in own.extras:
            right = ax.twinx()
            right.plot(own.iterations, own.extras["transfer"].T, color="#D55E00", linewidth=1, linestyle="--")
            right.tick_params(axis="y", labelcolor="#D55E00")
    for ax in axes[:, 0]:
        ax.set_ylabel("R / R(0), a line a seed")
    for ax in axes.flat[len(found) :]:
        ax.axis("off")
        ax.plot([], [], color="#0072B2", marker="o", markersize=3, label="reconstruction, R / R(0)")
        ax.plot([], [], color="#D55E00", linestyle="--", label="transfer accuracy (right axis)")
        ax.legend(loc="center", frameon=False)
    fig.supxlabel("iteration")
    return fig


def _save(fig, folder, name):
    fig.savefig(folder / f"{name}.png", dpi=150)
    plt.close(fig)
