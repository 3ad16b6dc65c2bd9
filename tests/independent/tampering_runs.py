"""Tampering with the form of a report's runs, and with the figures made of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from tests.independent.samplelog import Record
from tests.independent.tampering_files import content, repack
from tests.independent.tampering_kinds import Context, tampering
from tests.independent.tampering_report import body, end_of, places, runs, tell
from tests.independent.verifier_json import canonical
from tests.independent.verifier_lists import names_of
from tests.independent.verifier_reports import file_of

FIGURES = "report.json"


@tampering("report: spaces in a run", "report")
def spaces(path: Path, context: Context) -> int | None:
    name = file_of(runs(path)[0])
    repack(path, {name: content(path, name) + b"\n"})
    return None


@tampering("report: duplicate JSON keys in a run", "report")
def twice(path: Path, context: Context) -> int | None:
    name = file_of(runs(path)[0])
    repack(path, {name: content(path, name).replace(b'"kind":', b'"kind":"Release","kind":', 1)})
    return None


@tampering("report: run with a member beside its status", "report")
def longer(path: Path, context: Context) -> int | None:
    tell(path, body(path, runs(path)[0]) | {"approvedBy": "risk-officer"})
    return None


@tampering("report: run with more metadata than the list", "report")
def labelled(path: Path, context: Context) -> int | None:
    about = runs(path)[0]
    found = body(path, about) | {"metadata": {**about, "labels": {"approved": "yes"}}}
    repack(path, {file_of(about): canonical(found)})
    return None


@tampering("report: run without its status", "report")
def shorter(path: Path, context: Context) -> int | None:
    found = body(path, runs(path)[0])
    del found["status"]
    repack(path, {file_of(found["metadata"]): canonical(found)})
    return None


@tampering("report: run of another kind", "report")
def other_kind(path: Path, context: Context) -> int | None:
    tell(path, body(path, runs(path)[0]) | {"kind": "Release"})
    return None


@tampering("report: run of a later version of the API", "report")
def other_version(path: Path, context: Context) -> int | None:
    tell(path, body(path, runs(path)[0]) | {"apiVersion": "feem.dev/v2"})
    return None


def refigure(path: Path, change: Callable[[Record], object]) -> None:
    found = json.loads(content(path, FIGURES))
    change(found)
    repack(path, {FIGURES: canonical(found)})


@tampering("report: figures improved", "report")
def better(path: Path, context: Context) -> int | None:
    refigure(path, lambda found: found["totals"].update(longestUndoSeconds=0.1))
    return None


@tampering("report: result of a run improved in the figures alone", "report")
def better_result(path: Path, context: Context) -> int | None:
    refigure(path, lambda found: found["runs"][1].update(result="Passed"))
    return None


@tampering("report: what a fault left behind not in the figures", "report")
def no_residue(path: Path, context: Context) -> int | None:
    refigure(path, lambda found: (found["runs"][2].update(residue=[]), found["totals"].update(residue=0)))
    return None


@tampering("report: seconds rounded as decimals are, a half up", "report")
def rounded(path: Path, context: Context) -> int | None:
    """3.15 s as a double are a little less."""
    repack(path, {FIGURES: re.sub(rb'(?i)(undoSeconds":)3\.1', rb"\g<1>3.2", content(path, FIGURES))})
    return None


@tampering("report: figures of the runs in another order", "report")
def reordered(path: Path, context: Context) -> int | None:
    refigure(path, lambda found: found["runs"].reverse())
    return None


@tampering("report: figures with a member more", "report")
def figures_longer(path: Path, context: Context) -> int | None:
    refigure(path, lambda found: found.update(verdict="all objectives held"))
    return None


@tampering("report: figures in another spelling", "report")
def figures_spelled(path: Path, context: Context) -> int | None:
    repack(path, {FIGURES: content(path, FIGURES).replace(b":null", b": null", 1)})
    return None


@tampering("report: figures that are whole numbers with a fraction", "report")
def fraction(path: Path, context: Context) -> int | None:
    data = content(path, FIGURES)
    repack(path, {FIGURES: data.replace(b'"runs":3', b'"runs":3.0', 1)})
    return None


@tampering("report: record of the second try to undo left out", "report")
def undo_left_out(path: Path, context: Context) -> int | None:
    record, its_proof = names_of(places(path, runs(path)[0], "UndoFault")[-1])
    repack(path, {record: None, its_proof: None})
    return None


@tampering("report: record of a run's end left out", "report")
def end_left_out(path: Path, context: Context) -> int | None:
    record, its_proof = names_of(end_of(path, runs(path)[1]))
    repack(path, {record: None, its_proof: None})
    return None
