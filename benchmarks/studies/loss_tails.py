"""Loss tails: do the four claims of Venter, Theunissen and Davel (2021) hold?

Networks of one to three hidden ReLU layers, 10 to 1000 units wide, are trained on 4,000 images of MNIST, of
Fashion-MNIST and of a CIFAR-10 subset, by Adam at 1e-3 in batches of 100, with five seeds each (`fit_together`), and
watched on 4,000 others (CIFAR-10: 2,000). Four losses, with clean training labels and with 20 % of them drawn anew.
Then each record is asked who carries the rise of the mean test loss.

The claims, each with the rule by which it is judged here (all our own; intervals are 95 %, Student's t over seeds):

1. A small minority carries the rise. Of the settings in which the mean rises in every seed: held in a setting if at
   most 5 % of the samples, interval included, carry the whole rise.
2. With large capacity the loss of the great majority falls, at the price of extreme rises for a few. Log loss, clean
   labels, widths 10 to 1000: held on a data set if at width 1000 the loss of more than half of the samples falls
   since the turn while the 99.9 % quantile rises, in every seed; and both more so than at width 10.
3. The cause is the growth of what serves samples that are right already. Log loss, clean labels: held in a setting if
   bringing the scores back to their scale at the turn removes more than half of the rise, and bringing the tenth of
   the hidden units whose outgoing weights grew most back to their norm lowers the mean loss of the samples that rise
   more than as many random ones do, intervals included.
4. It is not borderline samples. Held in a setting if samples wrong by far carry more than half of all that rose,
   interval included; the share depends on what counts as near, so it is given for several margins.

A claim has held on a data set if it held in every setting that can speak of it, in part if in some.

    python benchmarks/studies/loss_tails.py [--quick] [--threads 2]
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from _tables import NAMES, above, flat_images, interval, judge, shown, table
from sklearn.base import clone

from sklearn_nndyn import DynamicsClassifier, LossTailAnalyzer, fit_together
from sklearn_nndyn.displays import LossTailDisplay
from sklearn_nndyn.interventions import feature_growth, scale_test
from sklearn_nndyn.modules import MLP

HERE = Path(__file__).parent
SEEDS = (0, 1, 2, 3, 4)
WIDTHS = (10, 30, 100, 300, 1000)
LOSSES = ("log", "squared_hinge", "regularized_expectation", "tanimoto")
NEAR = (0.05, 0.1, 0.25, 0.5)  # of the median absolute margin


@dataclass(frozen=True)
class Setting:
    """One cell of the study."""

    data: str
    loss: str = "log"
    hidden: tuple = (100,)
    noise: float = 0.0

    @property
    def name(self):
        """In a table."""
        return f"{len(self.hidden)} x {self.hidden[0]}, {self.loss}" + (
            f", {self.noise:.0%} noise" if self.noise else ""
        )


def settings(data):
    """The capacity sweep, and the losses with and without label noise."""
    sweep = [Setting(data, hidden=(width,)) for width in WIDTHS]
    depth = [Setting(data, hidden=(100,) * layers) for layers in (2, 3)]
    rest = [Setting(data, loss, noise=noise) for loss in LOSSES for noise in (0.0, 0.2)]
    return list(dict.fromkeys(sweep + depth + rest))


def noisy(y, rate, seed):
    """A share of the labels drawn anew, uniformly over the classes."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(y)) < rate, rng.integers(0, y.max() + 1, len(y)), y)


def measure(setting, images, epochs):
    """{figure: one value for each seed}, and the classifier of the first seed."""
    X, y, X_test, y_test = images
    needs_scores = setting.loss == "log" and not setting.noise
    clf = DynamicsClassifier(
        MLP(hidden_layer_sizes=setting.hidden),
        loss=setting.loss,
        batch_size=100,
        max_epochs=epochs,
        record=("samples", "scores") if needs_scores else ("samples",),
        snapshots=needs_scores,
    )
    runs = [clone(clf).set_params(random_state=seed) for seed in SEEDS]
    fit_together(runs, X, [noisy(y, setting.noise, seed) for seed in SEEDS], X_val=X_test, y_val=y_test)
    figures = [figures_of(run, X_test, y_test, needs_scores) for run in runs]
    return {name: np.array([own[name] for own in figures]) for name in figures[0]}, runs[0]


