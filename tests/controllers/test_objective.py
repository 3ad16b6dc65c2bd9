# ruff: noqa: ARG002 - the signatures are those of the ports
"""The ServiceLevelObjective controller over fakes of its ports: what it says, what it writes and how rarely."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feem.api.objective import Indicator, ServiceLevelObjective
from feem.controllers.objective import ObjectiveController
from feem.controllers.resources import OBJECTIVES
from feem.core.conditions import find
from feem.core.effects import AnyEffect
from feem.core.evidence.samples import Evidence, SampleRequest
from feem.ports import Body, Burn, Conflict, QueryProblem

NAMESPACE, NAME = "lending", "answers"
RATIO: Body = {"ratio": {"bad": 'answers_total{code=~"5.."}', "total": "answers_total"}}
MIX: Body = {"mix": {"counter": "decisions_total", "label": "decision"}}


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class Objects:
    """The port `Cluster` over one namespace of objectives; `spoiled` writes fail as if somebody had been faster."""

    def __init__(self) -> None:
        self.bodies: dict[str, Body] = {}
        self.writes: list[Body] = []
        self.spoiled = 0

    def put(self, indicator: Body, objective: str | None = "99.9", generation: int = 1) -> None:
        old = self.bodies.get(NAME, {})
        spec = {"indicator": indicator, **({"objective": objective} if objective else {})}
        meta = {"name": NAME, "namespace": NAMESPACE, "uid": "u1", "generation": generation, "resourceVersion": "1"}
        self.bodies[NAME] = {**old, "metadata": meta, "spec": spec}

    def get(self, resource: str, namespace: str, name: str) -> Body | None:
        assert (resource, namespace) == (OBJECTIVES, NAMESPACE)
        return copy.deepcopy(self.bodies.get(name))

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Body]:
        return list(self.bodies.values())

    def owned(self, resource: str, owner_uid: str) -> Sequence[Body]:
        return ()

    async def perform(self, effect: AnyEffect, intent: int) -> None:
        raise NotImplementedError

    async def set_finalizer(self, resource: str, namespace: str, name: str, *, present: bool) -> None:
        raise NotImplementedError

    async def write_status(self, resource: str, namespace: str, name: str, status: Body, resource_version: str) -> None:
        meta = self.bodies[name]["metadata"]
        if self.spoiled:
            self.spoiled -= 1
            raise Conflict("somebody was faster")
        assert meta["resourceVersion"] == resource_version
        meta["resourceVersion"] = str(int(resource_version) + 1)
        self.bodies[name]["status"] = status
        self.writes.append(status)


class MetricsServer:
    """The port `Metrics`: `bad` of each window's thousand events, unless `windows` says otherwise."""

    def __init__(self) -> None:
        self.bad, self.total = 0.2, 1000.0
        self.windows: dict[str, tuple[float, float]] = {}
        self.unusable: QueryProblem | None = None
        self.missing: QueryProblem | None = None
        self.down = ""
        self.asked: list[tuple[str, ...]] = []
        self.meanwhile: Callable[[], object] = lambda: None

    async def samples(self, request: SampleRequest) -> Evidence:
        raise NotImplementedError

    async def burn(self, indicator: Indicator, namespace: str, windows: Sequence[str]) -> Burn:
        self.asked.append(tuple(windows))
        await asyncio.sleep(0)
        self.meanwhile()
        if self.down:
            return Burn(problem=self.down)
        return Burn({name: self.windows.get(name, (self.bad, self.total)) for name in windows})

    async def exists(self, indicator: Indicator, namespace: str) -> QueryProblem | None:
        return QueryProblem("MetricsUnavailable", self.down) if self.down else self.missing

    def check(self, indicator: Indicator) -> QueryProblem | None:
        return self.unusable


class Notes:
    def __init__(self) -> None:
        self.said: list[tuple[str, bool]] = []

    async def publish(self, regarding: Body, *, reason: str, message: str, warning: bool = False) -> None:
        assert regarding["metadata"]["name"] == NAME
        assert message
        self.said.append((reason, warning))


