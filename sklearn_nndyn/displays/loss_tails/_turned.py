"""Whether there is a turn to be marked."""


def turned(tails):
    """Whether the mean loss rises after the onset of a fitted LossTailAnalyzer; an onset that was given counts."""
    return tails.onset != "auto" or bool(tails.mean_rise_ > 0)
