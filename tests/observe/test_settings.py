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
def test_budgets_are_not_measured_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().budget_interval_seconds == 60
    monkeypatch.setenv("FEEM_BUDGET_INTERVAL_SECONDS", "0")
    with pytest.raises(ValidationError, match="budget_interval_seconds"):
        Settings()