class Figures:
    def __init__(self) -> None:
        self.shown: dict[tuple[str, str], dict[str, Any]] = {}

    def objective_seen(
        self,
        namespace: str,
        objective: str,
        *,
        measured: bool,
        left: float | None,
        burn: Mapping[str, float],
        burning: Collection[str],
    ) -> None:
        self.shown[namespace, objective] = {
            "measured": measured,
            "left": left,
            "burn": dict(burn),
            "burning": set(burning),
        }

    def objective_gone(self, namespace: str, objective: str) -> None:
        self.shown.pop((namespace, objective), None)


class Bench:
    """The controller and everything around it; `visit` is what the two loops do with an event or a due visit."""

    def __init__(self) -> None:
        self.objects, self.server, self.notes, self.figures = Objects(), MetricsServer(), Notes(), Figures()
        self.clock = Clock()
        self.restart()

    def restart(self) -> None:
        self.controller = ObjectiveController(
            self.objects, self.server, self.notes, self.figures, self.clock, interval=60.0
        )

    async def visit(self, after: float = 0.0) -> float | None:
        self.clock.time += timedelta(seconds=after)
        return await self.controller.measure(NAMESPACE, NAME) if await self.controller.check(NAMESPACE, NAME) else None

    async def settle(self, indicator: Body = RATIO, objective: str | None = "99.9") -> Bench:
        self.objects.put(indicator, objective)
        assert await self.visit() == 60.0
        self.objects.writes.clear()
        return self

    def said(self, kind: str) -> tuple[str, str]:
        status = ServiceLevelObjective.read(self.objects.bodies[NAME]).status
        found = find(status.conditions, kind) if status else None
        return (found.status.value, found.reason) if found else ("", "")

    def message(self, kind: str) -> str:
        status = ServiceLevelObjective.read(self.objects.bodies[NAME]).status
        found = find(status.conditions, kind) if status else None
        return found.message if found else ""

    @property
    def budget(self) -> Body | None:
        found: Body | None = self.objects.bodies[NAME]["status"].get("budget")
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_good_objective_is_accepted_measured_and_healthy(bench: Bench) -> None:
    bench.objects.put(RATIO)
    assert await bench.visit() == 60.0
    assert bench.said("Accepted") == ("True", "Accepted")
    assert bench.said("Measured") == ("True", "SeriesFound")
    assert bench.said("BudgetHealthy") == ("True", "BudgetHealthy")
    assert bench.budget is not None
    assert bench.budget["left"] == "80.0%"
    assert {item["name"]: item["rate"] for item in bench.budget["burn"]}["1h"] == "0.2"
    assert len(bench.objects.writes) == 2
    assert bench.notes.said == []
    shown = bench.figures.shown[NAMESPACE, NAME]
    assert shown["measured"] is True
    assert shown["left"] == pytest.approx(0.8)
    assert shown["burn"]["5m"] == pytest.approx(0.2)


async def test_it_asks_for_every_window_once_and_for_the_budgets_own(bench: Bench) -> None:
    await bench.settle()
    (windows,) = bench.server.asked
    assert len(set(windows)) == len(windows)
    assert {"5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"} == set(windows)


async def test_accepted_does_not_wait_for_the_metrics_server(bench: Bench) -> None:
    bench.objects.put(RATIO)
    assert await bench.controller.check(NAMESPACE, NAME) is True
    assert bench.said("Accepted") == ("True", "Accepted")
    assert bench.server.asked == []


