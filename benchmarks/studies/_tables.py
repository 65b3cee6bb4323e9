"""What the studies share: intervals over seeds, verdicts, Markdown tables, images."""

import numpy as np
from scipy import stats

from sklearn_nndyn.datasets import load_images

NAMES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "cifar10": "CIFAR-10 subset"}


def flat_images(name, n=None):
    """X_train, y_train, X_test, y_test: flat images between 0 and 1, the first n of each."""
    images = load_images(name)
    flat = [(X[:n].reshape(len(X[:n]), -1) / 255).astype(np.float32) for X in (images.X_train, images.X_test)]
    return flat[0], images.y_train[:n].astype(int), flat[1], images.y_test[:n].astype(int)


def interval(values):
    """Mean and half width of the 95 % interval (Student's t) over seeds; nan values are left out."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return (values.mean() if len(values) else np.nan), np.nan
    return values.mean(), stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))


def shown(values, form="{:.3g}"):
    """Mean ± half width."""
    mean, half = interval(values)
    if np.isnan(mean):
        return "-"
    width = f" ± {form.replace('+', '').format(half)}" if np.isfinite(half) else " (one seed)"
    return form.format(mean) + width


def above(values, limit):
    """Whether the whole interval lies above."""
    mean, half = interval(values)
    return bool(mean - half > limit)


def judge(held, what="settings"):
    """held, in part, did not hold; with how many of how many."""
    share = f"{sum(held)} of {len(held)} {what}"
    words = "held" if all(held) else "held in part" if any(held) else "did not hold"
    return f"{words} ({share})"


def table(titles, rows):
    """Markdown, a row for each of ``rows``."""
    lines = [" | ".join(titles), "|".join(["---"] * len(titles)), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {lines[i]} |" if i != 1 else f"|{lines[i]}|" for i in range(len(lines)))
