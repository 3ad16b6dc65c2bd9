"""People and gates: who asked, what had to be so, who approved what and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feem.view.report.objectives import badge
from feem.view.report.table import Column, table
from feem.view.report.text import code, items_of, mapping_of, moment, said, short, text_of
from feem.view.report.words import NOTHING, label, sentence, term


def gates(dossier: Mapping[str, Any]) -> str:
    """Return what each gate said in the end."""
    found = items_of(dossier, "gates")
    if not found:
        return f'<p class="none">{sentence("no gates")}</p>'
    kinds = any(text_of(gate, "kind") for gate in found)
    columns = (
        Column(label("gate"), "17%"),
        *((Column(label("kind"), "13%"),) if kinds else ()),
        Column(label("stage"), "12%"),
        Column(label("outcome"), "12%"),
        Column(label("reason"), "13%"),
        Column(label("message"), ""),
    )
    rows = [
        [
            said(text_of(gate, "name")),
            *((term(text_of(gate, "kind")),) if kinds else ()),
            term(text_of(gate, "stage")),
            badge(text_of(gate, "outcome")),
            said(text_of(gate, "reason")),
            said(text_of(gate, "message")),
        ]
        for gate in found
    ]
    return table(columns, rows, "gates") + _facts(dossier)


def _facts(dossier: Mapping[str, Any]) -> str:
    """Return the annotations that gates looked at: tickets, requirements, digests of documents."""
    found = mapping_of(mapping_of(dossier, "release"), "facts")
    if not found:
        return ""
    columns = (Column(label("name"), "30%"), Column(label("value")))
    rows = [[code(name), said(value)] for name, value in found.items()]
    return f"<h3 class='sub'>{label('facts')}</h3>{table(columns, rows, 'annotations')}"


def decisions(dossier: Mapping[str, Any]) -> str:
    """Return who decided what, when, in which role, about which digest, and why."""
    found = items_of(dossier, "decisions")
    if not found:
        return f'<p class="none">{sentence("no decisions")}</p>'
    columns = (
        Column(label("time"), "13%"),
        Column(label("verb"), "12%"),
        Column(label("who"), "17%"),
        Column(label("role"), "10%"),
        Column(label("allows"), "18%"),
        Column(label("reason"), ""),
    )
    rows = [
        [
            moment(text_of(one, "createdAt")),
            f"<strong>{term(text_of(one, 'verb'))}</strong>",
            said(text_of(one, "by")),
            said(text_of(one, "role")) or NOTHING,
            code(short(text_of(one, "digest"))) or NOTHING,
            _why(one),
        ]
        for one in found
    ]
    return table(columns, rows, "decisions")


def _why(one: Mapping[str, Any]) -> str:
    """Return the reason, and what an approval or an emergency adds to it."""
    more = []
    if text_of(one, "ticket"):
        more.append(f"{label('ticket')}: {said(text_of(one, 'ticket'))}")
    if text_of(one, "expiresAt"):
        more.append(f"{label('expires')}: {moment(text_of(one, 'expiresAt'))}")
    small = f'<div class="small">{"; ".join(more)}</div>' if more else ""
    return f"{said(text_of(one, 'reason'))}{small}<div class='small'>{code(text_of(one, 'name'))}</div>"
