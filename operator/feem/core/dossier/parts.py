"""What every kind of pack has: a list of its files, a signed checkpoint, and records with proofs that lead to it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from feem.core.audit.reading import read_entry
from feem.core.audit.record import name_of
from feem.core.audit.verify import Fault, Finding, Walk
from feem.core.digest import canonical
from feem.core.tlog.proof import check_proof, parse_proof
from feem.core.tlog.signing import CheckpointError, Opened, open_checkpoint
from feem.core.tlog.vkey import Key

INDEX, README, REPORT = "pack.json", "README.md", "report.html"
CHECKPOINT, KEYS = "checkpoint", "keys.txt"
WHICH = ("namespace", "name", "uid")
"""What tells one object from all others."""
Read = Callable[[str], bytes | None]
"""Returns a file of the pack, None when there is none."""


class Broken(Exception):  # noqa: N818 - it ends the check, and says why
    """The rest of the pack cannot be judged."""


def record_path(index: int) -> str:
    """Return where a record's bytes stand."""
    return f"records/{name_of(index)}.json"


def proof_path(index: int) -> str:
    """Return where a record's proof stands."""
    return f"proofs/{name_of(index)}.tlog-proof"


def sums_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 (hex) of each file, as the list has them."""
    return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def form_of(read: Read) -> str:
    """Return the format that the list says the pack is of; empty when it says none."""
    try:
        index = json.loads(read(INDEX) or b"")
    except ValueError:
        return ""
    return str(index.get("format", "")) if isinstance(index, dict) else ""


def read_index(read: Read, form: str, members: Collection[str]) -> dict[str, Any]:
    """Return the list, when it is of this format, with these members and those of every list. Raises Broken."""
    data = read(INDEX)
    if data is None:
        raise Broken(f"there is no {INDEX}")
    try:
        index = json.loads(data)
        shaped = canonical(index) == data and index["format"] == form and isinstance(index["files"], dict)
    except (ValueError, KeyError, TypeError) as problem:
        raise Broken(f"{INDEX} cannot be read ({problem})") from problem
    if not shaped:
        raise Broken(f"{INDEX} is not of the format {form}")
    wanted = {"format", "origin", "size", "files", *members}
    if set(index) != wanted:
        raise Broken(f"{INDEX} has {', '.join(sorted(index))}; the format {form} has {', '.join(sorted(wanted))}")
    return dict(index)


def check_files(
    read: Read, names: Collection[str], index: Mapping[str, Any], needed: Collection[str], places: re.Pattern[str]
) -> None:
    """Raise Broken unless the pack has the files that its list says, all that are needed, and no others."""
    if len(set(names)) != len(names):
        raise Broken("a file stands in the pack twice")
    odd = set(names) ^ {INDEX, *index["files"]}
    odd |= {name for name in names if name not in (INDEX, *needed) and not places.fullmatch(name)}
    missing = [name for name in needed if name not in index["files"]]
    if odd or missing:
        raise Broken(f"{min(odd or missing)} is missing, not listed in {INDEX}, or no file of a pack")
    for name, ought in index["files"].items():
        if hashlib.sha256(read(name) or b"").hexdigest() != ought:
            raise Broken(f"{name} is not the file that {INDEX} lists")


def opened_of(note: bytes | None, index: Mapping[str, Any], keys: Sequence[Key]) -> Opened:
    """Return the checkpoint, believed with these keys and the one that the list names. Raises Broken."""
    try:
        opened = open_checkpoint((note or b"").decode(), keys)
    except (CheckpointError, UnicodeDecodeError) as problem:
        raise Broken(f"checkpoint: {problem}") from problem
    if (opened.checkpoint.origin, opened.checkpoint.size) != (index.get("origin"), index.get("size")):
        raise Broken(f"{INDEX} names another origin or size than the checkpoint")
    return opened


def records_of(
    read: Read, index: Mapping[str, Any], keys: Sequence[Key], findings: list[Finding]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the records that are proven, and note those that are not."""
    walk = Walk(whole=False)
    places = sorted(name for name in index["files"] if name.startswith("records/"))
    proofs = {name for name in index["files"] if name.startswith("proofs/")}
    wanted = {name.replace("records/", "proofs/").removesuffix(".json") + ".tlog-proof" for name in places}
    if proofs != wanted or not places:
        raise Broken("each record has one proof, and there is at least one record")
    for path in places:
        stem = path.removeprefix("records/").removesuffix(".json")
        place = int(stem) if stem.isdecimal() and path == record_path(int(stem)) else None
        if place is None:
            raise Broken(f"{path} is not named by a record's index")
        try:
            wire, digest = _proven(read, place, keys)
        except ValueError as problem:
            findings.append(Finding(place, Fault.PROOF, f"record {place}: {problem}"))
            continue
        walk.step(stem, wire, digest)
        findings += walk.findings
        walk.findings.clear()
        yield place, wire


def _proven(read: Read, place: int, keys: Sequence[Key]) -> tuple[Any, str]:
    """Return a record and the digest it ought to carry. Raises ValueError unless its proof leads to the pack's checkpoint."""
    data, proof = read(record_path(place)) or b"", parse_proof((read(proof_path(place)) or b"").decode())
    if proof.index != place:
        raise CheckpointError(f"its proof is of entry {proof.index}")
    if proof.checkpoint.encode() != read(CHECKPOINT):
        raise CheckpointError("its proof leads to another checkpoint")
    check_proof(proof, data, keys)
    return read_entry(data)
