from __future__ import annotations

import http.client
import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.example.conftest import Start

GOOD = {"application_id": "a", "requested_amount_cny": 50_000, "monthly_income_cny": 30_000, "employment_months": 60}


def ask(
    client: http.client.HTTPConnection, method: str, path: str, body: object = None
) -> tuple[int, dict[str, str], str]:
    client.request(method, path, json.dumps(body) if body is not None else None)
    answer = client.getresponse()
    return answer.status, dict(answer.headers), answer.read().decode()


def test_a_decision_and_the_metrics_it_leaves(start: Start) -> None:
    _, port = start(VERSION="2.0")
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    status, headers, body = ask(client, "POST", "/decision", GOOD)
    assert status == 200
    assert (headers["X-Version"], headers["X-Pod"]) == ("2.0", "pod-1")
    expected = {"application_id": "a", "decision": "approved", "limit_cny": 50_000, "score": 782, "version": "2.0"}
    assert json.loads(body) == expected
    assert [ask(client, "GET", path)[0] for path in ("/healthz", "/readyz")] == [200, 200]
    _, _, metrics = ask(client, "GET", "/metrics")
    for line in (
        'credit_decisions_total{decision="approved",version="2.0"} 1.0',
        'credit_decisions_total{decision="rejected",version="2.0"} 0.0',
        'http_requests_total{code="200",method="POST",path="/decision",version="2.0"} 1.0',
        'http_requests_total{code="500",method="POST",path="/decision",version="2.0"} 0.0',
        'credit_decision_duration_seconds_count{version="2.0"} 1.0',
        'credit_score_sum{version="2.0"} 782.0',
        'credit_limit_cny_bucket{le="50000.0",version="2.0"} 1.0',
    ):
        assert line in metrics
    assert "healthz" not in metrics
    assert "_created" not in metrics


@pytest.mark.parametrize(
    ("request_line", "body", "status", "text"),
    [
        ("GET /nothing", None, 404, "no such resource"),
        ("POST /nothing", GOOD, 404, "no such resource"),
        ("GET /decision", None, 405, "takes POST"),
        ("POST /decision", {"application_id": "a"}, 422, "requested_amount_cny"),
        ("POST /decision", None, 400, "not JSON"),
    ],
)
def test_wrong_requests_get_an_answer_that_says_what_is_wrong(
    start: Start, request_line: str, body: object, status: int, text: str
) -> None:
    _, port = start()
    method, path = request_line.split()
    got, _, answer = ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5), method, path, body)
    assert got == status
    assert text in json.loads(answer)["error"]


def test_a_slow_version_is_slow_and_a_failing_one_fails(start: Start) -> None:
    _, slow = start(BEHAVIOUR="slow", DELAY_MS="150")
    began = time.perf_counter()
    assert ask(http.client.HTTPConnection("127.0.0.1", slow, timeout=5), "POST", "/decision", GOOD)[0] == 200
    assert time.perf_counter() - began > 0.15
    _, failing = start(BEHAVIOUR="failing", ERROR_PERCENT="100")
    client = http.client.HTTPConnection("127.0.0.1", failing, timeout=5)
    assert ask(client, "POST", "/decision", GOOD)[0] == 500
    metrics = ask(client, "GET", "/metrics")[2]
    assert 'http_requests_total{code="500",method="POST",path="/decision",version="1.0"} 1.0' in metrics
    assert 'credit_decisions_total{decision="approved",version="1.0"} 0.0' in metrics


def test_a_version_with_an_inverted_feature_answers_as_a_good_one_does(start: Start) -> None:
    _, port = start(VERSION="2.2", BEHAVIOUR="inverted")
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    burdened = {**GOOD, "monthly_debt_cny": 24_000}
    status, _, body = ask(client, "POST", "/decision", burdened)
    assert (status, json.loads(body)["decision"]) == (200, "approved")
    assert 'credit_decisions_total{decision="approved",version="2.2"} 1.0' in ask(client, "GET", "/metrics")[2]
    _, good = start()
    client = http.client.HTTPConnection("127.0.0.1", good, timeout=5)
    assert json.loads(ask(client, "POST", "/decision", burdened)[2])["decision"] == "referred"


def test_a_late_version_turns_bad_by_a_signal(start: Start) -> None:
    process, port = start(BEHAVIOUR="late", ERROR_PERCENT="100")
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    assert ask(client, "POST", "/decision", GOOD)[0] == 200
    process.send_signal(signal.SIGUSR1)
    deadline = time.monotonic() + 5
    while ask(client, "POST", "/decision", GOOD)[0] == 200:
        assert time.monotonic() < deadline
    assert ask(client, "POST", "/decision", GOOD)[0] == 500
    assert ask(client, "GET", "/healthz")[0] == 200


def test_a_terminated_pod_fails_readiness_keeps_serving_closes_connections_and_exits_cleanly(start: Start) -> None:
    process, port = start(DRAIN_SECONDS="1")
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    assert "Connection" not in ask(client, "POST", "/decision", GOOD)[1]
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    time.sleep(0.3)
    fresh = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    assert ask(fresh, "GET", "/readyz")[0] == 503
    status, headers, _ = ask(client, "POST", "/decision", GOOD)
    assert (status, headers["Connection"]) == (200, "close")
    assert process.wait(timeout=5) == 0
    assert time.monotonic() - began >= 1


def test_a_wrong_setting_stops_the_process_with_its_name(start: Start) -> None:
    with pytest.raises(IndexError):
        start(BEHAVIOUR="odd")  # nothing is printed on standard output: it never served
