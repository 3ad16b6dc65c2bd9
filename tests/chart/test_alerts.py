"""The alerts ask only for figures that exist, with labels that they have, and stand in the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from feem.observe.chaos import ReaperMetrics
from feem.observe.metrics import OperatorMetrics
from tests.docs.pages import code_spans, page

FILE = Path(__file__).parents[2] / "charts" / "feem" / "files" / "alerts" / "feem.yaml"


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]


def labels_of_figures() -> dict[str, set[str]]:
    metrics = OperatorMetrics()
    metrics.release_seen("lending", "limit-scoring", "limit-scoring-4", step=1, weight=10, state="Baking")
    metrics.objectives.objective_seen("lending", "errors", measured=True, left=0.5, burn={"1h": 1.0}, burning=())
    metrics.chaos.fault("lending", "limit-scoring", "outage", "outage-x2v", "PodKill", in_place=True, expires=0.0)
    reaper = ReaperMetrics()
    reaper.taken_back("pods", "Expired")
    reaper.swept("failed")
    metrics.chaos.run_ended("lending", "limit-scoring", "outage", "Skipped", "ChangeFreeze")
    texts = [generate_latest(registry).decode() for registry in (metrics.registry, reaper.registry)]
    families = [family for text in texts for family in text_string_to_metric_families(text)]
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_is_promql_over_figures_that_exist(rule: dict[str, Any]) -> None:
    promql_parser.parse(rule["expr"])
    names = set(re.findall(r"\bfeem_[a-z_]+", rule["expr"]))
    known = labels_of_figures()
    assert names
    assert names <= set(known)
    text = "".join(rule["annotations"].values())
    used = set(re.findall(r"\$labels\.([a-z]+)", text)) | set(re.findall(r"([a-z]+)=~?\"", rule["expr"]))
    assert used <= set.intersection(*(known[name] for name in names))


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_waits_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"[0-9]+m", rule["for"])
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert set(rule["annotations"]) == {"summary", "description"}


def test_the_documentation_lists_the_alerts_with_their_severity() -> None:
    operations = page("docs/operations.md")
    told = {code_spans(row[0])[0]: row[1] for row in operations.table("Alerts")}
    assert told == {rule["alert"]: rule["labels"]["severity"] for rule in rules()}
