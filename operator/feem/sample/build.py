"""Writes the sample: a published log, an earlier checkpoint that somebody held, a few proofs, and the evidence pack of its release."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from feem.adapters.audit.keys import LogSigner, SigningKey, generate_seed
from feem.core.audit.entry import entry_bytes
from feem.core.audit.published import CHECKPOINT, KEYS
from feem.core.audit.record import name_of
from feem.core.dossier.making import Contents, Proven, files_of
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.layout import Layout
from feem.core.tlog.note import Note
from feem.core.tlog.proof import Proof
from feem.core.tlog.signing import open_checkpoint
from feem.core.tlog.tree import Tree
from feem.core.tlog.vkey import Algorithm
from feem.sample.story import DECISION, GOVERNED, ORIGIN, RELEASE, Story, tell
from feem.view.report.page import render

WITNESS = "witness.example/auditor"
HELD, PACK = "held-checkpoint", "evidence.zip"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
VERDICT = "Made by `feem audit sample` from a scripted release; the keys were thrown away."


class Sample:
    """The sample's log with keys that are made for it, and that nobody keeps."""

    def __init__(self, entries: int, *, good: bool = False) -> None:
        kinds = (Algorithm.ED25519, Algorithm.ML_DSA_44)
        self.signer = LogSigner([SigningKey(ORIGIN, kind, generate_seed()) for kind in kinds])
        self.witness = SigningKey(WITNESS, Algorithm.COSIGN_ED25519, generate_seed())
        self.story: Story = tell(self.signer, entries, good=good)
        self.entries = [entry_bytes(record) for record in self.story.entries]
        self.layout = Layout()
        self.tiles = [file for entry in self.entries for file in self.layout.add(entry)]
        self.tiles += self.layout.finish()

    @property
    def tree(self) -> Tree:
        """The tree over all entries."""
        return self.layout.tree

    @property
    def keys(self) -> str:
        """The public keys, one a line."""
        keys = (*self.signer.keys, self.witness.key)
        return f"# keys of {ORIGIN} and of a witness\n" + "".join(f"{key.vkey()}\n" for key in keys)

    def note(self, size: int) -> str:
        """Return the checkpoint over the first `size` entries, signed by the log and cosigned by the witness."""
        head = Checkpoint(ORIGIN, size, self.tree.root(size))
        time = int((datetime.fromisoformat(self.story.entries[size - 1].time) + timedelta(seconds=4)).timestamp())
        return Note(head.text(), (*self.signer.sign(head, time), self.witness.sign(head, time))).wire()

    def proof(self, index: int) -> Proof:
        """Return the proof of an entry in the whole log."""
        return Proof(index, self.tree.inclusion(index), self._whole)

    def pack(self) -> dict[str, bytes]:
        """Return the files of the release's evidence pack."""
        about = (RELEASE, GOVERNED, DECISION)
        indexes = [record.index for record in self.story.entries if record.subject in about]
        opened = open_checkpoint(self._whole, (*self.signer.keys, self.witness.key))
        records = [Proven(self.entries[index], self.proof(index)) for index in indexes]
        story = self.story
        contents = Contents(opened, self._whole, self.keys, records, story.dossier, story.envelope, story.samples)
        report = render(contents.dossier, contents.wires, contents.documents, self._whole, VERDICT)
        return files_of(contents, report)

    @property
    def _whole(self) -> str:
        if not hasattr(self, "_note"):
            self._note = self.note(self.tree.size)
        return self._note


def write(out: Path, entries: int, proofs: int = 3) -> Sample:
    """Write the sample into a folder that is empty or not there. Raises FileExistsError or OSError."""
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty")
    sample = Sample(entries)
    log = out / "log"
    for name, data in (*sample.tiles, (CHECKPOINT, sample.proof(0).checkpoint.encode()), (KEYS, sample.keys.encode())):
        path = log / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (out / KEYS).write_text(sample.keys, encoding="utf-8")
    (out / HELD).write_text(sample.note(max(1, sample.tree.size * 2 // 3)), encoding="utf-8")
    _proofs(out / "proofs", sample, _spread(sample.tree.size, proofs))
    write_zip(out / PACK, sample.pack())
    return sample


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    """Write files into one ZIP file; equal files make equal archives."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, LONG_AGO), data, zipfile.ZIP_DEFLATED)


def _proofs(folder: Path, sample: Sample, indexes: Sequence[int]) -> None:
    folder.mkdir()
    for index in indexes:
        (folder / f"{name_of(index)}.tlog-proof").write_text(sample.proof(index).wire(), encoding="utf-8")
        (folder / f"{name_of(index)}.json").write_bytes(sample.entries[index])


def _spread(size: int, count: int) -> list[int]:
    """Return indexes from the first to the last entry."""
    return sorted({round(place * (size - 1) / max(1, count - 1)) for place in range(count)})
