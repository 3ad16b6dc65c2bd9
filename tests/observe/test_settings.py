"""What the environment says reaches the connection to Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from feem import app
from feem.observe.metrics import OperatorMetrics
from feem.settings import Settings


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Catch what the connection is made with."""
    caught: dict[str, Any] = {}

    def made(url: str, **options: Any) -> None:
        caught.update(options, url=url)

    monkeypatch.setattr(app, "PrometheusMetrics", made)
    monkeypatch.setenv("FEEM_PROMETHEUS_URL", "https://prometheus.bank.example")
    return caught


def test_a_ca_and_a_token_are_files(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEM_PROMETHEUS_CA_FILE", "/etc/feem/prometheus-ca/ca.crt")
    monkeypatch.setenv("FEEM_PROMETHEUS_TOKEN_FILE", "/etc/feem/prometheus-token/token")
    app._metrics(Settings(), OperatorMetrics())
    assert given["ca_file"] == Path("/etc/feem/prometheus-ca/ca.crt")
    assert given["token_file"] == Path("/etc/feem/prometheus-token/token")


@pytest.mark.parametrize("empty", [True, False])
def test_without_them_there_are_none(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, empty: bool) -> None:
    if empty:
        monkeypatch.setenv("FEEM_PROMETHEUS_CA_FILE", "")
        monkeypatch.setenv("FEEM_PROMETHEUS_TOKEN_FILE", "")
    app._metrics(Settings(), OperatorMetrics())
    assert given["ca_file"] is given["token_file"] is None


@pytest.mark.usefixtures("given")
def test_ticket_systems_are_given_by_the_names_that_the_chart_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().jira_url == Settings().ticket_webhook_url == ""
    assert Settings().ticket_timeout_seconds == 5
    for name in ("JIRA_URL", "JIRA_USER", "JIRA_TOKEN_FILE", "JIRA_CA_FILE"):
        monkeypatch.setenv(f"FEEM_{name}", name)
    for name in ("URL", "TOKEN_FILE", "CA_FILE"):
        monkeypatch.setenv(f"FEEM_TICKET_WEBHOOK_{name}", name)
    found = Settings()
    assert (found.jira_url, found.jira_user) == ("JIRA_URL", "JIRA_USER")
    assert (found.jira_token_file, found.jira_ca_file) == ("JIRA_TOKEN_FILE", "JIRA_CA_FILE")
    webhook = (found.ticket_webhook_url, found.ticket_webhook_token_file, found.ticket_webhook_ca_file)
    assert webhook == ("URL", "TOKEN_FILE", "CA_FILE")


@pytest.mark.usefixtures("given")
def test_whether_the_hold_has_to_be_there_is_one_of_three_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().hold_policy == "Auto"
    monkeypatch.setenv("FEEM_HOLD_POLICY", "Never")
    assert Settings().hold_policy == "Never"
    monkeypatch.setenv("FEEM_HOLD_POLICY", "Perhaps")
    with pytest.raises(ValidationError, match="hold_policy"):
        Settings()


@pytest.mark.usefixtures("given")
def test_budgets_are_not_measured_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().budget_interval_seconds == 60
    monkeypatch.setenv("FEEM_BUDGET_INTERVAL_SECONDS", "0")
    with pytest.raises(ValidationError, match="budget_interval_seconds"):
        Settings()
