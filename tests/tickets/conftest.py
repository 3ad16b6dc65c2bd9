from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from feem.adapters.tickets import Access
from feem.adapters.tickets.jira import JiraTickets
from feem.adapters.tickets.webhook import WebhookTickets
from tests.tickets.server import TOKEN, Tickets, served

Provider = JiraTickets | WebhookTickets
Make = Callable[..., Provider]


@pytest.fixture
def tickets() -> Tickets:
    return Tickets()


@pytest.fixture
def address(tickets: Tickets) -> Iterator[str]:
    with served(tickets) as url:
        yield url


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


def jira_access(address: str, **more: Any) -> Access:
    given: dict[str, Any] = {"name": "Jira", "setting": "tickets.jira", "url": f"{address}/jira", "timeout": 1.0}
    return Access(**given | more)


def webhook_access(address: str, **more: Any) -> Access:
    given: dict[str, Any] = {"name": "the ticket webhook", "setting": "tickets.webhook", "timeout": 1.0}
    return Access(**given | {"url": f"{address}/zentao/api/stories/{{ticket}}?by=feem"} | more)


@pytest.fixture(params=["jira", "webhook"])
def make(request: pytest.FixtureRequest, token_file: Path) -> Make:
    """Either system, with its token."""

    def made(address: str, **more: Any) -> Provider:
        more = {"token_file": token_file} | more
        if request.param == "jira":
            return JiraTickets(jira_access(address, **more))
        return WebhookTickets(webhook_access(address, **more))

    return made
