"""What the study of entanglement found: tables, verdicts and a figure."""

import matplotlib.pyplot as plt
import numpy as np
from _tables import interval, judge, shown, table


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


def claims_table(found, removal, stability, deletion):
    """Markdown, a row for each claim."""
    reference = next(iter(found.values()))["eps"].mean()
    turned = {s: own["eps"][np.isfinite(own["eps"])] for s, own in found.items()}

    def near(kinds):
        values = [turned[s] for s in found if s.kind in kinds]
        return judge([bool(len(own)) and abs(own.mean() / reference - 1) < 0.1 for own in values])

    spread = [own.std(ddof=1) < 0.1 * own.mean() for own in turned.values() if len(own) > 1]
    rows = [
        [
            "1 classes come apart, then mix again",
            judge([bool(np.isfinite(own["eps"]).all()) for own in found.values()]),
        ],
        ["2a eps* is stable between seeds", judge(spread)],
        ["2b under another rate or optimiser", near(["rate", "optimiser"])],
        ["2c under mini-batches", near(["batches"])],
        ["2d under another width or network", near(["network"])],
        ["2e under subsampling", near(["samples"])],
        ["3 the stragglers are the most reproducible set", judge_stability(stability)],
        ["4 they cause the inversion", judge_removal(removal)],
        ["5a they matter most for generalisation", judge_deletion(deletion, "clean")],
        ["5b with input noise", judge_deletion(deletion, "noisy")],
    ]
    return table(["claim", "MNIST parity and, in 1 and 2a, all settings"], rows)


def judge_stability(stability):
    """By z, which the paper uses; the Jaccard index beside it."""
    best, jaccard = np.nanargmax(stability.z_curve), np.nanargmax(stability.jaccard_curve)
    ratio = stability.z_at_inversion / stability.z_curve[best]
    words = "held" if ratio >= 0.9 else "held in part" if ratio >= 0.5 else "did not hold"
    return (
        f"{words} (z {stability.z_at_inversion:.0f} at eps*, greatest {stability.z_curve[best]:.0f} at error "
        f"{stability.errors[best]:.3f}; Jaccard greatest at {stability.errors[jaccard]:.3f})"
    )


def judge_removal(removal):
    """No inversion without stragglers; the same one without random samples."""
    errors = removal.inversion_errors
    moved = abs(interval(errors["random"])[0] - interval(errors["all"])[0])
    parts = [
        not np.isfinite(errors["removed"]).any(),
        bool(np.isfinite(errors["random"]).all()) and moved < 0.003,
    ]
    words = "held" if all(parts) else "held in part" if any(parts) else "did not hold"
    return (
        f"{words} (without stragglers {np.isfinite(errors['removed']).sum()} of {len(errors['removed'])} runs invert; "
        f"without random samples eps* moves by {moved:.4f})"
    )


def judge_deletion(deletion, name):
    """Whether the set at the inversion has the greatest effect for each sample deleted."""
    effect = {t: interval(per_sample(own, name))[0] for t, own in deletion.items()}
    best = max(effect, key=lambda t: abs(effect[t]))
    when = f"epoch {deletion[best]['epoch'].mean():.0f}"
    if "inversion" not in effect:
        return "cannot be asked: no inversion"
    words = "held" if best == "inversion" else "did not hold"
    return (
        f"{words} (for a hundred deleted {effect['inversion']:+.1f} errors of 10,000 at the inversion, most at {when}: "
        f"{effect[best]:+.1f})"
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
        else:
            ax.text(0.01, row, "no inversion", va="center", fontsize=8)
    ax.set_yticks(range(len(found)), [setting.name for setting in found], fontsize=8)
    ax.axvline(
        next(iter(found.values()))["eps"].mean(), color="grey", linestyle="--", linewidth=0.8, zorder=0
    )
    ax.set(xlim=(0, None), xlabel="training error at the inversion (every seed, and the mean)")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    return figure