async def test_queries_that_cannot_be_used_are_refused_and_not_measured(bench: Bench) -> None:
    await bench.settle()
    bench.server.unusable = QueryProblem("NotParseable", "spec.indicator.ratio.bad: `answers_total{` ends too early")
    bench.objects.put(RATIO, generation=2)
    assert await bench.visit(1) is None
    assert bench.said("Accepted") == ("False", "NotParseable")
    assert bench.message("Accepted").startswith("spec.indicator.ratio.bad")
    assert bench.said("Measured") == bench.said("BudgetHealthy") == ("", "")
    assert bench.budget is None
    assert bench.figures.shown[NAMESPACE, NAME] == {"measured": False, "left": None, "burn": {}, "burning": set()}
    assert len(bench.objects.writes) == 1


async def test_a_mended_query_is_measured_at_once(bench: Bench) -> None:
    bench.server.unusable = QueryProblem("NotParseable", "spec.indicator.ratio.bad: …")
    bench.objects.put(RATIO)
    assert await bench.visit() is None
    bench.server.unusable = None
    bench.objects.put(RATIO, generation=2)
    assert await bench.visit(1) == 60.0
    assert bench.said("Measured") == ("True", "SeriesFound")


async def test_no_series_is_said_with_the_selector_and_the_budget_is_still_counted(bench: Bench) -> None:
    await bench.settle()
    bench.server.missing = QueryProblem("NoSeries", 'spec.indicator.ratio.bad: `answers_total{code=~"5.."}` …')
    await bench.visit(60)
    assert bench.said("Measured") == ("False", "NoSeries")
    assert "answers_total" in bench.message("Measured")
    assert bench.said("BudgetHealthy") == ("True", "BudgetHealthy")
    bench.server.missing = QueryProblem("NoSeries", "spec.indicator.ratio.total: `answers_total` …")
    await bench.visit(60)
    assert "ratio.total" in bench.message("Measured")
    assert len(bench.objects.writes) == 2


async def test_without_prometheus_nothing_is_known_and_the_last_figures_stay(bench: Bench) -> None:
    await bench.settle()
    before = bench.budget
    bench.server.down = "Prometheus at localhost:9090 cannot be reached"
    assert await bench.visit(60) == 60.0
    assert bench.said("Measured") == bench.said("BudgetHealthy") == ("Unknown", "MetricsUnavailable")
    assert bench.budget == before
    assert bench.figures.shown[NAMESPACE, NAME] == {"measured": False, "left": None, "burn": {}, "burning": set()}
    for _ in range(10):
        await bench.visit(60)
    assert len(bench.objects.writes) == 1
    bench.server.down = ""
    await bench.visit(60)
    assert bench.said("BudgetHealthy") == ("True", "BudgetHealthy")
    assert bench.notes.said == []


async def test_figures_of_another_target_do_not_outlive_it(bench: Bench) -> None:
    await bench.settle()
    bench.objects.put(RATIO, "99.99", generation=2)
    bench.server.down = "Prometheus at localhost:9090 cannot be reached"
    await bench.visit(1)
    assert bench.budget is None


async def test_fast_burn_is_told_to_people_once(bench: Bench) -> None:
    await bench.settle()
    bench.server.windows = {"5m": (20, 1000), "1h": (20, 1000)}
    for _ in range(3):
        await bench.visit(60)
    assert bench.said("BudgetHealthy") == ("False", "BurnsFast")
    assert bench.notes.said == [("BurnsFast", True)]
    assert "it was spent 20 times as fast as it may be in the last 1h" in bench.message("BudgetHealthy")
    assert bench.figures.shown[NAMESPACE, NAME]["burning"] == {"page"}
    bench.server.windows = {}
    await bench.visit(60)
    assert bench.said("BudgetHealthy") == ("True", "BudgetHealthy")
    bench.server.windows = {"5m": (20, 1000), "1h": (20, 1000)}
    await bench.visit(60)
    assert bench.notes.said == [("BurnsFast", True)] * 2


async def test_one_hot_window_alone_is_no_alarm(bench: Bench) -> None:
    await bench.settle()
    bench.server.windows = {"5m": (500, 1000)}
    await bench.visit(60)
    assert bench.said("BudgetHealthy") == ("True", "BudgetHealthy")


