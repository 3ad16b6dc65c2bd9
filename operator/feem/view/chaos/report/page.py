"""The page: a game day in one HTML document that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feem.api.run import ChaosRun
from feem.view.chaos.report.card import card
from feem.view.chaos.report.records import records as listed
from feem.view.chaos.report.records import verification
from feem.view.chaos.report.style import PAPER, SCREEN
from feem.view.chaos.report.words import LABELS, badge, label, sentence, term
from feem.view.report.log import audit
from feem.view.report.page import POLICY
from feem.view.report.table import Column, facts, table
from feem.view.report.text import items_of, mapping_of, moment, plain, said, text_of
from feem.view.report.words import NOTHING


def render(
    runs: Sequence[ChaosRun],
    figures: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    checkpoint: str,
    made: str,
) -> str:
    """Return the report: the same bytes for the same files.

    `figures` is report.json, `records` the entries about the runs in order, `checkpoint` the note that the proofs are under, empty
    where nothing is proven; `made` says in one sentence how the report was made.
    """
    sections = [
        ("overview", f'{_table(figures)}<p class="note">{sentence("undo")}</p>'),
        ("runs", "".join(card(run, records) for run in runs)),
        ("records", listed(records)),
    ]
    sections += [("audit", audit(checkpoint)), ("verify", verification())] if checkpoint else []
    body = "".join(_section(number, name, inner) for number, (name, inner) in enumerate(sections, start=1))
    title = " ".join(LABELS["title"])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{plain(POLICY)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{plain(title)}</title><style>{SCREEN}{PAPER}</style></head>\n"
        f"<body><main>{_title(figures, made, proven=bool(checkpoint))}{body}"
        f"<footer>FEEM · {label('title')} · {said(text_of(figures, 'format'))}</footer></main></body></html>\n"
    )


def _section(number: int, name: str, inner: str) -> str:
    return f'<section id="{name}"><h2><span class="n">{number}</span>{label(name)}</h2>{inner}</section>\n'


def _title(figures: Mapping[str, Any], made: str, *, proven: bool) -> str:
    where = sorted({text_of(run, "namespace") for run in items_of(figures, "runs")})
    days = sorted({text_of(run, "completedAt")[:10] for run in items_of(figures, "runs")} - {""})
    when = " to ".join(dict.fromkeys((days[0], days[-1]))) if days else ""
    warning = "" if proven else f'<p class="unproven">{sentence("unproven")}</p>'
    nature = f'<p class="nature">{sentence("nature")}</p>' if proven else ""
    return (
        f'<header class="title"><div class="over"><span>{label("title")}</span><span>{plain(when)}</span></div>'
        f"<h1>{said(', '.join(where))}</h1>{warning}{facts(_totals(figures))}"
        f'<p class="made"><strong>{label("made")}</strong><br>{said(made)}</p>{nature}</header>\n'
    )


def _totals(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    totals = mapping_of(figures, "totals")
    results = mapping_of(totals, "results")
    counted = ", ".join(f"{count} {term(result or '?')}" for result, count in results.items())
    ends = sorted(time for run in items_of(figures, "runs") if (time := text_of(run, "completedAt")))
    begins = sorted(time for run in items_of(figures, "runs") if (time := text_of(run, "injectedAt")))
    residue = text_of(totals, "residue")
    left = (
        f'<span class="good">{label("none")}</span>' if residue == "0" else f'<span class="bad">{said(residue)}</span>'
    )
    return [
        (label("number of runs"), said(text_of(totals, "runs"))),
        (label("results"), counted),
        (label("from"), f"{moment(begins[0])} UTC" if begins else ""),
        (label("until"), f"{moment(ends[-1])} UTC" if ends else ""),
        (label("residue"), left),
        (label("faults injected"), said(text_of(totals, "faultsInjected"))),
        (label("effects seen"), said(text_of(totals, "effectsSeen"))),
        (label("longest undo"), _seconds(totals, "longestUndoSeconds")),
        (label("longest recovery"), _seconds(totals, "longestRecoverySeconds")),
    ]


def _table(figures: Mapping[str, Any]) -> str:
    columns = (
        Column(label("run"), "18%"),
        Column(label("service"), "11%"),
        Column(label("fault"), "11.5%"),
        Column(label("result"), "10.5%"),
        Column(label("cause"), "13%"),
        Column(label("effect"), "8.5%"),
        Column(label("in place"), "7%", "right"),
        Column(label("undo"), "6%", "right"),
        Column(label("recovery"), "8.5%", "right"),
        Column(label("residue"), ""),
    )
    return table(columns, [_row(run) for run in items_of(figures, "runs")], "overview")


def _row(run: Mapping[str, Any]) -> list[str]:
    residue = run.get("residue") or ()
    none = f'<span class="good">{label("none")}</span>'
    left = f'<span class="bad">{len(residue)}</span>' if residue else none if text_of(run, "injectedAt") else NOTHING
    seen = _seconds(run, "effectSeconds") or "✓" if run.get("effectSeen") else NOTHING
    return [
        f"{said(text_of(run, 'experiment'))}<div class='small'>{said(text_of(run, 'name'))}</div>",
        said(text_of(run, "service")) or NOTHING,
        term(text_of(run, "fault")) or NOTHING,
        badge(text_of(run, "result")),
        said(text_of(run, "cause")),
        seen,
        _seconds(run, "inPlaceSeconds") or NOTHING,
        _seconds(run, "undoSeconds") or NOTHING,
        _seconds(run, "recoverySeconds") or NOTHING,
        left,
    ]


def _seconds(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return f'<span class="num">{value:.1f} s</span>' if isinstance(value, (int, float)) else ""
