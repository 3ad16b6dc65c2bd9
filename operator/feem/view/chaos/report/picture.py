"""A run as a line: planned, broken, recovering, whole, with what happened on it."""

from __future__ import annotations

from collections.abc import Sequence

from feem.view.chaos.report.history import Event, Phase
from feem.view.chaos.report.words import drawn
from feem.view.report import svg
from feem.view.report.axis import TimeAxis
from feem.view.report.svg import Area

WIDTH, LANE, RADIUS = 1000.0, 22.0, 9.0
LEFT, RIGHT, BAR = 16.0, 16.0, 16.0
MOST_LANES = 4


def picture(happened: Sequence[Event], stretches: Sequence[Phase]) -> str:
    """Return the drawing, with the events numbered in their order; nothing without two of them."""
    if len(happened) < 2:
        return ""
    moments = [event.at for event in happened]
    axis = TimeAxis(moments, LEFT + RADIUS, WIDTH - RIGHT - RADIUS, [(min(moments), max(moments))])
    places = _lanes([axis.x(event.at) for event in happened])
    top = (1 + max(lane for _, lane in places)) * LANE + 4
    area = Area(LEFT, top, WIDTH - LEFT - RIGHT, BAR)
    parts = []
    for one in stretches:
        left = axis.x(one.start)
        parts.append(svg.rectangle(Area(left, top, axis.x(one.end) - left, BAR), f"phase {one.kind}".strip()))
    for x, text in axis.ticks():
        parts.append(svg.line((x, area.bottom), (x, area.bottom + 4), "axis"))
        parts.append(svg.words((x, area.bottom + 17), text, "", "middle"))
    for number, (event, (x, lane)) in enumerate(zip(happened, places, strict=True), start=1):
        at = (x, (lane + 0.5) * LANE)
        parts.append(svg.path([at, (axis.x(event.at), top), (axis.x(event.at), area.bottom)], "event"))
        parts.append(svg.circle(at, RADIUS, f"mark {event.kind}".strip()))
        parts.append(svg.words((x, at[1] + 3.8), str(number), "no", "middle"))
    parts.append(svg.line((area.left, area.bottom), (area.right, area.bottom), "axis"))
    return f'<figure class="wide">{svg.svg(WIDTH, area.bottom + 24, drawn("timeline"), parts)}</figure>'


def _lanes(wanted: Sequence[float]) -> list[tuple[float, int]]:
    """Return pixel and lane of each mark, from left to right, so that none covers another; where all lanes are full, it moves right."""
    apart, ends, found = 2 * RADIUS + 4, list[float](), list[tuple[float, int]]()
    for x in wanted:
        lane = next((at for at, end in enumerate(ends) if x - end >= apart), None)
        if lane is None and len(ends) < MOST_LANES:
            lane = len(ends)
            ends.append(x)
        place = x
        if lane is None:
            lane = ends.index(min(ends))
            place = ends[lane] + apart
        ends[lane] = place
        found.append((place, lane))
    over = max((x for x, _ in found), default=0.0) - (WIDTH - RADIUS - 1)
    return [(x - max(0.0, over), lane) for x, lane in found]
