"""What an experiment asks: the samples of a whole service wherever they are counted, and one value of any query."""

from __future__ import annotations

import pytest

from feem.adapters.prometheus.metrics import PrometheusMetrics
from feem.api.indicator import GaugeIndicator, LatencyIndicator, RatioIndicator
from feem.api.objective import Indicator
from feem.core.chaos.snapshot import Reading
from feem.core.evidence.samples import Evidence, SampleRequest
from tests.prometheus.server import Reply, Stub, error, one, serving, success, value, vector

RATIO = Indicator(ratio=RatioIndicator(bad='x_total{code="500"}', total="x_total"))


async def whole(answer: Reply, indicator: Indicator) -> tuple[Evidence, Stub]:
    with serving(lambda _: answer) as stub:
        metrics = PrometheusMetrics(stub.url, timeout=2)
        found = await metrics.samples(SampleRequest(indicator, "bank", "", "", 1_000.0, 1_060.0, whole=True))
        metrics.close()
    return found, stub


async def read(answer: Reply, query: str = "sum(x)") -> Reading:
    with serving(lambda _: answer) as stub:
        metrics = PrometheusMetrics(stub.url, timeout=2)
        found = await metrics.value(query)
        metrics.close()
    assert len(stub.seen) == 1
    assert stub.seen[0].parameters["query"] == query, "as its writer wrote it"
    return found


async def test_all_pods_of_the_namespace_count_as_one_track_also_those_that_are_gone() -> None:
    answer = success(one("a-1", (1_010.0, "1")), one("b-2", (1_020.0, "5")))
    found, stub = await whole(answer, RATIO)
    assert found.problem == ""
    assert [len(series) for series in found.canary.series.values()] == [2, 2]
    assert found.stable.series == {}
    assert all('namespace="bank"' in seen.parameters["query"] for seen in stub.seen)
    assert not any("pod" in seen.parameters["query"] for seen in stub.seen)


@pytest.mark.parametrize("gauge", ["up", "max(x)"])
async def test_what_cannot_be_counted_is_said_and_not_asked(gauge: str) -> None:
    found, stub = await whole(success(), Indicator(gauge=GaugeIndicator(query=gauge, maximum="1")))
    assert "ratio or a latency" in found.problem
    assert stub.seen == []


async def test_a_histogram_without_the_edge_is_named() -> None:
    series = {**one("a-1", (1_010.0, "1")), "metric": {"__name__": "h_bucket", "le": "+Inf", "pod": "a-1"}}
    found, _ = await whole(success(series), Indicator(latency=LatencyIndicator(histogram="h", threshold="0.3")))
    assert found.problem


async def test_one_value_is_read() -> None:
    assert await read(vector(value("2.5"))) == Reading(2.5)


async def test_nothing_found_is_nothing_there() -> None:
    assert await read(vector()) == Reading(0.0)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (vector(value("1", pod="a"), value("2", pod="b")), "2 values"),
        (vector(value("NaN")), "no number to compare"),
        (error(400, "bad_data", "parse error"), "parse error"),
        (Reply(503), "503"),
    ],
)
async def test_what_gives_no_value_says_why(answer: Reply, said: str) -> None:
    found = await read(answer)
    assert found.value is None
    assert said in found.problem
