"""Takes back what nobody came for: expired faults, those of runs that are gone, and all of them while chaos is halted.

It needs no operator, no leadership and no memory: each look reads everything anew, and taking back twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog
from pydantic import ValidationError

from feem.api.halt import ChaosHalt
from feem.api.run import ChaosRun
from feem.core.chaos.edit import KINDS, Mark, MarkUnreadable, Target, mark_of
from feem.core.chaos.reaping import is_worth_a_look, may_go, why_now
from feem.ports import Body, Clock, Conflict, Notes, Refused, Unavailable
from feem.ports.chaos import ReaperMeasurements, Remains

log = structlog.get_logger("feem.reaper")


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
            halts = [ChaosHalt.read(body) for body in await self._remains.halts()]
            bodies = {body["metadata"]["uid"]: body for body in await self._remains.runs()}
            runs = {uid: run for uid, body in bodies.items() if (run := _readable(body)) is not None}
        except (Unavailable, Refused, Conflict, ValidationError) as problem:
            self._fail("failed", f"runs or halts cannot be listed: {problem}")
            return 0
        now = self._clock.now().timestamp()
        if not is_worth_a_look(runs.values(), halts) and now - self._swept < self._sweep_seconds:
            return 0
        return await self._sweep(halts, runs, bodies)

    async def _sweep(self, halts: Sequence[ChaosHalt], runs: Mapping[str, ChaosRun], bodies: Mapping[str, Body]) -> int:
        taken, carried, problems = 0, list[Mark](), list[str]()
        for resource in KINDS:
            try:
                found = await self._remains.marked(resource)
            except (Unavailable, Refused, Conflict) as problem:
                problems.append(f"{resource} cannot be listed: {problem}")
                continue
            for body in found:
                done, mark, said = await self._visit(resource, body, halts, runs)
                taken += done
                problems += [said] if said else []
                carried += [mark] if mark is not None and not done else []
        problems += await self._release(runs, bodies, carried) if not problems else []
        if problems:
            self._fail("partial", "; ".join(problems))
            return taken
        self._swept, self.problem = self._clock.now().timestamp(), ""
        self._figures.swept("ok", at=self._swept, marked=len(carried))
        return taken

    async def _visit(
        self, resource: str, body: Body, halts: Sequence[ChaosHalt], runs: Mapping[str, ChaosRun]
    ) -> tuple[bool, Mark | None, str]:
        """Take the fault off one object where it is due; returns whether that was done, its mark, and what went wrong."""
        metadata = body["metadata"]
        target = Target(resource, metadata["namespace"], metadata["name"], metadata["uid"])
        try:
            mark = mark_of(body)
        except MarkUnreadable as problem:
            return False, None, f"{target}: {problem}; put it right by hand"
        if mark is None:
            return False, None, ""
        why = why_now(mark, runs, halts, self._clock.now())
        if not why:
            return False, mark, ""
        try:
            await self._remains.take_back(target, mark.run_uid)
        except (Conflict, Unavailable, Refused) as problem:
            return False, mark, f"{target}: {problem}"
        self._figures.taken_back(resource, why)
        text = f"the fault of ChaosRun {mark.run} was taken off {target}: {why}"
        log.warning("fault taken back", object=str(target), run=mark.run, namespace=mark.namespace, why=why)
        await self._notes.publish({"kind": KINDS[resource], **body}, reason=f"Fault{why}", message=text, warning=True)
        return True, mark, ""

    async def _release(
        self, runs: Mapping[str, ChaosRun], bodies: Mapping[str, Body], carried: Sequence[Mark]
    ) -> list[str]:
        """Let deleted runs go that no operator came for, so that their namespaces can be deleted."""
        problems = []
        for uid, run in runs.items():
            if may_go(run, carried, self._clock.now()):
                try:
                    await self._remains.let_go(bodies[uid])
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
