"""The dashboard asks only for figures that exist, and for all of them."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import promql_parser
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from feem.observe.chaos import ReaperMetrics
from feem.observe.metrics import OperatorMetrics
from tests.chart.dashboard import Query, panels, queries

SAMPLES = ("", "_total", "_bucket", "_count", "_sum")


def exported() -> set[str]:
    texts = [generate_latest(metrics.registry).decode() for metrics in (OperatorMetrics(), ReaperMetrics())]
    return {family.name for text in texts for family in text_string_to_metric_families(text)}


@pytest.mark.parametrize("query", queries(), ids=lambda query: f"{query.panel}: {query.raw[:40]}")
def test_every_query_is_promql_over_figures_that_exist(query: Query) -> None:
    promql_parser.parse(query.expr)
    assert "$" not in re.sub(r'"\$1"', "", query.expr)
    names = set(re.findall(r"\b(?:feem|process)_[a-z_]+", query.expr))
    known = {f"{family}{suffix}" for family in exported() for suffix in SAMPLES}
    assert names
    assert names <= known


def test_every_figure_of_feem_is_shown() -> None:
    text = "\n".join(query.expr for query in queries())
    assert not [name for name in exported() if name.startswith("feem_") and name not in text]


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    a, b = one["gridPos"], other["gridPos"]
    apart = (
        a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"] or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    )
    return not apart


def test_panels_have_ids_and_places_of_their_own() -> None:
    shown = list(panels())
    assert len({panel["id"] for panel in shown}) == len(shown)
    assert not [(a["title"], b["title"]) for a, b in combinations(shown, 2) if overlap(a, b)]
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in shown)


def test_every_panel_says_what_it_shows_and_uses_the_chosen_data_source() -> None:
    for panel in panels():
        if panel["type"] == "row":
            continue
        assert panel["description"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["targets"]
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
