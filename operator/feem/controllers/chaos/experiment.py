"""Keeps ChaosExperiments: makes the runs that are due, forgets old ones, says when the next one comes and how the last ones went."""

from __future__ import annotations

from feem.api.audit import Part, Subject
from feem.api.base import ConditionStatus
from feem.api.experiment import ChaosExperiment
from feem.api.objective import ServiceLevelObjective
from feem.api.run import ChaosRun
from feem.controllers.door import Door
from feem.controllers.resources import EXPERIMENTS, OBJECTIVES, RUNS, SERVICES_MANAGED
from feem.core.chaos.experiment import ExperimentPlan, ExperimentSnapshot, decide_experiment, true_of_experiment
from feem.core.chaos.history import RESILIENT
from feem.core.conditions import find
from feem.ports import Clock, Cluster, Entry, Ledger, Notes

LONGEST = 3600.0
"""Seconds after which an experiment with a schedule is looked at again in any case: clocks are set, and machines sleep."""
MOST_TURNS = 10
"""Steps in one visit; then other experiments get their turn."""


class ExperimentController:
    """Writes an experiment's status once a change; nothing but the local copy is read."""

    def __init__(self, cluster: Cluster, ledger: Ledger, notes: Notes, clock: Clock, door: Door) -> None:
        self._cluster, self._ledger, self._notes, self._clock, self._door = cluster, ledger, notes, clock, door
        self._missed: dict[tuple[str, str], tuple[object, ...]] = {}

    async def reconcile(self, namespace: str, name: str) -> float | None:
        """Look at one experiment; returns the seconds until its next run begins, None when only an event can change anything."""
        await self._door.close_orphans(lambda subject: self._stands(namespace, name, subject))
        for _ in range(MOST_TURNS):
            seen = self._gather(namespace, name)
            if seen is None:
                self._missed.pop((namespace, name), None)
                return None
            plan = decide_experiment(seen)
            await self._record_missed(seen, plan)
            await self._act(seen, plan)
            await self._write(seen, plan)
            if not plan.effects:
                return plan.requeue if plan.requeue is None else min(plan.requeue, LONGEST)
        return 0.0

    def _gather(self, namespace: str, name: str) -> ExperimentSnapshot | None:
        body = self._cluster.get(EXPERIMENTS, namespace, name)
        if body is None:
            return None
        experiment, now = ChaosExperiment.read(body), self._clock.now()
        objectives: dict[str, ServiceLevelObjective | None] = {}
        for named in experiment.spec.hypothesis.objectives:
            found = self._cluster.get(OBJECTIVES, namespace, named)
            objectives[named] = ServiceLevelObjective.read(found) if found is not None else None
        runs = (item for item in self._cluster.list(RUNS, namespace) if item["spec"].get("experiment") == name)
        service = self._cluster.get(SERVICES_MANAGED, namespace, experiment.spec.service)
        return ExperimentSnapshot(
            now, experiment, tuple(ChaosRun.read(run) for run in runs), objectives, service_exists=service is not None
        )

    def _stands(self, namespace: str, name: str, subject: Subject) -> bool:
        """Whether the subject of an intent is there; those that are no business of this experiment are said to be."""
        if (subject.kind, subject.namespace, subject.name) != ("ChaosExperiment", namespace, name):
            return True
        body = self._cluster.get(EXPERIMENTS, namespace, name)
        return body is not None and body["metadata"]["uid"] == subject.uid

    async def _record_missed(self, seen: ExperimentSnapshot, plan: ExperimentPlan) -> None:
        """Record times that passed without a run before the status says that they are dealt with."""
        missed, meta = plan.missed, seen.experiment.metadata
        if missed is None:
            return
        key, same = (meta.namespace, meta.name), (meta.uid, missed)
        if self._missed.get(key) == same:
            return
        text = f"{missed} passed without a run: none is made up for"
        await self._ledger.append(Entry("RunsMissed", Part.FACT, _subject(seen), "NotMadeUpFor", text))
        self._missed[key] = same

    async def _act(self, seen: ExperimentSnapshot, plan: ExperimentPlan) -> None:
        """Carry the effects out; without any, what a crash left open is settled."""
        subject = _subject(seen)
        announced = [text for intent in self._ledger.open_intents(subject) for text in intent.effects]
        entry = Entry(plan.action, Part.INTENT, subject, plan.reason, plan.message)
        await self._door.carry_out(entry, plan.effects, true_now=true_of_experiment(seen, announced))

    async def _write(self, seen: ExperimentSnapshot, plan: ExperimentPlan) -> None:
        """Write the status where it says something else, then tell people."""
        meta = seen.experiment.metadata
        if plan.status != seen.status:
            wire = plan.status.wire()
            await self._cluster.write_status(EXPERIMENTS, meta.namespace, meta.name, wire, meta.resource_version)
            await self._tell(seen, plan)

    async def _tell(self, seen: ExperimentSnapshot, plan: ExperimentPlan) -> None:
        meta = seen.experiment.metadata
        body = self._cluster.get(EXPERIMENTS, meta.namespace, meta.name)
        if body is None:
            return
        if plan.missed is not None:
            text = f"{plan.missed} passed without a run: none is made up for"
            await self._notes.publish(body, reason="RunsMissed", message=text, warning=True)
        if plan.made:
            await self._notes.publish(body, reason="RunRequested", message=f"ChaosRun {plan.made} is made")
        old, new = find(seen.status.conditions, RESILIENT), find(plan.status.conditions, RESILIENT)
        before = old.status if old is not None else ConditionStatus.UNKNOWN
        if new is not None and new.status is not before:
            warning = new.status is not ConditionStatus.TRUE
            await self._notes.publish(body, reason=new.reason, message=new.message, warning=warning)


def _subject(seen: ExperimentSnapshot) -> Subject:
    meta = seen.experiment.metadata
    return Subject(kind="ChaosExperiment", namespace=meta.namespace, name=meta.name, uid=meta.uid)
