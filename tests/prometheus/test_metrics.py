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
from feem.core.evidence.samples import Evidence, Sample, SampleRequest
from tests.prometheus.server import Reply, Stub, error, one, serving, success

REQUEST = SampleRequest(
    bad='sum(rate(x_total{code=~"5.."}[5m]))',
    total="x_total",
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


async def test_two_queries_bring_both_tracks() -> None:
    def answer(parameters: dict[str, str]) -> Reply:
        count = "3" if "code" in parameters["query"] else "40"
        return success(
            one(STABLE, (1_000, "9")), one(CANARY, (1_000.123, "0"), (1_005.123, count)), one("other-1", (1, "7"))
        )

    evidence, outcomes, stub = await ask(answer)
    assert evidence.problem == ""
    assert outcomes == ["ok", "ok"]
    assert [dict(series.labels)["pod"] for series in evidence.canary.total] == [CANARY]
    assert evidence.canary.total[0].samples == (Sample(1_000.123, 0.0), Sample(1_005.123, 40.0))
    assert evidence.canary.bad[0].samples[-1].value == 3
    assert [series.samples for series in evidence.stable.bad] == [(Sample(1_000.0, 9.0),)]
    narrowed = 'namespace="bank",pod=~"scoring-canary-7c-.*|scoring-5f-.*"'
    assert [(seen.path, seen.parameters) for seen in stub.seen] == [
        ("/api/v1/query", {"query": query, "time": "1030.500", "timeout": "2s", "limit": "10000"})
        for query in (f"x_total{{{narrowed}}}[91s]", f'x_total{{code=~"5..",{narrowed}}}[91s]')
    ]


async def test_nothing_found_is_no_problem() -> None:
    evidence, outcomes, _ = await ask(always(success()))
    assert (evidence.problem, evidence.canary.total, evidence.stable.bad) == ("", (), ())
    assert outcomes == ["empty", "empty"]


async def test_values_that_are_no_numbers_are_kept_for_the_record() -> None:
    evidence, _, _ = await ask(always(success(one(CANARY, (1, "NaN"), (2, "+Inf"), (3, "4")))))
    values = [sample.value for sample in evidence.canary.total[0].samples]
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
    assert (evidence.canary.total, evidence.stable.total) == ((), ())
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
            other = replace(REQUEST, bad='x_total{code="404"}')
            await asyncio.gather(*(metrics.samples(one) for one in (REQUEST, REQUEST, other, other)))
            assert len(stub.seen) == 3
            assert outcomes == ["empty"] * 3
            await metrics.samples(REQUEST)
    assert len(stub.seen) == 5, "an answer is shared while it is awaited, never kept"


async def test_an_asker_that_goes_does_not_take_the_answer_along() -> None:
    with serving(always(replace(success(one(CANARY, (1, "2"))), delay=0.3))) as stub:
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
            evidence = await metrics.samples(replace(REQUEST, bad="a / b"))
            problem = metrics.check("a / b")
    assert problem is not None
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
    with serving(always(success(one(CANARY, (1, "2"))))) as stub:
        async with asking(stub.url) as (metrics, _):
            evidence = await metrics.samples(replace(REQUEST, stable_replica_set=""))
    assert len(evidence.canary.total) == 1
    assert evidence.stable.total == ()
    assert 'pod=~"scoring-canary-7c-.*"' in stub.seen[0].parameters["query"]


async def test_a_name_that_begins_another_does_not_take_its_pods() -> None:
    with serving(always(success(one("a-b-c-xxxxx", (1, "2")), one("a-b-xxxxx", (1, "2"))))) as stub:
        async with asking(stub.url) as (metrics, _):
            evidence = await metrics.samples(replace(REQUEST, canary_replica_set="a-b-c", stable_replica_set="a-b"))
    tracks = [[dict(one.labels)["pod"] for one in track.total] for track in (evidence.canary, evidence.stable)]
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
