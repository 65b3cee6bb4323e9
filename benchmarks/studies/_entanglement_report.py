"""What the study of entanglement found: tables, verdicts and a figure."""

import matplotlib.pyplot as plt
import numpy as np
from _tables import interval, shown, table


def first_table(found):
    """Markdown: the two rates."""
    columns = {
        "eps": ("eps*, R of label 0", "{:.4f}"),
        "eps of label 1": ("R of label 1", "{:.4f}"),
        "eps of D": ("D", "{:.4f}"),
        "epoch": ("epoch", "{:.0f}"),
        "stragglers": ("stragglers", "{:.0f}"),
        "R at 1": ("R of label 0 at epoch 1", "{:.2f}"),
        "R least": ("least", "{:.2f}"),
        "R end": ("end", "{:.2f}"),
        "D at 1": ("D at epoch 1", "{:.2f}"),
        "D greatest": ("greatest", "{:.2f}"),
        "D end": ("end", "{:.2f}"),
        "train": ("training error at the end", "{:.3f}"),
        "test": ("test error", "{:.3f}"),
    }
    rows = [
        [setting.name, *(shown(own[name], form) for name, (_, form) in columns.items())]
        for setting, own in found.items()
        if setting.kind in ("reference", "rate")
    ]
    return table(["MNIST parity", *(title for title, _ in columns.values())], rows)


def removal_table(found):
    """Markdown: with, without stragglers, without random samples."""
    names = {"all": "all samples", "removed": "without stragglers", "random": "without as many random ones"}
    rows = []
    for name, title in names.items():
        errors = found.inversion_errors[name]
        last = [own.mean_distance_[-1] for own in found.analyzers[name] if own is not None]
        radius = [own.radii_[-1, 0] for own in found.analyzers[name] if own is not None]
        rows.append(
            [
                title,
                f"{np.isfinite(errors).sum()} of {len(errors)}",
                shown(errors, "{:.4f}"),
                shown(radius, "{:.2f}"),
                shown(last, "{:.2f}"),
                shown(found.training_errors[name], "{:.4f}"),
                shown(found.test_errors[name], "{:.4f}"),
            ]
        )
    titles = [
        "300 epochs",
        "runs that invert",
        "eps*",
        "R of label 0 at the end",
        "D at the end",
        "training error",
    ]
    return table([*titles, "test error"], rows)


def third_table(found):
    """Markdown, a row for each t."""
    rows = [
        [
            f"{own['epoch'].mean():.0f} (the inversion)" if t == "inversion" else str(t),
            shown(own["deleted"], "{:.0f}"),
            *(shown(own[name], "{:.4f}") for name in ("clean", "clean, random", "noisy", "noisy, random")),
            *(shown(per_sample(own, name), "{:+.2f}") for name in ("clean", "noisy")),
        ]
        for t, own in sorted(found.items(), key=lambda item: item[1]["epoch"].mean())
    ]
    titles = [
        "deleted: wrong at epoch",
        "how many",
        "test error",
        "random deleted",
        "with noise",
        "random deleted",
    ]
    return table([*titles, "difference, clean, errors for 100 deleted", "with noise"], rows)


def per_sample(own, name):
    """Test errors more than without random samples, of 10,000, for each hundred deleted."""
    return (own[name] - own[f"{name}, random"]) * 10000 / own["deleted"] * 100


def fourth_table(stability):
    """Markdown: what is common to two runs, by training error."""
    chosen = range(0, len(stability.errors), 2)
    rows = [
        [
            f"{stability.errors[i]:.3f}",
            f"{stability.common_curve[i]:.0f}",
            f"{stability.expected_curve[i]:.0f}",
            f"{stability.jaccard_curve[i]:.2f}",
            f"{stability.z_curve[i]:.0f}",
        ]
        for i in chosen
    ]
    eps = interval(stability.inversion_errors)[0]
    rows.append(
        [
            f"**{eps:.3f}** (stragglers)",
            *(
                f"{own[np.tril_indices(len(own), -1)].mean():.0f}"
                for own in (stability.common, stability.expected)
            ),
            f"{stability.jaccard[np.tril_indices(len(stability.jaccard), -1)].mean():.2f}",
            f"{stability.z_at_inversion:.0f}",
        ]
    )
    return table(["training error", "common to two runs", "chance", "Jaccard", "z"], rows)


def robustness_table(found):
    """Markdown, a row for each setting."""
    rows = [
        [
            setting.name,
            f"{np.isfinite(own['eps']).sum()} of {len(own['eps'])}",
            shown(own["eps"], "{:.4f}"),
            f"{np.nanstd(own['eps'], ddof=1):.4f}" if np.isfinite(own["eps"]).sum() > 1 else "-",
            shown(own["epoch"], "{:.0f}"),
            shown(own["stragglers"], "{:.0f}"),
            shown(own["train"], "{:.3f}"),
            shown(own["test"], "{:.3f}"),
        ]
        for setting, own in found.items()
    ]
    titles = ["setting", "runs that invert", "eps*", "deviation over seeds", "epoch", "stragglers"]
    return table([*titles, "training error at the end", "test error"], rows)


def hardest_table(like):
    """Markdown: the stragglers beside the hardest samples of an epoch, as many of each class."""
    rows = [[f"hardest at epoch {epoch}", f"{own:.3f}"] for epoch, own in like.hardest.items()]
    return table(
        ["as many of each class", "Jaccard of two runs"], [["stragglers", f"{like.stragglers:.3f}"], *rows]
    )


def draw_robustness(found):
    """eps* of every setting."""
    figure, ax = plt.subplots(figsize=(7, 4.6), layout="constrained")
    for row, own in enumerate(found.values()):
        values = own["eps"][np.isfinite(own["eps"])]
        ax.plot(
            values,
            np.full(len(values), row),
            "o",
            color="#0072B2",
            alpha=0.4,
            markersize=4,
            markeredgewidth=0,
        )
        if len(values):
            ax.plot(values.mean(), row, "|", color="black", markersize=12)
        if len(values) < len(own["eps"]):
            some = f"in {len(values)} of {len(own['eps'])}" if len(values) else "no inversion"
            ax.text(0.01, row, some, va="center", fontsize=8)
    ax.set_yticks(range(len(found)), [setting.name for setting in found], fontsize=8)
    ax.axvline(
        next(iter(found.values()))["eps"].mean(), color="grey", linestyle="--", linewidth=0.8, zorder=0
    )
    ax.set(xlim=(0, None), xlabel="training error at the inversion (every seed, and the mean)")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    return figure
