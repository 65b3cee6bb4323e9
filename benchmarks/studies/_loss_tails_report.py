"""What the study of loss tails found: claims, tables and figures."""

import matplotlib.pyplot as plt
from _claims import claim, in_all, setting
from _loss_tails_settings import NAMES_HERE, RULES, Setting
from _tables import above, interval, shown, table

LIMITS = RULES["limits"]
NEAR = RULES["near"]


def claims(data, found):
    """The entries of one data set, from {setting: figures}."""
    rises = {s: own for s, own in found.items() if above(own["rise"], 0)}
    logs = {s: own for s, own in rises.items() if is_plain(s)}
    few = {"1a": gross(rises), "1b": typical(rises), "1c": by_chance(rises)}
    grown = {"3a": scaled(logs), "3b": regrown(logs)}
    judged = {
        "1": together(few), **few, "3": together(grown), **grown, "4": by_far(rises),
    }  # fmt: skip
    runs = len(next(iter(found.values()))["rise"])
    entries = [entry(data, number, own, runs) for number, own in judged.items()]
    return [*entries[:4], capacity(data, found), *entries[4:]]


def named(number):
    """The claim of a number, and its rule."""
    return next(item for item in RULES["claims"].items() if item[0].split()[0] == number)


def entry(data, number, judged, runs):
    """A claim that is asked of several settings."""
    name, rule = named(number)
    verdict = in_all([own["verdict"] for own in judged])
    return claim("loss_tails", name, NAMES_HERE[data], rule, runs=runs, verdict=verdict, settings=judged)


def is_plain(s):
    """Log loss and clean labels."""
    return s.loss == "log" and not s.noise


def each(found, values, limit):
    """Whether the values of each setting lie above a limit, the whole interval."""
    return [setting(s.name, values(own), words(above(values(own), limit))) for s, own in found.items()]


def words(held):
    """A verdict."""
    return "held" if held else "did not hold"


def gross(found):
    """1a."""
    return each(found, lambda own: own["gross share"], LIMITS["gross_share"])


def typical(found):
    """1b, as how much the median falls."""
    return each(found, lambda own: -own["median change"], 0)


def by_chance(found):
    """1c, as how many samples fewer, as a share of all."""
    return each(found, lambda own: own["carriers by chance"] - own["carriers"], 0)


def scaled(found):
    """3a."""
    return each(found, lambda own: own["scale"], LIMITS["scale"])


def regrown(found):
    """3b, as how much more than random units."""
    return each(found, lambda own: own["random"] - own["grown"], 0)


def by_far(found):
    """4."""
    return each(found, lambda own: own[f"wrong by {LIMITS['near']:g}"], LIMITS["by_far"])


def together(parts):
    """A claim that holds in a setting where all its parts do."""
    rows = zip(*parts.values(), strict=True)
    return [setting(own[0]["name"], None, words(all(p["verdict"] == "held" for p in own))) for own in rows]


def capacity(data, found):
    """Claim 2, on the sweep over widths."""
    name, rule = named("2")
    by_width = {s.hidden[0]: own for s, own in found.items() if len(s.hidden) == 1 and is_plain(s)}
    small, large = by_width[min(by_width)], by_width[max(by_width)]
    runs = len(large["rise"])
    if not above(large["rise"], 0):
        return claim("loss_tails", name, NAMES_HERE[data], rule, runs=runs, verdict="cannot be asked")
    parts = [
        (1 - large["rising"] > LIMITS["falling"]).all(),
        (large["99.9 % change"] > 0).all(),
        small["rising"].mean() > large["rising"].mean(),
        large["99.9 % change"].mean() > small["99.9 % change"].mean(),
    ]
    verdict = "held" if all(parts) else "held in part" if any(parts) else "did not hold"
    note = (
        f"99.9 % quantile at width {max(by_width)}, nats; falls for {1 - large['rising'].mean():.0%}; at width "
        f"{min(by_width)} {small['99.9 % change'].mean():+.2f}, {1 - small['rising'].mean():.0%}"
    )
    return claim(
        "loss_tails",
        name,
        NAMES_HERE[data],
        rule,
        runs=runs,
        verdict=verdict,
        values=large["99.9 % change"],
        note=note,
    )


COLUMNS = {
    "turn": ("turn (epoch)", "{:.0f}"),
    "rise": ("rise of the mean", "{:.3g}"),
    "rising": ("samples that rise", "{:.1%}"),
    "carriers": ("carry it all", "{:.2%}"),
    "carriers by chance": ("by chance", "{:.2%}"),
    "gross share": ("of all that rose, worst 5 %", "{:.1%}"),
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


def near_table(data, found):
    """How much the answer to claim 4 depends on what counts as near."""
    own = found[Setting(data)]
    row = [
        "share of the rise on samples wrong by more",
        *(shown(own[f"wrong by {near:g}"], "{:.1%}") for near in NEAR),
    ]
    return table(["near: a margin within ... of the typical one", *(f"{near:g}" for near in NEAR)], [row])


def section(data, found):
    """The tables of one data set."""
    return "\n\n".join([data_table(found, COLUMNS), data_table(found, GROWTH), near_table(data, found)])


def draw_capacity(found_by_data):
    """Rise, carriers and change of the median against width."""
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.2), layout="constrained")
    titles = {
        "relative rise": "Rise of the mean test loss\n(share of its least)",
        "carriers": "Share of the samples\nthat carry the whole rise",
        "rising": "Share of the samples\nwhose loss rises",
    }
    for (data, found), colour, marker in zip(
        found_by_data.items(), ("#0072B2", "#D55E00", "#009E73", "#CC79A7"), "os^D", strict=False
    ):
        sweep = {
            s.hidden[0]: own
            for s, own in found.items()
            if len(s.hidden) == 1 and s.loss == "log" and not s.noise
        }
        for ax, name in zip(axes, titles, strict=True):
            means, halves = zip(*(interval(own[name]) for own in sweep.values()), strict=True)
            ax.errorbar(
                list(sweep), means, halves, color=colour, marker=marker, capsize=3, label=NAMES_HERE[data]
            )
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
        ax.set(
            title=NAMES_HERE[data], xlim=(0, 1), xlabel="share of all that rises,\non samples wrong by far"
        )
        ax.set_yticks(
            range(len(rows)), [s.loss.replace("_", " ") + (" (20 % noise)" if s.noise else "") for s in rows]
        )
        ax.invert_yaxis()
        ax.spines[["top", "right"]].set_visible(False)
    return figure
