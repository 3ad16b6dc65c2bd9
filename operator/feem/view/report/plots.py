"""Plots of the objectives: what both tracks did until the decision, and how strong the evidence became."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from feem.core.evidence.words import percent
from feem.view.report import svg
from feem.view.report.axis import Scale, TimeAxis
from feem.view.report.svg import Area
from feem.view.report.text import plain
from feem.view.report.trace import HUGE, Look, Trace
from feem.view.report.words import drawn

WIDTH, HEIGHT = 490.0, 240.0
AREA = Area(50.0, 54.0, 424.0, 154.0)
SETTLED = 0.25
"""The part of the trial after which values decide how high the axis is: the first few events make wild shares."""


@dataclass(frozen=True)
class Level:
    """A line across a plot: its value and what it is."""

    value: float
    text: str


def plots(trace: Trace, weights: dict[int, int], decided: float) -> str:
    """Return the drawings of one objective. `weights` is the plan's percent by step, `decided` the decision's Unix seconds."""
    moments = [trace.terms.start, decided, *(one.at for one in trace.looks)]
    axis = TimeAxis(moments, AREA.left, AREA.right, [(-math.inf, math.inf)])
    first = _values_plot(trace, axis, weights, decided)
    return f'<div class="plots">{first}{_evidence_plot(trace, axis, weights, decided)}</div>'


def _values_plot(trace: Trace, axis: TimeAxis, weights: dict[int, int], decided: float) -> str:
    indicator = trace.terms.objective.indicator
    factor = 1.0 if indicator.gauge is not None else 100.0
    levels, title = _levels(trace), _title(trace)
    lines = [
        ("canary", [(one.at, None if one.canary is None else one.canary * factor) for one in trace.looks]),
        ("stable", [(one.at, None if one.stable is None else one.stable * factor) for one in trace.looks]),
    ]
    scale = _scale(trace, [value * factor for one in trace.looks for value in _known(one, trace, decided)], levels)
    legend = [("canary", drawn("canary"))] if indicator.mix is None else [("shift", drawn("canary"))]
    if any(one.stable is not None for one in trace.looks):
        legend.append(("stable", drawn("stable")))
    if levels:
        legend.append(("target", f"{drawn(levels[0].text)} {_level_text(trace)}"))
    inner = [_line(axis, scale, points, kind if indicator.mix is None else "shift") for kind, points in lines]
    inner += [svg.line((AREA.left, scale.y(one.value)), (AREA.right, scale.y(one.value)), "target") for one in levels]
    return _framed(title, axis, scale.ticks(), legend, _steps(trace, axis, weights), inner, _decision(axis, decided))


def _evidence_plot(trace: Trace, axis: TimeAxis, weights: dict[int, int], decided: float) -> str:
    """Draw the e-value on a logarithmic axis; a gauge is a fixed rule and has none."""
    if trace.threshold is None:
        return f'<div class="rule"><span>{drawn("no evidence")}</span></div>'
    known = [one.evidence for one in trace.looks if one.evidence is not None]
    low, high = min([-1.0, *known]), max([trace.threshold, *known]) + 0.6
    scale = Scale(math.floor(low) - 0.15, high, AREA.bottom, AREA.top)
    every = max(1, math.ceil((high - math.floor(low)) / 6))
    ticks = [(scale.y(at), _power(at)) for at in range(math.floor(low), math.floor(high) + 1) if at % every == 0]
    y = scale.y(trace.threshold)
    inner = [svg.line((AREA.left, y), (AREA.right, y), "target")]
    inner.append(_line(axis, scale, [(one.at, one.evidence) for one in trace.looks], "e"))
    outer = _decision(axis, decided)
    if trace.crossed is not None:
        at = next(one for one in trace.looks if one.at == trace.crossed)
        outer.append(svg.circle((axis.x(at.at), scale.y(at.evidence or 0)), 4, "crossed"))
    legend = [("e", drawn("e")), ("target", f"{drawn('threshold')} {plain(trace.verdict.threshold)}")]
    return _framed("evidence", axis, ticks, legend, _steps(trace, axis, weights), inner, outer)


def _framed(
    title: str,
    axis: TimeAxis,
    ticks: Sequence[tuple[float, str]],
    legend: Sequence[tuple[str, str]],
    steps: Sequence[str],
    inner: Sequence[str],
    outer: Sequence[str],
) -> str:
    parts = [svg.words((4, 13), drawn(title), "title"), svg.legend(AREA.left, 32, legend)]
    for y, text in ticks:
        parts += [svg.line((AREA.left, y), (AREA.right, y), "grid"), svg.words((AREA.left - 6, y + 4), text, "", "end")]
    for x, text in axis.ticks():
        parts += [
            svg.line((x, AREA.bottom), (x, AREA.bottom + 4), "axis"),
            svg.words((x, AREA.bottom + 17), text, "", "middle"),
        ]
    parts += [*steps, svg.clipped(AREA, inner), svg.line((AREA.left, AREA.bottom), (AREA.right, AREA.bottom), "axis")]
    return svg.svg(WIDTH, HEIGHT, drawn(title), [*parts, *outer])


def _line(axis: TimeAxis, scale: Scale, points: Sequence[tuple[float, float | None]], kind: str) -> str:
    """Draw a line that is interrupted where nothing is known; a lone point is a dot."""
    runs, run = list[list[svg.Point]](), list[svg.Point]()
    for at, value in points:
        if value is None:
            runs, run = ([*runs, run] if run else runs), []
        else:
            run.append((axis.x(at), scale.y(value)))
    runs += [run] if run else []
    return "".join(svg.path(one, kind) or svg.circle(one[0], 2, f"dot-{kind}") for one in runs)


def _steps(trace: Trace, axis: TimeAxis, weights: dict[int, int]) -> list[str]:
    """Mark where the steps of the plan began, with their weight where there is room."""
    parts, free = list[str](), 0.0
    for at, step in trace.steps:
        x = axis.x(at)
        if x > AREA.left + 1:
            parts.append(svg.line((x, AREA.top), (x, AREA.bottom), "step"))
        text = f"{weights[step]}%" if step in weights else ""
        if text and x >= free and x + svg.length(text) < AREA.right:
            parts.append(svg.words((x + 1, AREA.top - 4), text, "step-text"))
            free = x + svg.length(text) + 6
    return parts


def _decision(axis: TimeAxis, decided: float) -> list[str]:
    x = axis.x(decided)
    text = drawn("decided")
    return [
        svg.line((x, AREA.top), (x, AREA.bottom), "decided"),
        svg.words((min(x, AREA.right), HEIGHT - 3), f"▲ {text}", "decided-text", "end" if x > 150 else "middle"),
    ]


def _title(trace: Trace) -> str:
    indicator = trace.terms.objective.indicator
    if indicator.mix is not None:
        return "shift"
    if indicator.gauge is not None:
        return "gauge"
    return "bad share" if indicator.latency is None else "slow share"


def _levels(trace: Trace) -> list[Level]:
    """Return the lines that the values are held against, in the plot's unit."""
    indicator = trace.terms.objective.indicator
    if indicator.mix is not None:
        return [Level(float(indicator.mix.tolerated_shift) * 100, "tolerated")]
    if indicator.gauge is not None:
        bounds = (indicator.gauge.min, indicator.gauge.max)
        return [Level(min(max(float(bound), -HUGE), HUGE), "bound") for bound in bounds if bound is not None]
    limit = trace.terms.fast if trace.terms.watch else trace.terms.budget
    return [Level(float(limit) * 100, "target")]


