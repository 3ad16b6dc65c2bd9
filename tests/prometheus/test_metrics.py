"""Proves that samples arrive whole and told apart, and that everything else becomes a sentence, never an exception."""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feem.adapters.prometheus.metrics import PrometheusMetrics
from feem.api.indicator import GaugeIndicator, LatencyIndicator, MixIndicator, RatioIndicator
from feem.api.objective import Indicator
from feem.core.evidence.samples import Evidence, Sample, SampleRequest, Series, TrackSamples
from tests.prometheus.server import Reply, Stub, error, one, serving, success, value, vector

BAD = 'sum(rate(x_total{code=~"5.."}[5m]))'


def ratio(bad: str = BAD, total: str = "x_total") -> Indicator:
    return Indicator(ratio=RatioIndicator(bad=bad, total=total))


REQUEST = SampleRequest(
    indicator=ratio(),
    namespace="bank",
    canary_replica_set="scoring-canary-7c",
    stable_replica_set="scoring-5f",
    start=1_000.0,
    end=1_030.5,
)
CANARY, STABLE = "scoring-canary-7c-aaaaa", "scoring-5f-bbbbb"


def always(reply: Reply) -> Callable[[dict[str, str]], Reply]:
    return lambda _parameters: reply


@asynccontextmanager
async def asking(url: str, **settings: Any) -> AsyncIterator[tuple[PrometheusMetrics, list[str]]]:
    outcomes: list[str] = []
    metrics = PrometheusMetrics(url, **{"timeout": 2.0, "observe": outcomes.append, **settings})
    try:
        yield metrics, outcomes
    finally:
        metrics.close()


async def ask(answer: Callable[[dict[str, str]], Reply], **settings: Any) -> tuple[Evidence, list[str], Stub]:
    with serving(answer) as stub:
        async with asking(stub.url, **settings) as (metrics, outcomes):
            return await metrics.samples(REQUEST), outcomes, stub


def times(series: Series) -> list[float]:
    return [sample.time for sample in series.samples]


def pods(series: tuple[Series, ...]) -> list[str]:
    return [dict(one.labels)["pod"] for one in series]


NARROWED = 'namespace="bank",pod=~"scoring-canary-7c-.{5}|scoring-5f-.{5}"'


async def test_two_queries_bring_both_tracks() -> None:
    def answer(parameters: dict[str, str]) -> Reply:
        count = "3" if "code" in parameters["query"] else "40"
        return success(
            one(STABLE, (1_001, "9")), one(CANARY, (1_000.123, "0"), (1_005.123, count)), one("other-1", (1_007, "7"))
        )

    evidence, outcomes, stub = await ask(answer)
    assert evidence.problem == ""
    assert outcomes == ["ok", "ok"]
    canary, stable = evidence.canary.series, evidence.stable.series
    assert pods(canary["total"]) == [CANARY]
    assert canary["total"][0].samples == (Sample(1_000.123, 0.0), Sample(1_005.123, 40.0))
    assert canary["bad"][0].samples[-1].value == 3
    assert [series.samples for series in stable["bad"]] == [(Sample(1_001.0, 9.0),)]
    queries = (f"x_total{{{NARROWED}}}[31s]", f'x_total{{code=~"5..",{NARROWED}}}[31s]')
    assert evidence.queries == queries
    assert [(seen.path, seen.parameters) for seen in stub.seen] == [
        ("/api/v1/query", {"query": query, "time": "1030.500", "timeout": "2s", "limit": "10000"}) for query in queries
    ]


async def test_nothing_found_is_no_problem() -> None:
    evidence, outcomes, _ = await ask(always(success()))
    assert (evidence.problem, evidence.canary.series, evidence.stable.series) == (
        "",
        {"total": (), "bad": ()},
        {"total": (), "bad": ()},
    )
    assert outcomes == ["empty", "empty"]


async def test_only_samples_after_the_start_and_until_the_end() -> None:
    """A server may close the range at its left end, or know samples of the future."""
    answer = success(
        one(CANARY, (999, "1"), (1_000, "2"), (1_000.001, "3"), (1_030.5, "4"), (1_031, "5")), one(STABLE, (1_000, "1"))
    )
    evidence, _, _ = await ask(always(answer))
    assert times(evidence.canary.series["total"][0]) == [1_000.001, 1_030.5]
    assert evidence.stable.series["total"] == ()


