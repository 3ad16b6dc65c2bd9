"""The page: all sections of the evidence report in one HTML document that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feem.view.report import change, log, objectives, people, timeline
from feem.view.report.axis import spoken
from feem.view.report.style import PAPER, SCREEN
from feem.view.report.table import facts
from feem.view.report.terms import translated
from feem.view.report.text import code, items_of, mapping_of, moment, number_of, plain, said, seconds_of, text_of
from feem.view.report.trace import play
from feem.view.report.words import LABELS, NOTHING, label, sentence

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The document's own word to the browser: no script runs and nothing is fetched, whatever stands in it."""
_TONES = {"Promoted": "good", "RolledBack": "bad", "Aborted": "bad", "Bypassed": "bad"}


def render(
    dossier: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    samples: Sequence[bytes],
    checkpoint: str,
    verdict: str,
) -> str:
    """Return the report of one release: the same bytes for the same pack.

    `dossier` is dossier.json, `records` the specs of the release's AuditRecords in order, `samples` unpacked tapes, `checkpoint`
    the note that the proofs are under, `verdict` one sentence on how the pack was made or checked. Any part may be missing.
    """
    played = [play(document) for document in samples]
    sections = (
        ("timeline", timeline.section(dossier, records)),
        ("objectives", objectives.section(dossier, played)),
        ("gates", people.gates(dossier)),
        ("approvals", people.decisions(dossier)),
        ("change", change.section(dossier)),
        ("records", log.records(records)),
        ("audit", log.audit(checkpoint)),
        ("verify", log.verification(dossier, records)),
    )
    body = "".join(_section(number, name, inner) for number, (name, inner) in enumerate(sections, start=1))
    name = text_of(dossier, "release", "name")
    title = f"{plain(name)} {NOTHING} {LABELS['title'][0]} {LABELS['title'][1]}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{plain(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{SCREEN}{PAPER}</style></head>\n"
        f"<body><main>{_title(dossier, verdict)}{body}{_footer(dossier)}</main></body></html>\n"
    )


def _section(number: int, name: str, inner: str) -> str:
    return f'<section id="{name}"><h2><span class="n">{number}</span>{label(name)}</h2>{inner}</section>\n'


def _title(dossier: Mapping[str, Any], verdict: str) -> str:
    """Return the title block: what was released, how it ended, who asked, and how the pack came about."""
    release = mapping_of(dossier, "release")
    where = f"{text_of(release, 'namespace')}/{text_of(release, 'name')}".strip("/")
    made = f'<p class="made"><strong>{label("made")}</strong><br>{said(verdict)}</p>' if verdict else ""
    return (
        f'<header class="title"><div class="over"><span>{label("title")}</span><span>{code(text_of(dossier, "origin"))}</span></div>'
        f"<h1>{said(where)}</h1><div class='what'>{label('service')}: {said(text_of(release, 'service')) or NOTHING}</div>"
        f"{_result(mapping_of(dossier, 'result'))}{facts(_facts(dossier))}{made}"
        f'<p class="nature">{sentence("nature")}</p></header>\n'
    )


def _result(result: Mapping[str, Any]) -> str:
    reason = text_of(result, "reason")
    if not reason:
        return ""
    other = translated(reason)
    word = f"{plain(reason)} {other}" if other else plain(reason)
    tone = _TONES.get(reason, "neutral")
    return f'<div class="result {tone}"><div class="word"><bdi>{word}</bdi></div><p>{said(text_of(result, "message"))}</p></div>'


def _facts(dossier: Mapping[str, Any]) -> list[tuple[str, str]]:
    release, result = mapping_of(dossier, "release"), mapping_of(dossier, "result")
    began, ended = text_of(release, "createdAt"), text_of(result, "at")
    start, end = seconds_of(began), seconds_of(ended)
    lasted = spoken(end - start) if start is not None and end is not None and end >= start else ""
    author = said(text_of(release, "author"))
    return [
        (label("requestedBy"), said(text_of(release, "requestedBy"))),
        (label("author"), author),
        (label("createdAt"), _utc(began)),
        (label("reached"), _reached(dossier)),
        (label("plan"), _plan(mapping_of(release, "plan"))),
        (label("endedAt"), _utc(ended) + (f' <span class="ref">({lasted})</span>' if lasted else "")),
        (label("digest"), code(text_of(release, "digest"))),
        (label("uid"), code(text_of(release, "uid"))),
        (label("images"), _images(release)),
        (label("profile"), said(text_of(release, "profile"))),
    ]


def _utc(time: str) -> str:
    return f"{moment(time)} UTC" if seconds_of(time) is not None else said(time)


def _reached(dossier: Mapping[str, Any]) -> str:
    """Return how far the release came: `2 / 3, 50%`; the step after the last one is the promotion, with all requests."""
    result = mapping_of(dossier, "result")
    step = number_of(result, "step")
    planned = items_of(mapping_of(mapping_of(dossier, "release"), "plan"), "steps")
    if step is None:
        return ""
    if planned and step > len(planned):
        return f"{len(planned)} / {len(planned)}, 100%"
    weight = number_of(planned[step - 1], "weight") if 0 < step <= len(planned) else None
    share = f", {weight}%" if weight is not None else ""
    return f"{step} / {len(planned)}{share}" if planned else str(step)


def _plan(plan: Mapping[str, Any]) -> str:
    """Return the plan's steps, `10% 1 min → 50% 2 min`."""
    steps = [
        f"{number_of(step, 'weight') or 0}% {spoken(number_of(step, 'bakeSeconds') or 0)}"
        for step in items_of(plan, "steps")
    ]
    alpha = text_of(plan, "alpha")
    return plain(" → ".join([*steps, "100%"]) + (f"; \u03b1 {alpha}" if alpha else "")) if steps else ""


def _images(release: Mapping[str, Any]) -> str:
    """Return what the containers run, one a line; long enough to take two columns, for that is what images need."""
    return "<br>".join(code(f"{text_of(one, 'name')}: {text_of(one, 'image')}") for one in items_of(release, "images"))


def _footer(dossier: Mapping[str, Any]) -> str:
    return f"<footer>FEEM · {label('title')} · {said(text_of(dossier, 'format'))}</footer>"
