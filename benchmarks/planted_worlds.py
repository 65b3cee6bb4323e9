"""Worlds whose truth is known, for ``bench_findings.py``: records made of arrays, and what holds in them."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sklearn_nndyn import Dynamics, EntanglementAnalyzer, LearningPhaseAnalyzer, LossTailAnalyzer
from sklearn_nndyn.analyzers import Finding, straggler_stability

N_SAMPLES, N_EPOCHS, TURN, JUMP = 4000, 60, 25, 36
SAMPLE_NOISE = 0.3  # of the loss of one sample at one epoch, in nats
RADIUS_NOISE = 0.004  # of a range of 0.4
PHASE_EPOCHS = 17


@dataclass(frozen=True)
class World:
    """A kind of world.

    Parameters
    ----------
    name : str
        What is planted.
    truth : dict of str to bool
        For each code that is judged, whether its claim holds.
    make : callable
        Makes one from a generator, and gives its findings.
    wanders : bool, default=False
        Whether its curves wander from epoch to epoch.
    """

    name: str
    truth: dict
    make: Callable[[np.random.Generator], tuple[Finding, ...]]
    wanders: bool = field(default=False)


def wander(rng, shape, correlation):
    """Normal noise of deviation one, each value so much of the one before."""
    noise = rng.normal(size=shape)
    for at in range(1, shape[-1]):
        noise[..., at] = correlation * noise[..., at - 1] + np.sqrt(1 - correlation**2) * noise[..., at]
    return noise


# ------------------------------------------------------------------------------------------------- losses


def fall_then(rise):
    """A mean loss that falls from 2 to 1 until the turn, and then rises."""
    return np.interp(np.arange(N_EPOCHS), [0, TURN, N_EPOCHS - 1], [2, 1, 1 + rise])


def tails_of(loss, **fields):
    """Findings of losses (n_samples, n_epochs)."""
    y = np.zeros(len(loss), dtype=int)
    return (
        LossTailAnalyzer()
        .fit(Dynamics(y=y, classes=[0, 1], epochs=np.arange(loss.shape[1]), loss=loss, **fields))
        .findings_
    )


def noisy(rng, curve, scale=SAMPLE_NOISE):
    """Samples about a curve, each with noise of its own."""
    return curve + scale * rng.normal(size=(N_SAMPLES, N_EPOCHS))


def equal_rise(rise):
    """The same rise for all."""
    return lambda rng: tails_of(noisy(rng, fall_then(rise)))


def plateau(scale, correlation=0.0):
    """No rise; epochs wander, alike for all samples."""
    return lambda rng: tails_of(noisy(rng, fall_then(0.0) + scale * wander(rng, (N_EPOCHS,), correlation)))


def rise_in_wander(scale, rise):
    """A rise that all share, beside the wander of the epochs."""
    return lambda rng: tails_of(noisy(rng, fall_then(rise) + scale * rng.normal(size=N_EPOCHS)))


def jump(rise, scale=0.0, correlation=0.0):
    """A fall to a plateau that jumps up after a third of its epochs, and stays; epochs wander, alike for all."""
    after = np.arange(N_EPOCHS) >= JUMP
    trend = fall_then(0.0) + rise * after
    return lambda rng: tails_of(noisy(rng, trend + scale * wander(rng, (N_EPOCHS,), correlation)))


def soon_level(rise):
    """A rise that has come to an end within some ten epochs of the turn."""
    since = np.clip(np.arange(N_EPOCHS) - TURN, 0, None)
    return lambda rng: tails_of(noisy(rng, fall_then(0.0) + rise * (1 - np.exp(-since / 3))))


def monotone(rng):
    """A fall until the end."""
    return tails_of(noisy(rng, 0.2 + 2 * np.exp(-np.arange(N_EPOCHS) / 12)))


def minority(share):
    """The loss of most falls, that of few rises by as much as makes the mean rise by 0.15; they are wrong by far."""

    def make(rng):
        n_few = round(share * N_SAMPLES)
        after = np.clip(np.arange(N_EPOCHS) - TURN, 0, None) / (N_EPOCHS - 1 - TURN)
        own = np.full(N_SAMPLES, -0.1)
        own[:n_few] = rng.gamma(4, (0.15 + 0.1 * (1 - share)) / share / 4, n_few)
        loss = fall_then(0.0) + own[:, None] * after + 0.03 * rng.normal(size=(N_SAMPLES, N_EPOCHS))
        margin = np.where(np.arange(N_SAMPLES) < n_few, -3.0, 3.0)[:, None] * np.ones(N_EPOCHS)
        return tails_of(loss, margin=margin, prediction=(margin < 0).astype(int))

    return make


# ------------------------------------------------------------------------------------------- entanglement


def turn_of(curve):
    """Findings of two classes with such a radius (n_epochs,), as far apart as it is small."""
    centroids = np.sqrt(1 - curve**2)[:, None, None] * np.eye(2)
    y = np.arange(100) % 2
    wrong = np.arange(100)[:, None] < np.linspace(40, 5, len(curve))
    record = Dynamics(
        y=y,
        classes=[0, 1],
        epochs=np.arange(len(curve)),
        prediction=np.where(wrong, 1 - y[:, None], y[:, None]),
        centroids={"hidden": centroids},
    )
    return EntanglementAnalyzer().fit(record).findings_


def radius(values, scale=RADIUS_NOISE, correlation=0.0):
    """A radius that falls from the first value to the second, and has risen to the third at the end, with noise."""
    start, least, end = values
    at = np.arange(N_EPOCHS)
    trend = (
        least
        + (start - least) * np.exp(-at / 5)
        + (end - least) * np.clip(at - 20, 0, None) / (N_EPOCHS - 21)
    )
    return lambda rng: turn_of(trend + scale * wander(rng, (N_EPOCHS,), correlation))


def radius_jump(rise, scale):
    """A radius that falls to a plateau, jumps up and stays, with noise."""
    at = np.arange(N_EPOCHS)
    trend = 0.5 + 0.4 * np.exp(-at / 5) + rise * (at >= JUMP)
    return lambda rng: turn_of(trend + scale * wander(rng, (N_EPOCHS,), 0.0))


def stragglers(shared, n_runs=5, n_samples=400, n_stragglers=60):
    """Runs that turn, with so many stragglers of which a share are those of all runs, the others drawn."""
    curve = np.interp(np.arange(20), [0, 10, 19], [0.9, 0.5, 0.7])
    centroids = {"hidden": np.sqrt(1 - curve**2)[:, None, None] * np.eye(2)}
    y = np.arange(n_samples) % 2
    n_same = round(shared * n_stragglers)

    def run(rng):
        wrong = np.arange(n_samples) < n_same
        wrong[n_same + rng.choice(n_samples - n_same, n_stragglers - n_same, replace=False)] = True
        prediction = np.repeat(np.where(wrong, 1 - y, y)[:, None], 20, axis=1)
        return Dynamics(y=y, classes=[0, 1], epochs=np.arange(20), prediction=prediction, centroids=centroids)

    return lambda rng: straggler_stability([run(rng) for _ in range(n_runs)]).findings_


# ---------------------------------------------------------------------------------------- learning phases

PHASES = np.interp(np.arange(PHASE_EPOCHS), [0, 3, 9, 16], [0, 0, -1, 0])


def phases(n_runs, size=0.0, trend=PHASES, correlation=0.0):
    """Reconstruction errors of runs, noise of deviation one about a trend of some size."""

    def make(rng):
        curves = 50 + size * trend + wander(rng, (n_runs, PHASE_EPOCHS), correlation)
        runs = [
            Dynamics(
                y=[0, 1] * 2,
                classes=[0, 1],
                epochs=np.arange(PHASE_EPOCHS),
                reconstruction={"last": np.repeat(curve[None], 4, axis=0) * [[0.999], [1], [1], [1.001]]},
            )
            for curve in curves
        ]
        return LearningPhaseAnalyzer().fit(runs if n_runs > 1 else runs[0]).findings_

    return make


NO_PHASES = {"LP1": False, "LP2": False, "LP1+LP2": False}
FALLING = np.linspace(0, -1, PHASE_EPOCHS)

WORLDS = (
    World("equal rise of 0.05, noise of samples 0.3", {"LT1": True, "LT2": False, "LT3": False}, equal_rise(0.05)),
    World("equal rise of 0.02, noise of samples 0.3", {"LT2": False, "LT3": False}, equal_rise(0.02)),
    World("plateau, epochs wander by 0.02", {"LT1": False, "LT2": False}, plateau(0.02), wanders=True),
    World("plateau, epochs wander by 0.05", {"LT1": False, "LT2": False}, plateau(0.05), wanders=True),
    World("plateau, wander of 0.02 that lasts (AR .9)", {"LT1": False}, plateau(0.02, 0.9), wanders=True),
    World("rise of 0.06 beside a wander of 0.02", {"LT1": True, "LT2": False}, rise_in_wander(0.02, 0.06)),
    World("rise of 0.15 beside a wander of 0.05", {"LT1": True, "LT2": False}, rise_in_wander(0.05, 0.15)),
    World("jump by 0.15, then a plateau", {"LT1": True, "LT2": False}, jump(0.15)),
    World("rise by 0.15 within ten epochs, then level", {"LT1": True, "LT2": False}, soon_level(0.15)),
    World("jump by 0.06 beside a wander of 0.02", {"LT1": True, "LT2": False}, jump(0.06, 0.02)),
    World("jump by 0.3 beside a wander of 0.02", {"LT1": True, "LT2": False}, jump(0.3, 0.02)),
    World("fall until the end", {"LT1": False, "LT2": False}, monotone),
    World("1 % carry the rise", dict.fromkeys(("LT1", "LT2", "LT3", "LT4"), True), minority(0.01)),
    World("5 % carry the rise", dict.fromkeys(("LT1", "LT2", "LT3", "LT4"), True), minority(0.05)),
    World("20 % carry the rise", {"LT1": True, "LT2": False, "LT3": True, "LT4": True}, minority(0.2)),
    World("radius falls until the end", {"EN1": False, "EN3": False}, radius((0.9, 0.6, 0.4))),
    World("radius falls to a plateau", {"EN1": False, "EN3": False}, radius((0.9, 0.5, 0.5))),
    World("radius, a plateau of noise 0.02", {"EN1": False}, radius((0.9, 0.5, 0.5), 0.02)),
    World("radius wanders by 0.02, lasting (AR .9)", {"EN1": False}, radius((0.9, 0.5, 0.5), 0.02, 0.9), wanders=True),
    World("radius turns, by 0.06 with noise 0.02", {"EN1": True}, radius((0.9, 0.5, 0.56), 0.02)),
    World("radius turns, by 0.04 with noise 0.004", {"EN1": True, "EN3": True}, radius((0.9, 0.5, 0.54))),
    World("radius jumps by 0.06 with noise 0.004", {"EN1": True, "EN3": True}, radius_jump(0.06, RADIUS_NOISE)),
    World("radius jumps by 0.06 with noise 0.02", {"EN1": True}, radius_jump(0.06, 0.02)),
    World("5 runs, stragglers drawn at random", {"ST1": False}, stragglers(0)),
    World("5 runs, a tenth of the stragglers shared", {"ST1": True}, stragglers(0.1)),
    World("5 runs, half of the stragglers shared", {"ST1": True}, stragglers(0.5)),
    *(World(f"reconstruction, noise, {n} run{'s' * (n > 1)}", NO_PHASES, phases(n)) for n in (1, 3, 10)),
    *(
        World(f"reconstruction wanders (AR .9), {n} run{'s' * (n > 1)}", NO_PHASES, phases(n, correlation=0.9), True)
        for n in (1, 3, 10)
    ),
    *(
        World(f"reconstruction falls by {size}, {n} run{'s' * (n > 1)}", {"LP1": True, "LP2": False},
              phases(n, size, FALLING))
        for n, size in ((1, 20), (3, 6), (10, 3))
    ),
    *(
        World(f"reconstruction falls and rises by {size}, {n} run{'s' * (n > 1)}", {"LP1": True, "LP2": True},
              phases(n, size))
        for n, size in ((1, 20), (3, 4), (10, 3))
    ),
)  # fmt: skip
