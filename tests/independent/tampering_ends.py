"""Tampering with a report by somebody who has the log's keys: what the log says of the runs cannot be, or is not what is told."""

from __future__ import annotations

from pathlib import Path

from tests.independent.samplelog import Record, chain
from tests.independent.tampering_files import amend, prove
from tests.independent.tampering_kinds import Context, records, tampering
from tests.independent.tampering_report import UID, body, end_of, improved, runs, tell
from tests.independent.verifier_reports import ENDED, evidence_of


def append(path: Path, context: Context, **members: object) -> int:
    """Add a record to the log's end and to the report."""
    found = records(context.published.directory)
    size = len(found)
    prove(path, context, chain([*found, {**found[-1], **members}]), size)
    return size


def subject_of(about: dict[str, str], **members: str) -> Record:
    return {"kind": "ChaosRun", **about, **members}


@tampering("report: end of a run attests another run", "report", keys=True)
def attests_another(path: Path, context: Context) -> int | None:
    one, other = runs(path)[:2]
    return amend(path, context, end_of(path, one), evidence=evidence_of(body(path, other)))


@tampering("report: end of a run attests nothing", "report", keys=True)
def attests_nothing(path: Path, context: Context) -> int | None:
    return amend(path, context, end_of(path, runs(path)[1]), evidence="")


@tampering("report: end of a run told by a record with another action", "report", keys=True)
def other_action(path: Path, context: Context) -> int | None:
    amend(path, context, end_of(path, runs(path)[1]), action="ChaosRunEnding")
    return None


@tampering("report: end of a run told by a record about its experiment", "report", keys=True)
def end_of_experiment(path: Path, context: Context) -> int | None:
    about = runs(path)[1]
    subject = {"kind": "ChaosExperiment", "namespace": "lending", "name": "slow-bureau", "uid": about["uid"]}
    amend(path, context, end_of(path, about), subject=subject)
    return None


@tampering("report: run told otherwise, and ended once more in yet another way", "report", keys=True)
def ended_anew(path: Path, context: Context) -> int | None:
    about = runs(path)[1]
    found = body(path, about)
    other = evidence_of(found | {"status": {**found["status"], "cause": "Unmeasured"}})
    place = append(path, context, action=ENDED, part="Fact", subject=subject_of(about), evidence=other)
    tell(path, improved(found))
    return place


@tampering("report: run told otherwise, as a run of the same name with another uid ended", "report", keys=True)
def ended_as_another(path: Path, context: Context) -> int | None:
    about = runs(path)[1]
    better = improved(body(path, about))
    subject = subject_of(about, uid=UID)
    append(path, context, action=ENDED, part="Fact", subject=subject, evidence=evidence_of(better))
    tell(path, better)
    return end_of(path, about)


@tampering("report: record about a run of the same name with another uid", "report", keys=True)
def about_another_uid(path: Path, context: Context) -> int | None:
    return append(path, context, subject=subject_of(runs(path)[0], uid=UID))


@tampering("report: record about an experiment of the same name in another namespace", "report", keys=True)
def about_elsewhere(path: Path, context: Context) -> int | None:
    subject = {"kind": "ChaosExperiment", "namespace": "payments", "name": "lose-a-pod", "uid": UID}
    return append(path, context, subject=subject)


@tampering("report: integer beyond 2^53 in a run whose end the log attests", "report", keys=True)
def large_integer(path: Path, context: Context) -> int | None:
    about = runs(path)[1]
    found = body(path, about)
    large = found | {"status": {**found["status"], "replicas": 2**53}}
    amend(path, context, end_of(path, about), evidence=evidence_of(large))
    tell(path, large)
    return None