def _level_text(trace: Trace) -> str:
    """Say where the line is, in words that need no second look: `≤ 0.5%`."""
    indicator = trace.terms.objective.indicator
    if indicator.gauge is not None:
        found = [("≥", indicator.gauge.min), ("≤", indicator.gauge.max)]
        return plain(", ".join(f"{sign} {bound}" for sign, bound in found if bound is not None))
    if indicator.mix is not None:
        return plain(f"≤ {float(indicator.mix.tolerated_shift) * 100:.3g}%")
    return plain(f"≤ {percent(trace.terms.fast if trace.terms.watch else trace.terms.budget)}")


def _known(one: Look, trace: Trace, decided: float) -> list[float]:
    """Return the values of a look that decide how high the axis is."""
    settled = one.at >= trace.terms.start + SETTLED * (decided - trace.terms.start)
    return [value for value in (one.canary, one.stable) if value is not None] if settled else []


def _scale(trace: Trace, values: Sequence[float], levels: Sequence[Level]) -> Scale:
    marks = [*values, *(level.value for level in levels)]
    top, low = max(marks, default=1.0), min(marks, default=0.0)
    if trace.terms.objective.indicator.gauge is None or low >= 0:
        low = 0.0
    room = (top - low) * 0.18 or 1.0
    high = top + room
    if trace.terms.objective.indicator.gauge is None:
        high = min(high, 100.0 * 1.04)
    return Scale(low - 0.02 * high if low == 0 else low - room, high, AREA.bottom, AREA.top)


def _power(at: int) -> str:
    """Write a power of ten as a number, the large ones as a power."""
    if -3 <= at <= 4:
        return f"{10.0**at:,.{max(0, -at)}f}"
    return f"10^{at}"
