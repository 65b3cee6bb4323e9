"""Three phases of a curve that stays, falls and rises: where they begin and end, and whether they are there."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t

from sklearn_nndyn.analyzers.learning_phases._chance import chance_changes, noise_of_runs
from sklearn_nndyn.utils.statistics import between, standard_error
from sklearn_nndyn.utils.text import counted, epoch_words

NAMES = ("near constant", "falling", "rising")
CLEAR = 2.0  # standard errors
PRONOUNCED = 0.5  # of the fall, given back


def phase_boundaries(curve: ArrayLike, tolerance: float = 0.05) -> np.ndarray:
    """Positions of the end of the first phase, of the end of the second, and of the start of the third.

    With the least value R(m): the first position with R < R(0) - tolerance (R(0) - R(m)); m; and the last with
    R < R(m) + tolerance (R(0) - R(m)), or with the least value. A curve that is never below its start has the first
    at 0. The rule is our own.

    Parameters
    ----------
    curve : array of shape (n_epochs,)
        Without nan.
    tolerance : float, default=0.05
        How far from a value the curve still counts as near it, as a share of its fall.

    Returns
    -------
    positions : array of int of shape (3,)
        Among the epochs, whether the phases are there or not.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.learning_phases import phase_boundaries
    >>> phase_boundaries([8.0, 7.9, 6.0, 4.0, 4.1, 9.0])
    array([2, 3, 4])
    """
    curve = np.asarray(curve, dtype=np.float64)
    least, fall = curve.min(), curve[0] - curve.min()
    fallen = curve < curve[0] - tolerance * fall
    near = (curve < least + tolerance * fall) | (curve == least)
    return np.array([fallen.argmax(), curve.argmin(), np.flatnonzero(near)[-1]])


def clearly_positive(differences, chance, low=None):
    """Whether the mean of (n,) differences exceeds two of its standard errors, and chance; False for a single one.

    ``low``, the lower end of its interval where there is one, has to be positive too.
    """
    mean = differences.mean()
    return bool(mean > CLEAR * standard_error(differences) and mean > chance and (low is None or low > 0))


def interval_of_change(rows, start, stop, *, one_run):
    """95 % interval of the mean change from one position to another, two floats; None where it cannot be given.

    Over the samples of one run by Student's t. Over runs by the noise that they have about their mean at all epochs,
    for a few runs tell little of the noise at two of them.
    """
    change = rows[:, stop] - rows[:, start]
    if one_run or len(rows) == 1:
        return between(change, 3)
    scale, correlation, freedom = noise_of_runs(rows)
    half = t.isf(0.025, freedom) * scale * np.sqrt(2 * (1 - correlation ** abs(stop - start)))
    return float(change.mean() - half), float(change.mean() + half)


def find_phases(
    rows: ArrayLike, tolerance: float = 0.05, *, one_run: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Boundaries of the mean of several curves, and which phases are there.

    A fall, or a rise, is clear where it exceeds two standard errors of the differences within each row, its 95 %
    interval is above 0, and it exceeds what chance gives: the 95 % quantile in curves of noise whose least value is
    chosen likewise.

    Parameters
    ----------
    rows : array of shape (n_rows, n_epochs)
        Curves of runs; or of the samples of one run, which tell of other samples and not of other seeds.
    tolerance : float, default=0.05
        See ``phase_boundaries``.
    one_run : bool, default=False
        Whether the rows are samples of one run, which tell nothing of how runs vary. Chance is then what a curve gives
        that wanders, of the noise from epoch to epoch that this one has; of fewer than nine epochs nothing is clear.

    Returns
    -------
    positions : array of int of shape (3,)
        See ``phase_boundaries``.
    exist : array of bool of shape (3,)
        The second where the curve falls clearly; the first where in addition an epoch after the start is still near it,
        and none before the fall is clearly above it; the third where the curve rises clearly, is no longer near its
        least value at the end, and does not fall from a peak until then.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.learning_phases import find_phases
    >>> curve = np.array([8.0, 7.9, 6.0, 4.0, 4.1, 9.0])
    >>> rows = curve + 0.1 * np.random.default_rng(0).normal(size=(5, 6))
    >>> find_phases(rows)
    (array([2, 3, 4]), array([ True,  True,  True]))
    """
    rows = np.asarray(rows, dtype=np.float64)
    positions = first_end, lowest, third_start = phase_boundaries(rows.mean(axis=0), tolerance)
    fall, rise, _ = chance_changes(rows, one_run)
    low = _lower_ends(rows, lowest, one_run)
    falls = clearly_positive(rows[:, 0] - rows[:, lowest], fall, low[0])
    rises = clearly_positive(rows[:, -1] - rows[:, lowest], rise, low[1])
    peak = first_rise(rows, tolerance, one_run=one_run)
    rises = rises and third_start < rows.shape[1] - 1 and not (lowest == 0 and peak is not None)
    return positions, np.array([falls and first_end > 1 and peak is None, falls, rises])


