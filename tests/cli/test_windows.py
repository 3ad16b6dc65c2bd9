"""`feem windows`: what is open, what comes next, and what that means for a service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from feem.cli.app import app
from feem.cli.problem import Forbidden, NotFound, Problem
from feem.cli.windows import told
from tests.cli.fake import FakeCluster
from tests.view import bodies as at

WINDOWS = "changewindows.feem.dev"
YEAR_END = {"range": {"start": "2026-03-02T17:00", "end": "2026-03-03T23:30"}}
"""Open at NOW, which is 17:30 in Shanghai, until the next night's window is open."""


def governed(cluster: FakeCluster, allowed: str | None = "Required") -> None:
    body = at.service()
    body["spec"]["complianceProfile"] = "standard"
    cluster.add("managedservices.feem.dev", body)
    gates: list[dict[str, Any]] = [{"name": "images", "stage": "Start", "images": {}}]
    if allowed:
        gates.append({"name": "night", "stage": "Start", "window": {"allowed": allowed}})
    cluster.add("complianceprofiles.feem.dev", at.profile(gates=gates))


def test_windows_are_a_table_freezes_first(cluster: FakeCluster) -> None:
    scope = {"matchLabels": {"tier": "1", "bank": "retail"}, "namespaces": ["lending", "cards"]}
    cluster.add(WINDOWS, at.window("a-night"), at.window("year-end", "Freeze", scope=scope, **YEAR_END))
    lines = told(cluster, None, at.NOW).splitlines()
    assert lines == [
        "NAME       TYPE     OPEN   NEXT                             FOR                                   REASON",
        "year-end   Freeze   yes    closes Tue 23:30 Asia/Shanghai   bank=retail,tier=1 in lending|cards   the reason of year-end",
        "a-night    Allow    no     opens 22:00 Asia/Shanghai        all services                          the reason of a-night",
    ]


def test_the_command_asks_nothing_but_windows(cluster: FakeCluster) -> None:
    done = CliRunner().invoke(app, ["windows"], catch_exceptions=False)
    assert done.output == "No change windows in this cluster: no freeze holds anything.\n"
    assert cluster.requests == [f"list {WINDOWS}"]


def test_a_window_that_cannot_be_used_says_so(cluster: FakeCluster) -> None:
    bad = at.window("typo", "Freeze")
    bad["spec"]["timeZone"] = "Asia/Shangai"
    cluster.add(WINDOWS, bad)
    assert "typo   Freeze   yes    cannot be used: UnknownTimeZone" in told(cluster, None, at.NOW)
    said = told(cluster, "limit-scoring", at.NOW)
    assert "may not go forward now; they may not in the time ahead. Why: freeze typo" in said
    assert "Note: ChangeWindow typo cannot be used: " in said


def test_outside_its_window_a_service_waits_until_the_next_one(cluster: FakeCluster) -> None:
    governed(cluster)
    cluster.add(WINDOWS, at.window("night"), at.window("other", scope={"namespaces": ["cards"]}))
    said = told(cluster, "limit-scoring", at.NOW)
    assert "other" not in said
    assert said.endswith(
        "Changes of ManagedService lending/limit-scoring may not go forward now; they may from 22:00 Asia/Shanghai on. "
        "Why: no change window is open.\nRolling back is never held."
    )


def test_in_its_window_a_service_may_go_forward(cluster: FakeCluster) -> None:
    governed(cluster)
    cluster.add(WINDOWS, at.window("night"))
    said = told(cluster, "limit-scoring", datetime(2026, 3, 2, 15, 0, tzinfo=UTC))
    assert (
        "Changes of ManagedService lending/limit-scoring may go forward now, as far as windows are concerned. "
        "The next of its windows opens or closes Tue 04:00 Asia/Shanghai." in said
    )


def test_a_freeze_counts_whatever_the_windows_say(cluster: FakeCluster) -> None:
    governed(cluster)
    cluster.add(WINDOWS, at.window("night"), at.window("year-end", "Freeze", **YEAR_END))
    said = told(cluster, "limit-scoring", datetime(2026, 3, 2, 15, 0, tzinfo=UTC))
    assert (
        "may not go forward now; they may from Tue 23:30 Asia/Shanghai on. Why: freeze year-end, the reason of year-end."
    ) in said


@pytest.mark.parametrize(
    ("allowed", "windows", "said"),
    [
        ("Required", [], "there is no change window for it, and its profile wants one"),
        ("Optional", [], "may go forward now"),
        ("Optional", [at.window("night")], "they may from 22:00 Asia/Shanghai on"),
        (None, [at.window("night")], "may go forward now"),
    ],
)
def test_the_profile_says_whether_a_window_is_needed(
    cluster: FakeCluster, allowed: str | None, windows: list[dict[str, Any]], said: str
) -> None:
    governed(cluster, allowed)
    cluster.add(WINDOWS, *windows)
    assert said in told(cluster, "limit-scoring", at.NOW)


def test_without_a_profile_only_freezes_hold(cluster: FakeCluster) -> None:
    cluster.add(WINDOWS, at.window("night"))
    assert "may go forward now" in told(cluster, "limit-scoring", at.NOW)
    cluster.add(WINDOWS, at.window("year-end", "Freeze", **YEAR_END))
    assert "Why: freeze year-end" in told(cluster, "limit-scoring", at.NOW)


def test_who_may_not_read_the_profile_is_told_so_and_gets_the_safe_answer(cluster: FakeCluster) -> None:
    governed(cluster, None)
    cluster.add(WINDOWS, at.window("night"))
    cluster.forbid("get complianceprofiles.feem.dev")
    said = told(cluster, "limit-scoring", at.NOW)
    assert "they may from 22:00 Asia/Shanghai on" in said
    assert "Note: you may not read ComplianceProfile standard to see what it asks for, so that it is" in said


def test_who_may_not_read_windows_is_told_whom_to_ask(cluster: FakeCluster) -> None:
    cluster.forbid(f"list {WINDOWS}")
    with pytest.raises(Forbidden, match="cannot list resource") as problem:
        told(cluster, None, at.NOW)
    assert "ClusterRoleBinding to ClusterRole feem-view" in problem.value.next_step


def test_an_unknown_service_and_a_window_of_another_version_are_problems(cluster: FakeCluster) -> None:
    with pytest.raises(NotFound, match="ManagedService lending/nope"):
        told(cluster, "nope", at.NOW)
    cluster.add(WINDOWS, at.window("odd", recurrence="daily"))
    with pytest.raises(Problem, match=r"ChangeWindow odd: spec\.recurrence"):
        told(cluster, None, at.NOW)
