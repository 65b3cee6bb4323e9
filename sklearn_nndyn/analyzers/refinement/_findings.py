"""The findings of a RefinementAnalyzer."""

import numpy as np
from scipy.stats import t

from sklearn_nndyn.analyzers._findings import Finding
from sklearn_nndyn.analyzers.loss_tails import rise_beyond_wander
from sklearn_nndyn.utils.statistics import LEVEL, between
from sklearn_nndyn.utils.text import epoch_words, figure, percent, range_of, samples, trained_on_note

HALF = 0.5  # of the rise: what counts as most of it
SMALL = 0.01  # of the loss: calibration below it is none to speak of
CALIBRATE = (
    "calibrate on held-out samples kept for that: "
    'CalibratedClassifierCV(FrozenEstimator(clf), method="temperature")'
)
JUDGE = f"Judge the epochs by the refined loss or by accuracy, and {CALIBRATE}."


def refinement_findings(refinement, runs):
    """RF1 to RF3, from the curves of a RefinementAnalyzer and the `RunMeasures` of each run."""
    epoch = _epoch(refinement, _units(runs, "gain"))
    parts = (
        ("RF1", _rise(refinement, runs)),
        ("RF2", epoch),
        ("RF3", _end(refinement, _units(runs, "calibration"), epoch["verdict"])),
    )
    return tuple(Finding.from_code(code, n_runs=len(runs), null=0.0, **found) for code, found in parts)


def refinement_source(refinement, n_samples):
    """A sentence on what was read, of so many samples in each run."""
    note = trained_on_note(refinement.source_)
    words = samples(n_samples[0]) if len(set(n_samples)) == 1 else f"{range_of(n_samples)} samples"
    return f"Read from {refinement.source_}: the scores of {words}.{note}"


def _units(runs, name):
    """What is compared: the samples of a single run, or the means of the runs."""
    values = [getattr(run, name) for run in runs]
    return values[0] if len(runs) == 1 else np.array([own.mean() for own in values])


def rise_verdict(refinement, runs):
    """Whether the mean loss rises: in a single run as its loss tails say.

    Of several by the interval over them, and by more than the wander of their mean from epoch to epoch gives.
    """
    if len(runs) == 1:
        return runs[0].verdict
    if all(run.verdict == "no" for run in runs):
        return "no"
    rises = _units(runs, "rise")
    beyond, chance = rise_beyond_wander(refinement.loss_curve_)
    return "yes" if between(rises)[0] > 0 and min(beyond, rises.mean()) > chance else "cannot tell"


def _rise(refinement, runs):
    """RF1, where there is a rise."""
    there_is = rise_verdict(refinement, runs)
    if there_is == "no":
        return {
            "verdict": "no",
            "statement": "The mean log loss is least at the end: no rise is there to explain.",
        }
    if there_is == "cannot tell":
        words = (
            "Whether the mean log loss rises cannot be told from chance, nor how much of that is calibration."
        )
        return {"verdict": "cannot tell", "statement": words, "advice": _more(runs)}
    rise, refined = (_units(runs, name) for name in ("rise", "refined_rise"))
    share, ends = share_interval(rise - refined, rise)
    verdict = _beyond(ends, HALF)
    return {
        "verdict": verdict,
        "value": share,
        "interval": ends,
        "statement": _rise_words(refinement, verdict, rise.mean(), refined.mean(), share),
        "advice": JUDGE if verdict == "yes" else _what_stays(verdict, runs),
    }


def share_interval(parts, wholes):
    """sum(parts) / sum(wholes), and its 95 % interval by the influence of each of (n,) pairs; no bound at 0 or 1."""
    share = float(parts.sum() / wholes.sum())
    residuals = (parts - share * wholes) / wholes.mean()
    half = t.isf((1 - LEVEL) / 2, len(wholes) - 1) * residuals.std(ddof=1) / np.sqrt(len(wholes))
    return share, (float(share - half), float(share + half))


