"""The chaos runs of a sample log, and the report of a game day about them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.independent.samplefiles import listed
from tests.independent.samplelog import Record, proof
from tests.independent.samplerecords import ORIGIN, STEPS, digest, experiment_of, is_run, subject, when
from tests.independent.verifier_figures import figures
from tests.independent.verifier_json import canonical
from tests.independent.verifier_lists import names_of
from tests.independent.verifier_records import read_record
from tests.independent.verifier_reports import evidence_of, file_of

FAULTS = ({"podKill": {"how": "Evict"}}, {"dependencyCut": {"service": "bureau"}})
ENDS = (("Passed", "HypothesisHeld", "True"), ("Failed", "ObjectiveBreached", "False"), ("Error", "Stayed", "False"))


def written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _terms(number: int) -> Record:
    return {
        "service": "scoring",
        "fault": FAULTS[number // 20 % 2],
        "blastRadius": {"pods": 1, "durationSeconds": 60},
        "hypothesis": {"objectives": ["answers"], "steadySeconds": 60, "recoverWithinSeconds": 120},
        "generation": 2,
        "digest": digest(b"terms %d" % number),
    }


def _verdict(bad: int) -> Record:
    return {
        "name": "answers",
        "outcome": "Fail" if bad > 9 else "Pass",
        "reason": "OutsideObjective" if bad > 9 else "WithinObjective",
        "message": f"{bad} of 900 bad; the objective allows 1%",
        "canary": {"total": 900, "bad": bad, "rate": f"{bad / 9:.2f}%"},
    }


def _status(number: int) -> Record:
    """Write how a run went: the first one held, the next one breached its objective, the third left something behind."""
    which, first = number // 20 % 3, number * len(STEPS)
    result, cause, succeeded = ENDS[which]
    during = _verdict(80 if result == "Failed" else 1)
    status: Record = {
        "conditions": [{"type": "Succeeded", "status": succeeded, "reason": result, "message": "over"}],
        "cause": cause,
        "terms": _terms(number),
        "deployment": "scoring",
        "plannedAt": written(when(first)),
        "injectedAt": written(when(first + 2)),
        "undoneAt": written(when(first + 7)),
        "completedAt": written(when(first + 9)),
        "before": [_verdict(1)],
        "during": [{**during, "stable": {"total": 900, "bad": 2, "rate": "0.22%"}}],
        "after": [_verdict(0)],
    }
    if result == "Error":
        return status | {"residue": ["/spec/replicas of Deployment lending/scoring is still what the fault made it"]}
    seen = when(first + 3) + timedelta(milliseconds=100)
    return status | {
        "recoveredAt": written(when(first + 8)),
        "effect": {"seenAt": written(seen), "message": "1 of the pods is gone"},
        "kept": ["/spec/replicas was changed by somebody else meanwhile, and left so"],
    }


def run(number: int) -> Record:
    """Write the run that has this number."""
    about = subject("ChaosRun", number)
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": about.pop("kind"),
        "metadata": about,
        "spec": {"experiment": experiment_of(number), "requestedBy": "mei", "reason": "quarterly game day"},
        "status": _status(number),
    }


def ends(numbers: Iterable[int]) -> dict[int, str]:
    """Give the evidence of each run's end, by its number."""
    return {number: evidence_of(run(number)) for number in numbers if is_run(number)}


def figured(files: Mapping[str, bytes]) -> bytes:
    """Write the figures that fit a report's runs and records."""
    runs = [json.loads(data) for name, data in sorted(files.items()) if name.startswith("runs/")]
    records = [read_record(data) for name, data in sorted(files.items()) if name.startswith("records/")]
    return canonical(figures(runs, records))


def report(entries: Sequence[bytes], note: bytes, keys: str) -> dict[str, bytes]:
    """Write the report about all runs that a log tells to their end."""
    runs = [run(number) for number in range(len(entries) // len(STEPS)) if is_run(number)]
    files = {file_of(one["metadata"]): canonical(one) for one in runs}
    files |= {"README.md": b"# How to verify\n", "report.html": b"<!doctype html><title>game day</title>\n"}
    files |= {"checkpoint": note, "keys.txt": keys.encode()}
    about: list[Any] = [subject("ChaosExperiment", number) for number in (0, 20)]
    about += [{"kind": "ChaosRun", **one["metadata"]} for one in runs]
    for index, entry in enumerate(entries):
        if json.loads(entry)["subject"] in about:
            record, its_proof = names_of(index)
            files |= {record: entry, its_proof: proof(entries, index, note)}
    files["report.json"] = figured(files)
    told = [one["metadata"] for one in runs]
    return listed(files, format="feem.dev/gameday-pack@v1", origin=ORIGIN, size=len(entries), proven=True, runs=told)
