"""The study of learning phases in tables, verdicts and figures."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from _claims import write_claims, write_tables
from _learning_phases_claims import claims
from _tables import interval, shown, table

from sklearn_nndyn import LearningPhaseAnalyzer
from sklearn_nndyn.analyzers import worst_shares
from sklearn_nndyn.analyzers.learning_phases import find_phases
from sklearn_nndyn.displays import LearningPhaseDisplay

V8 = "V8, CIFAR-10"
NETWORKS = {"Single layers": "single", "MLPs": "MLP", "V8": "V8", "ResNet-10": "ResNet"}
AUTHORS = {
    "iteration": (0, 4, 16, 64, 128, 512, 1024, 2048, 4096, 8192),
    "reconstruction": (0.591, 0.586, 0.562, 0.531, 0.510, 0.528, 0.521, 0.561, 0.616, 0.693),
    "test accuracy": (0.097, 0.138, 0.274, 0.398, 0.450, 0.577, 0.614, 0.658, 0.666, 0.676),
    "transfer": (0.789, 0.790, 0.796, 0.833, 0.832, 0.847, 0.853, 0.834, 0.819, 0.801),
}
BLUE, ORANGE = "#0072B2", "#D55E00"
TRAINING = ", batch norm in training mode"
PHASES = ("near constant", "falling", "rising")


class Found:
    """What the runs of one setting say.

    Parameters
    ----------
    runs : list of (Dynamics, Dynamics, dict)
        Validation record, training record, extras of each seed.
    training_mode : bool, default=False
        Whether to take R as measured with batch norm in training mode.
    """

    def __init__(self, runs, training_mode=False):
        self.validation, self.train, extras = zip(*runs, strict=True)
        self.phases = LearningPhaseAnalyzer().fit(list(self.validation))
        self.curves, self.iterations = self.phases.run_curves_, self.phases.iterations_
        if training_mode:
            self.curves = np.array([own["batch_norm"] for own in extras])
        positions, self.exist = find_phases(self.curves)
        first, turn, third = self.iterations[positions]
        self.boundaries = [
            f"{at}" if there else "-" for at, there in ((first, self.exist[1]), (third, self.exist[2]))
        ]
        spans = (0, first), (first, turn), (third, self.iterations[-1])
        self.spans = {
            name: span for name, span, there in zip(PHASES, spans, self.exist, strict=True) if there
        }
        self.accuracy = np.array([record.accuracy for record in self.validation])
        self.seconds = [float(own["seconds"]) for own in extras]
        names = set.intersection(*(set(own) for own in extras))
        self.extras = {name: np.array([own[name] for own in extras]) for name in names}
        self.linear = {
            mode: (seed, own[f"linear_{mode}"])
            for mode in ("evaluation", "training")
            for seed, own in enumerate(extras)
            if f"linear_{mode}" in own
        }

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

    def at_least(self, values):
        """Of (n_seeds, n_looks) values those at the look of least R."""
        return np.take_along_axis(values, self.curves.argmin(axis=1)[:, None], axis=1)[:, 0]

    def at(self, positions):
        """Iterations in a table: one, or the range over the seeds."""
        found = self.iterations[np.unique(positions)]
        return f"{found[0]}" if len(found) == 1 else f"{found[0]}-{found[-1]}"

    def shares(self, of, share):
        """Share that the worst carry at the start, at the turn, and at the end, (n_seeds, 3)."""
        curves = [worst_shares(record, of=of, fractions=[share])[:, 0] for record in self.train]
        turns = self.curves.argmin(axis=1)
        return np.array([[own[0], own[turn], own[-1]] for own, turn in zip(curves, turns, strict=True)])


def report(runs, out):
    """Write claims, tables and figures, of the networks that were run.

    Parameters
    ----------
    runs : dict
        Of each setting's name what `Found` takes; the settings of a network together.
    out : Path
    """
    found, judged = {}, {}
    for name, own in runs.items():
        found[name] = judged[name] = Found(own)
        if "batch_norm" in own[0][2]:
            found[name + TRAINING] = judged[name] = Found(own, training_mode=True)
    write_claims(out, claims(found, judged))
    sections = {}
    for title, begin in NETWORKS.items():
        parts = [{k: v for k, v in own.items() if k.startswith(begin)} for own in (found, judged)]
        if parts[0]:
            sections[title] = section(*parts)
    write_tables(out, "learning_phases", "Learning phases", sections)
    if V8 in found:
        figures_of_v8(found, out / "figures")
    if all(any(name.startswith(begin) for name in found) for begin in NETWORKS.values()):
        _save(_all_settings(found), out / "figures", "learning_phases_all")


def section(found, judged):
    """The tables of one network."""
    tables = {
        "Phases of R": phases_table(found),
        "When each is best": optima_table(judged),
        "From the majority to a few": few_table(judged),
        "Without the worst samples from the turn on": removal_table(judged),
    }
    if V8 in found:
        tables["Beside the authors' run"] = authors_table(found)
        tables["Closed form and trained decoder"] = decoder_table(found)
    return "\n\n".join(f"**{title}**\n\n{text}" for title, text in tables.items() if text)


def phases_table(found):
    """Where the curve lies, and where it turns."""
    titles = ("", "R(0)", "least R", "at iteration", "R(end)", "R(end) / R(0)")
    rest = ("constant, falling, rising", "end of the first, start of the third")
    rows = [
        [
            name,
            shown(own.start),
            shown(own.least),
            own.at(own.curves.argmin(axis=1)),
            shown(own.end),
            shown(own.end / own.start),
            ", ".join("yes" if one else "no" for one in own.exist),
            ", ".join(own.boundaries),
        ]
        for name, own in found.items()
    ]
    return table([*titles, *rest], rows)


def authors_table(found):
    """Our curves under theirs, at their iterations."""
    own = found[V8]
    looks = [next(iter(np.flatnonzero(own.iterations == i)), None) for i in AUTHORS["iteration"]]
    ours = {
        "reconstruction": {
            ", batch norm in training": found[V8 + TRAINING].curves,
            ", in evaluation": own.curves,
        },
        "test accuracy": {"": own.accuracy},
        "transfer": {"": own.extras["transfer"]},
    }
    rows = []
    for name, of_mode in ours.items():
        rows.append([f"{name}, authors", *(f"{value:.3f}" for value in AUTHORS[name])])
        for mode, values in of_mode.items():
            cells = ["-" if at is None else f"{values[:, at].mean():.3f}" for at in looks]
            errors = ["-" if at is None else f"{interval(values[:, at])[1]:.3f}" for at in looks]
            rows += [[f"{name}, ours{mode}", *cells], ["± (95 %)", *errors]]
    return table(["iteration", *map(str, AUTHORS["iteration"])], rows)


def optima_table(judged):
    """Looks of least R, best transfer, best own accuracy."""
    titles = ("", "least R at", "best transfer at", "best own accuracy at")
    rest = ("transfer: best", "at least R", "at the end", "untrained")
    rows = []
    for name, own in _with(judged, "transfer"):
        transfer = own.extras["transfer"]
        best = [own.at(values.argmax(axis=1)) for values in (-own.curves, transfer, own.accuracy)]
        accuracies = transfer.max(axis=1), own.at_least(transfer), transfer[:, -1], transfer[:, 0]
        rows.append([name, *best, *(shown(values) for values in accuracies)])
    return table([*titles, *rest], rows) if rows else ""


def few_table(judged):
    """Shares of the worst 5 %, and whether the samples learned last lose most."""
    rows = []
    for name, own in judged.items():
        gradient, loss = (own.shares(of, 0.05).T for of in ("gradient_norm", "loss"))
        correlation = shown(own.phases.run_correlations_)
        rows.append(
            [name, *(f"{shown(g)}; {shown(v)}" for g, v in zip(gradient, loss, strict=True)), correlation]
        )
    what = "share of the worst 5 % of gradient norm; of loss: "
    return table(
        ["", f"{what}at first", "at the turn", "at the end", "rank correlation of rise and look learned"],
        rows,
    )


def removal_table(judged):
    """Rise of R from the turn on."""
    titles = (
        "",
        "rise with all samples",
        "without random 5 %",
        "without the worst 5 %",
        "share made by the worst",
    )
    rows = []
    for name, own in _with(judged, "removal"):
        worst, at_random, everything, turn = own.extras["removal"].T
        rises = everything - turn, at_random - turn, worst - turn, (at_random - worst) / (at_random - turn)
        rows.append([name, *(shown(values) for values in rises)])
    return table(titles, rows) if rows else ""


def decoder_table(found):
    """R by both decoders at every second look, a seed for each mode of batch norm."""
    own, rows = found[V8], []
    curves = {"evaluation": own.curves, "training": found[V8 + TRAINING].curves}
    for mode, (seed, trained) in own.linear.items():
        rows.append(
            [f"{mode} (seed {seed}), closed form", *(f"{value:.3f}" for value in curves[mode][seed, ::2])]
        )
        rows.append([f"{mode} (seed {seed}), trained", *(f"{value:.3f}" for value in trained)])
    return table(["batch norm in", *map(str, own.iterations[::2])], rows)


def _with(judged, extra):
    return [(name, own) for name, own in judged.items() if extra in own.extras]


def figures_of_v8(found, folder):
    """Its curves, and the samples that carry the gradient."""
    own = found[V8 + TRAINING]
    display = LearningPhaseDisplay(
        own.iterations,
        own.curves.mean(axis=0),
        error=own.curves.std(axis=0, ddof=1) / len(own.curves) ** 0.5,
        phases=own.spans,
        turn=own.iterations[own.curves.mean(axis=0).argmin()] if own.exist[1:].all() else None,
        accuracy=own.accuracy.mean(axis=0),
        probe=own.phases.probe_curve_,
        layer="conv5",
    ).plot()
    _save(display.figure_, folder, "learning_phases_v8")
    _save(_gradient_shares(own.train[0]), folder, "learning_phases_few")


def _gradient_shares(record):
    """Share of all gradient norms that the worst samples have."""
    shares = (0.01, 0.05, 0.1)
    fig, ax = plt.subplots(figsize=(3.4, 2.6), layout="constrained")
    carried = worst_shares(record, of="gradient_norm", fractions=shares)
    ax.plot(record.iterations, 100 * carried, label=[f"worst {100 * share:g} %" for share in shares])
    ax.set_xscale("symlog", linthresh=1)
    ax.set(xlabel="iteration", ylabel="share of all gradient norms (%)", ylim=(0, 103))
    ax.legend()
    return fig


def _all_settings(found):
    """R / R(0) of every setting, a line a seed, and transfer where it was measured."""
    fig, axes = plt.subplots(2, 5, figsize=(15, 5.4), layout="constrained")
    for ax, (name, own) in zip(axes.flat, found.items(), strict=False):
        ax.plot(own.iterations, (own.curves / own.curves[:, :1]).T, color=BLUE, marker="o", markersize=3)
        ax.set_xscale("symlog", linthresh=1)
        ax.set_title(name.replace(TRAINING, ",\nbatch norm in training mode"), loc="left", fontsize=10)
        ax.set_xticks([0, 1, 16, 256, 4096], ["0", "1", "16", "256", "4,096"])
        if "transfer" in own.extras:
            right = ax.twinx()
            right.plot(own.iterations, own.extras["transfer"].T, color=ORANGE, linewidth=1, linestyle="--")
            right.tick_params(axis="y", labelcolor=ORANGE)
    for ax in axes[:, 0]:
        ax.set_ylabel("R / R(0), a line a seed")
    for ax in axes.flat[len(found) :]:
        ax.axis("off")
        ax.plot([], [], color=BLUE, marker="o", markersize=3, label="reconstruction, R / R(0)")
        ax.plot([], [], color=ORANGE, linestyle="--", label="transfer accuracy (right axis)")
        ax.legend(loc="center", frameon=False)
    fig.supxlabel("iteration")
    return fig


def _save(fig, folder, name):
    fig.savefig(folder / f"{name}.png", dpi=150)
    plt.close(fig)