async def test_a_scrape_between_two_queries_does_not_let_bad_run_ahead() -> None:
    """Of each target by itself; one that the total does not have is left as it is."""

    def answer(parameters: dict[str, str]) -> Reply:
        if "code" not in parameters["query"]:
            return success(
                one(CANARY, (1_010, "1"), (1_015, "2"), instance="a"),
                one(CANARY, (1_010, "1"), instance="a", code="late"),
                one(CANARY, (1_012, "1"), instance="b"),
            )
        return success(
            one(CANARY, (1_010, "0"), (1_015, "1"), (1_020, "2"), instance="a", code="500"),
            one(CANARY, (1_017, "1"), instance="b", code="500"),
            one(STABLE, (1_020, "1"), instance="c", code="500"),
        )

    evidence, _, _ = await ask(answer)
    assert [times(series) for series in evidence.canary.series["bad"]] == [[1_010, 1_015]]
    assert [times(series) for series in evidence.stable.series["bad"]] == [[1_020]]


async def test_a_union_counts_each_series_once() -> None:
    """Several selectors make several queries; later ones see no further than the first that saw a target."""

    def answer(parameters: dict[str, str]) -> Reply:
        if parameters["query"].startswith("a_total"):
            return success(one(CANARY, (1_010, "1"), of="both"), one(CANARY, (1_010, "2"), of="a"))
        return success(
            one(CANARY, (1_010, "1"), (1_015, "9"), of="both"), one(CANARY, (1_010, "3"), (1_015, "4"), of="b")
        )

    request = replace(REQUEST, indicator=ratio(total="sum(a_total) + sum(rate(b_total[1m]))"))
    with serving(answer) as stub:
        async with asking(stub.url) as (metrics, _):
            evidence = await metrics.samples(request)
    found = {dict(series.labels)["of"]: series.samples for series in evidence.canary.series["total"]}
    assert found == {"a": (Sample(1_010, 2),), "b": (Sample(1_010, 3),), "both": (Sample(1_010, 1),)}
    assert len(evidence.queries) == len(stub.seen) == 3


def latency(threshold: str = "0.3") -> SampleRequest:
    indicator = Indicator(
        latency=LatencyIndicator(histogram="sum by (le) (rate(h_seconds_bucket[1m]))", threshold=threshold)
    )
    return replace(REQUEST, indicator=indicator)


async def test_a_latency_needs_one_query() -> None:
    answer = success(
        one(CANARY, (1_010, "5"), le="0.3"),
        one(CANARY, (1_010, "1"), le="3"),
        one(CANARY, (1_010, "7"), le="+Inf"),
        one(STABLE, (1_010, "2"), le="3e-01", path="/d"),
        one(STABLE, (1_010, "4"), le="+Inf", path="/d"),
    )
    with serving(always(answer)) as stub:
        async with asking(stub.url) as (metrics, _):
            evidence = await metrics.samples(latency())
    canary, stable = evidence.canary.series, evidence.stable.series
    assert [(dict(s.labels)["le"], s.samples[0].value) for s in canary["fast"]] == [("0.3", 5)]
    assert [(dict(s.labels)["le"], s.samples[0].value) for s in canary["total"]] == [("+Inf", 7)]
    assert [(dict(s.labels)["le"], s.samples[0].value) for s in stable["fast"]] == [("3e-01", 2)]
    assert set(canary) == set(stable) == {"fast", "total"}
    assert evidence.queries == tuple(seen.parameters["query"] for seen in stub.seen)
    assert evidence.queries[0].startswith(f'h_seconds_bucket{{{NARROWED},le=~"0?\\\\.30*|')


@pytest.mark.parametrize(
    "series",
    [
        (one(CANARY, (1_010, "5"), le="+Inf"),),
        (
            one(CANARY, (1_010, "5"), le="0.3", path="/a"),
            one(CANARY, (1_010, "5"), le="+Inf", path="/a"),
            one(STABLE, (1_010, "5"), le="+Inf", path="/b"),
        ),
    ],
)
async def test_a_histogram_without_the_threshold_is_told_its_edges(series: tuple[dict[str, Any], ...]) -> None:
    """One of several is enough: its slow events would be all of them."""

    def answer(parameters: dict[str, str]) -> Reply:
        if "group" in parameters["query"]:
            return vector(value("1", le="0.25"), value("1", le="0.5"), value("1", le="+Inf"))
        return success(*series)

    with serving(answer) as stub:
        async with asking(stub.url) as (metrics, _):
            evidence = await metrics.samples(latency())
    assert "has no bucket that ends at 0.3; its edges are 0.25, 0.5: give one of them" in evidence.problem
    assert evidence.canary.series == {}
    assert stub.seen[1].parameters["query"] == f"group by (le) (h_seconds_bucket{{{NARROWED}}})"


