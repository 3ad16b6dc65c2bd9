"""Proves that what a whole service burns is counted with one query, and that nothing becomes an exception."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import promql_parser as promql
import pytest

from feem.adapters.prometheus.metrics import PrometheusMetrics
from feem.api.indicator import GaugeIndicator, LatencyIndicator, RatioIndicator
from feem.api.objective import Indicator
from feem.ports import Burn
from tests.prometheus.server import Reply, Stub, error, serving, value, vector

BAD = Indicator(ratio=RatioIndicator(bad='sum(rate(x_total{code=~"5.."}[5m]))', total="x_total"))
GOOD = Indicator(ratio=RatioIndicator(good='x_total{code="200"}', total="x_total"))
LATENCY = Indicator(latency=LatencyIndicator(histogram="h_seconds", threshold="0.3"))


def grown(window: str, role: str, number: str) -> dict[str, Any]:
    return value(number, feem_window=window, feem_role=role)


async def burn(
    answer: Reply | Callable[[dict[str, str]], Reply], indicator: Indicator, windows: Sequence[str] = ("5m", "1h")
) -> tuple[Burn, Stub]:
    with serving(answer if callable(answer) else lambda _: answer) as stub:
        metrics = PrometheusMetrics(stub.url, timeout=2)
        found = await metrics.burn(indicator, "bank", windows)
        metrics.close()
    return found, stub


async def test_one_query_counts_all_windows() -> None:
    answer = vector(
        grown("5m", "total", "100.5"), grown("5m", "bad", "2.5"), grown("1h", "total", "900"), grown("1h", "bad", "3")
    )
    found, stub = await burn(answer, BAD)
    assert found == Burn({"5m": (2.5, 100.5), "1h": (3.0, 900.0)})
    assert len(stub.seen) == 1
    assert "time" not in stub.seen[0].parameters
    query = stub.seen[0].parameters["query"]
    promql.parse(query)
    assert query.count("pod") == 0
    assert query.count('namespace="bank"') == 4
    assert (
        'label_replace(label_replace(sum(increase(x_total{code=~"5..",namespace="bank"}[1h])), "feem_window", "1h", "", ""), '
        '"feem_role", "bad", "", "")'
    ) in query


async def test_good_events_are_taken_from_all() -> None:
    answer = vector(
        grown("5m", "total", "100"), grown("5m", "good", "97"), grown("1h", "total", "10"), grown("1h", "good", "10.2")
    )
    found, _ = await burn(answer, GOOD)
    assert found.counts == {"5m": (3.0, 100.0), "1h": (0.0, 10.0)}


async def test_a_counter_that_is_not_there_counted_nothing() -> None:
    bad, _ = await burn(vector(grown("5m", "total", "100"), grown("1h", "bad", "1")), BAD)
    assert bad == Burn({"5m": (0.0, 100.0)})
    good, _ = await burn(vector(grown("5m", "total", "100")), GOOD)
    assert good == Burn({"5m": (100.0, 100.0)})
    nothing, _ = await burn(vector(), BAD)
    assert nothing == Burn()


async def test_a_latency_is_all_less_the_fast_ones() -> None:
    found, stub = await burn(vector(grown("5m", "total", "100"), grown("5m", "good", "91")), LATENCY)
    assert found == Burn({"5m": (9.0, 100.0)})
    query = stub.seen[0].parameters["query"]
    assert 'increase(h_seconds_bucket{namespace="bank",le="+Inf"}[5m])' in query
    assert 'increase(h_seconds_bucket{namespace="bank",le=~"0?\\\\.30*|' in query


async def test_a_latency_without_its_edge_is_a_problem() -> None:
    def answer(parameters: dict[str, str]) -> Reply:
        if "group" in parameters["query"]:
            return vector(value("1", le="0.5"), value("1", le="+Inf"))
        return vector(grown("5m", "total", "100"))

    found, _ = await burn(answer, LATENCY)
    assert "no bucket that ends at 0.3; its edges are 0.5" in found.problem
    assert found.counts == {}


async def test_a_union_of_counters_keeps_them_apart() -> None:
    indicator = Indicator(ratio=RatioIndicator(bad='a{c="1"} or a{c=~"1|2"}', total="a + b"))
    _, stub = await burn(vector(), indicator, ("5m",))
    query = stub.seen[0].parameters["query"]
    promql.parse(query)
    assert (
        'sum(label_replace(increase(a{namespace="bank"}[5m]), "feem_metric", "0", "", "") or '
        'label_replace(increase(b{namespace="bank"}[5m]), "feem_metric", "1", "", ""))'
    ) in query
    assert query.count('"feem_metric", "0"') == 3, (
        "two selectors of one metric share a mark, so that `or` takes a series once"
    )


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (error(503, "timeout", "query timed out"), "cannot answer now (503"),
        (error(422, "execution", "found duplicate series"), "422, execution: found duplicate series"),
        (vector(warnings=["store b is down"]), "only in part"),
        (vector(grown("5m", "total", "NaN")), "grew by nan in 5m"),
        (vector(grown("5m", "total", "+Inf")), "grew by inf in 5m"),
        (Reply(200, b"<html>"), "did not answer in JSON"),
        (Reply(200, b'{"data":{"result":[{"metric":{}}]}}'), "no list of values"),
        (vector(grown("5m", "total", "5"), delay="x"), ""),
    ],
)
async def test_what_goes_wrong_is_said(reply: Reply, words: str) -> None:
    found, _ = await burn(reply, BAD)
    assert words in found.problem
    assert bool(found.problem) == bool(words)
    assert all(math.isfinite(number) for pair in found.counts.values() for number in pair)


async def test_what_cannot_be_counted_asks_nobody() -> None:
    gauge = Indicator(gauge=GaugeIndicator(query="max(x)", max="1"))
    for indicator, windows, words in [
        (gauge, ("5m",), "only a ratio or a latency"),
        (BAD, ("soon",), "'soon' is no window"),
        (Indicator(ratio=RatioIndicator(bad="a - b", total="a")), ("5m",), "spec.indicator.ratio.bad"),
        (BAD, (), ""),
    ]:
        found, stub = await burn(vector(), indicator, windows)
        assert words in found.problem
        assert bool(found.problem) == bool(words)
        assert stub.seen == []