def figures_of(run, X, y, log_loss):
    """What one record says."""
    tails = LossTailAnalyzer().fit(run)
    record = run.validation_dynamics_
    risen = np.maximum(tails.rise_, 0)
    found = {
        "turn": tails.onset_epoch_,
        "rise": tails.mean_rise_,
        "relative rise": tails.mean_rise_ / abs(tails.mean_curve_[tails.onset_]),
        "rising": tails.rising_fractions_[0.0],
        "carriers": tails.carrier_fraction_,
        "median change": tails.median_curve_[-1] - tails.median_curve_[tails.onset_],
        "99.9 % change": tails.quantile_curves_[-1, -1] - tails.quantile_curves_[tails.onset_, -1],
        "accuracy": record.accuracy[-1],
        "accuracy change": record.accuracy[-1] - record.accuracy[tails.onset_],
    }
    size = np.median(np.abs(record.margin[:, -1]))
    for near in NEAR:
        by_far = record.margin[:, -1] < -near * size
        found[f"wrong by {near:g}"] = risen[by_far].sum() / risen.sum() if risen.any() else np.nan
    return found | (growth_of(run, X, y, tails.onset_epoch_) if log_loss else {})


def growth_of(run, X, y, turn):
    """The scale test and the intervention; nan where the mean was least at the last epoch."""
    if turn == run.n_iter_:
        return dict.fromkeys(("scale", "grown", "random", "rank"), np.nan)
    growth = feature_growth(run, X, y, onset=turn)
    return {
        "scale": scale_test(run, onset=turn).share_vanished,
        "grown": growth.change["rising_loss"],
        "random": growth.random_change["rising_loss"].mean(),
        "rank": growth.correlation,
    }


def judge_rises(held):
    """As `judge`; or that the question cannot be asked."""
    return judge(held) if held else "cannot be asked: the mean rises in no setting in every seed"


def claims(found):
    """The four verdicts for one data set, from {setting: figures}."""
    rises = {setting: own for setting, own in found.items() if (own["rise"] > 0).all()}
    logs = [own for setting, own in rises.items() if setting.loss == "log" and not setting.noise]
    return {
        "1 a small minority carries the rise": judge_rises([_few(own) for own in rises.values()]),
        "2 capacity: most fall, a few rise extremely": judge_capacity(found),
        "3 growth of what is right already": judge_rises([_scale(own) and _grown(own) for own in logs]),
        "3a of it, scale alone": judge_rises([_scale(own) for own in logs]),
        "3b of it, grown units alone": judge_rises([_grown(own) for own in logs]),
        "4 not borderline samples": judge_rises([above(own["wrong by 0.1"], 0.5) for own in rises.values()]),
    }


def _few(own):
    mean, half = interval(own["carriers"])
    return bool(mean + half <= 0.05)


def _scale(own):
    return above(own["scale"], 0.5)


def _grown(own):
    return above(own["random"] - own["grown"], 0)


def judge_capacity(found):
    """Claim 2, on the sweep over widths."""
    by_width = {
        s.hidden[0]: own for s, own in found.items() if len(s.hidden) == 1 and s.loss == "log" and not s.noise
    }
    small, large = by_width[min(by_width)], by_width[max(by_width)]
    if not (large["rise"] > 0).all():
        return f"cannot be asked: at width {max(by_width)} the mean does not rise in every seed"
    at_large = [bool((1 - large["rising"] > 0.5).all()), bool((large["99.9 % change"] > 0).all())]
    more = [
        bool(np.mean(small["rising"]) > np.mean(large["rising"])),
        bool(np.mean(large["99.9 % change"]) > np.mean(small["99.9 % change"])),
    ]
    parts = at_large + more
    words = "held" if all(parts) else "did not hold" if not any(parts) else "held in part"
    return (
        f"{words} (width {max(by_width)}: falls for {1 - large['rising'].mean():.0%}, 99.9 % quantile "
        f"{large['99.9 % change'].mean():+.2f} nat; width {min(by_width)}: {1 - small['rising'].mean():.0%}, "
        f"{small['99.9 % change'].mean():+.2f})"
    )


COLUMNS = {
    "turn": ("turn (epoch)", "{:.0f}"),
    "rise": ("rise of the mean", "{:.3g}"),
    "rising": ("samples that rise", "{:.1%}"),
    "carriers": ("carry it all", "{:.2%}"),
    "median change": ("change of the median", "{:.2g}"),
    "wrong by 0.1": ("of the rise, wrong by far", "{:.1%}"),
    "accuracy": ("accuracy", "{:.1%}"),
    "accuracy change": ("its change", "{:+.1%}"),
}
GROWTH = {
    "scale": ("vanishes at the scale of the turn", "{:.0%}"),
    "grown": ("grown units back: loss of those that rise", "{:+.3g}"),
    "random": ("random units back", "{:+.3g}"),
    "rank": ("rank correlation", "{:+.2f}"),
}


