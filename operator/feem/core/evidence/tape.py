"""The tape: every round of a release's trials as text lines, and the digest over them.

It is what an audit record's evidence digest is about and what `kubectl feem evidence replay` reads: the first line holds
the terms, each further line one round of one objective, or why there was none, and the last one a decision. The digest
is a chain, line by line (h = SHA-256(h || line)), so it costs nothing to know it at any moment, and every earlier
digest is one on the way.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any

from feem.api.release import ObjectiveSnapshot, ObjectiveVerdict
from feem.core.evidence.rounds import Round
from feem.core.evidence.samples import Sample, Series, TrackSamples
from feem.core.evidence.terms import Terms

FORMAT = "feem-evidence/1"
MOST_BYTES = 900_000
"""Compressed bytes that a ConfigMap takes beside its name; a longer tape keeps its digest but not its lines."""
GZIP = 31

Line = dict[str, Any]
Key = tuple[str, str, tuple[tuple[str, str], ...]]


class Tape:
    """Writes lines; the same rounds always give the same bytes."""

    def __init__(self, release: str, terms: tuple[Terms, ...]) -> None:
        self._chain = b""
        self._series: dict[int, dict[Key, int]] = {number: {} for number in range(len(terms))}
        self._problems: dict[int, str] = {}
        self._packer = zlib.compressobj(9, wbits=GZIP)
        self._packed = bytearray()
        self._write({"format": FORMAT, "release": release, "terms": [terms_line(one) for one in terms]})

    @property
    def digest(self) -> str:
        """`sha256:<hex>` over all lines so far."""
        return f"sha256:{self._chain.hex()}"

    def note(self, objective: int, one: Round) -> None:
        """Write a round of the objective with this number, in the order of the terms."""
        self._problems.pop(objective, None)
        known, declared, samples = self._series[objective], {}, {}
        for track, given in (("canary", one.canary), ("stable", one.stable)):
            for role, series in sorted(given.series.items()):
                for item in sorted(series, key=lambda one: one.labels):
                    key = (track, role, item.labels)
                    if key not in known:
                        known[key] = len(known)
                        declared[str(known[key])] = [track, role, dict(item.labels)]
                    samples[str(known[key])] = [[sample.time, sample.value] for sample in item.samples]
        line: Line = {"objective": objective, "end": one.end, "step": one.step, "samples": samples}
        if declared:
            line["series"] = declared
        self._write(line)

    def problem(self, objective: int, at: float, said: str) -> None:
        """Write why there is no round at this moment (Unix seconds); the same answer again writes nothing."""
        if self._problems.get(objective) != said:
            self._problems[objective] = said
            self._write({"objective": objective, "end": at, "problem": said})

    def document(self, action: str, at: float, verdicts: tuple[ObjectiveVerdict, ...]) -> bytes | None:
        """Return the whole tape, gzipped, with a last line about the decision it led to; None when it is too long to keep.

        The last line is not part of the digest: it states it.
        """
        last = {"decision": action, "at": at, "digest": self.digest, "verdicts": [one.wire() for one in verdicts]}
        packer = self._packer.copy()
        document = bytes(self._packed) + packer.compress(text(last)) + packer.flush()
        return document if len(document) <= MOST_BYTES else None

    def _write(self, line: Line) -> None:
        written = text(line)
        self._chain = hashlib.sha256(self._chain + written).digest()
        if len(self._packed) <= MOST_BYTES:
            self._packed += self._packer.compress(written)


def text(line: Line) -> bytes:
    """Write one line, always the same way."""
    return json.dumps(line, sort_keys=True, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def terms_line(terms: Terms) -> Line:
    """Return the terms as JSON."""
    line: Line = {
        "objective": terms.objective.wire(),
        "start": terms.start,
        "alpha": terms.alpha,
        "dispersion": terms.dispersion,
        "history": terms.history,
        "steps": terms.steps,
        "unaccompanied": terms.unaccompanied,
        "watch": terms.watch,
    }
    return {**line, "fault": True} if terms.fault else line


def terms_of(line: Line) -> Terms:
    """Read terms back; raises KeyError, TypeError or ValueError when they are none."""
    return Terms(
        objective=ObjectiveSnapshot.model_validate(line["objective"]),
        start=float(line["start"]),
        alpha=float(line["alpha"]),
        dispersion=float(line["dispersion"]),
        history=str(line["history"]),
        steps=int(line["steps"]),
        unaccompanied=bool(line["unaccompanied"]),
        watch=bool(line["watch"]),
        fault=bool(line.get("fault", False)),
    )


class Reader:
    """Reads one objective's rounds back."""

    def __init__(self) -> None:
        self._series: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {}

    def round(self, line: Line) -> Round:
        """Read a round; raises KeyError, TypeError or ValueError when the line is none."""
        for number, (track, role, labels) in line.get("series", {}).items():
            self._series[number] = (track, role, tuple(sorted(labels.items())))
        tracks: dict[str, dict[str, list[Series]]] = {"canary": {}, "stable": {}}
        for number, samples in line["samples"].items():
            track, role, labels = self._series[number]
            read = Series(labels, tuple(Sample(float(time), float(value)) for time, value in samples))
            tracks[track].setdefault(role, []).append(read)
        canary, stable = (
            TrackSamples({role: tuple(series) for role, series in tracks[name].items()})
            for name in ("canary", "stable")
        )
        return Round(float(line["end"]), int(line["step"]), canary, stable)
