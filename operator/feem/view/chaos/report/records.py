"""The log's part of the page: each entry about the runs, and how all of it is checked at home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feem.view.chaos.report.words import label, sentence
from feem.view.report.log import entries
from feem.view.report.text import code, number_of, plain, said, short, text_of

_DIGEST = """python3 -c 'import hashlib, json, sys, rfc8785; run = json.load(open(sys.argv[1])); \
print(hashlib.sha256(rfc8785.dumps({key: run[key] for key in ("spec", "status")})).hexdigest())' runs/NAMESPACE/NAME.json"""


def records(found: Sequence[Mapping[str, Any]]) -> str:
    """Return all entries, in the order of the log."""
    if not found:
        return f'<p class="none">{sentence("no records")}</p>'
    return entries(found, _small)


def verification() -> str:
    """Return the commands that check the report, with FEEM and without it."""
    steps = (
        ("step report", "feem audit verify REPORT.zip --keys KEYS"),
        ("step log", "feem audit verify LOG --keys KEYS --held checkpoint"),
        ("step digest", _DIGEST),
    )
    listed = (f"<li>{sentence(text)}<pre class='command'>{plain(command)}</pre></li>" for text, command in steps)
    return f'<ol class="verify">{"".join(listed)}</ol>'


def _small(record: Mapping[str, Any]) -> list[str]:
    """Return what an entry is about, whose outcome it is, and what proves it."""
    intent, evidence = number_of(record, "intent"), text_of(record, "evidence")
    kind, name = text_of(record, "subject", "kind"), text_of(record, "subject", "name")
    more = [said(f"{kind} {text_of(record, 'subject', 'namespace')}/{name}")]
    more += [f"{label('of intent')} #{intent}"] if intent is not None else []
    more += [f"{label('evidence')} {code(short(evidence))}"] if evidence else []
    return more