def data_table(found, columns):
    """A row for each setting of a data set that has all these figures."""
    rows = [
        [setting.name, *(shown(own[name], form) for name, (_, form) in columns.items())]
        for setting, own in found.items()
        if columns.keys() <= own.keys()
    ]
    return table(["setting", *(title for title, _ in columns.values())], rows)


def claims_table(found_by_data):
    """A row for each claim."""
    verdicts = {data: claims(found) for data, found in found_by_data.items()}
    rows = [[claim, *(own[claim] for own in verdicts.values())] for claim in next(iter(verdicts.values()))]
    return table(["claim", *(NAMES[data] for data in verdicts)], rows)


def near_table(found_by_data):
    """How much the answer to claim 4 depends on what counts as near."""
    rows = [
        [
            f"{NAMES[data]}, share of the rise on samples wrong by more",
            *(shown(found[Setting(data)][f"wrong by {near:g}"], "{:.1%}") for near in NEAR),
        ]
        for data, found in found_by_data.items()
    ]
    return table(["near: a margin within ... of the typical one", *(f"{near:g}" for near in NEAR)], rows)


def draw_capacity(found_by_data):
    """Rise, carriers and change of the median against width."""
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.2), layout="constrained")
    titles = {
        "relative rise": "Rise of the mean test loss\n(share of its least)",
        "carriers": "Share of the samples\nthat carry the whole rise",
        "rising": "Share of the samples\nwhose loss rises",
    }
    for (data, found), colour, marker in zip(
        found_by_data.items(), ("#0072B2", "#D55E00", "#009E73"), "os^", strict=False
    ):
        sweep = {
            s.hidden[0]: own
            for s, own in found.items()
            if len(s.hidden) == 1 and s.loss == "log" and not s.noise
        }
        for ax, name in zip(axes, titles, strict=True):
            means, halves = zip(*(interval(own[name]) for own in sweep.values()), strict=True)
            ax.errorbar(list(sweep), means, halves, color=colour, marker=marker, capsize=3, label=NAMES[data])
    for ax, title in zip(axes, titles.values(), strict=True):
        ax.set(xscale="log", xlabel="hidden units", title=title, ylim=(0, None))
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False)
    return figure


def draw_where(found_by_data):
    """On which samples the loss rises, loss by loss."""
    figure, axes = plt.subplots(
        1, len(found_by_data), figsize=(10.5, 3.4), layout="constrained", sharey=True, squeeze=False
    )
    for ax, (data, found) in zip(axes[0], found_by_data.items(), strict=True):
        rows = [s for s in found if s.hidden == (100,)]
        means, halves = zip(*(interval(found[s]["wrong by 0.1"]) for s in rows), strict=True)
        colours = ["#D55E00" if s.noise else "#0072B2" for s in rows]
        ax.barh(range(len(rows)), means, xerr=halves, color=colours, capsize=3)
        ax.axvline(0.5, color="black", linestyle="--", linewidth=1)
        ax.set(title=NAMES[data], xlim=(0, 1), xlabel="share of all that rises,\non samples wrong by far")
        ax.set_yticks(
            range(len(rows)), [s.loss.replace("_", " ") + (" (20 % noise)" if s.noise else "") for s in rows]
        )
        ax.invert_yaxis()
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def main():
    """Run all of it; print the tables and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="500 images, 5 epochs, MNIST: whether it runs")
    arguments = parser.parse_args()
    quick = arguments.quick
    torch.set_num_threads(arguments.threads)
    start, found_by_data, first = time.perf_counter(), {}, None
    for data in ["mnist"] if quick else NAMES:
        images = flat_images(data, 500 if quick else 4000)
        found_by_data[data] = {}
        for setting in settings(data):
            found_by_data[data][setting], run = measure(setting, images, 5 if quick else 50)
            first = first or (run if setting == Setting("mnist") else None)
            print(f"{time.perf_counter() - start:6.0f} s  {NAMES[data]}, {setting.name}", flush=True)
    print("\n" + claims_table(found_by_data))
    print("\n" + near_table(found_by_data))
    for data, found in found_by_data.items():
        print(f"\n### {NAMES[data]}\n\n" + data_table(found, COLUMNS) + "\n\n" + data_table(found, GROWTH))
    where = Path("output") if quick else HERE / "figures"
    where.mkdir(exist_ok=True)
    figures = {
        "loss_tails_capacity": draw_capacity(found_by_data),
        "loss_tails_where": draw_where(found_by_data),
    }
    figures["loss_tails_curves"] = LossTailDisplay.from_analyzer(LossTailAnalyzer().fit(first)).plot().figure_
    for name, figure in figures.items():
        figure.savefig(where / f"{name}.png", dpi=110)
    print(f"\n{time.perf_counter() - start:.0f} s in all.")


if __name__ == "__main__":
    main()
