"""The log: every record of the release, the checkpoint they are proven under, and how to check all of it at home."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from feem.core.tlog.checkpoint import parse_checkpoint
from feem.core.tlog.note import NoteError, parse_note
from feem.core.tlog.signing import SIGNATURE_SIZES, STAMP_SIZE
from feem.core.tlog.vkey import Algorithm
from feem.view.report.table import Column, facts, table
from feem.view.report.text import account, code, items_of, moment, number_of, plain, said, short, text_of
from feem.view.report.words import NOTHING, label, sentence, term

_NAMES = {
    SIGNATURE_SIZES[Algorithm.ED25519]: "Ed25519",
    STAMP_SIZE + SIGNATURE_SIZES[Algorithm.COSIGN_ED25519]: "Ed25519 cosignature",
    STAMP_SIZE + SIGNATURE_SIZES[Algorithm.ML_DSA_44]: "ML-DSA-44",
}
"""What a signature is by its number of bytes: the line does not say it, the key does."""
_BY_HAND = """python3 -c 'import hashlib, json; listed = json.load(open("pack.json"))["files"]; \
print([n for n, h in listed.items() if hashlib.sha256(open(n, "rb").read()).hexdigest() != h] or "all as listed")'"""
_LATEST = 253_402_300_799


def records(found: Sequence[Mapping[str, Any]]) -> str:
    """Return all records, in the order of the log."""
    return entries(found, _small) if found else f'<p class="none">{sentence("no records")}</p>'


def entries(found: Sequence[Mapping[str, Any]], small: Callable[[Mapping[str, Any]], Sequence[str]]) -> str:
    """Return entries of the log as a table; `small` returns what one refers to, as HTML, for below its message."""
    columns = (
        Column(label("index"), "6%", "right"),
        Column(label("time"), "10%"),
        Column(label("part"), "9.5%"),
        Column(label("action"), "14%"),
        Column(label("reason"), "11%"),
        Column(label("message"), ""),
        Column(label("actor"), "14%"),
    )
    return table(columns, [_row(record, small(record)) for record in found], "records")


def _row(record: Mapping[str, Any], small: Sequence[str]) -> list[str]:
    part = text_of(record, "part")
    return [
        said(text_of(record, "index")),
        moment(text_of(record, "time"), fraction=True),
        f'<span class="part {plain(part.lower())}">{term(part)}</span>',
        term(text_of(record, "action")),
        term(text_of(record, "reason")),
        _message(record, small),
        account(text_of(record, "actor")),
    ]


def _message(record: Mapping[str, Any], small: Sequence[str]) -> str:
    """Return what a record says, the writes it announces, and what it refers to."""
    effects = record.get("effects")
    writes = [one for one in effects if isinstance(one, str)] if isinstance(effects, (list, tuple)) else []
    listed = "".join(f"<li>{said(one)}</li>" for one in writes)
    below = f'<div class="small">{" · ".join(small)}</div>' if small else ""
    return f"{said(text_of(record, 'message'))}{f'<ul class=writes>{listed}</ul>' if listed else ''}{below}"


def _small(record: Mapping[str, Any]) -> list[str]:
    intent, evidence = number_of(record, "intent"), text_of(record, "evidence")
    more = [f"{label('of intent')} #{intent}"] if intent is not None else []
    more += [f"{label('samples')} {code(short(evidence))}"] if evidence and text_of(record, "action") != "Gates" else []
    more += [f"{label('allows')} {code(short(evidence))}"] if evidence and text_of(record, "action") == "Gates" else []
    kind = text_of(record, "subject", "kind")
    name = f"{kind} {text_of(record, 'subject', 'namespace')}/{text_of(record, 'subject', 'name')}"
    more += [said(name)] if kind and kind != "Release" else []
    return more


def audit(note: str) -> str:
    """Return the checkpoint: what it states, and who signed it. Nothing is verified here."""
    try:
        parsed = parse_note(note)
        checkpoint = parse_checkpoint(parsed.text)
    except NoteError as problem:
        return (
            f'<p class="none">{sentence("unsigned")}: {said(problem)}</p><pre class="note-text">{_verbatim(note)}</pre>'
        )
    pairs = [
        (label("origin"), code(checkpoint.origin)),
        (label("size"), f"{checkpoint.size:,}"),
        (f"{label('root')} (base64)", code(base64.b64encode(checkpoint.root).decode())),
        (f"{label('root')} (hex)", code(checkpoint.root.hex())),
    ]
    columns = (
        Column(label("signer"), "34%"),
        Column(label("as"), "14%"),
        Column(label("key id"), "14%"),
        Column(label("signature"), "18%"),
        Column(label("signed at"), ""),
    )
    rows = [
        [
            code(one.name),
            label("log" if one.name == checkpoint.origin else "witness"),
            code(one.key_id.hex()),
            said(_NAMES.get(len(one.blob), f"{len(one.blob)} bytes")),
            _stamp(one.blob),
        ]
        for one in parsed.signatures
    ]
    return f"{facts(pairs)}<h3 class='sub'>{label('signatures')}</h3>{table(columns, rows, 'signatures')}"


def _stamp(blob: bytes) -> str:
    """Return the time in a signature that has one."""
    if len(blob) not in _NAMES or _NAMES[len(blob)] == "Ed25519":
        return NOTHING
    seconds = int.from_bytes(blob[:STAMP_SIZE], "big")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") if 0 < seconds <= _LATEST else NOTHING


def _verbatim(note: str) -> str:
    return "\n".join(plain(line[:200]) for line in note.splitlines()[:80])


def verification(dossier: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> str:
    """Return the commands that check the pack, with FEEM and without it."""
    first = next((index for record in found if (index := number_of(record, "index")) is not None), 0)
    kept = next((text_of(one, "name") for one in items_of(dossier, "samples")), "")
    pack = f"{_safe(text_of(dossier, 'release', 'name'), 'RELEASE')}.evidence.zip"
    steps = (
        ("step pack", f"feem audit verify {pack} --keys KEYS"),
        ("step log", "feem audit verify LOG --keys KEYS --held checkpoint"),
        ("step replay", f"feem evidence replay samples/{_safe(kept, 'NAME')}.jsonl.gz"),
        ("step files", _BY_HAND),
        ("step leaf", f"{{ printf '\\0'; cat records/{first:012d}.json; }} | sha256sum"),
    )
    listed = "".join(
        f"<li>{sentence(text)}<pre class='command'>{_lines(command)}</pre></li>" for text, command in steps
    )
    return f'<ol class="verify">{listed}<li>{sentence("step formats")}</li></ol>'


def _lines(command: str) -> str:
    return "\n".join(plain(line) for line in command.split("\n"))


def _safe(name: str, instead: str) -> str:
    """Return a name that is safe in a command that somebody copies: only what names of Kubernetes consist of."""
    return (
        name if name and all(letter.isascii() and (letter.isalnum() or letter in "-.") for letter in name) else instead
    )
