"""The log's part of the page: each entry about the runs, and how all of it is checked at home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feem.view.chaos.report.words import label, sentence
from feem.view.report.table import Column, table
from feem.view.report.text import account, code, moment, number_of, plain, said, short, text_of
from feem.view.report.words import term

_DIGEST = """python3 -c 'import hashlib, json, sys, rfc8785; run = json.load(open(sys.argv[1])); \
print(hashlib.sha256(rfc8785.dumps({key: run[key] for key in ("spec", "status")})).hexdigest())' runs/NAMESPACE/NAME.json"""


def records(found: Sequence[Mapping[str, Any]]) -> str:
    """Return all entries, in the order of the log."""
    if not found:
        return f'<p class="none">{sentence("no records")}</p>'
    columns = (
        Column(label("index"), "6%", "right"),
        Column(label("time"), "11%"),
        Column(label("part"), "9.5%"),
        Column(label("action"), "14%"),
        Column(label("reason"), "11%"),
        Column(label("message"), ""),
        Column(label("actor"), "14%"),
    )
    return table(columns, [_row(record) for record in found], "records")


def verification() -> str:
    """Return the commands that check the report, with FEEM and without it."""
    steps = (
        ("step report", "feem audit verify REPORT.zip --keys KEYS"),
        ("step log", "feem audit verify LOG --keys KEYS --held checkpoint"),
        ("step digest", _DIGEST),
    )
    listed = (f"<li>{sentence(text)}<pre class='command'>{plain(command)}</pre></li>" for text, command in steps)
    return f'<ol class="verify">{"".join(listed)}</ol>'


def _row(record: Mapping[str, Any]) -> list[str]:
    part = text_of(record, "part")
    return [
        said(text_of(record, "index")),
        moment(text_of(record, "time"), fraction=True),
        f'<span class="part {plain(part.lower())}">{term(part)}</span>',
        said(text_of(record, "action")),
        said(text_of(record, "reason")),
        _message(record),
        account(text_of(record, "actor")),
    ]


def _message(record: Mapping[str, Any]) -> str:
    effects = record.get("effects")
    writes = [one for one in effects if isinstance(one, str)] if isinstance(effects, (list, tuple)) else []
    listed = "".join(f"<li>{said(one)}</li>" for one in writes)
    intent, evidence = number_of(record, "intent"), text_of(record, "evidence")
    kind, name = text_of(record, "subject", "kind"), text_of(record, "subject", "name")
    more = [said(f"{kind} {text_of(record, 'subject', 'namespace')}/{name}")]
    more += [f"{label('of intent')} #{intent}"] if intent is not None else []
    more += [f"{label('evidence')} {code(short(evidence))}"] if evidence else []
    return (
        f"{said(text_of(record, 'message'))}{f'<ul class=writes>{listed}</ul>' if listed else ''}"
        f'<div class="small">{" · ".join(more)}</div>'
    )