def _beyond(ends, limit):
    """Yes for an interval above the limit, no for one below it."""
    if ends is None or ends[0] <= limit <= ends[1]:
        return "cannot tell"
    return "yes" if ends[0] > limit else "no"


def _rise_words(refinement, verdict, rise, refined, share):
    went = f"{'rises' if refined > 0 else 'falls'} by {figure(abs(refined))}"
    figures = (
        f"from epoch {epoch_words(refinement.least_loss_epoch_)} on the mean log loss rises by {figure(rise)} "
        f"nats, {'but' if verdict == 'yes' else 'and'} {went} "
        "once the scores of each epoch are divided by their best temperature"
    )
    if verdict == "cannot tell":
        return f"Whether the rise of the mean loss is calibration cannot be told: {figures}."
    if verdict == "no":
        return f"The rise of the mean loss is not calibration: {figures}."
    part = "All" if share >= 1 else percent(share)
    return f"{part} of the rise of the mean loss is calibration, how sure the scores are: {figures}."


def _what_stays(verdict, runs):
    if verdict == "no":
        return "The network tells the classes apart less well: stop at the turn, or regularise."
    return _more(runs)


def _more(runs):
    return "Give more held-out samples, or several runs." if len(runs) == 1 else "Give more runs."


def _epoch(refinement, gain):
    """RF2."""
    best, least = refinement.best_epoch_, refinement.least_loss_epoch_
    value, ends = float(gain.mean()), between(gain)
    if best == least:
        words = f"Calibrated or not, epoch {epoch_words(best)} is the best."
        return {"verdict": "no", "value": value, "interval": ends, "statement": words}
    verdict = _beyond(ends, 0.0)
    return {
        "verdict": verdict,
        "value": value,
        "interval": ends,
        "statement": _epoch_words(verdict, best, least, value),
        "advice": f'Stop by monitor="refined_loss", then {CALIBRATE}.' if verdict == "yes" else "",
    }


def _epoch_words(verdict, best, least, value):
    if verdict == "yes":
        return (
            f"Once calibrated, epoch {epoch_words(best)} is better than the epoch of least loss: by "
            f"{figure(value)} nats, on samples that had no part in choosing either."
        )
    if verdict == "no":
        return (
            f"Once calibrated, epoch {epoch_words(best)} seems best, but on samples that had no part in choosing it "
            f"epoch {epoch_words(least)}, of least loss, is better."
        )
    return (
        f"Once calibrated, epoch {epoch_words(best)}, which seems best, and epoch {epoch_words(least)}, of least loss, "
        "cannot be told apart."
    )


def _end(refinement, calibration, stops_earlier):
    """RF3; with the verdict of RF2 on an epoch that is better."""
    value, ends = float(calibration.mean()), between(calibration)
    verdict = _beyond(ends, 0.0)
    if verdict == "cannot tell" and ends is not None and ends[1] < SMALL * refinement.loss_curve_[-1]:
        verdict = "no"
    return {
        "verdict": verdict,
        "value": value,
        "interval": ends,
        "statement": _end_words(refinement, verdict, value),
        "advice": _end_advice(stops_earlier) if verdict == "yes" else "",
    }


def _end_words(refinement, verdict, value):
    loss, temperature = figure(refinement.loss_curve_[-1]), refinement.temperature_curve_[-1]
    if verdict == "no":
        return f"At the end the scores are calibrated, at a loss of {loss} nats."
    if verdict == "cannot tell":
        return f"Whether the scores at the end, of a loss of {loss} nats, are overconfident cannot be told."
    if not np.isfinite(temperature):
        return f"At the end equal probabilities are better than the scores, whose loss is {loss} nats."
    confident = "overconfident" if temperature > 1 else "underconfident"
    return (
        f"At the end the scores are {confident}: dividing them by {figure(temperature)} lowers their mean loss, {loss} "
        f"nats, by {figure(value)}."
    )


def _end_advice(stops_earlier):
    stop = 'stop by monitor="refined_loss", and ' if stops_earlier == "yes" else ""
    return f"Before probabilities are used, {stop}{CALIBRATE}."
