"""What attackers do with a pack or a report: change its files, and write its list anew, for nobody has signed it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.independent.samplefiles import listed, read_zip, write_zip
from tests.independent.samplelog import Record, Signer, chain, proof, proof_of
from tests.independent.tampering_kinds import Change, Context, altered, entries, records, tampering
from tests.independent.verifier_lists import index_of, names_of
from tests.independent.verifier_proofs import parse_proof

Changed = dict[str, bytes | None]
"""Files by name; None: remove."""


def both(name: str, *, keys: bool = False) -> Callable[[Change], Change]:
    """Enter a function into the list that tampers with packs and reports alike."""

    def entered(change: Change) -> Change:
        entered_once = tampering(f"pack: {name}", "pack", keys=keys)(change)
        return tampering(f"report: {name}", "report", keys=keys)(entered_once)

    return entered


def repack(path: Path, changed: Mapping[str, bytes | None], *, relist: bool = True, **about: Any) -> None:
    """Change files (None: remove) and members of pack.json; the list follows unless told otherwise."""
    files = {name: data for name, data in {**read_zip(path), **changed}.items() if data is not None}
    if relist:
        said = list_of(path) | about
        said.pop("files")
        files = listed(files, **said)
    write_zip(path, files)


def content(path: Path, name: str) -> bytes:
    return read_zip(path)[name]


def list_of(path: Path) -> Record:
    found: Record = json.loads(content(path, "pack.json"))
    return found


def indexes(path: Path) -> list[int]:
    return sorted({index for name in read_zip(path) if (index := index_of(name)) is not None})


def add_foreign(path: Path, context: Context, foreign: Callable[[dict[str, str]], bool]) -> int:
    """Add the first record with such a subject that is not there yet, with its good proof."""
    found = entries(context.published.directory)
    there = indexes(path)
    subjects = [json.loads(entry)["subject"] for entry in found]
    index = next(place for place, one in enumerate(subjects) if foreign(one) and place not in there)
    record, its_proof = names_of(index)
    note, size = content(path, "checkpoint"), list_of(path)["size"]
    repack(path, {record: found[index], its_proof: proof(found[:size], index, note)})
    return index


def forged(path: Path) -> tuple[Signer, Changed]:
    """Sign the checkpoint with other keys under the log's name; the proofs follow."""
    text = content(path, "checkpoint").decode().rpartition("\n\n")[0] + "\n"
    forger = Signer.generate(text.split("\n", 1)[0])
    note = forger.note(text)
    changed: Changed = {"checkpoint": note, "keys.txt": forger.keys().encode()}
    for index in indexes(path):
        _, name = names_of(index)
        changed[name] = proof_of(index, parse_proof(content(path, name)).hashes, note)
    return forger, changed


def prove(path: Path, context: Context, entries: Sequence[bytes], *more: int) -> None:
    """Sign another log with the log's keys, and prove the records that are there in it, and `more`."""
    note = context.signer.checkpoint(entries)
    changed: Changed = {"checkpoint": note}
    for index in [*indexes(path), *more]:
        record, its_proof = names_of(index)
        changed |= {record: entries[index], its_proof: proof(entries, index, note)}
    repack(path, changed, size=len(entries))


def amend(path: Path, context: Context, place: int, **members: object) -> int:
    """Change members of a record (None: take out), and chain all that follow it anew."""
    found = records(context.published.directory)
    found[place] = altered(found[place], members)
    prove(path, context, chain(found))
    return place
