"""Proves that the page shows a game day whole, in two languages, fetches nothing, and lets nothing of a run act as markup."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from feem.api.base import Condition
from feem.api.run import ChaosRun
from feem.core.audit.entry import canonical_bytes
from feem.core.dossier.gameday import GameDay
from feem.core.dossier.selecting import about_runs
from feem.view.chaos.report.page import render
from feem.view.chaos.report.style import PAPER
from feem.view.chaos.report.words import LABELS, SENTENCES
from tests.report.html import Reading
from tests.view.chaos import bodies as at
from tests.view.chaos.log import SignedLog

MADE = "Made by feem chaos report; all of it was checked."
LOG = SignedLog(at.game_day())
CJK = re.compile(r"[\u4e00-\u9fff]")
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&lt;"
HIDDEN = "\u202egnp.\u2066\u200b\x1b[31m\x7f\ufeff\u00ad\U000e0041\u3164"


def day(bodies: list[at.Body] | None = None) -> GameDay:
    runs = [at.read(body) for body in bodies or at.game_day()]
    about = about_runs(runs)
    specs = [record["spec"] for record in LOG.records]
    return GameDay(runs, {spec["index"]: canonical_bytes(spec) for spec in specs if about(spec)})


def shown(found: GameDay | None = None, *, checkpoint: str | None = None, made: str = MADE, **other: Any) -> str:
    found = found or day()
    note = LOG.auditlog["status"]["checkpoint"] if checkpoint is None else checkpoint
    return render(
        other.get("runs", found.told),
        other.get("figures", found.figures),
        other.get("records", found.records),
        note,
        made,
    )


def test_it_is_well_formed_and_the_same_for_the_same_files() -> None:
    document = shown(checkpoint="")
    assert document == shown(checkpoint="")
    assert document.startswith("<!doctype html>")
    assert Reading(shown()).problems == []


def test_it_fetches_nothing_and_runs_nothing() -> None:
    document = shown()
    tags = Reading(document).tags
    assert not {tag for tag, _ in tags} & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "use"}
    assert not [
        name for _, attributes in tags for name in attributes if name.startswith("on") or name in ("src", "href")
    ]
    assert not re.search(r"url\(|@import|@font-face|https?://|expression\(", document)
    policy = [attributes["content"] for tag, attributes in tags if tag == "meta" and "http-equiv" in attributes]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_everything_of_each_run_is_in_it() -> None:
    text = Reading(shown()).text
    for run in day().told:
        status = run.status
        assert status is not None
        wanted = [run.metadata.uid, run.spec.experiment, run.spec.reason, status.cause, *status.residue, *status.kept]
        wanted += [condition.message for condition in status.conditions if condition.type == "Succeeded"]
        wanted += [one.message for found in (status.before, status.during, status.after) for one in found]
        wanted += [edit.object for edit in status.edits]
        wanted += [status.terms.digest] if status.terms else []
        for one in wanted:
            assert " ".join(one.split()) in text, one
    for one in (
        "/spec/replicas",
        "bureau",
        "80 of 400 bad (20.00%)",
        "23.0 s",
        "1.5 s",
        "15.0 s",
        "1 pod, for 60 s at most",
    ):
        assert one in text, one
    assert "credit-answers held for 60 s before, holds with the fault, and again within 120 s after it" in text


def test_the_table_of_all_runs_has_a_row_for_each_and_says_that_nothing_was_left() -> None:
    table = shown().split('<table class="overview">')[1].split("</table>")[0]
    rows = [Reading(row).text for row in re.findall(r"<tr><td>.*?</tr>", table)]
    assert [row.split()[0] for row in rows] == ["few-pods", "lose-a-pod", "slow-bureau", "lose-a-pod"]
    assert "Passed 通过 HypothesisHeld 2.5 s 60.0 s 1.5 s 14.0 s none 无" in rows[3]
    assert "Skipped 未执行 ChangeFreeze — — — — —" in rows[1]
    assert rows[0].endswith("1.5 s — 1")


def test_every_label_is_in_both_languages() -> None:
    document = shown()
    headings = re.findall(r"<h[24]>(.*?)</h[24]>", document) + re.findall(r"<dt>(.*?)</dt>", document)
    headings += [one for one in re.findall(r"<th(?: [^>]*)?>(.*?)</th>", document) if one]
    assert len(headings) > 60
    assert [one for one in headings if not CJK.search(one)] == []
    words = {**LABELS, **SENTENCES}.values()
    assert all(CJK.search(other) and not CJK.search(english) for english, other in words)


def test_the_log_and_the_way_to_verify_are_there_when_it_is_proven_and_a_warning_when_not() -> None:
    proven = shown()
    assert re.findall(r'<section id="(\w+)">', proven) == ["overview", "runs", "records", "audit", "verify"]
    assert "NOT PROVEN" not in proven
    assert "ML-DSA-44" in proven
    unproven = shown(checkpoint="", made="")
    assert re.findall(r'<section id="(\w+)">', unproven) == ["overview", "runs", "records"]
    assert "NOT PROVEN" in unproven


def test_records_stand_in_the_order_of_the_log() -> None:
    table = shown().split('<table class="records">')[1].split("</table>")[0]
    indexes = [int(one) for one in re.findall(r'<tr><td class="right"><bdi>(\d+)</bdi>', table)]
    assert indexes == sorted(day().entries)
    assert "no entry of the log" in Reading(shown(records=[])).text


def test_the_foot_of_a_printed_page_is_its_own() -> None:
    assert "Chaos game day report" in PAPER
    assert "Release evidence report" not in PAPER


FREE = {"message", "reason", "query", "object", "detail", "deployment", "cause", "actor", "effects", "residue", "kept"}
"""Members with somebody's words, or that an attacker of the cluster could write."""


def poisoned(value: Any, poison: str, *, free: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: poisoned(item, poison, free=key in FREE) for key, item in value.items() if key != "conditions"}
    if isinstance(value, list):
        return [poisoned(item, poison, free=free) for item in value]
    return value + poison if free and isinstance(value, str) else value


@pytest.mark.parametrize("poison", [MARKUP, HIDDEN])
def test_no_text_of_a_run_is_markup_or_hidden(poison: str) -> None:
    runs = []
    for body in at.game_day():
        conditions = [{**one, "message": one["message"] + poison} for one in body["status"]["conditions"]]
        runs.append(ChaosRun.read({**body, **poisoned(body, poison), "metadata": body["metadata"]}))
        status = runs[-1].status
        assert status is not None
        said = [Condition.model_validate(one) for one in conditions]
        runs[-1] = runs[-1].model_copy(update={"status": status.model_copy(update={"conditions": said})})
    document = shown(runs=runs, records=[poisoned(one, poison) for one in day().records], made=MADE + poison)
    read = Reading(document)
    assert read.problems == []
    assert not {tag for tag, _ in read.tags} & {"script", "img"}
    assert not [letter for letter in poison if letter in document and not letter.isprintable()]
    assert document.count("alert(1)" if poison == MARKUP else "[U+202E]") > 40


def test_figures_are_those_of_the_file() -> None:
    found = day()
    text = Reading(shown(found)).text
    totals = found.figures["totals"]
    assert totals["longestUndoSeconds"] == 1.5
    assert f"Runs 演练次数 {totals['runs']}" in text
    assert json.loads(json.dumps(found.figures)) == found.figures
