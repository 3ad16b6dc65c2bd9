# ruff: noqa: ARG002 - the signatures are those of the ports
"""The ChangeWindow controller over fakes of its ports: what it says, when it comes again, and how rarely it writes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from feem.api.window import ChangeWindow, WindowSpec, WindowStatus, WindowType
from feem.controllers.window import WINDOWS, WindowController
from feem.core.conditions import find
from feem.core.effects import AnyEffect
from feem.ports import Body, Conflict
from tests.controllers.facts import Facts
from tests.windows.written import ALLOW, FREEZE, SHANGHAI, at, cron, days, once

NAME = "nights"
NIGHTS = cron("0 22 * * 1-4", 8 * 3600, SHANGHAI)
PEAK = cron("0 9 * * 1-5", 3 * 3600, SHANGHAI, FREEZE)


class Clock:
    def __init__(self, text: str) -> None:
        self.time = at(text, SHANGHAI)

    def now(self) -> datetime:
        return self.time


class Objects:
    """The port `Cluster` over cluster-scoped objects; `spoiled` writes fail as if somebody had been faster."""

    def __init__(self) -> None:
        self.bodies: dict[str, Body] = {}
        self.writes: list[Body] = []
        self.spoiled = 0

    def put(self, spec: WindowSpec, generation: int = 1) -> None:
        old = self.bodies.get(NAME, {})
        meta = {"name": NAME, "uid": "u1", "generation": generation, "resourceVersion": "1"}
        self.bodies[NAME] = {**old, "metadata": meta, "spec": spec.wire()}

    @property
    def status(self) -> WindowStatus:
        found = ChangeWindow.read(self.bodies[NAME]).status
        assert found is not None
        return found

    def get(self, resource: str, namespace: str, name: str) -> Body | None:
        assert (resource, namespace) == (WINDOWS, "")
        return copy.deepcopy(self.bodies.get(name))

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Body]:
        return list(self.bodies.values())

    def owned(self, resource: str, owner_uid: str) -> Sequence[Body]:
        return ()

    async def perform(self, effect: AnyEffect, intent: int) -> None:
        raise NotImplementedError

    async def write_status(self, resource: str, namespace: str, name: str, status: Body, resource_version: str) -> None:
        assert (resource, namespace, resource_version) == (WINDOWS, "", "1")
        if self.spoiled:
            self.spoiled -= 1
            raise Conflict(name)
        self.bodies[name]["status"] = status
        self.writes.append(status)

    async def set_finalizer(self, resource: str, namespace: str, name: str, *, present: bool) -> None:
        raise NotImplementedError


class Notes:
    def __init__(self) -> None:
        self.published: list[tuple[str, str, bool]] = []

    async def publish(self, regarding: Body, *, reason: str, message: str, warning: bool = False) -> None:
        assert regarding["metadata"]["name"] == NAME
        self.published.append((reason, message, warning))


class Desk:
    """One controller, its clock at a time in Shanghai, and one window."""

    def __init__(self, spec: WindowSpec, now: str) -> None:
        self.clock, self.objects, self.notes = Clock(now), Objects(), Notes()
        self.objects.put(spec)
        self.ledger = Facts()
        self.controller = WindowController(self.objects, self.ledger, self.notes, self.clock)

    async def visit(self, now: str | None = None) -> float | None:
        self.clock.time = at(now, SHANGHAI) if now else self.clock.time
        return await self.controller.reconcile(NAME)

    def condition(self, kind: str) -> tuple[str, str, str]:
        found = find(self.objects.status.conditions, kind)
        assert found is not None
        return found.status.value, found.reason, found.message


@pytest.mark.parametrize(
    ("spec", "now", "opened", "summary", "opens", "closes", "seconds"),
    [
        (NIGHTS, "2026-11-23 21:30", "False", "opens 22:00 Asia/Shanghai", "2026-11-23 22:00", None, 1800),
        (NIGHTS, "2026-11-27 12:00", "False", "opens Mon 22:00 Asia/Shanghai", "2026-11-30 22:00", None, 3600),
        (NIGHTS, "2026-11-24 05:59", "True", "closes 06:00 Asia/Shanghai", None, "2026-11-24 06:00", 60),
        (NIGHTS, "2026-11-23 22:00", "True", "closes Tue 06:00 Asia/Shanghai", None, "2026-11-24 06:00", 3600),
        (
            *(days("YearEnd", SHANGHAI, FREEZE, before=3), "2026-11-23 12:00", "False"),
            *("opens 2026-12-28 00:00 Asia/Shanghai", "2026-12-28 00:00", None, 3600),
        ),
        (cron("* * * * *", 60, SHANGHAI), "2026-11-23 12:00", "True", "stays open", None, None, 3600),
        (
            *(cron("0 0 29 2 *", 60, SHANGHAI), "2026-11-23 12:00", "False"),
            *("does not open within 400 days", None, None, 3600),
        ),
        (once("2026-01-01T00:00", "2026-01-02T00:00"), "2026-11-23 12:00", "False", "is over", None, None, None),
    ],
)
async def test_what_it_shows(
    spec: WindowSpec,
    now: str,
    opened: str,
    summary: str,
    opens: str | None,
    closes: str | None,
    seconds: float | None,
) -> None:
    desk = Desk(spec, now)
    assert await desk.visit() == seconds
    status = desk.objects.status
    assert (status.summary, status.observed_generation) == (summary, 1)
    assert status.opens_at == (at(opens, SHANGHAI) if opens else None)
    assert status.closes_at == (at(closes, SHANGHAI) if closes else None)
    assert desk.condition("Open")[:2] == (opened, "Open" if opened == "True" else "Closed")
    assert desk.condition("Accepted")[:2] == ("True", "Accepted")
    assert summary in desk.condition("Open")[2]


async def test_it_writes_once_a_change_and_publishes_once_an_opening() -> None:
    """A day and a night of visits, every ten minutes, as if each of them were caused by an event."""
    desk = Desk(NIGHTS, "2026-11-23 12:00")
    for _ in range(24 * 6):
        await desk.visit()
        desk.clock.time += timedelta(minutes=10)
    assert [status["summary"] for status in desk.objects.writes] == [
        "opens 22:00 Asia/Shanghai",
        "closes Tue 06:00 Asia/Shanghai",
        "closes 06:00 Asia/Shanghai",  # midnight
        "opens 22:00 Asia/Shanghai",
    ]
    assert [(reason, warning) for reason, _, warning in desk.notes.published] == [("Opened", False), ("Closed", False)]


async def test_a_freeze_that_opens_is_a_warning() -> None:
    desk = Desk(PEAK, "2026-11-23 08:59")
    await desk.visit()
    assert desk.notes.published == []
    await desk.visit("2026-11-23 09:00")
    await desk.visit("2026-11-23 12:00")
    assert [(reason, warning) for reason, _, warning in desk.notes.published] == [("Opened", True), ("Closed", False)]
    assert desk.notes.published[0][1] == "nothing goes forward; the window closes 12:00 Asia/Shanghai (nightly)"


async def test_a_freeze_declared_now_is_told_at_once() -> None:
    desk = Desk(once("2026-11-23T00:00", "2026-11-25T00:00", SHANGHAI, FREEZE), "2026-11-23 12:00")
    await desk.visit()
    assert [(reason, warning) for reason, _, warning in desk.notes.published] == [("Opened", True)]


async def test_the_time_of_transition_moves_with_the_status_only() -> None:
    desk = Desk(NIGHTS, "2026-11-23 22:00")
    await desk.visit()
    await desk.visit("2026-11-24 00:00")
    found = find(desk.objects.status.conditions, "Open")
    assert found is not None
    assert found.last_transition_time == at("2026-11-23 22:00", SHANGHAI)


@pytest.mark.parametrize(("kind", "opened"), [(FREEZE, "True"), (ALLOW, "False")])
async def test_one_that_cannot_be_used_is_on_the_safe_side(kind: WindowType, opened: str) -> None:
    spec = NIGHTS.model_copy(update={"time_zone": "Asia/Shangai", "type": kind})
    desk = Desk(spec, "2026-11-23 12:00")
    assert await desk.visit() is None
    assert desk.condition("Accepted") == (
        *("False", "UnknownTimeZone"),
        "Asia/Shangai is not an IANA time zone: write e.g. Asia/Shanghai",
    )
    assert desk.condition("Open")[:2] == (opened, "NotAccepted")
    assert "until the window is corrected: Asia/Shangai is not" in desk.condition("Open")[2]
    assert desk.objects.status.summary == "cannot be used: UnknownTimeZone"
    desk.objects.put(NIGHTS, generation=2)
    assert await desk.visit() == 3600
    assert desk.condition("Accepted")[:2] == ("True", "Accepted")
    assert desk.objects.status.observed_generation == 2


async def test_nothing_is_told_before_it_is_written() -> None:
    desk = Desk(NIGHTS, "2026-11-23 22:00")
    desk.objects.spoiled = 1
    with pytest.raises(Conflict):
        await desk.visit()
    assert desk.notes.published == []
    await desk.visit()
    assert [reason for reason, _, _ in desk.notes.published] == ["Opened"]


async def test_one_that_is_gone_needs_nothing() -> None:
    desk = Desk(NIGHTS, "2026-11-23 22:00")
    desk.objects.bodies.clear()
    assert await desk.visit() is None
    assert desk.objects.writes == []


async def test_the_summary_fits_its_bounds_with_the_longest_name_of_a_zone() -> None:
    spec = NIGHTS.model_copy(update={"time_zone": "America/Argentina/ComodRivadavia", "reason": "x" * 1024})
    desk = Desk(spec, "2026-11-23 22:00")
    await desk.visit()
    assert WindowStatus.model_validate(desk.objects.writes[0]).summary.endswith("ComodRivadavia")