async def test_a_mix_has_no_budget_but_is_looked_for(bench: Bench) -> None:
    await bench.settle(MIX, objective=None)
    assert bench.server.asked == []
    assert bench.said("Measured") == ("True", "SeriesFound")
    assert bench.said("BudgetHealthy") == ("", "")
    assert bench.budget is None
    assert bench.figures.shown[NAMESPACE, NAME] == {"measured": True, "left": None, "burn": {}, "burning": set()}


async def test_a_ratio_that_becomes_a_mix_loses_its_budget(bench: Bench) -> None:
    await bench.settle()
    bench.objects.put(MIX, None, generation=2)
    await bench.visit(1)
    assert bench.said("BudgetHealthy") == ("", "")
    assert bench.budget is None


async def test_nothing_is_written_while_nothing_changes(bench: Bench) -> None:
    await bench.settle()
    for _ in range(30):
        await bench.visit(60)
    bench.restart()
    await bench.visit(1)
    assert bench.objects.writes == []
    assert len(bench.server.asked) == 32


async def test_events_do_not_make_it_ask_more_often_than_every_half_interval(bench: Bench) -> None:
    await bench.settle()
    assert await bench.visit(10) == pytest.approx(50.0)
    assert await bench.visit(10) == pytest.approx(40.0)
    assert len(bench.server.asked) == 1
    assert await bench.visit(15) == 60.0
    assert len(bench.server.asked) == 2


async def test_a_new_generation_is_measured_at_once(bench: Bench) -> None:
    await bench.settle()
    bench.objects.put(RATIO, "99.5", generation=2)
    assert await bench.visit(1) == 60.0
    assert bench.budget is not None
    assert bench.budget["left"] == "96.0%"


async def test_figures_alone_are_written_every_five_minutes_at_most(bench: Bench) -> None:
    await bench.settle()
    for minute in range(1, 11):
        bench.server.bad = 0.2 + minute * 0.0015
        await bench.visit(60)
    assert len(bench.objects.writes) == 2
    shown = bench.figures.shown[NAMESPACE, NAME]["left"]
    assert shown == pytest.approx(0.785), "the exported figures are always the newest"


async def test_a_budget_that_leaps_is_written_with_the_next_measurement(bench: Bench) -> None:
    await bench.settle()
    bench.server.bad = 0.4
    await bench.visit(60)
    assert len(bench.objects.writes) == 1
    assert bench.budget is not None
    assert bench.budget["left"] == "60.0%"


async def test_a_change_during_the_query_is_not_overwritten_with_old_news(bench: Bench) -> None:
    await bench.settle()
    bench.server.meanwhile = lambda: bench.objects.put(RATIO, "99", generation=2)
    assert await bench.visit(60) is None
    assert bench.objects.writes == []


async def test_an_object_deleted_during_the_query_leaves_no_figures(bench: Bench) -> None:
    await bench.settle()

    def deleted() -> None:
        bench.objects.bodies.clear()
        bench.figures.objective_gone(NAMESPACE, NAME)

    bench.server.meanwhile = deleted
    assert await bench.visit(60) is None
    assert bench.figures.shown == {}


async def test_a_deleted_objective_takes_its_figures_along(bench: Bench) -> None:
    await bench.settle()
    bench.objects.bodies.clear()
    assert await bench.visit(1) is None
    assert bench.figures.shown == {}
    bench.objects.put(RATIO)
    assert await bench.visit(1) == 60.0


async def test_a_write_that_came_too_late_is_tried_again(bench: Bench) -> None:
    await bench.settle()
    bench.server.bad = 5.0
    bench.objects.spoiled = 1
    with pytest.raises(Conflict):
        await bench.visit(60)
    assert bench.notes.said == []
    assert await bench.visit(0.1) == 60.0
    assert bench.said("BudgetHealthy") == ("False", "BudgetSpent")
    assert bench.notes.said == [("BudgetSpent", True)]
