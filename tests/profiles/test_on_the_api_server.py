"""The API server takes the profiles and windows that come with FEEM, and refuses those whose gates make no sense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import AsUser
from tests.profiles.ready import EXAMPLE, PROFILES, ROOT, WINDOWS, ours

pytestmark = pytest.mark.integration

DRY = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts")
CREATE = ("create", "--dry-run=server", "--validate=strict")


@pytest.mark.parametrize("path", [*PROFILES, *WINDOWS, EXAMPLE], ids=lambda path: path.stem)
def test_applied_as_it_is(as_user: AsUser, path: Path) -> None:
    for body in ours(path):
        as_user("compliance-officer").done(*DRY, manifest=body)


def lending() -> dict[str, Any]:
    (body,) = ours(ROOT / "policies/profiles/tier-1-lending.yaml")
    return body


def gate(**fields: Any) -> dict[str, Any]:
    return {"name": "one-more", "stage": "Start", **fields}


WRONG = [
    pytest.param(gate(), "give exactly one kind of gate", id="no-kind"),
    pytest.param(gate(window={}, data={}), "give exactly one kind of gate", id="two-kinds"),
    pytest.param(gate(retention={"days": 1}), "belong to stage Closure", id="retention-at-start"),
    pytest.param(gate(stage="Closure", window={}), "belong to stage Closure", id="window-at-closure"),
    pytest.param(gate(stage="Whenever", window={}), "Unsupported value", id="stage"),
    pytest.param(gate(name="freeze", window={}), "choose another", id="own-name"),
    pytest.param(gate(name="ticket", window={}), "Duplicate value", id="name-twice"),
    pytest.param(gate(ticket={}), "ticket.pattern: Required value", id="ticket-without-pattern"),
    pytest.param(gate(approvals={"roles": []}), "at least 1 items", id="nobody-approves"),
    pytest.param(gate(approvals={"roles": [{"role": "risk"}, {"role": "risk"}]}), "Duplicate value", id="role-twice"),
    pytest.param(gate(approvals={"roles": [{"role": "risk", "count": 0}]}), "count", id="approval-by-nobody"),
    pytest.param(
        gate(approvals={"roles": [{"role": "risk"}], "unknownRequester": "Ignore"}), "unknownRequester", id="unknown"
    ),
    pytest.param(gate(leadTime={"workingDays": 0, "timeZone": "UTC"}), "workingDays", id="no-lead"),
    pytest.param(gate(leadTime={"workingDays": 1, "timeZone": "UTC", "country": "China"}), "country", id="country"),
    pytest.param(gate(exposure={"firstStepPercent": 0}), "firstStepPercent", id="no-first-step"),
    pytest.param(gate(evidence={"documents": ["Test Report"]}), "documents", id="document-with-a-blank"),
]


@pytest.mark.parametrize(("one", "told"), WRONG)
def test_a_gate_that_makes_no_sense_is_refused(as_user: AsUser, one: dict[str, Any], told: str) -> None:
    body = lending()
    body["spec"]["gates"].append(one)
    assert told in as_user("compliance-officer").refused(*CREATE, manifest=body)


def test_an_emergency_skips_only_gates_that_there_are_and_lasts_four_hours_at_most(as_user: AsUser) -> None:
    officer = as_user("compliance-officer")
    body = lending()
    body["spec"]["breakGlass"]["skips"].append("guard")
    assert "breakGlass.skips names gates of this profile" in officer.refused(*CREATE, manifest=body)
    body = lending()
    body["spec"]["breakGlass"]["maxSeconds"] = 14401
    assert "maxSeconds" in officer.refused(*CREATE, manifest=body)


TIMES = [
    pytest.param({}, "exactly one of recurrence, range and preset", id="no-time"),
    pytest.param(
        {"preset": {"kind": "YearEnd"}, "recurrence": {"cron": "0 22 * * *", "durationSeconds": 60}},
        "exactly one of recurrence, range and preset",
        id="two-times",
    ),
    pytest.param(
        {"range": {"start": "2026-12-31T18:00", "end": "2026-12-31T17:00"}}, "end must be later", id="ends-first"
    ),
    pytest.param({"preset": {"kind": "PublicHolidays"}}, "need a country", id="whose-holidays"),
    pytest.param({"recurrence": {"cron": "0 22 * * *", "durationSeconds": 0}}, "durationSeconds", id="no-duration"),
]


@pytest.mark.parametrize(("time", "told"), TIMES)
def test_a_window_without_one_time_is_refused(as_user: AsUser, time: dict[str, Any], told: str) -> None:
    body = {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ChangeWindow",
        "metadata": {"name": "wrong"},
        "spec": {"type": "Freeze", "reason": "Year-end close", "timeZone": "Asia/Shanghai", **time},
    }
    assert told in as_user("compliance-officer").refused(*CREATE, manifest=body)
