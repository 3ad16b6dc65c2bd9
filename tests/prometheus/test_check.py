"""Proves that every query of every kind of indicator is read before a release depends on it, and named by its field."""

from __future__ import annotations

import pytest

from feem.adapters.prometheus.metrics import PrometheusMetrics
from feem.api.indicator import GaugeIndicator, LatencyIndicator, MixIndicator, RatioIndicator
from feem.api.objective import Indicator
from feem.ports import QueryProblem


def check(indicator: Indicator) -> QueryProblem | None:
    metrics = PrometheusMetrics("http://127.0.0.1:9")
    try:
        return metrics.check(indicator)
    finally:
        metrics.close()


@pytest.mark.parametrize(
    "indicator",
    [
        Indicator(ratio=RatioIndicator(bad='x{code="500"}', total="x")),
        Indicator(ratio=RatioIndicator(good='a{ok="1"} + b{ok="1"}', total="a + b")),
        Indicator(latency=LatencyIndicator(histogram="h_seconds", threshold="0.3")),
        Indicator(mix=MixIndicator(counter="sum by (decision) (rate(d_total[5m]))", label="decision")),
        Indicator(mix=MixIndicator(histogram="score_bucket")),
        Indicator(gauge=GaugeIndicator(query="max(a / on (x) group_left b offset 5m) or vector(0)", max="5")),
    ],
)
def test_a_good_indicator_has_no_problem(indicator: Indicator) -> None:
    assert check(indicator) is None


@pytest.mark.parametrize(
    ("indicator", "reason", "begins"),
    [
        (
            Indicator(ratio=RatioIndicator(bad="a - b", total="x")),
            "NotACounterQuery",
            "ratio.bad: `a - b` is a difference",
        ),
        (Indicator(ratio=RatioIndicator(good="x{", total="x")), "NotParseable", "ratio.good: `x{` is not PromQL"),
        (Indicator(ratio=RatioIndicator(bad="x", total="avg(x)")), "NotACounterQuery", "ratio.total: `avg(x)`"),
        (
            Indicator(latency=LatencyIndicator(histogram='h{le="1"}', threshold="1")),
            "LabelTwice",
            'latency.histogram: `le="1"` must be left out',
        ),
        (Indicator(mix=MixIndicator(counter="{}", label="a")), "EmptySelector", "mix.counter: `{}`"),
        (Indicator(mix=MixIndicator(histogram='h{le="1"}')), "LabelTwice", 'mix.histogram: `le="1"`'),
        (Indicator(gauge=GaugeIndicator(query="x[5m]", max="1")), "NotOneValue", "gauge.query: `x[5m]`"),
        (Indicator(gauge=GaugeIndicator(query='x{pod="a"}', max="1")), "LabelTwice", 'gauge.query: `pod="a"`'),
        (Indicator(), "EmptySelector", " give exactly one"),
    ],
)
def test_a_problem_names_its_field(indicator: Indicator, reason: str, begins: str) -> None:
    problem = check(indicator)
    assert problem is not None
    assert problem.reason == reason
    assert problem.message.replace("spec.indicator:", "spec.indicator.").startswith(f"spec.indicator.{begins}")
