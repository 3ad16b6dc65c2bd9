"""Replays a tape: the same verdicts from the same samples, far from any cluster."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from dataclasses import dataclass

from feem.api.release import ObjectiveVerdict
from feem.core.evidence.tape import FORMAT, Line, Reader, terms_of, text
from feem.core.evidence.trial import Trial

MOST_BYTES = 1 << 30
"""Unpacked bytes beyond which a file is no tape."""
DIGEST = len("sha256:") + 64


class Unreadable(ValueError):  # noqa: N818 - the file is what is wrong
    """The file is no tape, or not a whole one; the message names the line."""


@dataclass(frozen=True)
class Replay:
    """What a tape says, and what its samples say."""

    release: str
    decision: str
    at: float
    recorded: tuple[ObjectiveVerdict, ...]
    recomputed: tuple[ObjectiveVerdict, ...]
    recorded_digest: str
    recomputed_digest: str
    rounds: int
    samples: int
    digests: tuple[str, ...]
    """The digest after each line: earlier decisions of the same release recorded one of these."""

    @property
    def holds(self) -> bool:
        """Whether the samples give exactly the verdicts and the digest on the tape."""
        return self.recorded == self.recomputed and self.recorded_digest == self.recomputed_digest


def replay(document: bytes) -> Replay:
    """Recompute the verdicts of a tape (gzipped or plain); raises Unreadable."""
    lines = _lines(document)
    head, last = lines[0], lines[-1]
    if head.get("format") != FORMAT:
        raise Unreadable(f"line 1 does not say {FORMAT}: this is no evidence file, or one of another version")
    try:
        terms = [terms_of(line) for line in head["terms"]]
        trials, readers = [Trial(one) for one in terms], [Reader() for _ in terms]
        recorded = tuple(ObjectiveVerdict.model_validate(one) for one in last["verdicts"])
        at, decision, digest = float(last["at"]), str(last["decision"]), str(last["digest"])
    except (KeyError, TypeError, ValueError) as wrong:
        raise Unreadable(f"its terms or its decision cannot be read: {wrong!r}") from wrong
    chain, digests, samples = b"", [], 0
    for number, line in enumerate(lines[:-1], start=1):
        chain = hashlib.sha256(chain + text(line)).digest()
        digests.append(f"sha256:{chain.hex()}")
        if number == 1:
            continue
        try:
            objective = int(line["objective"])
            trials[objective].take(readers[objective].round(line))
            samples += sum(len(one) for one in line["samples"].values())
        except (KeyError, IndexError, TypeError, ValueError) as wrong:
            raise Unreadable(f"line {number} is no round: {wrong!r}") from wrong
    recomputed = tuple(
        trial.verdict(now=at, queries=given.queries) for trial, given in zip(trials, recorded, strict=False)
    )
    return Replay(
        str(head.get("release", "")),
        decision,
        at,
        recorded,
        recomputed,
        digest,
        digests[-1],
        len(lines) - 2,
        samples,
        tuple(digests),
    )


def _lines(document: bytes) -> list[Line]:
    try:
        plain = gzip.decompress(document) if document[:2] == b"\x1f\x8b" else document
    except (OSError, EOFError, zlib.error) as broken:
        raise Unreadable(f"it cannot be unpacked ({broken}): the file is cut off or changed") from broken
    lines = []
    for number, line in enumerate(plain.splitlines(), start=1):
        try:
            read = json.loads(line)
        except ValueError as broken:
            raise Unreadable(f"line {number} is no JSON: {broken}") from broken
        if not isinstance(read, dict):
            raise Unreadable(f"line {number} is no JSON object")
        lines.append(read)
    if len(lines) < 2:
        raise Unreadable("it has fewer than two lines, so it is no evidence file or cut off")
    return lines
