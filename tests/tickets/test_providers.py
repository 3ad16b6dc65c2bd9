"""What Jira and a webhook are asked, and what becomes of every kind of answer. Tokens stay where they are."""

from __future__ import annotations

import base64
import gzip
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from feem.adapters.tickets.jira import JiraTickets
from feem.adapters.tickets.webhook import WebhookTickets
from feem.core.gates.facts import TicketAnswer
from tests.tickets import certificate
from tests.tickets.conftest import Make, jira_access, webhook_access
from tests.tickets.server import TOKEN, USER, Answer, Dribbling, Tickets, as_json, page, served


@pytest.fixture(autouse=True)
def _no_secret_is_said(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert TOKEN not in caplog.text
    assert "authorization" not in caplog.text.lower()


def problem(answer: TicketAnswer) -> str:
    assert answer.problem
    assert not answer.status
    assert not answer.missing
    assert TOKEN not in answer.problem
    assert base64.b64encode(TOKEN.encode()).decode()[:12] not in answer.problem
    return answer.problem


def test_the_state_of_a_ticket(make: Make, address: str, tickets: Tickets) -> None:
    provider = make(address)
    assert provider.ask("PAY-7") == TicketAnswer(status="Approved")
    assert provider.ask("PAY-8") == TicketAnswer(status="In Review")
    assert tickets.headers[0]["authorization"] == f"Bearer {TOKEN}"
    assert tickets.asked[0] in ("/jira/rest/api/2/issue/PAY-7?fields=status", "/zentao/api/stories/PAY-7?by=feem")
    assert len(tickets.asked) == 2, "one request a ticket, and none to find out about the server"


def test_a_ticket_that_is_not_there(make: Make, address: str) -> None:
    assert make(address).ask("PAY-404") == TicketAnswer(missing=True)


@pytest.mark.parametrize(
    "ticket", ["../admin", "../../rest/api/2/myself", "PAY-7/../../x", "a b?c#d", "%2e%2e/x", "提单-7"]
)
def test_weird_keys_stay_one_segment(make: Make, address: str, tickets: Tickets, ticket: str) -> None:
    assert make(address).ask(ticket) == TicketAnswer(missing=True)
    path = tickets.asked[0].partition("?")[0]
    assert path.count("/") == (6 if path.startswith("/jira") else 4)
    assert ".." not in path.split("/")


@pytest.mark.parametrize("ticket", ["", " ", ".", ".."])
def test_what_can_be_no_ticket_is_not_even_asked(make: Make, address: str, tickets: Tickets, ticket: str) -> None:
    assert make(address).ask(ticket) == TicketAnswer(missing=True)
    assert not tickets.asked


def test_a_slash_in_a_key_is_part_of_it(make: Make, address: str) -> None:
    assert make(address).ask("PAY/9 x") == TicketAnswer(status="Done")


def test_jira_cloud_wants_user_and_token(address: str, tickets: Tickets, token_file: Path) -> None:
    provider = JiraTickets(jira_access(address, user=USER, token_file=token_file))
    assert provider.ask("PAY-7") == TicketAnswer(status="Approved")
    assert tickets.headers[0]["authorization"].startswith("Basic ")
    tickets.token = "another"  # noqa: S105
    assert "(401)" in problem(provider.ask("PAY-7"))


def test_a_renewed_token_is_used_at_once(make: Make, address: str, tickets: Tickets, token_file: Path) -> None:
    provider = make(address)
    assert provider.ask("PAY-7").status
    tickets.token = "renewed-token"  # noqa: S105
    assert "renew the token in the Secret of tickets." in problem(provider.ask("PAY-7"))
    token_file.write_text("renewed-token")
    assert provider.ask("PAY-7").status


def test_without_a_token_none_is_sent(
    make: Make, address: str, tickets: Tickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    problem(make(address, token_file=None).ask("PAY-7"))
    assert "authorization" not in tickets.headers[0]


@pytest.mark.parametrize("content", [None, "", "two words", "line\nfeed", "umläut", "x" * 5000])
def test_a_token_that_cannot_be_sent(
    make: Make, address: str, tickets: Tickets, token_file: Path, content: str | None
) -> None:
    token_file.write_text(content) if content is not None else token_file.unlink()
    said = problem(make(address).ask("PAY-7"))
    assert "token" in said
    assert "the Secret of tickets." in said
    assert not content or content not in said
    assert not tickets.asked


ANSWERS: list[tuple[Callable[[], Answer], str]] = [
    (lambda: as_json(401, {"errorMessages": [TOKEN]}), "does not let FEEM look (401): renew the token"),
    (lambda: page(403, x_authentication_denied_reason="CAPTCHA"), "does not let FEEM look (403)"),
    (lambda: page(500, TOKEN), "has a problem of its own (500): look at its log"),
    (lambda: page(503, Retry_After="60"), "has a problem of its own (503)"),
    (lambda: page(429, Retry_After="60"), "too many requests (429)"),
    (lambda: as_json(400, {"errorMessages": ["no"]}), "refuses the question (400)"),
    (lambda: page(200, f"<html>{TOKEN}"), "something else than a JSON object: check that tickets."),
    (lambda: page(200, ""), "something else than a JSON object"),
    (lambda: as_json(200, ["Approved"]), "something else than a JSON object"),
    (lambda: page(200, "[" * 100_000), "something else than a JSON object"),
    (lambda: page(200, "{" + " " * 300_000), "more than 256 KiB"),
    (lambda: page(200, "not packed at all", Content_Encoding="gzip"), "what cannot be unpacked"),
    (lambda: as_json(200, {}), "without"),
    (lambda: as_json(200, {"fields": None, "status": None}), "without"),
    (lambda: as_json(200, {"fields": [], "status": ["Approved"]}), "without"),
    (lambda: as_json(200, {"fields": {"status": "Approved"}, "status": {"name": "Approved"}}), "without"),
    (lambda: as_json(200, {"fields": {"status": {"name": ""}}, "status": ""}), "without"),
    (lambda: as_json(200, {"fields": {"status": {"name": 7}}, "status": True}), "without"),
    (lambda: as_json(200, {"fields": {"status": {"name": "A" * 999}}, "status": "A" * 999}), "without"),
]


@pytest.mark.parametrize(("broken", "words"), ANSWERS)
def test_answers_that_are_none(
    make: Make, address: str, tickets: Tickets, broken: Callable[[], Answer], words: str
) -> None:
    tickets.broken = broken
    started = time.monotonic()
    said = problem(make(address).ask("PAY-7"))
    assert words in said
    assert f" at {address.removeprefix('http://')} " in said
    assert "tickets." in said or "its log" in said or "limit" in said
    assert len(tickets.asked) == 1, "nothing is retried"
    assert time.monotonic() - started < 1


def test_a_packed_answer_is_unpacked(make: Make, address: str, tickets: Tickets) -> None:
    code, headers, body = as_json(200, {"fields": {"status": {"name": "Approved"}}, "status": "Approved"})
    tickets.broken = lambda: (code, {**headers, "Content-Encoding": "gzip"}, gzip.compress(body))
    assert make(address).ask("PAY-7") == TicketAnswer(status="Approved")
    bomb = gzip.compress(b" " * 5_000_000 + body)
    tickets.broken = lambda: (code, {**headers, "Content-Encoding": "gzip"}, bomb)
    assert "more than 256 KiB" in problem(make(address).ask("PAY-7"))


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_does_not_take_the_token_elsewhere(make: Make, address: str, tickets: Tickets, code: int) -> None:
    elsewhere = Tickets()
    with served(elsewhere) as other:
        tickets.broken = lambda: page(code, Location=f"{other}/jira/rest/api/2/issue/PAY-7")
        said = problem(make(address).ask("PAY-7"))
    assert f"sends FEEM to another address ({code})" in said
    assert ".url to where the answers come from" in said
    assert not elsewhere.asked


def test_a_404_that_is_not_jiras_own_is_a_wrong_address(address: str, tickets: Tickets, token_file: Path) -> None:
    tickets.broken = lambda: page(404, "<html>nginx")
    said = problem(JiraTickets(jira_access(address, token_file=token_file)).ask("PAY-7"))
    assert "404, and not as Jira does: check that tickets.jira.url is right" in said


def test_silence_ends_after_its_time(make: Make, address: str, tickets: Tickets) -> None:
    tickets.delay = 5
    started = time.monotonic()
    assert "did not answer within 0.3 s" in problem(make(address, timeout=0.3).ask("PAY-7"))
    assert time.monotonic() - started < 2


def test_a_server_that_never_comes_to_an_end_is_left(make: Make, tickets: Tickets) -> None:
    with served(tickets, Dribbling) as url:
        started = time.monotonic()
        assert "did not answer within 0.3 s" in problem(make(url, timeout=0.3).ask("PAY-7"))
        assert time.monotonic() - started < 2


def test_nobody_there(make: Make, unused_tcp_port: int) -> None:
    said = problem(make(f"http://127.0.0.1:{unused_tcp_port}").ask("PAY-7"))
    assert "cannot be reached (Connection refused): check tickets." in said


def test_a_name_that_is_not_known(make: Make) -> None:
    assert "cannot be reached" in problem(make("http://tickets.invalid").ask("PAY-7"))


def test_a_certificate_of_somebody_else(make: Make, tmp_path: Path, tickets: Tickets) -> None:
    certificate.write(tmp_path)
    with served(tickets, certificate=tmp_path) as url:
        assert "is not trusted (" in problem(make(url).ask("PAY-7"))
        assert make(url, ca_file=tmp_path / "cert.pem").ask("PAY-7") == TicketAnswer(status="Approved")
        said = problem(make(url, ca_file=tmp_path / "nowhere.pem").ask("PAY-7"))
        assert "CA file" in said
        assert ".ca" in said


def test_secrets_in_a_webhooks_query_are_not_repeated(address: str, tickets: Tickets, token_file: Path) -> None:
    url = f"{address}/zentao/api/stories/{{ticket}}?key=also-secret"
    provider = WebhookTickets(webhook_access(address, url=url, token_file=token_file))
    assert provider.ask("PAY-7").status
    tickets.broken = lambda: page(500)
    assert "also-secret" not in problem(provider.ask("PAY-7"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"url": "jira.bank.example"}, "is not an address"),
        ({"url": "file:///etc/passwd"}, "is not an address"),
        ({"url": "https://{ticket}.example/"}, "is not an address"),
        ({"url": "https://feem:hidden@jira.bank.example"}, "put it into the Secret"),
        ({"user": "release:pipeline"}, "without a colon"),
        ({"user": "流水线"}, "only ASCII"),
        ({"user": "release-pipeline"}, r"set tickets\.jira\.token\.secret"),
    ],
)
def test_settings_that_cannot_be(more: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words) as told:
        jira_access("http://127.0.0.1:1", **more)
    assert "hidden" not in str(told.value)


def test_a_webhook_has_a_place_for_the_ticket() -> None:
    with pytest.raises(ValueError, match=r"write \{ticket\} there"):
        WebhookTickets(webhook_access("", url="https://tickets.bank.example/"))
