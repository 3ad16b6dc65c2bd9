"""What a witness decides about a checkpoint (c2sp.org/tlog-witness): it vouches once it has checked, and kept what it vouches for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from feem.adapters.audit.witness_request import Malformed, Submission, parse_submission
from feem.adapters.audit.witness_state import CONFLICTS, REFUSED, Head, StateError, WitnessState
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.merkle import EMPTY_ROOT, verify_consistency
from feem.core.tlog.note import Note, Signature
from feem.core.tlog.signing import verify_signature
from feem.core.tlog.vkey import Algorithm, Key

log = structlog.get_logger("feem.witness")

SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain"


@dataclass(frozen=True)
class Answer:
    """An HTTP status, and a body of this type."""

    status: int
    body: str
    content_type: str = TEXT_TYPE


class Untrusted(ValueError):  # noqa: N818 - it is an outcome of a check, not an error of the program
    """The log's signatures are missing or wrong; the sentence says which."""


def logs_of(keys: Sequence[Key]) -> Mapping[str, tuple[Key, ...]]:
    """Return the logs that these keys belong to, by origin.

    A list that a log publishes may name its witnesses, too: whoever has a cosigner's key in it is no log.
    """
    witnesses = {key.name for key in keys if key.algorithm is Algorithm.COSIGN_ED25519}
    logs: dict[str, tuple[Key, ...]] = {}
    for key in keys:
        if key.name not in witnesses and key not in logs.get(key.name, ()):
            logs[key.name] = (*logs.get(key.name, ()), key)
    return logs


class WitnessDesk:
    """Takes requests one after the other. `clock` returns POSIX seconds; `logs` are the trusted keys by origin.

    Raises StateError for a log that it cannot watch.
    """

    def __init__(
        self, state: WitnessState, logs: Mapping[str, tuple[Key, ...]], clock: Callable[[], float] = time.time
    ) -> None:
        if state.name in logs:
            raise StateError(f"the witness cannot have the name of a log that it watches: {state.name}")
        if long := next((origin for origin in logs if len(origin.encode()) > 255), None):
            raise StateError(f"the origin {long[:40]}… has more than the 255 bytes that a signature can name")
        self.state, self.logs, self._clock = state, dict(logs), clock
        self.failing = ""
        """Why the last checkpoint could not be kept; empty while the disk does its work."""
        self._turn = threading.Lock()

    def submit(self, body: bytes) -> Answer:
        """Answer a request to vouch for a checkpoint. Blocks for the disk; may be called from several threads."""
        try:
            submission = parse_submission(body)
        except Malformed as problem:
            return Answer(400, f"{problem}\n")
        checkpoint = submission.checkpoint
        keys = self.logs.get(checkpoint.origin)
        if keys is None:
            return Answer(404, "this witness does not know the log of that origin\n")
        try:
            signatures = _verified(submission.note, checkpoint, keys)
        except Untrusted as problem:
            log.warning("a checkpoint is not signed by its log", origin=checkpoint.origin, reason=str(problem))
            return Answer(403, f"{problem}\n")
        if submission.old > checkpoint.size:
            return Answer(400, "the old size is larger than the checkpoint's\n")
        with self._turn:  # from the comparison with the held head to the new one on the disk
            return self._decide(submission, Note(submission.note.text, signatures))

    def _decide(self, submission: Submission, note: Note) -> Answer:
        new = submission.checkpoint
        held = self.state.heads.get(new.origin)
        size, root = (held.checkpoint.size, held.checkpoint.root) if held else (0, EMPTY_ROOT)
        if new.size == size and new.root != root:
            self._conflict(new, note, held)
            return Answer(409, f"{size}\n", SIZE_TYPE)
        if submission.old != size:
            return Answer(409, f"{size}\n", SIZE_TYPE)
        if not verify_consistency(size, new.size, root, new.root, submission.proof):
            self._inconsistent(new, note, size)
            return Answer(422, "the proof does not show that this checkpoint goes on from the last one\n")
        return self._vouch(new, note, held)

    def _vouch(self, new: Checkpoint, note: Note, held: Head | None) -> Answer:
        now = int(self._clock())
        if held and now < held.time:
            log.warning("the clock went back: the last time is used again", origin=new.origin, seconds=held.time - now)
            now = held.time  # a later statement about a larger tree must not carry an earlier time
        ours = tuple(key.sign(new, now) for key in self.state.keys)
        try:
            self.state.put(Head(new, Note(note.text, (*note.signatures, *ours)).wire(), now))
        except OSError as problem:
            self.failing = f"the head of {new.origin} cannot be kept: {problem.strerror or problem}"
            log.error(  # noqa: TRY400 - the reason says it all
                "nothing was signed", origin=new.origin, size=new.size, reason=self.failing
            )
            return Answer(503, "this witness cannot keep the checkpoint now, so it does not sign it\n")
        self.failing = ""
        if held is None or new.size != held.checkpoint.size:
            log.info("cosigned", origin=new.origin, size=new.size, root=new.root.hex())
        return Answer(200, "".join(signature.line() + "\n" for signature in ours))

    def _conflict(self, new: Checkpoint, note: Note, held: Head | None) -> None:
        file = self._keep(CONFLICTS, new, note)
        try:
            if held:
                self.state.keep_held(held)
        except OSError as problem:
            file = f"{file}; the other head is not kept ({problem.strerror}): {held.note if held else ''}"
        log.critical(
            "THE LOG HAS TWO HISTORIES: it signed two roots for one size",
            origin=new.origin,
            size=new.size,
            held=(held.checkpoint.root if held else EMPTY_ROOT).hex(),
            shown=new.root.hex(),
            file=file,
        )

    def _inconsistent(self, new: Checkpoint, note: Note, size: int) -> None:
        log.error(
            "the log did not show that its new head goes on from the one held here",
            origin=new.origin,
            held_size=size,
            size=new.size,
            root=new.root.hex(),
            file=self._keep(REFUSED, new, note),
        )

    def _keep(self, kind: str, new: Checkpoint, note: Note) -> str:
        try:
            return str(self.state.keep(kind, new, note.wire()))
        except OSError as problem:
            return f"not kept ({problem.strerror}): {note.wire()}"


def _verified(note: Note, checkpoint: Checkpoint, keys: Sequence[Key]) -> tuple[Signature, ...]:
    """Return the log's own signatures, one of each algorithm that its trusted keys have at least. Raises Untrusted."""
    known = {(key.name, key.key_id): key for key in keys}
    found: dict[Key, Signature] = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if key in found:
            raise Untrusted(f"the key {key.key_id.hex()} has signed twice")
        if not verify_signature(key, checkpoint, signature):
            raise Untrusted(f"the signature by the key {key.key_id.hex()} is wrong")
        found[key] = signature
    missing = {key.algorithm for key in keys} - {key.algorithm for key in found}
    if missing:
        words = " and ".join(algorithm.name.replace("_", "-") for algorithm in sorted(missing))
        raise Untrusted(f"there is no {words} signature by a key of the log that this witness trusts")
    return tuple(found.values())
