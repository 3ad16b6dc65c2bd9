"""A real Prometheus, with FEEM's rules, sees faults that stay too long, a reaper that is away, and what a run has left."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from feem.observe.chaos import ReaperMetrics
from feem.observe.metrics import OperatorMetrics
from tests.observe.test_budget_in_prometheus import alerts, exporter, prometheus, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

LONGER = 2.5
"""Seconds in which the rules are evaluated at least once more."""
OVERDUE, DOWN, RESIDUE = "FeemChaosFaultOverdue", "FeemReaperDown", "FeemChaosResidueLeft"
OUTAGE = ("lending", "limit-scoring", "outage")


def chaotic(url: str) -> set[str]:
    ours = {OVERDUE, DOWN, RESIDUE, "FeemReaperFails", "FeemExperimentOnlySkipped"}
    return alerts(url) & ours


def test_alerts_come_and_go_with_what_they_are_about(tmp_path: Path) -> None:
    """They are pending at once; that they wait before they tell is Prometheus' own."""
    operator, reaper = OperatorMetrics(), ReaperMetrics()
    operator.leading(True)
    fault = (*OUTAGE, "outage-x2v", "PodKill")
    with (
        exporter(reaper.registry) as one,
        exporter(operator.registry) as other,
        prometheus(tmp_path, one, other) as url,
    ):

        def told(*expected: str) -> Callable[[], bool]:
            return lambda: chaotic(url) == set(expected)

        def seen(name: str) -> None:
            until(f"the figures of {name}", lambda: name in text(url, name))

        seen("feem_leader")
        time.sleep(LONGER)
        assert chaotic(url) == set()
        operator.chaos.fault(*fault, in_place=True, expires=time.time() + 3600)
        until("a reaper that was never awake", told(DOWN))
        reaper.swept("ok", at=time.time() - 600, marked=1)
        time.sleep(LONGER)
        assert chaotic(url) == {DOWN}, "it was awake ten minutes ago"
        reaper.swept("ok", at=time.time(), marked=1)
        until("quiet", told())
        operator.chaos.fault(*fault, in_place=True, expires=time.time() - 5)
        until("an overdue fault", told(OVERDUE))
        operator.chaos.fault(*fault, in_place=False, expires=0.0)
        until("quiet", told())
        operator.chaos.run_ended(*OUTAGE, "Error", "ResidueLeft")
        until("a residue, after a fault that this operator saw in place", told(RESIDUE))


def test_the_first_residue_of_an_operator_that_saw_no_fault_in_place(tmp_path: Path) -> None:
    """A counter that begins with 1 has no increase."""
    operator = OperatorMetrics()
    operator.leading(True)
    with exporter(ReaperMetrics().registry) as one, exporter(operator.registry) as other:
        operator.chaos.run_ended(*OUTAGE, "Error", "ResidueLeft")
        with prometheus(tmp_path, one, other) as url:
            until("a residue", lambda: chaotic(url) == {RESIDUE})


def text(url: str, name: str) -> str:
    return requests.get(f"{url}/api/v1/query", params={"query": name}, timeout=5).text
