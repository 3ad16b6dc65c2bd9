"""Takes back what nobody came for: expired faults, those of runs that are gone, and all of them while chaos is halted.

It needs no operator, no leadership and no memory: each look reads everything anew, and taking back twice changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import structlog
from pydantic import ValidationError

from feem.api.halt import ChaosHalt
from feem.api.run import ChaosRun
from feem.core.chaos.edit import KINDS, LABEL, MarkUnreadable, Target, mark_of
from feem.core.chaos.reaping import is_worth_a_look, may_go, why_now
from feem.ports import Body, Clock, Conflict, Notes, Refused, Unavailable
from feem.ports.chaos import ReaperMeasurements, Remains

log = structlog.get_logger("feem.reaper")
AT_ONCE = 16
"""Objects visited at the same time."""


@dataclass(frozen=True)
class Known:
    """The halts and runs that there are, runs by their UID, also as they were read."""

    halts: tuple[ChaosHalt, ...]
    runs: Mapping[str, ChaosRun]
    bodies: Mapping[str, Body]


class Reaper:
    """One look at a time; `sweep_seconds` is how often everything is looked at without any sign of a fault."""

    def __init__(
        self, remains: Remains, notes: Notes, figures: ReaperMeasurements, clock: Clock, sweep_seconds: float
    ) -> None:
        self._remains, self._notes, self._figures, self._clock = remains, notes, figures, clock
        self._sweep_seconds = sweep_seconds
        self._swept = float("-inf")
        self.problem = ""
        """Why the last look was not complete; empty when it was."""

    async def look(self) -> int:
        """Look once, and take back what is due; returns how many objects were taken back. Raises nothing but bugs."""
        try:
            known = await self._known()
            now = self._clock.now().timestamp()
            if not is_worth_a_look(known.runs.values(), known.halts) and now - self._swept < self._sweep_seconds:
                return 0
            found, problems = await self._marked()
            known = await self._known()  # anew: a run that was listed before its objects may have begun in between
        except (Unavailable, Refused, Conflict, ValidationError) as problem:
            self._fail("failed", f"runs or halts cannot be listed: {problem}")
            return 0
        return await self._sweep(known, found, problems)

    async def _known(self) -> Known:
        halts = tuple(ChaosHalt.read(body) for body in await self._remains.halts())
        bodies = {body["metadata"]["uid"]: body for body in await self._remains.runs()}
        runs = {uid: run for uid, body in bodies.items() if (run := _readable(body)) is not None}
        return Known(halts, runs, bodies)

    async def _marked(self) -> tuple[list[tuple[str, Body]], list[str]]:
        """Return everything that carries a fault, by resource, and which resources could not be listed."""
        found, problems = list[tuple[str, Body]](), list[str]()
        for resource in KINDS:
            try:
                found += [(resource, body) for body in await self._remains.marked(resource)]
            except (Unavailable, Refused, Conflict) as problem:
                problems.append(f"{resource} cannot be listed: {problem}")
        return found, problems

    async def _sweep(self, known: Known, found: Sequence[tuple[str, Body]], problems: list[str]) -> int:
        taken, carried, complete = 0, set[str](), not problems
        for first in range(0, len(found), AT_ONCE):
            block = found[first : first + AT_ONCE]
            visits = await asyncio.gather(*(self._visit(resource, body, known) for resource, body in block))
            for (_, body), (done, said) in zip(block, visits, strict=True):
                taken += done
                if said:
                    problems.append(said)
                if not done:
                    carried.add(str(body["metadata"]["labels"][LABEL]))
        if complete:
            problems += await self._release(known, carried)
        if problems:
            self._fail("partial", "; ".join(problems))
            return taken
        self._swept, self.problem = self._clock.now().timestamp(), ""
        self._figures.swept("ok", at=self._swept, marked=len(found) - taken)
        return taken

    async def _visit(self, resource: str, body: Body, known: Known) -> tuple[bool, str]:
        """Take the fault off one object where it is due; returns whether that was done, and what went wrong."""
        metadata = body["metadata"]
        target = Target(resource, metadata["namespace"], metadata["name"], metadata["uid"])
        try:
            mark = mark_of(body)
        except MarkUnreadable as problem:
            return False, f"{target}: {problem}; put it right by hand"
        why = why_now(mark, known.runs, known.halts, self._clock.now()) if mark is not None else ""
        if mark is None or not why:
            return False, ""
        try:
            await self._remains.take_back(target, mark.run_uid)
        except (Conflict, Unavailable, Refused) as problem:
            return False, f"{target}: {problem}"
        self._figures.taken_back(resource, why)
        text = f"the fault of ChaosRun {mark.run} was taken off {target}: {why}"
        log.warning("fault taken back", object=str(target), run=mark.run, namespace=mark.namespace, why=why)
        await self._notes.publish({"kind": KINDS[resource], **body}, reason=f"Fault{why}", message=text, warning=True)
        return True, ""

    async def _release(self, known: Known, carried: Collection[str]) -> list[str]:
        """Let deleted runs go that no operator came for, so that their namespaces can be deleted."""
        problems = []
        for uid, run in known.runs.items():
            if may_go(run, carried, self._clock.now()):
                try:
                    await self._remains.let_go(known.bodies[uid])
                except (Conflict, Unavailable, Refused) as problem:
                    problems.append(f"ChaosRun {run.metadata.namespace}/{run.metadata.name}: {problem}")
        return problems

    def _fail(self, outcome: str, problem: str) -> None:
        self.problem = problem
        self._figures.swept(outcome)
        log.error("the look was not complete, it is repeated", problem=problem)


def _readable(body: Body) -> ChaosRun | None:
    try:
        return ChaosRun.read(body)
    except ValidationError as odd:
        log.warning("a ChaosRun cannot be read", name=body["metadata"].get("name"), problem=str(odd))
        return None
