"""Tampering with an evidence pack: which release it is about, and what it may have."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tests.independent.sampledocuments import envelope
from tests.independent.tampering_files import add_foreign, content, forged, list_of, repack
from tests.independent.tampering_kinds import Context, tampering

DSSE = "attestation.dsse.json"


def release(path: Path) -> dict[str, str]:
    found: dict[str, str] = list_of(path)["release"]
    return found


@tampering("pack: file added, list left", "pack")
def file_added(path: Path, context: Context) -> int | None:
    repack(path, {"samples/more.jsonl.gz": b""}, relist=False)
    return None


@tampering("pack: record from another release, with a good proof", "pack")
def other_release(path: Path, context: Context) -> int | None:
    about = {"kind": "Release", "name": release(path)["name"]}

    def foreign(subject: dict[str, str]) -> bool:
        return subject["kind"] == about["kind"] and subject["name"] != about["name"]

    return add_foreign(path, context, foreign)


@tampering("pack: record about something that no release is about, with a good proof", "pack")
def foreign_kind(path: Path, context: Context) -> int | None:
    kinds = ("Release", "ManagedService", "Decision")
    return add_foreign(path, context, lambda subject: subject["kind"] not in kinds)


@tampering("pack: named as another release", "pack")
def renamed(path: Path, context: Context) -> int | None:
    repack(path, {}, release=release(path) | {"name": "another-9"})
    return None


@tampering("pack: named as a release of the same name with another uid", "pack")
def other_uid(path: Path, context: Context) -> int | None:
    repack(path, {}, release=release(path) | {"uid": "00000000-0000-0000-0000-000000000000"})
    return None


@tampering("pack: checkpoint signed by others under the log's name", "pack")
def swapped_key(path: Path, context: Context) -> int | None:
    forger, changed = forged(path)
    changed[DSSE] = envelope(forger, base64.b64decode(json.loads(content(path, DSSE))["payload"]))
    repack(path, changed)
    return None
