"""What evidence packs and reports of game days are alike in: one ZIP with a list of its files, and records with their proofs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tests.independent.verifier_documents import HEX, Members, members, text
from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_json import parse_canonical
from tests.independent.verifier_notes import Checkpoint, Key, open_checkpoint
from tests.independent.verifier_proofs import check_inclusion, parse_proof
from tests.independent.verifier_records import Record, Walk
from tests.independent.verifier_tiles import Archive

LIST = "pack.json"
COMMON = ("format", "origin", "size", "files")
NUMBERED = re.compile(r"(?:records/(\d{12})\.json|proofs/(\d{12})\.tlog-proof)", re.ASCII)


@dataclass(frozen=True)
class Form:
    """What every ZIP of a format has: members of its list beside the common ones, files, and files of which there may be many."""

    format: str
    about: tuple[str, ...]
    fixed: tuple[str, ...]
    many: re.Pattern[str]


@dataclass(frozen=True)
class Listed:
    """A ZIP whose files are the ones that its list says; `about` is the list."""

    origin: str
    size: int
    about: Members
    files: dict[str, bytes]


def index_of(name: str) -> int | None:
    """Say which entry a file is about."""
    found = NUMBERED.fullmatch(name)
    return int(found[1] or found[2]) if found else None


def names_of(index: int) -> tuple[str, str]:
    """Name an entry's record and proof."""
    return f"records/{index:012d}.json", f"proofs/{index:012d}.tlog-proof"


def open_list(path: Path, form: Form) -> Listed:
    """Read the list, and every file against it."""
    archive = Archive(path)
    listed = members(parse_canonical(_content(archive, LIST)), LIST)
    if listed.get("format") != form.format or set(listed) != {*COMMON, *form.about}:
        raise RejectedError(f"{LIST} is not a {form.format} with {', '.join((*COMMON[1:], *form.about))}")
    if type(listed["size"]) is not int:
        raise RejectedError(f"{LIST}'s size is not a number")
    digests = members(listed["files"], f"{LIST}'s files")
    _complete(set(archive.names), set(digests), form)
    files = {name: _content(archive, name) for name in archive.names if name != LIST}
    for name, data in sorted(files.items()):
        if not HEX.fullmatch(text(digests[name], f"digest in {LIST}")) or sha256(data).hexdigest() != digests[name]:
            raise RejectedError(f"{name} is not the file that {LIST} lists")
    return Listed(text(listed["origin"], f"{LIST}'s origin"), listed["size"], listed, files)


def _complete(there: set[str], digests: set[str], form: Form) -> None:
    """Check that the ZIP has what the list says, what each of its format has, and nothing else."""
    for name in sorted((there | digests | set(form.fixed)) - {LIST}):
        if name not in there or name not in digests:
            raise RejectedError(f"{name[:80]} is not both in the ZIP and in its list")
        index = index_of(name)
        if index is not None and not there.issuperset(names_of(index)):
            raise RejectedError(f"ZIP does not have both the record and the proof of entry {index}")
        if index is None and name not in form.fixed and not form.many.fullmatch(name):
            raise RejectedError(f"ZIP has a file that its format does not have: {name[:80]!r}")


def _content(archive: Archive, name: str) -> bytes:
    data = archive.read(name)
    if data is None:
        raise RejectedError(f"ZIP has no {name}")
    return data


def named(value: object, what: str) -> Members:
    """Read which object is meant."""
    found = members(value, what)
    if set(found) != {"namespace", "name", "uid"} or not all(isinstance(one, str) for one in found.values()):
        raise RejectedError(f"{what} is not namespace, name and uid")
    return found


def signed(listed: Listed, keys: Sequence[Key]) -> Checkpoint:
    """Open the checkpoint, which says the same as the list."""
    checkpoint = open_checkpoint(listed.files["checkpoint"], keys)
    if (listed.origin, listed.size) != (checkpoint.origin, checkpoint.size):
        raise RejectedError(f"{LIST} says another origin or size than the checkpoint")
    return checkpoint


def proven_records(listed: Listed, checkpoint: Checkpoint) -> Iterator[Record]:
    """Go over the records in the order of their numbers, each checked with its proof and against those before."""
    walk = Walk(whole=False)
    for index in sorted({found for name in listed.files if (found := index_of(name)) is not None}):
        try:
            yield walk.step(index, _proven(index, listed, checkpoint))
        except RejectedError as problem:
            raise problem.at(index) from problem


def _proven(index: int, listed: Listed, checkpoint: Checkpoint) -> bytes:
    entry, data = (listed.files[name] for name in names_of(index))
    proof = parse_proof(data)
    if proof.index != index:
        raise RejectedError(f"proof is for index {proof.index}")
    if proof.note != listed.files["checkpoint"]:
        raise RejectedError("proof has another checkpoint than the ZIP")
    check_inclusion(proof, entry, checkpoint)
    return entry