async def test_a_mix_has_all_series_of_its_counter_or_histogram() -> None:
    answer = success(one(CANARY, (1_010, "5"), decision="approved"), one(CANARY, (1_010, "7"), decision="referred"))
    counter = Indicator(mix=MixIndicator(counter="decisions_total", label="decision"))
    histogram = Indicator(mix=MixIndicator(histogram="score"))
    with serving(always(answer)) as stub:
        async with asking(stub.url) as (metrics, _):
            events = await metrics.samples(replace(REQUEST, indicator=counter))
            buckets = await metrics.samples(replace(REQUEST, indicator=histogram))
    assert [s.samples[0].value for s in events.canary.series["events"]] == [5, 7]
    assert len(buckets.canary.series["buckets"]) == 2
    assert [seen.parameters["query"] for seen in stub.seen] == [
        f"decisions_total{{{NARROWED}}}[31s]",
        f"score_bucket{{{NARROWED}}}[31s]",
    ]


def gauge(query: str = "max(depth)") -> SampleRequest:
    return replace(REQUEST, indicator=Indicator(gauge=GaugeIndicator(query=query, max="5")))


async def test_a_gauge_has_one_value_a_track() -> None:
    def answer(parameters: dict[str, str]) -> Reply:
        return vector(value("7" if "canary" in parameters["query"] else "3", some="label"))

    with serving(answer) as stub:
        async with asking(stub.url) as (metrics, _):
            evidence = await metrics.samples(gauge())
            alone = await metrics.samples(replace(gauge(), stable_replica_set=""))
    assert evidence.canary == TrackSamples({"value": (Series((), (Sample(1_030.5, 7.0),)),)})
    assert evidence.stable == TrackSamples({"value": (Series((), (Sample(1_030.5, 3.0),)),)})
    assert alone.stable == TrackSamples({"value": ()})
    assert sorted(evidence.queries) == [
        'max(depth{namespace="bank",pod=~"scoring-5f-.{5}"})',
        'max(depth{namespace="bank",pod=~"scoring-canary-7c-.{5}"})',
    ]
    assert {seen.parameters["time"] for seen in stub.seen} == {"1030.500"}


@pytest.mark.parametrize(
    ("reply", "values", "words"),
    [
        pytest.param(vector(), [], "", id="empty"),
        pytest.param(vector(value("NaN")), [], "", id="NaN"),
        pytest.param(vector(value("+Inf")), [math.inf], "", id="infinite"),
        pytest.param(Reply(200, b'{"data":{"resultType":"scalar","result":[1030.5,"4"]}}'), [4.0], "", id="scalar"),
        pytest.param(
            vector(value("1", a="x"), value("2", a="y")), [], "gives 2 values where one is needed", id="several"
        ),
        pytest.param(
            Reply(200, b'{"data":{"resultType":"string","result":[1,"a"]}}'), [], "no list of values", id="text"
        ),
        pytest.param(vector({"metric": {}, "histogram": [1, {}]}), [], "native histogram", id="histogram"),
        pytest.param(success(one(CANARY, (1_001, "2"))), [], "no list of values", id="matrix"),
        pytest.param(vector(warnings=["partial"]), [], "only in part", id="warning"),
        pytest.param(error(422, "execution", "many-to-many"), [], "422, execution: many-to-many", id="execution"),
    ],
)
async def test_a_gauge_that_is_no_number(reply: Reply, values: list[float], words: str) -> None:
    with serving(always(reply)) as stub:
        async with asking(stub.url) as (metrics, _):
            evidence = await metrics.samples(gauge())
    assert words in evidence.problem
    assert bool(evidence.problem) == bool(words)
    found = [s.samples[0].value for s in evidence.canary.series.get("value", ())]
    assert found == values


