"""What one run says of each of its samples: how far it rises, and what calibration is of it."""

from dataclasses import dataclass, replace

import numpy as np

from sklearn_nndyn.analyzers.loss_tails import LossTailAnalyzer


@dataclass(frozen=True, kw_only=True, eq=False)
class RunMeasures:
    """Figures of each sample, (n_samples,), in nats; epochs were chosen on the half that the sample is not in.

    Of several runs, the turn of each was chosen by the others: halves of one run share its wander from epoch to epoch.

    Parameters
    ----------
    rise, refined_rise : array of shape (n_samples,)
        Loss and refined loss at the end less those at the turn, the epoch of least mean loss.
    gain : array of shape (n_samples,)
        Refined loss at the turn less that at the epoch of least refined loss.
    calibration : array of shape (n_samples,)
        Loss less refined loss at the end.
    verdict : {"yes", "no", "cannot tell"}
        Whether the mean loss rises.
    """

    rise: np.ndarray
    refined_rise: np.ndarray
    gain: np.ndarray
    calibration: np.ndarray
    verdict: str


def measure_runs(decomposed):
    """The `RunMeasures` of each of n_runs LossDecompositions."""
    runs = [_measure_run(own) for own in decomposed]
    if len(runs) == 1:
        return runs
    curves = np.array([own.loss.mean(axis=0) for own in decomposed])
    turns = (curves.sum(axis=0) - curves).argmin(axis=1)
    return [
        replace(
            run,
            rise=own.loss[:, -1] - own.loss[:, turn],
            refined_rise=own.refined[:, -1] - own.refined[:, turn],
        )
        for run, own, turn in zip(runs, decomposed, turns, strict=True)
    ]


def _measure_run(decomposed):
    """The same of a single one; whether there is a rise, the loss tails say."""
    tails = LossTailAnalyzer().fit(decomposed.loss)
    second, refined, samples = decomposed.second, decomposed.refined, np.arange(len(decomposed.loss))
    of_least_loss = _chosen(second, [decomposed.loss[half].mean(axis=0) for half in (~second, second)])
    best = _chosen(second, decomposed.half_curves)
    return RunMeasures(
        rise=tails.rise_,
        refined_rise=refined[:, -1] - refined[samples, tails.turn_],
        gain=refined[samples, of_least_loss] - refined[samples, best],
        calibration=decomposed.loss[:, -1] - refined[:, -1],
        verdict=tails.rise_verdict_,
    )


def _chosen(second, curves):
    """Position of the least value of the curve of the half that each sample is not in, (n_samples,)."""
    of_first, of_second = (curve.argmin() for curve in curves)
    return np.where(second, of_first, of_second)
