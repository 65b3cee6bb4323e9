"""Runs by their labels, and the style of each group."""

from sklearn_nndyn.displays._style import COLOURS

# Dashes let a curve be seen that lies under another.
GROUP_STYLES = [
    {"color": COLOURS[name], "linestyle": dashes}
    for name, dashes in {
        "blue": "-",
        "vermillion": (0, (5, 1.5)),
        "black": (0, (1.5, 2)),
        "green": (0, (6, 1.5, 1.5, 1.5)),
        "purple": (0, (3, 3)),
        "orange": (0, (1, 3)),
        "sky": (0, (8, 4)),
    }.items()
]


class RunGroups:
    """Groups of runs with the same label, in the order of their first run.

    Parameters
    ----------
    n_runs : int
        How many runs there are.
    labels : list of n_runs str, or None
        None makes one group, of label ``""``.
    inversions : list of n_runs int or None, or None
        Position of each run's inversion.
    verdicts : list of n_runs str, or None
        Whether each run's classes mix again, as finding EN1 says; None is "yes" for all.

    Attributes
    ----------
    runs, inverting : dict of str to list of int
        Positions of the runs of each label; of those that have an inversion.
    clear : list of n_runs bool
        Whether it is beyond chance.
    styles : dict of str to dict
        Styles of their curves.
    mark_colours : dict of str to str
        Colour of their inversions.
    """

    def __init__(self, n_runs, labels, inversions, verdicts):
        named = [""] * n_runs if labels is None else labels
        self.runs = {
            label: [i for i, own in enumerate(named) if own == label] for label in dict.fromkeys(named)
        }
        if len(self.runs) > len(GROUP_STYLES):
            raise ValueError(
                f"There are {len(self.runs)} labels, but only {len(GROUP_STYLES)} colours that everyone can tell "
                "apart: give runs that belong together the same label."
            )
        there = [False] * n_runs if inversions is None else [own is not None for own in inversions]
        self.inverting = {label: [run for run in runs if there[run]] for label, runs in self.runs.items()}
        self.clear = [True] * n_runs if verdicts is None else [verdict == "yes" for verdict in verdicts]
        self.styles = dict(zip(self.runs, GROUP_STYLES, strict=False))
        self.mark_colours = {
            label: "black" if labels is None else style["color"] for label, style in self.styles.items()
        }
