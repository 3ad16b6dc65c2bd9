"""The timeline: how much of the traffic the canary had, and what happened when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feem.view.report import svg
from feem.view.report.axis import Scale, TimeAxis, spoken
from feem.view.report.history import Event, Weight, events, weights
from feem.view.report.svg import Area
from feem.view.report.table import Column, table
from feem.view.report.text import moment, said
from feem.view.report.words import drawn, label, sentence, term

WIDTH, LANE, RADIUS = 1000.0, 22.0, 9.0
LEFT, RIGHT, TOP, PLOT = 44.0, 16.0, 26.0, 190.0
MOST_LANES = 4


def section(dossier: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> str:
    """Return the drawing and the list of its events."""
    happened, more = events(dossier, records)
    steps = weights(records)
    if not happened and not steps:
        return f'<p class="none">{sentence("no records")}</p>'
    notes = "" if steps else f'<p class="none">{sentence("no weights")}</p>'
    axis = _axis(happened, steps)
    notes += f'<p class="note">{sentence("broken axis")}</p>' if axis.breaks else ""
    notes += f'<p class="note">{sentence("more events")}</p>' if more else ""
    return f'<figure class="wide">{_drawing(axis, happened, steps)}</figure>{notes}{_list(happened)}'


def _axis(happened: Sequence[Event], steps: Sequence[Weight]) -> TimeAxis:
    moments = [*(event.at for event in happened), *(step.at for step in steps)]
    ends = [*(step.at for step in steps[1:]), max(moments)]
    served = [(step.at, end) for step, end in zip(steps, ends, strict=False) if step.percent and not step.everywhere]
    return TimeAxis(moments, LEFT + RADIUS, WIDTH - RIGHT - RADIUS, served)


def _drawing(axis: TimeAxis, happened: Sequence[Event], steps: Sequence[Weight]) -> str:
    places = _places([axis.x(event.at) for event in happened])
    lanes = 1 + max((lane for _, lane in places), default=0)
    area = Area(LEFT, TOP + lanes * LANE + 6, WIDTH - LEFT - RIGHT, PLOT)
    scale = Scale(0, 100, area.bottom, area.top)
    parts = [svg.legend(LEFT, 12, [("canary", drawn("weight")), *_everywhere(steps)])]
    for y, text in scale.ticks(4):
        parts += [svg.line((area.left, y), (area.right, y), "grid"), svg.words((area.left - 6, y + 4), text, "", "end")]
    for x, text in axis.ticks():
        parts += [
            svg.line((x, area.bottom), (x, area.bottom + 4), "axis"),
            svg.words((x, area.bottom + 17), text, "", "middle"),
        ]
    parts += _steps(axis, scale, steps, area)
    for event, (x, lane) in zip(happened, places, strict=True):
        parts.append(
            svg.path(
                [(x, TOP + (lane + 0.5) * LANE), (axis.x(event.at), area.top), (axis.x(event.at), area.bottom)], "event"
            )
        )
    for number, (event, (x, lane)) in enumerate(zip(happened, places, strict=True), start=1):
        at = (x, TOP + (lane + 0.5) * LANE)
        parts += [
            svg.circle(at, RADIUS, f"mark {event.kind}"),
            svg.words((x, at[1] + 3.8), str(number), "no", "middle"),
        ]
    parts += [svg.line((area.left, area.bottom), (area.right, area.bottom), "axis"), *_breaks(axis, area)]
    return svg.svg(WIDTH, area.bottom + 24, drawn("timeline"), parts)


def _everywhere(steps: Sequence[Weight]) -> list[tuple[str, str]]:
    return [("everywhere", drawn("all pods"))] if any(step.everywhere for step in steps) else []


def _steps(axis: TimeAxis, scale: Scale, steps: Sequence[Weight], area: Area) -> list[str]:
    """Draw the weight as steps: it holds until the next write, the last one until the end."""
    if not steps:
        return []
    parts, before = list[str](), 0
    ends = [*(step.at for step in steps[1:]), axis.end]
    parts.append(svg.path([(area.left, scale.y(0)), (axis.x(steps[0].at), scale.y(0))], "canary"))
    for step, end in zip(steps, ends, strict=True):
        left, right, y = axis.x(step.at), axis.x(end), scale.y(step.percent)
        kind = "everywhere" if step.everywhere else "canary"
        if step.percent:
            parts.append(svg.rectangle(Area(left, y, right - left, area.bottom - y), f"fill-{kind}"))
        parts.append(svg.path([(left, scale.y(before)), (left, y), (right, y)], kind))
        text = f"{step.percent}%"
        if right - left > svg.length(text) + 10 and step.percent > 0 and not step.everywhere:
            above = y - 6 if step.percent < 95 else y + 15
            parts.append(svg.words((left + 5, above), text, "strong"))
        before = step.percent
    return parts


def _breaks(axis: TimeAxis, area: Area) -> list[str]:
    """Draw a zigzag where the axis is shortened, and how long the stretch was."""
    parts = []
    for gap in axis.breaks:
        middle, y = (gap.left + gap.right) / 2, area.bottom
        zigzag = [(middle - 8, y), (middle - 4, y - 5), (middle, y + 5), (middle + 4, y - 5), (middle + 8, y)]
        parts += [svg.line((middle - 8, y), (middle + 8, y), "gap"), svg.path(zigzag, "axis")]
        parts.append(svg.words((middle, y + 17), spoken(gap.seconds), "gap-text", "middle"))
    return parts


def _places(wanted: Sequence[float]) -> list[tuple[float, int]]:
    """Return pixel and lane of each mark, from left to right, so that none covers another."""
    ends, found = list[float](), list[tuple[float, int]]()
    apart = 2 * RADIUS + 4
    for x in wanted:
        lane = next((at for at, end in enumerate(ends) if x - end >= apart), None)
        if lane is None and len(ends) < MOST_LANES:
            lane = len(ends)
            ends.append(x)
        elif lane is None:
            lane = min(range(len(ends)), key=lambda at: ends[at])
            x = ends[lane] + apart  # noqa: PLW2901 - the lanes are full: it moves to the right of its place
        ends[lane] = x
        found.append((x, lane))
    return _inside(found)


def _inside(places: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Move marks that ran out of the drawing back in, those before them too where they would meet."""
    limits = dict[int, float]()
    found = []
    for x, lane in reversed(places):
        x = min(x, limits.get(lane, WIDTH - RADIUS - 1))  # noqa: PLW2901 - its place is what is looked for
        limits[lane] = x - (2 * RADIUS + 4)
        found.append((x, lane))
    return found[::-1]


def _list(happened: Sequence[Event]) -> str:
    columns = (
        Column(label("number"), "4%", "center"),
        Column(label("time"), "15%"),
        Column(label("event"), "15%"),
        Column(label("by"), "16%"),
        Column(label("message"), ""),
    )
    told = dict[str, int]()
    rows = [
        [
            f'<span class="dot {event.kind}">{number}</span>',
            moment(event.time),
            term(event.action),
            said(_account(event.by)),
            _told(number, event, told)
            + (f' <span class="ref">#{event.index}</span>' if event.index is not None else ""),
        ]
        for number, event in enumerate(happened, start=1)
    ]
    return table(columns, rows, "events")


def _told(number: int, event: Event, told: dict[str, int]) -> str:
    """Return what an event says; where an earlier one said the same, its number is enough."""
    earlier = told.setdefault(event.message, number)
    return said(_cut(event.message)) if earlier == number else f"↑ {label('number')} {earlier}"


def _cut(text: str, most: int = 220) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _account(name: str) -> str:
    """Return a service account by its short name; the table of records has the whole one."""
    return name.removeprefix("system:serviceaccount:")
