"""Reports of game days: one ZIP that proves how chaos runs ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.independent.verifier_documents import Members, members, text
from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_figures import figures
from tests.independent.verifier_json import canonical, parse_canonical
from tests.independent.verifier_lists import Form, Listed, named, open_list, proven_records, signed
from tests.independent.verifier_notes import Checkpoint, Key
from tests.independent.verifier_records import Record

RUN = re.compile(r"runs/[a-z0-9-]{1,63}/[a-z0-9.-]{1,253}\.json")
FORM = Form(
    format="feem.dev/gameday-pack@v1",
    about=("proven", "runs"),
    fixed=("README.md", "report.html", "checkpoint", "keys.txt", "report.json"),
    many=RUN,
)
VERSION, KIND, TRIAL = "feem.dev/v1alpha1", "ChaosRun", "ChaosExperiment"
ENDED = "ChaosRunEnded"


def file_of(run: Members) -> str:
    """Name the file of a run, given by namespace and name."""
    return f"runs/{run['namespace']}/{run['name']}.json"


def evidence_of(run: Members) -> str:
    """Give the digest that the log has of a run that is over."""
    return f"sha256:{sha256(canonical({name: run[name] for name in ('spec', 'status')})).hexdigest()}"


def check_report(path: Path, keys: Sequence[Key]) -> tuple[Checkpoint, int, int]:
    """Check everything that a report says of itself. Returns its checkpoint and how many records and runs it proves."""
    report = open_list(path, FORM)
    if report.about["proven"] is not True:
        raise RejectedError("report was made without the signed log: nothing in it is proven")
    listed = _listed(report)
    checkpoint = signed(report, keys)
    records = list(proven_records(report, checkpoint))
    runs = [_read_run(report.files[file_of(one)], one) for one in listed]
    for run in runs:
        _check_end(run, records)
    for record in records:
        _check_about(record, runs)
    if canonical(figures(runs, records)) != report.files["report.json"]:
        raise RejectedError("report.json is not what the runs and the records give")
    return checkpoint, len(records), len(runs)


def _listed(report: Listed) -> list[Members]:
    """Read which runs the report is about: each in a file of its own, and no other such file."""
    found = report.about["runs"]
    if not isinstance(found, list) or not found:
        raise RejectedError("pack.json's runs are not an array with at least one run")
    runs = [named(one, "a run in pack.json") for one in found]
    files = [file_of(run) for run in runs]
    if len(set(files)) != len(files):
        raise RejectedError("pack.json has two runs of the same namespace and name")
    there = {name for name in report.files if RUN.fullmatch(name)}
    for name in sorted(there ^ set(files)):
        raise RejectedError(f"{name[:80]} is not both a file of the report and a run in pack.json")
    return runs


def _read_run(data: bytes, about: Members) -> Members:
    what = file_of(about)
    run = members(parse_canonical(data, floats=True), what)
    if set(run) != {"apiVersion", "kind", "metadata", "spec", "status"}:
        raise RejectedError(f"{what} is not apiVersion, kind, metadata, spec and status")
    if (run["apiVersion"], run["kind"]) != (VERSION, KIND):
        raise RejectedError(f"{what} is not a {KIND} of {VERSION}")
    if run["metadata"] != about:
        raise RejectedError(f"{what} is another run than the one in pack.json")
    text(members(run["spec"], f"spec of {what}").get("experiment"), f"experiment of {what}")
    members(run["status"], f"status of {what}")
    if _has_null(run):
        raise RejectedError(f"{what} has a null")
    return run


def _has_null(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(_has_null(one) for one in inner)


def _check_end(run: Members, records: Sequence[Record]) -> None:
    """Check that the log says of this run, as it is here, that it ended."""
    subject = {"kind": KIND, **run["metadata"]}
    ends = [record for record in records if record.action == ENDED and record.subject == subject]
    if not ends:
        raise RejectedError(f"no record says how the run of {file_of(run['metadata'])} ended")
    if evidence_of(run) not in {record.evidence for record in ends}:
        raise RejectedError(f"{file_of(run['metadata'])} is not the run as it ended", ends[-1].index)


def _check_about(record: Record, runs: Sequence[Members]) -> None:
    subject = record.subject
    for run in runs:
        about = run["metadata"]
        if subject == {"kind": KIND, **about}:
            return
        trial = (TRIAL, about["namespace"], run["spec"]["experiment"])
        if (subject["kind"], subject["namespace"], subject["name"]) == trial:
            return
    raise RejectedError(
        f"record is about {subject['kind']} {subject['namespace']}/{subject['name']}, not about the report's runs",
        record.index,
    )
