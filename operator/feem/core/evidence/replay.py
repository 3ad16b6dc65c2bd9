"""Replays a tape: the same verdicts from the same samples, far from any cluster."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass

from feem.api.release import ObjectiveVerdict
from feem.core.evidence.tape import FORMAT, GZIP, Line, Reader, terms_of
from feem.core.evidence.trial import Trial

MOST_BYTES = 1 << 30
"""Unpacked bytes beyond which a file is no tape."""
MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


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
    head, last = lines[0][1], lines[-1][1]
    if head.get("format") != FORMAT:
        raise Unreadable(f"line 1 does not say {FORMAT}: this is no evidence file, or one of another version")
    try:
        terms = [terms_of(line) for line in head["terms"]]
        trials, readers = [Trial(one) for one in terms], [Reader() for _ in terms]
        recorded = tuple(ObjectiveVerdict.model_validate(one) for one in last["verdicts"])
        at, decision, digest = float(last["at"]), str(last["decision"]), str(last["digest"])
    except MALFORMED as wrong:
        raise Unreadable(
            f"its terms (line 1) or its decision (line {len(lines)}) cannot be read: {wrong!r}; the file is cut off or changed"
        ) from wrong
    if len(recorded) != len(terms):
        raise Unreadable(f"line {len(lines)} has {len(recorded)} verdicts, and line 1 the terms of {len(terms)}")
    chain, digests, samples, problems = b"", [], 0, [""] * len(terms)
    for number, (written, line) in enumerate(lines[:-1], start=1):
        chain = hashlib.sha256(chain + written).digest()
        digests.append(f"sha256:{chain.hex()}")
        if number == 1:
            continue
        try:
            objective = range(len(terms)).index(line["objective"])
            problems[objective] = str(line.get("problem", ""))
            if "problem" not in line:
                trials[objective].take(readers[objective].round(line))
                samples += sum(len(one) for one in line["samples"].values())
        except MALFORMED as wrong:
            raise Unreadable(f"line {number} is no round: {wrong!r}") from wrong
    try:
        recomputed = tuple(
            trial.verdict(now=at, problem=problem, queries=given.queries)
            for trial, problem, given in zip(trials, problems, recorded, strict=True)
        )
    except MALFORMED as wrong:
        raise Unreadable(f"its samples give no verdict: {wrong!r}") from wrong
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


def _lines(document: bytes) -> list[tuple[bytes, Line]]:
    """Return each line as it was written, and what it says."""
    if not document:
        raise Unreadable("it is empty")
    lines = []
    for number, line in enumerate(_plain(document).removesuffix(b"\n").split(b"\n"), start=1):
        try:
            read = json.loads(line)
        except (ValueError, RecursionError) as broken:
            raise Unreadable(f"line {number} is no JSON: {broken}") from broken
        if not isinstance(read, dict):
            raise Unreadable(f"line {number} is no JSON object")
        lines.append((line + b"\n", read))
    if len(lines) < 2:
        raise Unreadable("it has fewer than two lines, so it is no evidence file or cut off")
    return lines


def _plain(document: bytes) -> bytes:
    """Unpack a gzipped tape; one that is plain text is returned as it is."""
    if document[:2] != b"\x1f\x8b":
        return document
    unpacker = zlib.decompressobj(wbits=GZIP)
    try:
        plain = unpacker.decompress(document, MOST_BYTES)
    except zlib.error as broken:
        raise Unreadable(f"it cannot be unpacked ({broken}): the file is changed") from broken
    if unpacker.unconsumed_tail:
        raise Unreadable(f"it unpacks to more than {MOST_BYTES:,} bytes, which no tape has")
    if not unpacker.eof or unpacker.unused_data:
        raise Unreadable("it cannot be unpacked: the file is cut off, or something follows it")
    return plain
