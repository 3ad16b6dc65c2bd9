"""The objectives: what was asked of the canary, what the samples say, and what was concluded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feem.view.report.plots import plots
from feem.view.report.table import Column, table
from feem.view.report.terms import translated
from feem.view.report.text import clock, code, items_of, mapping_of, number_of, plain, said, text_of
from feem.view.report.trace import Played, Trace
from feem.view.report.words import NOTHING, chinese, label, sentence, term

_TONES = {"Pass": "good", "Passed": "good", "Promoted": "good", "Fail": "bad", "RolledBack": "bad", "Holding": "wait"}


def badge(word: str) -> str:
    """Return a word of FEEM's as a label with the colour of what it means."""
    if not word:
        return ""
    other = translated(word)
    both = f"{plain(word)} {chinese(other)}" if other else plain(word)
    return f'<span class="badge {_TONES.get(word, "neutral")}"><bdi>{both}</bdi></span>'


def section(dossier: Mapping[str, Any], played: Sequence[Played]) -> str:
    """Return one card an objective, then what the samples are and whether they still say the same."""
    objectives = {text_of(one, "name"): one for one in items_of(dossier, "objectives")}
    for one in played:
        for trace in one.traces:
            objectives.setdefault(trace.terms.objective.name, trace.terms.objective.wire())
    verdicts = {text_of(one, "name"): one for one in items_of(dossier, "verdicts")}
    weights = _weights(dossier)
    cards = [_card(one, verdicts.get(name, {}), played, weights) for name, one in objectives.items()]
    if not cards:
        cards = [f'<p class="none">{sentence("no objectives")}</p>']
    elif any(one.traces for one in played):
        cards.append(f'<p class="note">{sentence("e-value")}</p>')
    return "".join(cards) + _samples(dossier, played)


def _weights(dossier: Mapping[str, Any]) -> dict[int, int]:
    """Return the plan's percent by step; the step after the last one is the promotion."""
    steps = items_of(mapping_of(mapping_of(dossier, "release"), "plan"), "steps")
    found = {at: number_of(step, "weight") or 0 for at, step in enumerate(steps, start=1)}
    return {**found, len(steps) + 1: 100} if steps else {}


def _card(
    objective: Mapping[str, Any], verdict: Mapping[str, Any], played: Sequence[Played], weights: dict[int, int]
) -> str:
    name = text_of(objective, "name")
    traces = [(one, trace) for one in played for trace in one.traces if trace.terms.objective.name == name]
    last = traces[-1][1].verdict.wire() if traces else {}
    shown = verdict or last
    drawings = "".join(_drawn(one, trace, weights, several=len(traces) > 1) for one, trace in traces)
    if not drawings:
        drawings = f'<p class="none">{sentence("no samples")}</p>'
    category = term(text_of(objective, "category"))
    return (
        f'<article class="card"><header><h3>{said(name)}</h3><span class="category">{category}</span>'
        f"{badge(text_of(shown, 'outcome'))}<span class='reason'>{said(text_of(shown, 'reason'))}</span></header>"
        f"<p class='description'>{said(text_of(objective, 'description'))}</p>{drawings}"
        f"{_shares(shown)}<p class='message'>{said(text_of(shown, 'message'))}</p></article>"
    )


def _drawn(one: Played, trace: Trace, weights: dict[int, int], *, several: bool) -> str:
    """Return a trial's plots; where an objective had several, each is named by the decision it led to."""
    title = f"<h4>{term(one.decision)} {clock(one.at)} UTC</h4>" if several else ""
    return title + plots(trace, {} if trace.terms.watch else weights, one.at)


def _shares(verdict: Mapping[str, Any]) -> str:
    """Return a mix's categories, both tracks' bars one above the other."""
    shares = items_of(verdict, "shares")
    if not shares:
        return ""
    rows = []
    for one in shares:
        bars = "".join(_bar(track, text_of(one, track)) for track in ("canary", "stable"))
        rows.append(f"<div class='kind'><span class='name'>{said(text_of(one, 'name'))}</span>{bars}</div>")
    return f"<div class='mix'><div class='mix-title'>{label('share')}: {label('canary')} / {label('stable')}</div>{''.join(rows)}</div>"


def _bar(track: str, share: str) -> str:
    try:
        width = min(100.0, max(0.0, float(share.removesuffix("%"))))
    except ValueError:
        width = 0.0
    return f"<span class='bar'><i class='{track}' style='width:{width:.1f}%'></i></span><span class='value'>{said(share)}</span>"


def _samples(dossier: Mapping[str, Any], played: Sequence[Played]) -> str:
    """Return the files of samples: what the dossier says of them, and what judging them again gave."""
    listed, left = items_of(dossier, "samples"), list(played)
    rows = []
    for one in listed:
        match = next((tape for tape in left if tape.digest and tape.digest == text_of(one, "digest")), None)
        if match is not None:
            left.remove(match)
        name = f"samples/{text_of(one, 'name')}.jsonl.gz"
        rows.append([code(name), code(text_of(one, "sha256")), code(text_of(one, "digest")), _again(match)])
    rows += [["", "", code(tape.digest), _again(tape)] for tape in left]
    if not rows:
        return ""
    columns = (
        Column(label("file"), "24%"),
        Column(label("sha256"), "29%"),
        Column(label("tape"), "29%"),
        Column(label("replayed"), ""),
    )
    return f"<h3 class='sub'>{label('samples')}</h3>{table(columns, rows, 'samples')}"


def _again(tape: Played | None) -> str:
    if tape is None:
        return NOTHING
    if tape.problem:
        return f'<span class="bad">{label("unreadable")}</span>: {said(tape.problem)}'
    if tape.holds:
        return f'<span class="good">✓ {label("same")}</span> ({term(tape.decision)})'
    return f'<span class="bad">✗ {label("different")}</span> ({term(tape.decision)})'