def _lower_ends(rows, lowest, one_run):
    """Lower ends of the intervals of fall and rise; None where there is none."""
    ends = [interval_of_change(rows, lowest, at, one_run=one_run) for at in (0, rows.shape[1] - 1)]
    return [None if end is None else end[0] for end in ends]


def first_rise(rows: np.ndarray, tolerance: float, *, one_run: bool) -> int | None:
    """Position of a peak above the start, from which the curve falls: below its start, or to its end; else None.

    Peak and fall are clear, as in ``find_phases``, and the peak is no longer near the start.
    """
    curve = rows.mean(axis=0)
    first_end, lowest, _ = phase_boundaries(curve, tolerance)
    highest = int(curve[: first_end if lowest else None].argmax())
    fall, _, rise = chance_changes(rows, one_run)
    above, below = rows[:, highest] - rows[:, 0], rows[:, highest] - rows[:, lowest or -1]
    rises = clearly_positive(above, max(rise, tolerance * (curve[0] - curve[lowest])))
    return highest if rises and clearly_positive(below, fall) else None


def clear_turn(rows, tolerance, *, one_run):
    """Position of the least value of the mean of ``rows`` where it clearly falls and rises, else None."""
    (_, lowest, _), (_, falls, rises) = find_phases(rows, tolerance, one_run=one_run)
    return int(lowest) if falls and rises else None


def before_pronounced_rise(curve):
    """Last position at which less than half of the fall has been given back, or at which the value is least."""
    return int(phase_boundaries(curve, PRONOUNCED)[2])


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LearningPhases:
    """Begin and end of the three phases of learning, for the mean curve and for each of R runs; read-only.

    The columns of all arrays of three boundaries are the end of the first phase, the end of the second, and the start
    of the third. The first two are nan where the curve does not clearly fall, the last where there is no third phase.

    Parameters
    ----------
    epochs : array of shape (n_epochs,)
        Recorded epochs.
    iterations : array of shape (n_epochs,) or None
        Updates before each of them, where they were counted.
    positions : array of int of shape (3,)
        Boundaries of the mean curve, among the recorded epochs, whether their phases are there or not.
    exist : array of bool of shape (3,)
        Which phases are there, in the mean curve.
    run_positions : array of int of shape (R, 3)
        The same of each run.
    run_exist : array of bool of shape (R, 3)
        The same of each run.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers import LearningPhases
    >>> phases = LearningPhases(
    ...     epochs=[0, 0.5, 1, 2, 4],
    ...     iterations=None,
    ...     positions=[2, 3, 3],
    ...     exist=[True, True, True],
    ...     run_positions=[[2, 3, 3]],
    ...     run_exist=[[True, True, True]],
    ... )
    >>> phases
    LearningPhases of 1 run
      near constant: epochs 0 to 1
      falling: epochs 1 to 2
      rising: epochs 2 to 4
    >>> phases.spans["falling"]
    (1.0, 2.0)
    """

    epochs: np.ndarray
    iterations: np.ndarray | None
    positions: np.ndarray
    exist: np.ndarray
    run_positions: np.ndarray
    run_exist: np.ndarray

    def __post_init__(self):
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else _read_only(value))

    def __repr__(self):
        title = f"{type(self).__name__} of {counted(len(self.run_positions), 'run')}"
        return "\n".join([title, *(f"  {name}: {self._told(name)}" for name in NAMES)])

    def _told(self, name):
        if name not in self.spans:
            return "not there"
        description = "epochs {} to {}".format(*map(epoch_words, self.spans[name]))
        return (
            description
            if self.iterations is None
            else f"{description}, iterations " + "{} to {}".format(*self._counted(name))
        )

    def _counted(self, name):
        return [f"{iteration:.0f}" for iteration in self.iteration_spans[name]]

    @property
    def spans(self) -> dict[str, tuple[float, float]]:
        """{name: (first, last epoch)} of the phases that are there, in the mean curve."""
        return self._spans(self.epochs)

    @property
    def iteration_spans(self) -> dict[str, tuple[int, int]] | None:
        """The same in iterations; None where they were not counted."""
        return None if self.iterations is None else self._spans(self.iterations)

    @property
    def run_epochs(self) -> np.ndarray:
        """Epochs of the three boundaries of each run, shape (R, 3)."""
        return self._there(self.epochs, self.run_positions, self.run_exist)

    @property
    def run_iterations(self) -> np.ndarray | None:
        """Iterations of the three boundaries of each run, shape (R, 3); None where they were not counted."""
        return (
            None
            if self.iterations is None
            else self._there(self.iterations, self.run_positions, self.run_exist)
        )

    def _spans(self, counts):
        first_end, second_end, third_start = (counts[at].item() for at in self.positions)
        ends = (counts[0].item(), first_end), (first_end, second_end), (third_start, counts[-1].item())
        return {name: span for name, span, there in zip(NAMES, ends, self.exist, strict=True) if there}

    def _there(self, counts, positions, exist):
        return _read_only(np.where(exist[..., [1, 1, 2]], counts[positions], np.nan))


def _read_only(values):
    view = np.asarray(values).view()
    view.flags.writeable = False
    return view
