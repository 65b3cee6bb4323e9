"""Comparisons in which it is known what has to be found."""

from itertools import product

import numpy as np

from sklearn_nndyn.model_selection import LossComparison
from sklearn_nndyn.model_selection.comparison._runs import OUTCOMES


def comparison(
    final, *, label_noise=(0.0,), input_noise=(0.0,), n_epochs=4, ended=None, tried=(), rates=None
):
    """With these final accuracies {loss: array of shape (n_label_levels, n_input_levels, n_seeds) or what fits it}.

    Accuracy rises evenly from 0.1 at epoch 0. ``ended`` is {(loss, label noise, input noise, seed): why}: a run that
    diverged has no accuracy at the last epoch, any other none after the first. ``rates`` is {loss: learning rate}.
    """
    n_seeds = max(np.size(values) for values in final.values()) // (len(label_noise) * len(input_noise))
    shape, rows, curves = (len(label_noise), len(input_noise), n_seeds), [], []
    for loss, values in final.items():
        values = np.broadcast_to(np.reshape(values, shape) if np.size(values) > 1 else values, shape)
        for (i, label), (j, added), seed in product(
            enumerate(label_noise), enumerate(input_noise), range(n_seeds)
        ):
            end, why = values[i, j, seed], (ended or {}).get((loss, label, added, seed), "")
            curve = np.linspace(0.1, end, n_epochs + 1)
            if why:
                curve[-1 if why == "diverged" else 2 :] = np.nan
            own = np.where(np.isnan(curve), curve[-2], curve)
            figures = own[1:].mean(), own[-1], own.max(), 1.0, end / 2, end / 4
            known = dict(
                zip(OUTCOMES, np.array(figures) + (0 if why in ("", "diverged") else np.nan), strict=True)
            )
            noise = {"label_noise": label, "input_noise": added}
            lr = (rates or {}).get(loss, 0.01)
            rows.append({"loss": loss, **noise, "seed": seed, "lr": lr, **known, "ended": why})
            curves.append(curve)
    return LossComparison(
        losses=tuple(final),
        label_noise=label_noise,
        input_noise=input_noise,
        seeds=tuple(range(n_seeds)),
        epochs=np.arange(n_epochs + 1),
        stretch=(1, n_epochs),
        runs={name: np.array([row[name] for row in rows]) for name in rows[0]},
        train_accuracy=np.array(curves),
        test_accuracy=np.array(curves),
        tried=tried,
    )
