"""All kinds of tampering, and how to try one on a copy of what was published."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.independent import (
    tampering_documents,
    tampering_ends,
    tampering_forms,
    tampering_held,
    tampering_list,
    tampering_log,
    tampering_notes,
    tampering_pack,
    tampering_proof,
    tampering_records,
    tampering_report,
    tampering_runs,
    tampering_signatures,
    tampering_zip,
)
from tests.independent.sampledocuments import Published
from tests.independent.tampering_kinds import TAMPERINGS, Context, Tampering

MODULES = (
    tampering_log,
    tampering_notes,
    tampering_signatures,
    tampering_held,
    tampering_records,
    tampering_zip,
    tampering_proof,
    tampering_list,
    tampering_pack,
    tampering_forms,
    tampering_documents,
    tampering_report,
    tampering_runs,
    tampering_ends,
)
"""Where the kinds come from, in the order of the table; importing a module enters its kinds into the list."""
ORDER = [module.__name__ for module in MODULES]
KINDS = tuple(sorted(TAMPERINGS, key=lambda kind: ORDER.index(kind.change.__module__)))


@dataclass(frozen=True)
class Tried:
    """A tampered copy: what a verifier is given, and the first bad index that it should name. A proof's entry lies beside it."""

    kind: str
    path: Path
    held: bytes | None
    index: int | None


def tried(tampering: Tampering, published: Published, folder: Path) -> Tried:
    """Copy what is tampered with into an empty folder, and tamper."""
    held, entry = folder / "held-checkpoint", folder / published.entry.name
    shutil.copyfile(published.held, held)
    shutil.copyfile(published.entry, entry)
    kind = "directory" if tampering.kind == "held" else tampering.kind
    original = {
        "directory": published.directory,
        "bundle": published.bundle,
        "pack": published.pack,
        "report": published.report,
        "proof": published.proof,
    }[kind]
    path = folder / original.name
    if original.is_dir():
        shutil.copytree(original, path)
    else:
        shutil.copyfile(original, path)
    index = tampering.change(path, Context(published, held, entry))
    kept = held.read_bytes() if tampering.kind == "held" else None
    return Tried(kind, path, kept, index)
