"""The change: the pod template before and after, as the lines that differ."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from feem.view.report.text import mapping_of, plain
from feem.view.report.words import label, sentence

CONTEXT = 3
MOST_LINES = 400
LONGEST_LINE = 2_000
MINUS = "\u2212"
_KINDS = {"+": "added", "-": "removed", "@": "hunk"}


def section(dossier: Mapping[str, Any]) -> str:
    """Return the difference between the manifests, a few lines around each change."""
    manifests = mapping_of(dossier, "manifests")
    before, after = _lines(mapping_of(manifests, "before")), _lines(mapping_of(manifests, "after"))
    differing = list(difflib.unified_diff(before, after, n=CONTEXT, lineterm=""))[2:]
    if not differing:
        return f'<p class="none">{sentence("no change")}</p>'
    shown = "".join(_drawn(differing[:MOST_LINES]))
    cut = f'<p class="note">{sentence("cut")}</p>' if len(differing) > MOST_LINES else ""
    legend = f'<p class="legend"><span class="removed">{MINUS} {label("before")}</span> <span class="added">+ {label("after")}</span></p>'
    return f'{legend}<pre class="diff">{shown}</pre>{cut}<p class="note">{sentence("redacted")}</p>'


def _lines(template: Mapping[str, Any]) -> list[str]:
    """Write a template as YAML, members in alphabetical order, so that equal ones have equal lines."""
    if not template:
        return []
    written: str = yaml.safe_dump(dict(template), sort_keys=True, allow_unicode=True, width=LONGEST_LINE)
    return written.splitlines()


def _drawn(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        kind = _KINDS.get(line[:1], "same")
        sign = "⋯" if kind == "hunk" else {"added": "+", "removed": MINUS}.get(kind, " ")
        text = "" if kind == "hunk" else plain(line[1:])
        yield f'<span class="{kind}"><i>{sign}</i>{text}\n</span>'
