"""A run's curves as SVG: no script, no font, no request."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 36
MOST_POINTS = 600
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of the chart; `style`: the name of its class in the style sheet, which also draws dots for `marked`."""

    title: str
    points: Points
    style: str
    marked: bool = False


def chart(curves: Sequence[Curve], *, x: str, y: str) -> str:
    """Curves over the same axes, both from the lowest value to the highest; empty where no curve has a point."""
    curves = [Curve(one.title, thinned(one.points), one.style, one.marked) for one in curves if one.points]
    if not curves:
        return ""
    xs, ys = ([point[i] for one in curves for point in one.points] for i in (0, 1))
    across, up = _Scale(min(xs), max(xs), LEFT, WIDTH - RIGHT), _Scale(min(0.0, *ys), max(ys), HEIGHT - BOTTOM, TOP)
    parts = [*_axes(across, up, x, y), *(part for one in curves for part in _curve(one, across, up))]
    label = html.escape(f"{y} over {x}: " + ", ".join(one.title for one in curves))
    legend = "".join(f'<span class="{one.style}">{html.escape(one.title)}</span>' for one in curves)
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    return f'<figure>{svg}<figcaption class="legend">{legend}</figcaption></figure>'


def thinned(points: Points) -> Points:
    """At most `MOST_POINTS`: neighbors become their mean, so that no step is left out."""
    size = math.ceil(len(points) / MOST_POINTS)
    if size <= 1:
        return points
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    return [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to pixels."""

    low: float
    high: float
    start: int
    end: int

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Four to eight round values."""
        if self.high <= self.low:
            return [self.low]
        rough = (self.high - self.low) / 5
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough)
        first = math.ceil(self.low / step - 1e-9)
        return [step * i for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _axes(across: _Scale, up: _Scale, x: str, y: str) -> list[str]:
    lines = []
    for value in up.ticks():
        lines.append(f'<path class="grid" d="M{LEFT} {up(value)}H{WIDTH - RIGHT}"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{up(value) + 4}" text-anchor="end">{value:g}</text>')
    for value in across.ticks():
        lines.append(f'<text x="{across(value)}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:g}</text>')
    lines.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">{html.escape(x)}</text>')
    lines.append(f'<text x="{LEFT}" y="{HEIGHT - 4}">{html.escape(y)}</text>')
    return lines


def _curve(curve: Curve, across: _Scale, up: _Scale) -> list[str]:
    places = [(across(x), up(y)) for x, y in curve.points]
    path = "M" + "L".join(f"{x} {y}" for x, y in places)
    dots = [f'<circle class="{curve.style}" cx="{x}" cy="{y}" r="3"/>' for x, y in places] if curve.marked else []
    return [f'<path class="line {curve.style}" d="{path}"/>', *dots]
