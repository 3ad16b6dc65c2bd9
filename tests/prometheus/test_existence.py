"""Proves that a query that finds nothing is noticed before a release depends on it, and a healthy silence is not."""

from __future__ import annotations

from collections.abc import Callable

import promql_parser as promql
import pytest

from feem.adapters.prometheus.metrics import PrometheusMetrics
from feem.api.indicator import GaugeIndicator, LatencyIndicator, MixIndicator, RatioIndicator
from feem.api.objective import Indicator
from feem.ports import QueryProblem
from tests.prometheus.server import Reply, Stub, error, serving, value, vector

RATIO = Indicator(ratio=RatioIndicator(bad='x_total{code=~"5..",path!="/health",zone=~".*"}', total="x_total"))
LATENCY = Indicator(latency=LatencyIndicator(histogram="h_seconds", threshold="0.3"))
MIX = Indicator(mix=MixIndicator(counter="d_total", label="decision"))
GAUGE = Indicator(gauge=GaugeIndicator(query="max(depth) / max(limit offset 5m)", max="1"))
HERE = 'namespace="bank",pod!=""'


async def exists(
    answer: Reply | Callable[[dict[str, str]], Reply], indicator: Indicator
) -> tuple[QueryProblem | None, Stub]:
    with serving(answer if callable(answer) else lambda _: answer) as stub:
        metrics = PrometheusMetrics(stub.url, timeout=2)
        found = await metrics.exists(indicator, "bank")
        metrics.close()
    return found, stub


def probe(number: int, **labels: str) -> dict[str, object]:
    return value("3", feem_probe=str(number), **labels)


@pytest.mark.parametrize(
    ("indicator", "answer", "queries"),
    [
        (RATIO, vector(probe(0), probe(1)), ["count (x_total{%s})", 'count (x_total{code!="",%s})']),
        (
            Indicator(ratio=RatioIndicator(good='x{ok="1"}', total="x + y")),
            vector(probe(0), probe(1), probe(2)),
            ["count (x{%s})", "count (y{%s})", 'count (x{ok="1",%s})'],
        ),
        (LATENCY, vector(probe(0, le="0.3"), probe(0, le="+Inf")), ["count by (le) (h_seconds_bucket{%s})"]),
        (MIX, vector(probe(0, decision="approved"), probe(0)), ["count by (decision) (d_total{%s})"]),
        (Indicator(mix=MixIndicator(histogram="score")), vector(probe(0)), ["count (score_bucket{%s})"]),
        (GAUGE, vector(probe(0), probe(1)), ["count (depth{%s})", "count (limit{%s})"]),
    ],
)
async def test_what_is_there_is_no_problem(indicator: Indicator, answer: Reply, queries: list[str]) -> None:
    problem, stub = await exists(answer, indicator)
    assert problem is None
    assert len(stub.seen) == 1
    asked = stub.seen[0].parameters["query"]
    promql.parse(asked)
    assert asked == " or ".join(
        f'label_replace({query % HERE}, "feem_probe", "{number}", "", "")' for number, query in enumerate(queries)
    )


@pytest.mark.parametrize(
    ("indicator", "answer", "words"),
    [
        (RATIO, vector(), "spec.indicator.ratio.total: `x_total` finds nothing in the namespace bank"),
        (RATIO, vector(probe(0)), 'now, nor is there any `x_total{code!=""}`'),
        (LATENCY, vector(), "spec.indicator.latency.histogram: `h_seconds_bucket` finds nothing"),
        (
            LATENCY,
            vector(probe(0, le="0.5"), probe(0, le="+Inf")),
            "spec.indicator.latency.histogram: `h_seconds_bucket` has no bucket that ends at 0.3; its edges are 0.5",
        ),
        (MIX, vector(), "spec.indicator.mix.counter: `d_total` finds nothing"),
        (MIX, vector(probe(0)), "no series of `d_total` has the label `decision`: check spec.indicator.mix.label"),
        (GAUGE, vector(probe(0)), "spec.indicator.gauge.query: `limit` finds nothing"),
    ],
)
async def test_what_is_missing_is_quoted(indicator: Indicator, answer: Reply, words: str) -> None:
    problem, _ = await exists(answer, indicator)
    assert problem is not None
    assert problem.reason == "NoSeries"
    assert words in problem.message


@pytest.mark.parametrize(
    "reply",
    [
        error(503, "timeout", "query timed out"),
        vector(probe(0), warnings=["store b is down"]),
        Reply(200, b"{}"),
        vector(value("1")),
        vector(probe(7)),
    ],
)
async def test_a_server_that_cannot_say_is_told_from_a_query_that_finds_nothing(reply: Reply) -> None:
    problem, _ = await exists(reply, RATIO)
    assert problem is not None
    assert problem.reason == "MetricsUnavailable"


async def test_an_unusable_query_asks_nobody() -> None:
    problem, stub = await exists(vector(), Indicator(ratio=RatioIndicator(bad="a - b", total="a")))
    assert problem is not None
    assert problem.reason == "NotACounterQuery"
    assert stub.seen == []
