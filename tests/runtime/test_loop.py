"""The loop hands keys to controllers, and knows a try that failed from a bug and from the end of leadership."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from feem.ports import Conflict, Fenced, Refused, Unavailable
from feem.runtime.loop import Key, Loop
from feem.runtime.queue import Queue

KEY = Key("service", "lending", "scoring")


class Figures:
    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def reconciled(self, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.outcomes.append(outcome)


class Scripted:
    """A controller that answers each visit with the next of its answers, then with None."""

    def __init__(self, answers: Iterable[float | BaseException | None]) -> None:
        self._answers = list(answers)
        self.visits: list[float] = []
        self.visited = asyncio.Event()

    async def __call__(self, _: Key) -> float | None:
        self.visits.append(asyncio.get_running_loop().time())
        answer = self._answers.pop(0) if self._answers else None
        if not self._answers:
            self.visited.set()
        if isinstance(answer, BaseException):
            raise answer
        return answer


async def run_until(controller: Scripted, figures: Figures, extra: float = 0.0) -> Queue[Key]:
    queue = Queue[Key]()
    queue.add(KEY)
    running = asyncio.create_task(Loop(queue, {"service": controller}, figures, workers=2).run())
    await asyncio.wait_for(controller.visited.wait(), 5)
    await asyncio.sleep(0.02 + extra)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return queue


@pytest.mark.parametrize(
    ("problem", "outcome"),
    [
        (Conflict("changed"), "retry"),
        (Unavailable("down"), "retry"),
        (Refused("quota"), "refused"),
        (ValueError("a bug"), "error"),
    ],
)
async def test_a_failed_visit_is_repeated_and_counted(problem: Exception, outcome: str) -> None:
    controller, figures = Scripted([problem, None]), Figures()
    await run_until(controller, figures)
    assert figures.outcomes == [outcome, "ok"]
    assert controller.visits[1] - controller.visits[0] >= 0.09


async def test_repeated_failures_come_further_and_further_apart_until_one_goes_well() -> None:
    controller, figures = Scripted([Conflict("1"), Conflict("2"), 0.0, Conflict("3"), None]), Figures()
    await run_until(controller, figures)
    first, second, asked, third = (
        after - before for before, after in zip(controller.visits, controller.visits[1:], strict=False)
    )
    assert first >= 0.09
    assert second >= 0.19
    assert asked < 0.1
    assert 0.09 <= third < 0.35, "the success in between was not remembered"


async def test_a_controller_says_when_to_come_again() -> None:
    controller, figures = Scripted([0.05, None]), Figures()
    await run_until(controller, figures)
    assert controller.visits[1] - controller.visits[0] >= 0.045


async def test_none_is_no_further_visit() -> None:
    controller, figures = Scripted([None]), Figures()
    queue = await run_until(controller, figures, extra=0.2)
    assert (len(controller.visits), len(queue)) == (1, 0)


async def test_fenced_ends_the_loop_and_its_visits_as_what_it_is() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(_: Key) -> None:
        begun.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def fenced(_: Key) -> None:
        await begun.wait()
        raise Fenced("epoch 8 leads")

    queue = Queue[Key]()
    queue.add(Key("slow", "lending", "other"))
    queue.add(KEY)
    loop = Loop(queue, {"slow": slow, "service": fenced}, Figures(), workers=2)
    with pytest.raises(Fenced, match="epoch 8 leads"):
        await asyncio.wait_for(loop.run(), 5)
    assert cancelled.is_set()


async def test_a_visit_that_hangs_keeps_no_other_key_waiting() -> None:
    done = asyncio.Event()

    async def hangs(_: Key) -> None:
        await asyncio.sleep(30)

    async def quick(_: Key) -> None:
        done.set()

    queue = Queue[Key]()
    queue.add(Key("hangs", "lending", "other"))
    queue.add(KEY)
    running = asyncio.create_task(Loop(queue, {"hangs": hangs, "service": quick}, Figures(), workers=2).run())
    await asyncio.wait_for(done.wait(), 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_kind_without_controller_is_a_bug_that_stops_nobody_else() -> None:
    controller, figures = Scripted([None]), Figures()
    queue = Queue[Key]()
    queue.add(Key("unknown", "lending", "x"))
    queue.add(KEY)
    running = asyncio.create_task(Loop(queue, {"service": controller}, figures, workers=1).run())
    await asyncio.wait_for(controller.visited.wait(), 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert figures.outcomes[0] == "error"
