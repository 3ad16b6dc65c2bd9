"""Killed between intent and act, in the act, and between act and outcome, for each action and each kind of effect it has.

Each intent ends with one outcome, nothing is done twice, and the release ends the same. The table is printed at the end.
"""

from __future__ import annotations

import ast
import typing
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from feem.api.audit import Part
from feem.core.rollout import effects
from tests.architecture import writes
from tests.controllers import kill_table
from tests.controllers.kill_table import Row
from tests.controllers.test_crashes import SCENARIOS, Scenario, check, finish
from tests.world.api import Act, Request
from tests.world.deployments import DEPLOYMENTS
from tests.world.world import Crash, World


def _stops(world: World) -> None:
    """Somebody pauses the Deployment on its way back, past the policy."""
    before, world.api.admission.in_force = world.api.admission.in_force, False
    world.change(DEPLOYMENTS, lambda body: body["spec"].update(paused=True))
    world.api.admission.in_force = before


MORE = {
    "observed": Scenario([], "2.0", ("Observed",), service={"mode": "Observe"}),
    "paused on its way back": Scenario(
        [
            (lambda w: w.state() == "Watching", SCENARIOS["undone"].script[0][1]),
            (lambda w: w.state() == "Undoing", _stops),
        ],
        "1.0",
        ("RolledBack",),
        plan={"watchSeconds": 600},
    ),
}
ALL = {**SCENARIOS, **MORE}
WITHOUT_EFFECTS = {"Wait", "Complete", "Observe"}


@dataclass(frozen=True)
class Kill:
    """One moment: before or after a write of the operator, which belongs to an act."""

    number: int
    moment: str
    act: Act
    words: str


@dataclass
class Run:
    """An undisturbed run: its kill points, and how often each kind of effect changed anything, by subject."""

    world: World
    kills: list[Kill]

    @property
    def actions(self) -> dict[int, str]:
        return {record.index: record.action for record in self.world.records}


async def play(scenario: Scenario, world: World) -> World:
    """Play a scenario from its very beginning to its end."""
    await world.start()
    world.script, world.runs.endings = list(scenario.script), list(scenario.results)
    world.apply_template("2.0")
    await finish(world, scenario)
    return world


def fresh(scenario: Scenario) -> World:
    return World(policy=scenario.policy, steps=scenario.steps, service=scenario.service, **scenario.plan)


async def undisturbed(scenario: Scenario) -> Run:
    world, points = fresh(scenario), list[tuple[int, Act]]()

    def at_each(request: Request, moment: str) -> None:
        if moment == "before" and world.api.acting is not None:
            points.append((request.number, world.api.acting))

    world.api.fault = at_each
    await play(scenario, world)
    world.api.fault = None
    return Run(world, list(_kills(points)))


def _kills(points: list[tuple[int, Act]]) -> Iterator[Kill]:
    """Before the first write of an act, after each, and after the last."""
    for act in dict.fromkeys(act for _, act in points):
        numbers = [number for number, one in points if one == act]
        yield Kill(numbers[0], "before", act, "before the act")
        for place, number in enumerate(numbers[:-1], start=1):
            yield Kill(number, "after", act, f"after write {place} of {len(numbers)}")
        yield Kill(numbers[-1], "after", act, "after the act")


def acts(world: World) -> Counter[tuple[str, str]]:
    """How often each kind of effect changed anything, by subject."""
    by_index = {record.index: record.subject.uid for record in world.records}
    found: Counter[tuple[str, str]] = Counter()
    for act in world.api.acts:
        found[by_index[act.intent], act.kind] += act.writes
    return found


async def killed(scenario: Scenario, kill: Kill) -> World:
    world = fresh(scenario)

    def fault(request: Request, moment: str) -> None:
        if (request.number, moment) == (kill.number, kill.moment):
            assert world.api.acting == kill.act
            raise Crash

    world.api.fault = fault
    await play(scenario, world)
    world.api.fault = None
    assert world.crashes == 1
    await check(world, scenario)
    return world


def evidence_is_there(world: World) -> None:
    """No release names an evidence file that is not there."""
    kept = {name for _, name in world.api.objects.get("configmaps", {})}
    for release in world.releases:
        assert release.status is None or not release.status.evidence or release.status.evidence in kept


def _effect_kinds() -> set[str]:
    return {kind.__name__ for kind in typing.get_args(effects.Effect)}


def _actions() -> set[str]:
    """Every transition in the source that can have effects."""
    found = {"KeepEvidence"}
    for _, tree in writes.modules("core/rollout"):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("Plan", "ServicePlan")
            ):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
    return found - WITHOUT_EFFECTS


async def test_wherever_it_is_killed_each_intent_has_one_outcome_and_nothing_is_done_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows, seen = list[Row](), set[tuple[str, str]]()
    for name, scenario in ALL.items():
        run = await undisturbed(scenario)
        chosen: dict[tuple[str, str], Act] = {}
        for kill in run.kills:
            pair = run.actions[kill.act.intent], kill.act.kind
            if pair not in seen:
                chosen.setdefault(pair, kill.act)
        seen |= set(chosen)
        for kill in run.kills:
            pair = run.actions[kill.act.intent], kill.act.kind
            if chosen.get(pair) == kill.act:
                rows.append(await _row(name, scenario, run, kill, pair))
    rows += [
        await _killed_twice(moment, words)
        for moment, words in (("before", "before the act"), ("after", "after the act"))
    ]
    with capsys.disabled():
        kill_table.show(rows)
    assert {effect for _, effect in seen} == _effect_kinds()
    assert {row.action for row in rows} == _actions()


async def _row(name: str, scenario: Scenario, run: Run, kill: Kill, pair: tuple[str, str]) -> Row:
    """Kill there, check the end, and say what came of it."""
    try:
        world = await killed(scenario, kill)
        outcomes = world.outcomes()
        assert all(len(reasons) == 1 for reasons in outcomes.values()), outcomes
        evidence_is_there(world)
        was, now = acts(run.world), acts(world)
        assert now == was, f"{now - was} more, {was - now} fewer"
    except AssertionError as failure:
        raise AssertionError(f"{name}: {pair} killed {kill.words} ({kill.act}):\n{failure}") from failure
    uid = next(record.subject.uid for record in world.records if record.index == kill.act.intent)
    key = uid, kill.act.kind
    return Row(*pair, kill.words, outcomes[kill.act.intent][0], f"{now[key]} of {was[key]}", name)


async def _killed_twice(moment: str, words: str) -> Row:
    """Kill it before it keeps the samples of a rollback, and again when it keeps those it judged anew."""
    scenario = ALL["bad"]
    world = fresh(scenario)

    def fault(request: Request, when: str) -> None:
        acting, crashes = world.api.acting, world.crashes
        if acting is not None and acting.kind == "KeepEvidence" and (crashes, when) in ((0, "before"), (1, moment)):
            raise Crash

    world.api.fault = fault
    await play(scenario, world)
    world.api.fault = None
    assert world.crashes == 2
    await check(world, scenario)
    evidence_is_there(world)
    (intent,) = (item for item in world.records if (item.action, item.part) == ("KeepEvidence", Part.INTENT))
    (outcome,) = world.outcomes()[intent.index]
    kept = len(world.api.objects.get("configmaps", {}))
    assert (kept, bool(world.last.status and world.last.status.evidence)) == (
        (1, True) if moment == "after" else (0, False)
    )
    return Row("KeepEvidence", "KeepEvidence", words, outcome, f"{kept} of 1", "bad, killed for the second time")
