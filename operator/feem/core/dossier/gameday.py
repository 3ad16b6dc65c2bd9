"""Reports of game days: packs about chaos runs. The entry with which a run ended has the digest of what the report says it was."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from feem.api import API_VERSION
from feem.api.run import ChaosRun
from feem.core.audit.verify import Fault, Finding
from feem.core.chaos.proof import ENDED, proof_of, run_of
from feem.core.digest import canonical, digest_of
from feem.core.dossier.figures import figures_of, in_order
from feem.core.dossier.pack import PackVerdict, verify_pack
from feem.core.dossier.parts import (
    CHECKPOINT,
    INDEX,
    KEYS,
    README,
    REPORT,
    WHICH,
    Broken,
    Read,
    check_files,
    form_of,
    opened_of,
    proof_path,
    read_index,
    record_path,
    records_of,
    sums_of,
)
from feem.core.dossier.selecting import about_runs
from feem.core.tlog.proof import Proof
from feem.core.tlog.signing import Opened
from feem.core.tlog.vkey import Key

FORMAT = "feem.dev/gameday-pack@v1"
FIGURES = "report.json"
UNPROVEN = "it was made without the signed log: nothing in it is proven"
_NEEDED = (README, REPORT, FIGURES, KEYS)
_PLACES = re.compile(
    r"records/[0-9]{12}\.json|proofs/[0-9]{12}\.tlog-proof|checkpoint|runs/[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}\.json"
)


@dataclass(frozen=True)
class GameDay:
    """What a report is made of; without `opened` it is not proven, and there are no proofs."""

    runs: Sequence[ChaosRun]
    entries: Mapping[int, bytes] = field(default_factory=dict)
    """The entries about the runs, by their index."""
    opened: Opened | None = None
    note: str = ""
    keys: str = "# nothing here is signed\n"
    proofs: Mapping[int, Proof] = field(default_factory=dict)

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The runs as the report has them, in the order in which they happened."""
        return [document_of(run) for run in in_order(self.runs)]

    @property
    def told(self) -> list[ChaosRun]:
        """The runs as whoever gets the report reads them."""
        return [run_of(each) for each in self.documents]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The entries as JSON, in the order of the log."""
        return [json.loads(self.entries[index]) for index in sorted(self.entries)]

    @property
    def figures(self) -> dict[str, Any]:
        """What report.json says."""
        return figures_of(self.told, self.records)


def document_of(run: ChaosRun) -> dict[str, Any]:
    """Return a run as a report has it: which one it is, and the proof that the log has the digest of."""
    meta = run.metadata
    which = {"namespace": meta.namespace, "name": meta.name, "uid": meta.uid}
    return {"apiVersion": API_VERSION, "kind": "ChaosRun", "metadata": which, **proof_of(run)}


def run_path(which: Mapping[str, Any]) -> str:
    """Return where a run stands."""
    return f"runs/{which['namespace']}/{which['name']}.json"


def files_of(day: GameDay, report: str, readme: str) -> dict[str, bytes]:
    """Return the files of a report by name, `pack.json` first; `report` is its HTML."""
    documents = day.documents
    files = {
        README: readme.encode(),
        REPORT: report.encode(),
        FIGURES: canonical(day.figures),
        KEYS: day.keys.encode(),
        **({CHECKPOINT: day.note.encode()} if day.opened is not None else {}),
        **{run_path(each["metadata"]): canonical(each) for each in documents},
        **{record_path(index): data for index, data in sorted(day.entries.items())},
        **{proof_path(index): proof.wire().encode() for index, proof in sorted(day.proofs.items())},
    }
    head = day.opened.checkpoint if day.opened is not None else None
    index = {
        "format": FORMAT,
        "origin": head.origin if head else "",
        "size": head.size if head else 0,
        "proven": head is not None,
        "runs": [each["metadata"] for each in documents],
        "files": sums_of(files),
    }
    return {INDEX: canonical(index), **files}


def verify_any(read: Read, names: Collection[str], keys: Sequence[Key]) -> PackVerdict:
    """Check a pack of whatever kind its list says it is."""
    verify = verify_gameday if form_of(read) == FORMAT else verify_pack
    return verify(read, names, keys)


def verify_gameday(read: Read, names: Collection[str], keys: Sequence[Key]) -> PackVerdict:
    """Check a report from its files alone: each is listed, each record is in the log, the records vouch for runs and figures."""
    findings: list[Finding] = []
    try:
        index = _index(read, names)
        opened = opened_of(read(CHECKPOINT), index, keys)
        records = dict(records_of(read, index, keys, findings))
        runs = [_run(read(run_path(which)) or b"", which) for which in index["runs"]]
    except Broken as problem:
        return PackVerdict((*findings, Finding(None, Fault.PACK, str(problem))))
    if not findings:
        findings += [found for run, digest in runs for found in _ended(run, digest, records)]
    if not findings:
        findings += _about([run for run, _ in runs], records)
    if not findings and canonical(figures_of([run for run, _ in runs], records.values())) != read(FIGURES):
        findings.append(Finding(None, Fault.PACK, f"{FIGURES} is not what the runs and the records give"))
    return PackVerdict(tuple(findings), opened, records=len(records), runs=len(runs))


def _index(read: Read, names: Collection[str]) -> dict[str, Any]:
    index = read_index(read, FORMAT, ("proven", "runs"))
    runs = index["runs"]
    shaped = isinstance(runs, list) and all(
        isinstance(one, dict) and set(one) == set(WHICH) and all(isinstance(text, str) for text in one.values())
        for one in runs
    )
    if not shaped or not runs:
        raise Broken(f"{INDEX} does not say which runs the report is of")
    check_files(read, names, index, _NEEDED, _PLACES)
    if {run_path(one) for one in runs} != {name for name in index["files"] if name.startswith("runs/")}:
        raise Broken(f"the files in runs/ are not those of the runs that {INDEX} names")
    if index["proven"] is not True:
        raise Broken(UNPROVEN)
    return index


def _run(data: bytes, which: Mapping[str, str]) -> tuple[ChaosRun, str]:
    """Return a run, and the digest that its end ought to have in the log. Raises Broken."""
    path = run_path(which)
    try:
        found = json.loads(data)
        shaped = isinstance(found, dict) and found.keys() == {"apiVersion", "kind", "metadata", "spec", "status"}
        if not shaped or canonical(found) != data or _has_null(found):
            raise Broken(f"{path} is not of the form of a run")
        run = run_of(found)
    except ValueError as problem:
        raise Broken(f"{path} cannot be read ({problem})") from problem
    if found["metadata"] != which or found["kind"] != "ChaosRun" or found["apiVersion"] != API_VERSION:
        raise Broken(f"{path} is of another run than {INDEX} says")
    return run, digest_of({"spec": found["spec"], "status": found["status"]})


def _has_null(value: Any) -> bool:
    """Whether a JSON value has null in it, which may mean this or that to whoever computes figures."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(_has_null(one) for one in inner)


def _ended(run: ChaosRun, digest: str, records: Mapping[int, Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield what is wrong unless the run is what the log says it was when it ended."""
    which = {"namespace": run.metadata.namespace, "name": run.metadata.name, "uid": run.metadata.uid}
    said = {
        place: wire.get("evidence")
        for place, wire in records.items()
        if wire["action"] == ENDED and wire["subject"] == {"kind": "ChaosRun", **which}
    }
    if not said:
        yield Finding(None, Fault.PACK, f"no record says how the run of {run_path(which)} ended")
    elif digest not in said.values():
        place = max(said)
        text = f"{run_path(which)} is not the run as it ended: it digests to {digest}, record {place} has {said[place]}"
        yield Finding(place, Fault.PACK, text)


def _about(runs: Sequence[ChaosRun], records: Mapping[int, Mapping[str, Any]]) -> Iterator[Finding]:
    about = about_runs(runs)
    for place, wire in records.items():
        if not about(wire):
            subject = wire["subject"]
            text = f"record {place} is about {subject['kind']} {subject['namespace']}/{subject['name']}, not about the report's runs"
            yield Finding(place, Fault.PACK, text)
