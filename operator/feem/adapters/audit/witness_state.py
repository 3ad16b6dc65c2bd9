"""What a witness keeps on disk: its keys, the last head it vouched for of each log, and heads that speak against a log."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from feem.adapters.audit.keys import SigningKey, generate_seed, read_seed
from feem.adapters.audit.witness_files import LOCK, InUse, hold, replace_file
from feem.core.tlog.checkpoint import Checkpoint, parse_checkpoint
from feem.core.tlog.note import NoteError, parse_note, valid_name
from feem.core.tlog.signing import time_of, verify_signature
from feem.core.tlog.vkey import Algorithm, Key, parse_keys

HEADS, CONFLICTS, REFUSED = "heads", "conflicts", "refused"
VKEYS = "keys.txt"
FILES = {"ed25519.seed": Algorithm.COSIGN_ED25519, "ml-dsa-44.seed": Algorithm.ML_DSA_44}
KEPT = 1000
"""How many notes against one log are kept of each kind; the first ones tell the most."""


class StateError(ValueError):
    """The state cannot be used; the sentence names the file and what to do."""


@dataclass(frozen=True)
class Head:
    """The last checkpoint of a log that the witness vouched for, and when, POSIX seconds."""

    checkpoint: Checkpoint
    note: str
    time: int


class WitnessState:
    """A folder that belongs to one running witness. Raises StateError for one in use, damaged, or of another witness."""

    def __init__(self, folder: Path, name: str) -> None:
        if not valid_name(name) or len(name.encode()) > 255:
            raise StateError(f"{name!r} cannot be a witness' name: at most 255 bytes without spaces or plus signs")
        self.folder, self.name = folder, name
        try:
            for each in (folder, folder / HEADS, folder / CONFLICTS, folder / REFUSED):
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle = hold(folder)
        except InUse as problem:
            raise StateError(
                f"{folder} belongs to a witness that is running: find it with `fuser {folder / LOCK}`, or give this one its own folder"
            ) from problem
        except OSError as problem:
            raise StateError(f"{folder}: {problem.strerror}: give the witness a folder it may write to") from problem
        try:
            self.keys = self._load_keys()
            self._heads = dict(self._load_heads())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another witness have the folder; calling it twice is fine."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    @property
    def heads(self) -> Mapping[str, Head]:
        """The heads by origin."""
        return self._heads

    def put(self, head: Head) -> None:
        """Replace a log's head; it is on the disk on return. Raises OSError, and then holds what it held before."""
        origin = head.checkpoint.origin
        replace_file(self.folder / HEADS / f"{_file_name(origin)}.note", head.note.encode())
        self._heads[origin] = head
        with contextlib.suppress(OSError):  # it was refused for somebody's wrong proof; now it is vouched for
            self._against(REFUSED, head.checkpoint).unlink(missing_ok=True)

    def keep(self, kind: str, checkpoint: Checkpoint, note: str) -> Path:
        """Keep a signed note that speaks against its log, once; `kind` is CONFLICTS or REFUSED. Raises OSError."""
        path = self._against(kind, checkpoint)
        if not path.exists() and self.count(kind, checkpoint.origin) < KEPT:
            replace_file(path, note.encode())
        return path

    def keep_held(self, head: Head) -> None:
        """Keep the head that a conflict is with beside it: the log may go on, and then another one takes its place. Raises OSError."""
        path = self.folder / CONFLICTS / f"{_file_name(head.checkpoint.origin)}-{head.checkpoint.size}.held"
        if not path.exists():
            replace_file(path, head.note.encode())

    def count(self, kind: str, origin: str) -> int:
        """Return how many notes of this kind are kept against a log."""
        return sum(1 for _ in (self.folder / kind).glob(f"{_file_name(origin)}-*.note"))

    def _against(self, kind: str, checkpoint: Checkpoint) -> Path:
        name = f"{_file_name(checkpoint.origin)}-{checkpoint.size}-{checkpoint.root.hex()}.note"
        return self.folder / kind / name

    def _load_keys(self) -> tuple[SigningKey, ...]:
        known = self._vkeys()
        there = [file for file in FILES if (self.folder / file).exists()]
        if not there and (known or any((self.folder / HEADS).iterdir())):
            raise StateError(
                f"{self.folder} has heads but no keys: bring {' and '.join(FILES)} back, or begin a new witness in an empty folder"
            )
        if not there:
            for file in FILES:
                replace_file(self.folder / file, generate_seed(), 0o600)
            there = list(FILES)
        try:
            keys = tuple(SigningKey(self.name, FILES[file], read_seed(self.folder / file)) for file in there)
        except ValueError as problem:
            raise StateError(str(problem)) from problem
        public = [key.key for key in keys]
        if lost := [key.vkey() for key in known if key not in public]:
            raise StateError(
                f"{self.folder / VKEYS} names the key {lost[0][:60]}, which is not this witness': "
                "start it with the name and the seeds it had, or begin a new one in an empty folder"
            )
        replace_file(self.folder / VKEYS, "".join(key.vkey() + "\n" for key in public).encode())
        return keys

    def _vkeys(self) -> Sequence[Key]:
        path = self.folder / VKEYS
        try:
            return parse_keys(path.read_text(encoding="utf-8")) if path.exists() else ()
        except (OSError, UnicodeDecodeError, NoteError) as problem:
            raise StateError(f"{path} cannot be read: {problem}") from problem

    def _load_heads(self) -> Iterator[tuple[str, Head]]:
        for path in sorted((self.folder / HEADS).glob("*.note")):
            try:
                head = self._read_head(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as problem:
                raise StateError(
                    f"{path} is damaged ({problem}): a witness that forgets may vouch for a fork; begin a new one in an empty folder"
                ) from problem
            if path.name != f"{_file_name(head.checkpoint.origin)}.note":
                raise StateError(f"{path} is the head of {head.checkpoint.origin}, whose file has another name")
            yield head.checkpoint.origin, head

    def _read_head(self, text: str) -> Head:
        note = parse_note(text)
        checkpoint = parse_checkpoint(note.text)
        ours = {(key.key.name, key.key.key_id): key.key for key in self.keys}
        times = []
        for signature in note.signatures:
            key = ours.get((signature.name, signature.key_id))
            if key is None:
                continue
            if not verify_signature(key, checkpoint, signature):
                raise NoteError("this witness' signature is wrong")
            times.append(time_of(key, signature) or 0)
        if not times:
            raise NoteError("this witness has not signed it")
        return Head(checkpoint, text, max(times))


def _file_name(origin: str) -> str:
    """Return a name for a log's files: an origin may be too long for one, or have slashes in it."""
    return hashlib.sha256(origin.encode()).hexdigest()