async def test_values_that_are_no_numbers_are_kept_for_the_record() -> None:
    evidence, _, _ = await ask(always(success(one(CANARY, (1_001, "NaN"), (1_002, "+Inf"), (1_003, "4")))))
    values = [sample.value for sample in evidence.canary.series["total"][0].samples]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, 4.0]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        pytest.param(
            success(warnings=["store a is down"]), "only in part, with the warning: store a is down", id="warning"
        ),
        pytest.param(
            error(400, "bad_data", "parse error"), "(400, bad_data: parse error): check the obj", id="bad data"
        ),
        pytest.param(error(422, "execution", "too many samples"), "422, execution: too many samples", id="execution"),
        pytest.param(error(503, "timeout", "query timed out"), "cannot answer now (503, timeout: query", id="overload"),
        pytest.param(Reply(502, b"<html>Bad gateway</html>"), "cannot answer now (502, Bad Gateway)", id="gateway"),
        pytest.param(Reply(401, b""), "did not let FEEM in (401, Unauthorized)", id="unauthorized"),
        pytest.param(Reply(404, b"nope"), "no query API (404, Not Found): check the address", id="not found"),
        pytest.param(Reply(204, b""), "does not understand (204", id="no content"),
        pytest.param(Reply(200, b"<html>hello</html>"), "did not answer in JSON", id="a web page"),
        pytest.param(Reply(200, b""), "did not answer in JSON", id="empty body"),
        pytest.param(Reply(200, b'{"status":"success"'), "did not answer in JSON", id="cut short"),
        pytest.param(Reply(200, b'{"status":"success"}'), "without a result", id="no data"),
        pytest.param(Reply(200, b"[]"), "without a result", id="a list"),
        pytest.param(Reply(200, b'{"data":{"result":[5]}}'), "no list of samples", id="a number for a series"),
        pytest.param(Reply(200, b'{"data":{"result":null}}'), "no list of samples", id="null"),
        pytest.param(success(one(CANARY, (1, "many"))), "no list of samples", id="a word for a value"),
        pytest.param(success({"metric": {"pod": CANARY}, "value": [1, "2"]}), "no list of samples", id="a vector"),
        pytest.param(
            success({"metric": {"__name__": "x_total"}, "histograms": []}),
            "x_total is a native histogram",
            id="histogram",
        ),
    ],
)
async def test_what_is_no_whole_answer_is_a_problem(reply: Reply, words: str) -> None:
    evidence, outcomes, stub = await ask(always(reply))
    assert words in evidence.problem
    assert evidence.problem.startswith(f"Prometheus at {stub.url.removeprefix('http://')} ")
    assert (evidence.canary.series, evidence.stable.series) == ({}, {})
    assert outcomes == ["error"]
    assert len(stub.seen) == 1, "no second query and no retry after a failed one"


async def test_a_label_that_speaks_of_warnings_is_none() -> None:
    evidence, _, _ = await ask(always(success(one(CANARY, (1, "2"), kind='"warnings"'))))
    assert evidence.problem == ""


async def test_a_slow_server_is_given_up() -> None:
    begun = time.monotonic()
    evidence, outcomes, _ = await ask(always(replace(success(), delay=1.5)), timeout=0.3)
    assert "did not answer within 0.3 s" in evidence.problem
    assert outcomes == ["timeout"]
    assert time.monotonic() - begun < 3


async def test_waiting_for_a_turn_has_an_end_too() -> None:
    """One thread, a server that never answers in time: whoever waits behind is told after twice the timeout."""
    with serving(always(replace(success(), delay=1.0))) as stub:
        async with asking(stub.url, timeout=0.5, concurrency=1) as (metrics, outcomes):
            requests = [replace(REQUEST, end=REQUEST.end + index) for index in range(6)]
            found = await asyncio.gather(*map(metrics.samples, requests))
    assert all("did not answer within" in evidence.problem for evidence in found)
    assert outcomes == ["timeout"] * 6
    assert len(stub.seen) <= 3


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with asking(f"http://127.0.0.1:{port}") as (metrics, outcomes):
            evidence = await metrics.samples(REQUEST)
    assert f"Prometheus at 127.0.0.1:{port} cannot be reached (" in evidence.problem
    assert "refused" in evidence.problem
    assert outcomes == ["error"]


async def test_the_same_question_is_asked_once() -> None:
    with serving(always(replace(success(), delay=0.2))) as stub:
        async with asking(stub.url) as (metrics, outcomes):
            other = replace(REQUEST, indicator=ratio('x_total{code="404"}'))
            await asyncio.gather(*(metrics.samples(one) for one in (REQUEST, REQUEST, other, other)))
            assert len(stub.seen) == 3
            assert outcomes == ["empty"] * 3
            await metrics.samples(REQUEST)
    assert len(stub.seen) == 5, "an answer is shared while it is awaited, never kept"


async def test_an_asker_that_goes_does_not_take_the_answer_along() -> None:
    with serving(always(replace(success(one(CANARY, (1_001, "2"))), delay=0.3))) as stub:
        async with asking(stub.url) as (metrics, _):
            first = asyncio.create_task(metrics.samples(REQUEST))
            second = asyncio.create_task(metrics.samples(REQUEST))
            await asyncio.sleep(0.1)
            first.cancel()
            assert (await second).problem == ""
            assert first.cancelled()


