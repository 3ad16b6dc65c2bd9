"""Tampering with the report of a game day: which runs it is about, and how they went. Figures and list are made anew to fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.independent.samplefiles import read_zip
from tests.independent.samplelog import Record
from tests.independent.sampleruns import figured
from tests.independent.tampering_files import add_foreign, content, forged, indexes, list_of, repack
from tests.independent.tampering_kinds import Context, tampering
from tests.independent.verifier_json import canonical
from tests.independent.verifier_lists import names_of
from tests.independent.verifier_reports import ENDED, file_of

UID = "00000000-0000-0000-0000-000000000000"


def runs(path: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = list_of(path)["runs"]
    return found


def body(path: Path, about: Mapping[str, str]) -> Record:
    found: Record = json.loads(content(path, file_of(dict(about))))
    return found


def tell(path: Path, *told: Record, **about: Any) -> None:
    """Write runs otherwise, with figures that fit."""
    changed = {file_of(one["metadata"]): canonical(one) for one in told}
    changed["report.json"] = figured({**read_zip(path), **changed})
    repack(path, changed, **about)


def places(path: Path, about: Mapping[str, str], action: str = "") -> list[int]:
    """Find the records about a run."""
    found = {index: json.loads(content(path, names_of(index)[0])) for index in indexes(path)}
    subject = {"kind": "ChaosRun", **about}
    return [place for place, one in found.items() if one["subject"] == subject and action in ("", one["action"])]


def end_of(path: Path, about: Mapping[str, str]) -> int:
    return places(path, about, ENDED)[-1]


def improved(run: Record) -> Record:
    """Tell a run as one whose objectives held."""
    status: Record = run["status"]
    during = [{**verdict, "outcome": "Pass", "canary": {"total": 900, "bad": 0}} for verdict in status["during"]]
    conditions = [{**one, "status": "True", "reason": "Passed"} for one in status["conditions"]]
    return {**run, "status": {**status, "during": during, "conditions": conditions, "cause": "HypothesisHeld"}}


@tampering("report: run told otherwise", "report")
def told_otherwise(path: Path, context: Context) -> int | None:
    about = runs(path)[1]
    tell(path, improved(body(path, about)))
    return end_of(path, about)


@tampering("report: reason of a run told otherwise", "report")
def reason_changed(path: Path, context: Context) -> int | None:
    about = runs(path)[1]
    found = body(path, about)
    tell(path, found | {"spec": {**found["spec"], "reason": "approved by the committee"}})
    return end_of(path, about)


@tampering("report: member added to a run's status", "report")
def status_longer(path: Path, context: Context) -> int | None:
    about = runs(path)[2]
    found = body(path, about)
    tell(path, found | {"status": {**found["status"], "causeMessage": "as was expected"}})
    return end_of(path, about)


@tampering("report: two runs under each other's names", "report")
def runs_swapped(path: Path, context: Context) -> int | None:
    one, other = runs(path)[1:]
    tell(path, body(path, one) | {"metadata": other}, body(path, other) | {"metadata": one})
    return end_of(path, one)


@tampering("report: run of the same name with another uid", "report")
def other_uid(path: Path, context: Context) -> int | None:
    first, *others = runs(path)
    renamed = first | {"uid": UID}
    tell(path, body(path, first) | {"metadata": renamed}, runs=[renamed, *others])
    return None


@tampering("report: run added of which the log says nothing", "report")
def run_invented(path: Path, context: Context) -> int | None:
    found = runs(path)
    invented = found[0] | {"name": "lose-a-pod-9", "uid": UID}
    tell(path, body(path, found[0]) | {"metadata": invented}, runs=[*found, invented])
    return None


@tampering("report: run left out, its records left", "report")
def run_left_out(path: Path, context: Context) -> int | None:
    first, bad, third = runs(path)
    files = {name: data for name, data in read_zip(path).items() if name != file_of(bad)}
    repack(path, {file_of(bad): None, "report.json": figured(files)}, runs=[first, third])
    return places(path, bad)[0]


@tampering("report: run twice in the list", "report")
def run_twice(path: Path, context: Context) -> int | None:
    found = runs(path)
    repack(path, {}, runs=[*found, found[0]])
    return None


@tampering("report: two runs of the same name in the list, of which one has another uid", "report")
def name_twice(path: Path, context: Context) -> int | None:
    found = runs(path)
    repack(path, {}, runs=[*found, found[0] | {"uid": UID}])
    return None


@tampering("report: no run at all", "report")
def no_run(path: Path, context: Context) -> int | None:
    changed: dict[str, bytes | None] = {file_of(one): None for one in runs(path)}
    for index in indexes(path):
        changed |= dict.fromkeys(names_of(index))
    kept = {name: data for name, data in read_zip(path).items() if name not in changed}
    repack(path, changed | {"report.json": figured(kept)}, runs=[])
    return None


@tampering("report: run's file added, list left", "report")
def file_added(path: Path, context: Context) -> int | None:
    repack(path, {"runs/lending/more.json": b"{}"}, relist=False)
    return None


@tampering("report: run's file that is not of a run in the list", "report")
def file_more(path: Path, context: Context) -> int | None:
    extra = runs(path)[0] | {"name": "more"}
    repack(path, {file_of(extra): canonical(body(path, runs(path)[0]) | {"metadata": extra})})
    return None


@tampering("report: run in the list without its file", "report")
def file_missing(path: Path, context: Context) -> int | None:
    repack(path, {file_of(runs(path)[0]): None})
    return None


@tampering("report: run in a namespace that Kubernetes does not have", "report")
def other_namespace(path: Path, context: Context) -> int | None:
    first, *others = runs(path)
    moved = first | {"namespace": "Lending"}
    tell(path, body(path, first) | {"metadata": moved}, runs=[moved, *others])
    repack(path, {file_of(first): None})
    return None


@tampering("report: record of a release, with a good proof", "report")
def of_a_release(path: Path, context: Context) -> int | None:
    return add_foreign(path, context, lambda subject: subject["kind"] == "Release")


@tampering("report: heartbeat of the log, with a good proof", "report")
def heartbeat(path: Path, context: Context) -> int | None:
    return add_foreign(path, context, lambda subject: subject["kind"] == "AuditLog")


@tampering("report: checkpoint signed by others under the log's name", "report")
def swapped_key(path: Path, context: Context) -> int | None:
    _, changed = forged(path)
    repack(path, changed)
    return None


@tampering("report: said to be not proven", "report")
def not_proven(path: Path, context: Context) -> int | None:
    repack(path, {}, proven=False)
    return None


@tampering("report: said to be proven by a word", "report")
def proven_by_word(path: Path, context: Context) -> int | None:
    repack(path, {}, proven="true")
    return None


@tampering("report: said to be an evidence pack", "report")
def another_format(path: Path, context: Context) -> int | None:
    repack(path, {}, format="feem.dev/evidence-pack@v1")
    return None
