"""The reaper alone, without any operator: every fault ends, on time, for each reason there is, and nothing else is touched.

Its process has the account and the rights that the chart gives it.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

import e2e.cluster
from feem.adapters.kubernetes import faults
from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.resources import DEPLOYMENTS, NETWORK_POLICIES, PODS
from feem.adapters.kubernetes.store import Store
from feem.adapters.kubernetes.writer import Writer
from feem.core.chaos.acts import injections
from feem.core.chaos.edit import ANNOTATION, KINDS, LABEL, Edit, Make, Mark, Remove, Target
from feem.core.chaos.reaping import LEFT_ALONE
from feem.ports import FINALIZER
from tests.integration.adapter import PATIENT
from tests.integration.chaos.cases import ALL, BY_NAME, NAME
from tests.integration.chaos.conftest import Accounts
from tests.integration.chaos.counting import listed
from tests.integration.chaos.reaping import RUNS, Reaper, Runs, Watch, Written, soon
from tests.integration.chaos.stage import Attempt, Stage
from tests.integration.chaos.table import Table
from tests.integration.kubectl import Kubectl

pytestmark = pytest.mark.integration

HALT_SECONDS = 5.0
"""Within which a ChaosHalt has to have taken everything back."""
QUIET = "memoryPressure"
"""A fault that leaves the pods where they are, and takes two writes an object to undo."""


def each() -> pytest.MarkDecorator:
    """Run with every fault that leaves a mark."""
    names = [case.name for case in ALL if case.fault.pod_kill is None]
    return pytest.mark.parametrize("case", names, indirect=True, scope="module")


def only(name: str = QUIET) -> pytest.MarkDecorator:
    """Run with one fault; which one makes no difference."""
    return pytest.mark.parametrize("case", [name], indirect=True, scope="module")


@dataclass
class Seen:
    """What the reaper may have written to: objects that carried a fault, and runs that somebody deleted."""

    may: set[tuple[str, str, str]] = field(default_factory=set)

    def note(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            if not isinstance(edit, Remove):
                self.note_target(edit.target)

    def note_target(self, target: Target) -> None:
        self.may.add((target.resource.partition(".")[0], target.namespace, target.name))

    def note_run(self, mark: Mark) -> None:
        self.may.add((RUNS.partition(".")[0], mark.namespace, mark.run))


@pytest.fixture(scope="module")
def seen() -> Seen:
    return Seen()


@pytest.fixture(scope="module")
def written(cluster: e2e.cluster.Cluster) -> Written:
    return Written.from_now(cluster.audit_log)


@pytest.fixture(scope="module")
def process(
    accounts: Accounts,
    admin: Kubectl,
    seen: Seen,
    written: Written,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Reaper]:
    for resource in KINDS:  # what earlier tests left on their way out of the cluster
        for body in admin.read(resource, "--all-namespaces", f"--selector={LABEL}")["items"]:
            metadata = body["metadata"]
            seen.note_target(Target(resource, metadata["namespace"], metadata["name"]))
    failed = request.session.testsfailed
    found = Reaper(accounts.reaper, tmp_path_factory.mktemp("reaper") / "reaper.log")
    found.start()
    yield found
    found.kill()
    if request.session.testsfailed > failed:
        print(found.log[-8000:])


@pytest.fixture
def reaper(process: Reaper) -> Iterator[Reaper]:
    """It runs, and has looked at everything."""
    if not process.running:
        process.start()
    _until(lambda: process.ask("/readyz")[0] == 200, "it is ready")
    yield process
    assert process.running, process.log[-3000:]


@pytest.fixture
async def runs(accounts: Accounts) -> AsyncIterator[Runs]:
    async with (
        await Client.connect(str(accounts.operator), limits=PATIENT) as operator,
        await Client.connect(str(accounts.owner), limits=PATIENT) as person,
    ):
        yield Runs(operator, person)


def _until(true: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    watch = Watch()
    while not true():
        assert watch.seconds < seconds, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)


async def marked(stage: Stage, namespace: str = "") -> list[str]:
    """What carries a fault there."""
    found = []
    for resource in KINDS:
        for body in await listed(stage.admin, resource, namespace or stage.namespace):
            metadata = body["metadata"]
            if LABEL in (metadata.get("labels") or {}) or ANNOTATION in (metadata.get("annotations") or {}):
                found.append(f"{resource} {metadata['name']}")
    return found


async def unmarked_after(stage: Stage, *namespaces: str, seconds: float = 60.0) -> float:
    """Wait until nothing carries a fault; returns how long it took."""
    watch = Watch()

    async def none() -> bool:
        return not any([await marked(stage, name) for name in namespaces or (stage.namespace,)])

    await stage.until(none, "nothing carries a fault", seconds)
    return watch.seconds


async def looks(reaper: Reaper, count: int) -> None:
    """Wait until it has looked at everything so many times more, from beginning to end."""
    wanted = reaper.sweeps + count + 1
    async with asyncio.timeout(120):
        while reaper.sweeps < wanted:  # noqa: ASYNC110 - its figures are asked for anew each time
            await asyncio.sleep(0.2)


async def placed(stage: Stage, seen: Seen, mark: Mark, expires_at: datetime) -> Attempt:
    """Put the stage's fault in place under a run's mark."""
    attempt = await stage.plan(mark.run, mark.run_uid, expires_at)
    seen.note(attempt.edits)
    await stage.inject(attempt)
    return attempt


def policies(namespace: str, count: int, prefix: str) -> tuple[Edit, ...]:
    """Many NetworkPolicies that cut nothing off, as objects that a fault makes."""
    spec = {"podSelector": {"matchLabels": {"app": "nobody"}}, "policyTypes": ["Ingress"]}
    return tuple(
        Make(NETWORK_POLICIES, {"metadata": {"namespace": namespace, "name": f"{prefix}-{place}"}, "spec": spec})
        for place in range(count)
    )


async def made(stage: Stage, seen: Seen, edits: tuple[Edit, ...], mark: Mark) -> None:
    seen.note(edits)
    for effect in injections(edits, mark):
        await faults.inject(Writer(stage.feem, Store()), effect)


# -- each fault -----------------------------------------------------------------------------------------------------------


@each()
async def test_it_stays_while_its_run_is_open_and_goes_when_chaos_is_halted(
    stage: Stage, runs: Runs, reaper: Reaper, seen: Seen, table: Table
) -> None:
    mark = await runs.run(stage.namespace, f"open-{uuid.uuid4().hex[:6]}")
    attempt = await placed(stage, seen, mark, mark.expires_at)
    if not stage.case.same_pods:
        await asyncio.sleep(3)
    there = await stage.look()
    await looks(reaper, 2)
    assert await stage.look() == there
    halt = await runs.halt(f"incident-{uuid.uuid4().hex[:6]}", stage.namespace)
    try:
        seconds = await unmarked_after(stage)
        table.lines.append(f"{stage.case.name}: taken back {seconds:.1f} s after the ChaosHalt")
        assert seconds <= HALT_SECONDS
        left = await stage.left(attempt)
        assert (left.residue, left.unmarked, left.kept) == ((), (), ())
        await stage.is_as_before()
    finally:
        await runs.go_on(halt)
        await runs.forget(mark)
    assert any(mark.run in note for note in await runs.said(stage.namespace, "FaultHalted"))


@each()
async def test_it_goes_when_it_expires_though_its_run_is_open(
    stage: Stage, runs: Runs, reaper: Reaper, seen: Seen, table: Table
) -> None:
    mark = await runs.run(stage.namespace, f"late-{uuid.uuid4().hex[:6]}")
    expires = soon(4)
    attempt = await placed(stage, seen, mark, expires)
    await unmarked_after(stage)
    late = (soon(0) - expires).total_seconds()
    table.lines.append(f"{stage.case.name}: taken back {late:.0f} s after it expired")
    assert 0 <= late <= 2 + HALT_SECONDS
    left = await stage.left(attempt)
    assert (left.residue, left.unmarked, left.kept) == ((), (), ())
    await stage.is_as_before()
    await runs.forget(mark)
    assert any(mark.run in note for note in await runs.said(stage.namespace, "FaultExpired"))


# -- each reason ----------------------------------------------------------------------------------------------------------


@only()
async def test_the_fault_of_a_run_that_is_gone_is_taken_back(
    stage: Stage, runs: Runs, reaper: Reaper, seen: Seen, table: Table
) -> None:
    mark = Mark("never-was", stage.namespace, str(uuid.uuid4()), soon(3600))
    await placed(stage, seen, mark, mark.expires_at)
    seconds = await unmarked_after(stage)
    table.lines.append(f"run gone: taken back after {seconds:.1f} s")
    await stage.is_as_before()
    assert any(mark.run in note for note in await runs.said(stage.namespace, "FaultRunGone"))


@only()
async def test_the_fault_of_a_run_that_ended_is_taken_back_once_the_operator_had_its_time(
    stage: Stage, runs: Runs, reaper: Reaper, seen: Seen
) -> None:
    mark = await runs.run(stage.namespace, "ended")
    await placed(stage, seen, mark, mark.expires_at)
    await runs.say(stage.namespace, "ended", planned_at=soon(-90), completed_at=soon(0))
    there = await stage.look()
    await looks(reaper, 1)
    assert await stage.look() == there
    await runs.say(stage.namespace, "ended", planned_at=soon(-90), completed_at=soon(-40))
    await unmarked_after(stage)
    await stage.is_as_before()
    await runs.forget(mark)
    assert any(mark.run in note for note in await runs.said(stage.namespace, "FaultRunEnded"))


@only("httpLatency in the owner's policy")
async def test_a_halt_takes_everything_back_everywhere(
    stage: Stage, runs: Runs, reaper: Reaper, seen: Seen, table: Table, admin: Kubectl
) -> None:
    other = f"{stage.namespace}-b"
    admin.done("create", "namespace", other)
    first = await runs.run(stage.namespace, "latency")
    await placed(stage, seen, first, first.expires_at)
    second = await runs.run(stage.namespace, "cut")
    await placed(replace(stage, case=BY_NAME["dependencyCut"]), seen, second, second.expires_at)
    third = await runs.run(other, "many")
    await made(stage, seen, policies(other, 40, "cut"), third)
    count = len([*await marked(stage), *await marked(stage, other)])
    await looks(reaper, 1)
    halt = await runs.halt("incident-everywhere")
    try:
        seconds = await unmarked_after(stage, stage.namespace, other)
    finally:
        await runs.go_on(halt)
    table.lines.append(f"ChaosHalt for the whole cluster: {count} objects taken back in {seconds:.1f} s")
    assert seconds <= HALT_SECONDS
    await stage.is_as_before()
    for mark in (first, second, third):
        await runs.forget(mark)
    admin.done("delete", "namespace", other, "--wait=false")


@only()
async def test_a_halt_elsewhere_changes_nothing_here(stage: Stage, runs: Runs, reaper: Reaper, seen: Seen) -> None:
    mark = await runs.run(stage.namespace, "elsewhere")
    attempt = await placed(stage, seen, mark, mark.expires_at)
    there = await stage.look()
    halt = await runs.halt("incident-elsewhere", "another-namespace")
    try:
        await looks(reaper, 3)
        assert await stage.look() == there
    finally:
        await runs.go_on(halt)
    await stage.undo(attempt)
    await stage.is_as_before()
    await runs.forget(mark)


# -- what it leaves alone -------------------------------------------------------------------------------------------------


@only()
async def test_a_mark_that_was_tampered_with_is_said_and_left(
    stage: Stage, runs: Runs, reaper: Reaper, seen: Seen
) -> None:
    mark = await runs.run(stage.namespace, "tampered")
    attempt = await placed(stage, seen, mark, soon(3600))
    victim, other = (edit.target for edit in attempt.edits)
    broken = {"metadata": {"annotations": {ANNOTATION: '{"made":true}'}}}
    await runs.operator.merge(PODS, victim.namespace, victim.name, broken)
    there = await stage.admin.get(PODS, victim.namespace, victim.name)
    halt = await runs.halt("incident-tampered", stage.namespace)
    try:
        _until(lambda: reaper.ask("/readyz")[0] == 503, "it is not ready")
        said = reaper.ask("/readyz")[1]
        assert f"Pod {victim.namespace}/{victim.name}" in said
        assert "put it right by hand" in said
        assert reaper.ask("/healthz")[0] == 200

        async def others_are_back() -> bool:
            return await marked(stage) == [f"{PODS} {victim.name}"]

        await stage.until(others_are_back, f"{other} is as before")
        assert await stage.admin.get(PODS, victim.namespace, victim.name) == there
        # what a person does about it
        await runs.operator.merge(
            PODS,
            victim.namespace,
            victim.name,
            {"metadata": {"annotations": {ANNOTATION: None}, "labels": {LABEL: None}}},
        )
        _until(lambda: reaper.ask("/readyz")[0] == 200, "it is ready again")
    finally:
        await runs.go_on(halt)
    await runs.forget(mark)
    stage.place.pristine = None


@only()
async def test_nothing_without_label_and_mark_is_touched(stage: Stage, runs: Runs, reaper: Reaper) -> None:
    old = Mark("gone-long-ago", stage.namespace, str(uuid.uuid4()), soon(-3600), made=True)
    feem = runs.operator
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}
    for name, metadata in {
        "feem-chaos-of-a-person": {},
        "label-only": {"labels": old.labels},
        "annotation-only": {"annotations": {ANNOTATION: old.text()}},
    }.items():
        body = {"metadata": {"namespace": stage.namespace, "name": name, **metadata}, "spec": spec}
        await feem.create(NETWORK_POLICIES, stage.namespace, with_type(NETWORK_POLICIES, body))
    # the mark of a fault that was undone, as `kubectl rollout undo` brings it back from a ReplicaSet
    await feem.merge(DEPLOYMENTS, stage.namespace, NAME, {"metadata": {"annotations": {ANNOTATION: old.text()}}})
    there = await stage.look()
    halt = await runs.halt("incident-unmarked", stage.namespace)
    try:
        await looks(reaper, 3)
        assert await stage.look() == there
    finally:
        await runs.go_on(halt)
    assert reaper.ask("/readyz")[0] == 200
    stage.place.pristine = None


# -- its own end ----------------------------------------------------------------------------------------------------------


@only()
async def test_killed_again_and_again_at_work_it_leaves_nothing(
    stage: Stage, runs: Runs, process: Reaper, seen: Seen, table: Table
) -> None:
    process.kill()
    mark = await runs.run(stage.namespace, "killed")
    attempt = await placed(stage, seen, mark, soon(-1))
    count = 60
    await made(stage, seen, policies(stage.namespace, count, "killed"), replace(mark, expires_at=soon(-1)))
    kills, left = 0, len(await marked(stage))
    while left > 6:
        process.start()
        wanted = left - 1

        async def some_are_gone(most: int = wanted) -> bool:
            return len(await marked(stage)) <= most

        await stage.until(some_are_gone, "some objects are taken back")
        process.kill()
        kills, left = kills + 1, len(await marked(stage))
    process.start()
    await unmarked_after(stage)
    left_over = await stage.left(attempt)
    assert (left_over.residue, left_over.unmarked, left_over.kept) == ((), (), ())
    await stage.is_as_before()
    await runs.forget(mark)
    table.lines.append(f"killed with SIGKILL {kills} times over {count + 2} marked objects: no residue")
    assert kills >= 2


@only()
async def test_it_stops_when_it_is_told_to(stage: Stage, process: Reaper) -> None:
    if not process.running:
        process.start()
    _until(lambda: process.ask("/readyz")[0] == 200, "it is ready")
    assert process.stop() == 0
    assert "Traceback" not in process.log


# -- deleted runs, which it lets go in real time --------------------------------------------------------------------------


@only()
async def test_a_deleted_run_goes_once_nobody_came_for_it_and_nothing_carries_its_fault(
    stage: Stage, runs: Runs, reaper: Reaper, seen: Seen, table: Table, admin: Kubectl
) -> None:
    doomed = f"{stage.namespace}-doomed"
    admin.done("create", "namespace", doomed)
    in_doomed = await runs.run(doomed, "doomed")
    await made(stage, seen, policies(doomed, 3, "doomed"), in_doomed)
    without, faulty, kept = [await runs.run(stage.namespace, name) for name in ("without", "faulty", "kept")]
    expires = soon(LEFT_ALONE.total_seconds() + 25)
    attempt = await placed(stage, seen, faulty, expires)
    for mark in (without, faulty, in_doomed):
        seen.note_run(mark)
    watch = Watch()
    admin.done("delete", "namespace", doomed, "--wait=false")
    for mark in (without, faulty):
        await runs.delete(mark)
    gone: dict[str, float] = {}
    while len(gone) < 3:
        assert watch.seconds < 180, f"after 180 s only these are gone: {gone}; {reaper.ask('/readyz')}"
        for mark in (without, faulty, in_doomed):
            if mark.run not in gone and await runs.read(mark) is None:
                gone[mark.run] = watch.seconds
                if mark is faulty:
                    assert await marked(stage) == [], "the run was let go before its fault was taken back"
        await asyncio.sleep(0.5)
    alone = LEFT_ALONE.total_seconds()
    assert all(seconds >= alone - 1.5 for seconds in gone.values()), (
        gone
    )  # a second is what deletionTimestamps are exact to
    assert gone["without"] <= alone + 15
    _until(lambda: admin("get", "namespace", doomed).code != 0, "the namespace is gone", 60)
    table.lines += [f"deleted run {name}: let go after {seconds:.0f} s" for name, seconds in gone.items()]
    table.lines.append(f"namespace deleted without an operator: gone after {watch.seconds:.0f} s")
    left = await stage.left(attempt)
    assert (left.residue, left.unmarked, left.kept) == ((), (), ())
    await stage.is_as_before()
    there = await runs.read(kept)
    assert there is not None
    assert there["metadata"]["finalizers"] == [FINALIZER]
    await runs.forget(kept)


def test_it_wrote_to_nothing_but_what_carried_a_fault_or_was_a_deleted_run(written: Written, seen: Seen) -> None:
    writes = written.objects()
    assert writes
    others = [write for write in writes if (write[1].partition("/")[0], *write[2:]) not in seen.may]
    assert others == []
    assert written.refused() == []
