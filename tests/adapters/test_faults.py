"""A fault on many objects is taken off them together, a bounded number at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from feem.adapters.kubernetes.faults import AT_ONCE, take_back
from feem.adapters.kubernetes.store import Store
from feem.adapters.kubernetes.writer import Writer
from feem.core.chaos.acts import UndoFault
from feem.core.chaos.edit import ANNOTATION, Mark, Target
from feem.ports import Body, Conflict, Refused, Unavailable
from tests.adapters.fake import FakeClient

MARK = Mark("try-it", "lending", "run-1", datetime(2026, 3, 2, tzinfo=UTC))
MANY = 3 * AT_ONCE + 1


class Pods(FakeClient):
    """`most` is how many requests were under way at once; `wrong` are answers to patches, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.under_way = self.most = 0
        self.wrong: dict[str, Exception] = {}
        self.before = self._begin
        for number in range(MANY):
            name = f"pod-{number}"
            metadata = {"name": name, "namespace": "lending", "uid": name, "resourceVersion": "1"}
            marked = {"labels": MARK.labels, "annotations": {ANNOTATION: MARK.text()}}
            self.objects["pods", "lending", name] = {"metadata": {**metadata, **marked}, "spec": {}}

    async def patch(
        self, resource: str, namespace: str, name: str, operations: list[Body], *, subresource: str = ""
    ) -> Body:
        del operations, subresource
        await self._begin("patch", name)
        if name in self.wrong:
            raise self.wrong[name]
        return self.objects.pop((resource, namespace, name))

    async def _begin(self, _verb: str, _name: str) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.001)
        self.under_way -= 1

    @property
    def left(self) -> set[str]:
        return {name for _, _, name in self.objects}

    async def take_back(self) -> None:
        targets = tuple(Target("pods", "lending", f"pod-{number}") for number in range(MANY))
        await take_back(Writer(self.client, Store()), UndoFault(targets, MARK.run_uid))


async def test_so_many_at_once_and_no_more() -> None:
    pods = Pods()
    await pods.take_back()
    assert pods.left == set()
    assert pods.most == AT_ONCE


@pytest.mark.parametrize("name", ["pod-0", f"pod-{AT_ONCE}", f"pod-{MANY - 1}"])
@pytest.mark.parametrize("problem", [Refused("never"), Unavailable("not now"), Conflict("somebody was quicker")])
async def test_one_that_fails_is_said_after_all_others_are_done(name: str, problem: Exception) -> None:
    pods = Pods()
    pods.wrong[name] = problem
    with pytest.raises(type(problem), match=str(problem)):
        await pods.take_back()
    assert pods.left == {name}


async def test_a_problem_that_may_pass_is_said_first() -> None:
    pods = Pods()
    pods.wrong = {"pod-0": Refused("never"), "pod-1": Unavailable("not now")}
    with pytest.raises(Unavailable):
        await pods.take_back()
    assert pods.left == {"pod-0", "pod-1"}
