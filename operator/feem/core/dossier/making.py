"""Puts an evidence pack together: the same files for a cluster's release and for the sample."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feem.core.digest import canonical
from feem.core.dossier.pack import ATTESTATION, DOSSIER, index_of, samples_path
from feem.core.dossier.parts import CHECKPOINT, INDEX, KEYS, README, REPORT, proof_path, record_path
from feem.core.tlog.proof import Proof
from feem.core.tlog.signing import Opened


@dataclass(frozen=True)
class Proven:
    """An entry's bytes and its proof."""

    entry: bytes
    proof: Proof


@dataclass(frozen=True)
class Contents:
    """What a pack is made of."""

    opened: Opened
    note: str
    keys: str
    records: Sequence[Proven]
    dossier: Mapping[str, Any]
    envelope: bytes
    samples: Mapping[str, bytes]

    @property
    def wires(self) -> list[dict[str, Any]]:
        """The records as JSON."""
        return [json.loads(record.entry) for record in self.records]

    @property
    def documents(self) -> list[bytes]:
        """The samples, unpacked."""
        return [gzip.decompress(data) for data in self.samples.values()]


def files_of(contents: Contents, report: str) -> dict[str, bytes]:
    """Return the files of a pack by name, `pack.json` first."""
    files = {
        README: _readme(contents).encode(),
        REPORT: report.encode(),
        CHECKPOINT: contents.note.encode(),
        KEYS: contents.keys.encode(),
        ATTESTATION: contents.envelope,
        DOSSIER: canonical(contents.dossier),
        **{samples_path(name): data for name, data in contents.samples.items()},
        **{record_path(one.proof.index): one.entry for one in contents.records},
        **{proof_path(one.proof.index): one.proof.wire().encode() for one in contents.records},
    }
    return {INDEX: index_of(contents.opened, contents.dossier["release"], files), **files}


def _readme(contents: Contents) -> str:
    release, head = contents.dossier["release"], contents.opened.checkpoint
    name = f"{release['namespace']}/{release['name']}"
    return f"""# Evidence of release {name}

What FEEM has on record of this release, with proofs. `report.html` is for reading; the proof is in the other files.

    feem audit verify THIS-FILE.zip --keys KEYS

checks all of it without a cluster. Take KEYS, one verifier key a line, from whoever runs the log `{head.origin}`, and not from
`keys.txt` in here: who can forge the pack can forge that file. The exit code is 0 when everything is proven.

By hand, or with other tools:

1. `checkpoint` is a signed note (c2sp.org/tlog-checkpoint) over {head.size} entries.
2. Each `records/INDEX.json` is in the log: `proofs/INDEX.tlog-proof` (c2sp.org/tlog-proof) leads from its bytes to that checkpoint.
3. A record of the release has the SHA-256 of `attestation.dsse.json` as `evidence`. That is an in-toto Statement in a DSSE envelope,
   signed with the log's Ed25519 key.
4. The statement names the SHA-256 of `dossier.json`; that names the SHA-256 of each file in `samples/`.
5. `feem evidence replay samples/NAME.jsonl.gz` judges the raw samples again.

A log that was cut off after this release cannot be told from this file. Compare with a checkpoint that somebody else keeps:
`feem audit verify LOG.zip --held checkpoint`.
"""
