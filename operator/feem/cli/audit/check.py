"""Checks whatever proves something: a published folder or bundle, an evidence pack, one proof."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from feem.cli.audit.source import Source, opened
from feem.cli.problem import Problem
from feem.core.audit.published import CHECKPOINT, KEYS, Progress, Trust, Verdict, verify_published
from feem.core.audit.reading import read_entry
from feem.core.audit.verify import Fault, Finding, Report, first_of
from feem.core.dossier.gameday import verify_any
from feem.core.dossier.parts import INDEX
from feem.core.tlog.note import NoteError
from feem.core.tlog.policy import parse_policy
from feem.core.tlog.proof import check_proof, parse_proof
from feem.core.tlog.signing import Opened
from feem.core.tlog.vkey import Key, parse_keys

_TILE = re.compile(r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/(x[0-9]{3}/)*[0-9]{3}(\.p/[1-9][0-9]{0,2})?")
NEXT = "take the keys from the log's operator: `kubectl get auditlog feem -o jsonpath='{.status.keys}'` shows them"


@dataclass(frozen=True)
class Checked:
    """What was found: what the thing is called, its believed head if it has one, and what is wrong."""

    kind: str
    findings: tuple[Finding, ...]
    opened: Opened | None = None
    report: Report | None = None
    own_keys: bool = False
    """Whether the keys came with the thing itself, and prove nothing but that it hangs together."""
    about: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def first_bad(self) -> Finding | None:
        """The finding at the first entry, else one of no single entry."""
        return first_of(self.findings)


def trust_of(keys: Path | None, policy: Path | None, held: Sequence[Path]) -> Trust:
    """Read what the reader brings. Raises Problem."""
    notes = tuple(_text(path) for path in held)
    try:
        rule = parse_policy(_text(policy)) if policy else None
        given = parse_keys(_text(keys)) if keys else ()
    except NoteError as wrong:
        raise Problem(f"file {policy or keys}", str(wrong), NEXT) from wrong
    return Trust((*given, *(rule.keys if rule else ())), rule, notes)


def check(path: Path, trust: Trust, entry: Path | None = None, progress: Progress = lambda *_: None) -> Checked:
    """Check a folder, a ZIP file, or a proof of the entry in another file. Raises Problem when it cannot be read at all."""
    if entry is not None:
        return _proof(path, entry, trust)
    with opened(path) as source:
        own = not trust.keys
        trust = Trust(_own_keys(source), trust.policy, trust.held) if own else trust
        if INDEX in source.names:
            found = verify_any(source.read, source.names, trust.keys)
            return Checked(found.kind, found.findings, found.opened, None, own, found.about)
        strange = tuple(_strange(source)) if not path.is_dir() else ()
        if strange:
            return Checked("published log", strange, None, None, own)
        verdict: Verdict = verify_published(source.read, trust, progress)
        return Checked("published log", verdict.findings, verdict.opened, verdict.report, own)


def _proof(path: Path, entry: Path, trust: Trust) -> Checked:
    if not trust.keys:
        raise Problem("the log's keys", "none were given, and a proof does not bring any", f"give --keys FILE; {NEXT}")
    try:
        proof = parse_proof(_text(path))
        data = entry.read_bytes()
        found = check_proof(proof, data, trust.keys)
        index = read_entry(data)[0]["index"]
    except OSError as missing:
        raise Problem(f"file {entry}", str(missing.strerror), "feem audit prove INDEX writes both files") from missing
    except NoteError as problem:
        return Checked("proof", (Finding(None, Fault.PROOF, str(problem)),))
    except ValueError as problem:
        return Checked("proof", (Finding(proof.index, Fault.PROOF, str(problem)),))
    if index != proof.index:
        text = f"the entry says it is entry {index}, the proof is of entry {proof.index}"
        return Checked("proof", (Finding(proof.index, Fault.PROOF, text),))
    if trust.policy is not None and not trust.policy.satisfied(found):
        return Checked(
            "proof", (Finding(proof.index, Fault.WITNESS, "the policy's quorum of witnesses is not reached"),)
        )
    return Checked("proof", (), found, about=f"entry {proof.index}")


def _strange(source: Source) -> list[Finding]:
    """A bundle has each name once, and nothing but a log."""
    names = source.names
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    odd = [name for name in names if name not in (CHECKPOINT, KEYS) and not _TILE.fullmatch(name)]
    found = [Finding(None, Fault.PACK, f"{name} stands in the bundle twice") for name in twice]
    return found + [Finding(None, Fault.PACK, f"{name} is no file of a published log") for name in odd]


def _own_keys(source: Source) -> tuple[Key, ...]:
    data = source.read(KEYS)
    if data is None:
        raise Problem("the log's keys", "none were given, and the log has no keys.txt", f"give --keys FILE; {NEXT}")
    try:
        return parse_keys(data.decode())
    except (NoteError, UnicodeDecodeError) as wrong:
        raise Problem("keys.txt of the log", str(wrong), f"give --keys FILE; {NEXT}") from wrong


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise Problem(
            f"file {path}", str(getattr(problem, "strerror", None) or problem), "give a file that can be read"
        ) from problem
