"""One run on the page: what was claimed, what was broken, what was seen, and that nothing was left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from feem.api.release import ObjectiveVerdict
from feem.api.run import ChaosRun, EffectSeen, RunStatus
from feem.core.chaos.status import SUCCEEDED, result_of, status_of
from feem.core.conditions import find
from feem.view.chaos.edits import view_of
from feem.view.chaos.faults import fault_of, hypothesis_of, probe_of, radius_of
from feem.view.chaos.report.history import events, phases
from feem.view.chaos.report.picture import picture
from feem.view.chaos.report.words import badge, label, sentence, term
from feem.view.report.table import Column, facts, table
from feem.view.report.text import code, plain, said
from feem.view.report.words import NOTHING


def card(run: ChaosRun, records: Sequence[Mapping[str, Any]]) -> str:
    """Return one run, all of it."""
    status, result = status_of(run), result_of(run)
    ended = find(status.conditions, SUCCEEDED)
    cause = f'<span class="reason">{said(status.cause)}</span>' if status.cause else ""
    return (
        f'<article class="card run"><header><h3>{said(run.metadata.namespace)}/{said(run.metadata.name)}</h3>{badge(result)}{cause}'
        f'</header><p class="message">{said(ended.message if ended else "")}</p>{facts(_facts(run, status))}'
        f"{_part('timeline', _timeline(run, records))}{_part('changes', _changes(status))}"
        f"{_part('objectives', _objectives(status))}{_part('effect values', _effect(status.effect))}"
        f"{_part('left', _left(status))}</article>"
    )


def _part(name: str, inner: str) -> str:
    return f"<h4>{label(name)}</h4>{inner}" if inner else ""


def _facts(run: ChaosRun, status: RunStatus) -> list[tuple[str, str]]:
    spec, terms = run.spec, status.terms
    asked = said(spec.requested_by) or (f"{said('schedule')} {_when(spec.scheduled_for)}" if spec.scheduled_for else "")
    pairs = [
        (label("experiment"), said(spec.experiment)),
        (label("asked"), asked or said(spec.release)),
        (label("reason"), said(spec.reason)),
        (label("uid"), code(run.metadata.uid)),
    ]
    if terms is not None:
        detail = fault_of(terms.fault)
        pairs += [
            (label("service"), said(terms.service)),
            (label("deployment"), said(status.deployment)),
            (label("fault"), term(terms.fault.kind) + (f": {said(detail)}" if detail else "")),
            (label("radius"), said(radius_of(terms.blast_radius))),
            (label("hypothesis"), said(hypothesis_of(terms.hypothesis))),
            (label("probe"), code(probe_of(terms.effect)) if terms.effect else ""),
            (label("digest"), code(terms.digest)),
        ]
    if spec.stop is not None:
        pairs.append((label("stopped"), f"{said(spec.stop.by)}: {said(spec.stop.reason)}"))
    return pairs


def _timeline(run: ChaosRun, records: Sequence[Mapping[str, Any]]) -> str:
    happened = events(run, records)
    if status_of(run).planned_at is None:
        return f'<p class="none">{sentence("no times")}</p>'
    columns = (
        Column("", "4%", "center"),
        Column(label("time"), "20%"),
        Column(label("event")),
        Column("", "14%", "right"),
    )
    start, rows = happened[0].at, []
    for number, event in enumerate(happened, start=1):
        dot = f'<span class="dot {event.kind}">{number}</span>'
        at = datetime.fromtimestamp(event.at, UTC)
        rows.append(
            [dot, f"{at:%Y-%m-%d %H:%M:%S}", label(event.name), f'<span class="num">+{event.at - start:.1f} s</span>']
        )
    return picture(happened, phases(run)) + table(columns, rows, "events")


def _changes(status: RunStatus) -> str:
    if not status.edits:
        return f'<p class="none">{sentence("no changes")}</p>'
    columns = (
        Column(label("object"), "26%"),
        Column(label("change"), "22%"),
        Column(label("before"), "24%"),
        Column(label("during")),
    )
    rows = []
    for view in map(view_of, status.edits):
        for at, one in enumerate(view.values or ()):
            what = f"{plain(view.does)} {code(one.path)}" if one.path else plain(view.does)
            rows.append(
                [said(view.object) if at == 0 else "", what, code(one.before) or NOTHING, code(one.after) or NOTHING]
            )
        if not view.values:
            rows.append([said(view.object), plain(view.does), NOTHING, NOTHING])
    return table(columns, rows, "changes")


def _objectives(status: RunStatus) -> str:
    times = (status.before, status.during, status.after)
    names = list(dict.fromkeys(one.name for found in times for one in found))
    if not names:
        return f'<p class="none">{sentence("no objectives")}</p>'
    columns = (
        Column(label("objective"), "22%"),
        *(Column(label(name), "26%") for name in ("before", "during", "after")),
    )
    return table(columns, ([said(name), *(_verdict(name, found) for found in times)] for name in names), "objectives")


def _verdict(name: str, found: Iterable[ObjectiveVerdict]) -> str:
    one = next((each for each in found if each.name == name), None)
    if one is None:
        return NOTHING
    reason = f' <span class="reason">{said(one.reason)}</span>' if one.reason else ""
    return f"{badge(one.outcome.value)}{reason}<div>{said(one.message)}</div>"


def _effect(effect: EffectSeen | None) -> str:
    if effect is None:
        return ""
    columns = (
        Column(label("before"), "16%"),
        Column(label("during"), "16%"),
        Column(label("after"), "16%"),
        Column(""),
    )
    row = [said(value) or NOTHING for value in (effect.before, effect.during, effect.after)]
    query = f'<div class="small">{label("query")}: {code(effect.query)}</div>' if effect.query else ""
    return table(columns, [[*row, said(effect.message) + query]], "effect")


def _left(status: RunStatus) -> str:
    bad = "".join(f"<li>{said(text)}</li>" for text in status.residue)
    left = f'<p class="message">{label("residue")}: <span class="good">{label("none")}</span></p>'
    if bad:
        left = f'<p class="message">{label("residue")}:</p><ul class="bad">{bad}</ul>'
    kept = "".join(f"<li>{said(text)}</li>" for text in status.kept)
    return left + (f'<p class="message">{label("kept")}:</p><ul>{kept}</ul>' if kept else "")


def _when(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at is not None else ""