async def test_queries_at_once_are_bounded() -> None:
    with serving(always(replace(success(), delay=0.05))) as stub:
        async with asking(stub.url, concurrency=3) as (metrics, _):
            requests = [replace(REQUEST, end=REQUEST.end + index) for index in range(12)]
            found = await asyncio.gather(*map(metrics.samples, requests))
    assert {evidence.problem for evidence in found} == {""}
    assert stub.most_at_once == 3


async def test_an_unusable_query_asks_nobody() -> None:
    with serving(always(success())) as stub:
        async with asking(stub.url) as (metrics, outcomes):
            evidence = await metrics.samples(replace(REQUEST, indicator=ratio("a / b")))
            problem = metrics.check(ratio("a / b"))
    assert problem is not None
    assert problem.message.startswith("spec.indicator.ratio.bad: `a / b` is a ratio")
    assert evidence.problem == problem.message
    assert (stub.seen, outcomes) == ([], [])


async def test_tracks_whose_pods_have_the_same_names_are_not_judged() -> None:
    name = "s" * 58
    with serving(always(success())) as stub:
        async with asking(stub.url) as (metrics, _):
            long = replace(REQUEST, canary_replica_set=f"{name}-canary-7c", stable_replica_set=f"{name}-5f")
            assert "cannot be told apart" in (await metrics.samples(long)).problem
            none = replace(REQUEST, canary_replica_set="", stable_replica_set="")
            assert "cannot be told apart" in (await metrics.samples(none)).problem
    assert stub.seen == []


async def test_a_track_without_a_replica_set_has_no_samples() -> None:
    with serving(always(success(one(CANARY, (1_001, "2"))))) as stub:
        async with asking(stub.url) as (metrics, _):
            evidence = await metrics.samples(replace(REQUEST, stable_replica_set=""))
    assert len(evidence.canary.series["total"]) == 1
    assert evidence.stable.series == {"total": (), "bad": ()}
    assert 'pod=~"scoring-canary-7c-.{5}"' in stub.seen[0].parameters["query"]


async def test_a_name_that_begins_another_does_not_take_its_pods() -> None:
    with serving(always(success(one("a-b-c-xxxxx", (1_001, "2")), one("a-b-xxxxx", (1_001, "2"))))) as stub:
        async with asking(stub.url) as (metrics, _):
            evidence = await metrics.samples(replace(REQUEST, canary_replica_set="a-b-c", stable_replica_set="a-b"))
    tracks = [pods(track.series["total"]) for track in (evidence.canary, evidence.stable)]
    assert tracks == [["a-b-c-xxxxx"], ["a-b-xxxxx"]]


async def test_a_token_is_read_anew_for_each_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    token = tmp_path / "token"
    token.write_text("first\n")
    with serving(always(success())) as stub:
        async with asking(stub.url + "/", token_file=token) as (metrics, _):
            await metrics.samples(REQUEST)
            token.write_text("second\n")
            await metrics.samples(REQUEST)
            token.unlink()
            evidence = await metrics.samples(REQUEST)
        async with asking(stub.url) as (metrics, _):
            await metrics.samples(REQUEST)
    sent = [seen.authorization for seen in stub.seen]
    assert sent == ["Bearer first"] * 2 + ["Bearer second"] * 2 + [None] * 2
    assert "cannot read" in evidence.problem
    assert "token" in evidence.problem


async def test_a_server_that_is_not_trusted_is_named(tmp_path: Path) -> None:
    async with asking("https://127.0.0.1:1", ca_file=tmp_path / "missing.crt") as (metrics, _):
        assert "missing.crt" in (await metrics.samples(REQUEST)).problem
    with serving(always(success())) as stub:
        async with asking(stub.url.replace("http:", "https:")) as (metrics, _):
            assert "not trusted" in (await metrics.samples(REQUEST)).problem


async def test_passwords_in_the_address_are_not_told() -> None:
    with serving(always(Reply(503))) as stub:
        async with asking(stub.url.replace("http://", "http://someone:secret@")) as (metrics, _):
            assert "secret" not in (await metrics.samples(REQUEST)).problem


@pytest.mark.parametrize("url", ["", "prometheus:9090", "ftp://prometheus", "http://"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="is not the address of a Prometheus"):
        PrometheusMetrics(url)
