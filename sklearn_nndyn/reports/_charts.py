"""A chart as data: lines over epochs, bands, marks and shaded spans, and where all of it lies on the page."""

from dataclasses import dataclass, field

import numpy as np

from sklearn_nndyn.reports._scales import LinearScale, LogScale, UpdateScale

WIDTH, HEIGHT = 720, 284
LEFT, RIGHT, TOP, BOTTOM = 70, 18, 26, 34
MOST_POINTS = 400


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """A curve (n_epochs,), with a band around it where ``low`` and ``high`` are given."""

    name: str
    y: np.ndarray
    tone: str = "first"
    dashed: bool = False
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    band_name: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Chart:
    """Lines over one axis ``x`` (n_epochs,); ``marks`` are (place, words), ``spans`` (from, to, words)."""

    x: np.ndarray
    x_label: str
    y_label: str
    lines: list[Line]
    marks: list[tuple[float, str]] = field(default_factory=list)
    spans: list[tuple[float, float, str]] = field(default_factory=list)
    log_y: bool = False
    by_updates: bool = False
    from_zero: bool = False

    @property
    def x_scale(self):
        """Place of an epoch, 0 to 1."""
        kind = UpdateScale if self.by_updates else LinearScale
        return kind(self.x.min(), self.x.max())

    @property
    def y_scale(self):
        """Place of a value, 0 to 1."""
        values = np.concatenate([np.ravel(part) for line in self.lines for part in _parts(line)])
        values = values[np.isfinite(values)]
        if self.log_y and values.size and values.max() > 0:
            return LogScale.of(values)
        low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
        return LinearScale.padded(min(low, 0.0) if self.from_zero else low, high)


def _parts(line):
    return [part for part in (line.y, line.low, line.high) if part is not None]


def draw(chart):
    """Everything in the coordinates of the picture, as text for its template: lines, bands, marks, ticks, the size."""
    across, down = chart.x_scale, chart.y_scale
    keep = few_points(chart.x, [place for place, _ in chart.marks])
    x = across_page(across.place(chart.x[keep]))
    drawing = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP}
    drawing["bottom"] = HEIGHT - BOTTOM
    drawing["x_ticks"] = [(f"{across_page(at):.1f}", words) for at, words in across.ticks(7)]
    drawing["y_ticks"] = [(f"{down_page(at):.1f}", words) for at, words in down.ticks(6)]
    drawing["lines"] = [
        (path(x, down_page(down.place(line.y[keep]))), line.tone, line.dashed) for line in chart.lines
    ]
    drawing["bands"] = [
        (band(x, line, keep, down), line.tone) for line in chart.lines if line.low is not None
    ]
    drawing["ends"] = [end for line in chart.lines if (end := _end(x, line, keep, down))]
    drawing["marks"] = [_mark(across, place, words) for place, words in chart.marks]
    drawing["spans"] = [_span(across, *span) for span in chart.spans]
    return drawing


def few_points(x, wanted):
    """Positions (k,) of the points to draw: all, or evenly spaced ones and those that are marked."""
    if len(x) <= MOST_POINTS:
        return np.arange(len(x))
    even = np.linspace(0, len(x) - 1, MOST_POINTS).round().astype(int)
    return np.union1d(even, np.searchsorted(x, wanted).clip(0, len(x) - 1))


def across_page(share):
    """The x coordinate of a share of the axis."""
    return LEFT + np.asarray(share) * (WIDTH - LEFT - RIGHT)


def down_page(share):
    """The y coordinate of a share of the axis."""
    return HEIGHT - BOTTOM - np.asarray(share) * (HEIGHT - TOP - BOTTOM)


def path(x, y):
    """SVG path of a line, interrupted where a value is not finite."""
    steps, pen_down = [], False
    for across, down in zip(x.tolist(), y.tolist(), strict=True):
        if np.isfinite(down):
            steps.append(f"{'L' if pen_down else 'M'}{across:.1f} {down:.1f}")
        pen_down = bool(np.isfinite(down))
    return "".join(steps)


def band(x, line, keep, down):
    """SVG path around what lies between two curves."""
    low, high = (down_page(down.place(edge[keep])) for edge in (line.low, line.high))
    finite = np.isfinite(low) & np.isfinite(high)
    around = np.concatenate([x[finite], x[finite][::-1]]), np.concatenate([high[finite], low[finite][::-1]])
    return f"{path(*around)}Z" if finite.any() else ""


def _end(x, line, keep, down):
    """The end of a line, for its marker; None for one without values."""
    finite = np.flatnonzero(np.isfinite(line.y[keep]))
    if not len(finite):
        return None
    y = down_page(down.place(line.y[keep][finite[-1]]))
    return f"{x[finite[-1]]:.1f}", f"{float(y):.1f}", line.tone


def _mark(across, place, words):
    share = float(across.place(np.asarray(place)))
    return f"{float(across_page(share)):.1f}", words, "end" if share > 0.5 else "start"


def _span(across, start, stop, words):
    left, right = (float(across_page(across.place(np.asarray(edge)))) for edge in (start, stop))
    return (
        f"{left:.1f}",
        f"{right - left:.1f}",
        f"{(left + right) / 2:.1f}",
        words if right - left > 70 else "",
    )
