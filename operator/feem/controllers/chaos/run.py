"""Advances the open runs of one service: gather, decide, apply, one transition at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from feem.api.audit import Part
from feem.api.run import ChaosRun, RunStatus
from feem.controllers.chaos.gather import RunGatherer, subject_of
from feem.controllers.chaos.judge import RunJudge
from feem.controllers.chaos.keeping import kept_samples
from feem.controllers.door import Door
from feem.controllers.resources import EXPERIMENTS, RUNS
from feem.core.chaos.decide import decide
from feem.core.chaos.plan import RunPlan
from feem.core.chaos.proof import proof_digest
from feem.core.chaos.snapshot import Refusal, RunSnapshot
from feem.core.chaos.status import differs, may_be_in_place, next_status, result_of, status_of
from feem.core.finalizer import FINALIZER
from feem.ports import Body, Cluster, Entry, Ledger, Notes, Refused
from feem.ports.chaos import ChaosMeasurements

MOST_TURNS = 12
"""Transitions of one run in one visit; then others get their turn."""


class RunController:
    """Runs of a service come one after the other: that one is under way is a reason to refuse the next."""

    def __init__(
        self,
        cluster: Cluster,
        ledger: Ledger,
        notes: Notes,
        figures: ChaosMeasurements,
        *,
        gatherer: RunGatherer,
        judge: RunJudge,
        door: Door,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster, self._ledger, self._notes, self._figures = cluster, ledger, notes, figures
        self._gatherer, self._judge, self._door, self._elapsed = gatherer, judge, door, elapsed

    async def reconcile(self, namespace: str, service: str) -> float | None:
        """Look at every run of a service that is open or owes a clean-up; returns the seconds until the next look."""
        waits = [await self._follow(run) for run in self._runs(namespace, service)]
        return min((wait for wait in waits if wait is not None), default=None)

    async def _follow(self, run: ChaosRun) -> float | None:
        """Take one run as far as it gets without waiting."""
        meta = run.metadata
        for _ in range(MOST_TURNS):
            body = self._cluster.get(RUNS, meta.namespace, meta.name)
            if body is None or body["metadata"]["uid"] != meta.uid:
                self._judge.forget(meta.uid)
                return None
            seen = await self._gatherer.snapshot(ChaosRun.read(body))
            went_on, wait = await self._apply(seen, decide(seen))
            if not went_on:
                return wait
        return 0.0

    async def _apply(self, seen: RunSnapshot, plan: RunPlan) -> tuple[bool, float | None]:
        """Do one transition; returns whether to go on at once, and else the seconds until the next look."""
        meta, began = seen.run.metadata, self._elapsed()
        if plan.finalizer is True and FINALIZER not in meta.finalizers:
            await self._cluster.set_finalizer(RUNS, meta.namespace, meta.name, present=True)
        entry = Entry(plan.action, Part.INTENT, subject_of(seen.run), plan.reason, plan.message[:4000])
        try:
            await self._door.carry_out(entry, plan.effects, true_now=())
        except Refused as refusal:
            if plan.action != "InjectFault":
                await self._tell_refusal(seen, str(refusal))
                raise
            refused = Refusal("InjectionRefused", str(refusal))
            return await self._apply(seen, decide(replace(seen, refused=refused)))
        if plan.action == "UndoFault":
            self._figures.undone(self._elapsed() - began)
        plan = await self._with_samples(seen, plan)
        changed = differs(status_of(seen.run), plan.status)
        if changed:
            await self._write(seen, plan)
        if plan.finalizer is False:
            await self._cluster.set_finalizer(RUNS, meta.namespace, meta.name, present=False)
            self._judge.forget(meta.uid)
        return bool(plan.effects) or (changed and plan.requeue == 0), plan.requeue

    async def _with_samples(self, seen: RunSnapshot, plan: RunPlan) -> RunPlan:
        """Keep the samples of the time of the fault, once its run is over."""
        document = self._judge.document(seen.run, plan.reason) if plan.fact else None
        if document is None:
            return plan
        effect = kept_samples(seen.run, seen.during.digest, document)
        text = "the samples of the time of the fault"
        entry = Entry("KeepEvidence", Part.INTENT, subject_of(seen.run), plan.reason, text, evidence=effect.digest)
        kept = await self._door.carry_out(entry, (effect,), true_now=())
        files = [effect.file] if kept else []
        return replace(plan, status=plan.status.model_copy(update={"evidence_files": files}))

    async def _write(self, seen: RunSnapshot, plan: RunPlan) -> None:
        """Record the end before the status says it; tell people and Prometheus afterwards."""
        meta = seen.run.metadata
        if plan.fact:
            ended = seen.run.model_copy(update={"status": plan.status})
            text = f"{result_of(ended)}: {plan.message}"[:4000]
            digest = proof_digest(ended)
            await self._ledger.append(
                Entry("ChaosRunEnded", Part.FACT, subject_of(seen.run), plan.reason, text, evidence=digest)
            )
        body = self._cluster.get(RUNS, meta.namespace, meta.name)
        version = body["metadata"]["resourceVersion"] if body is not None else meta.resource_version
        await self._cluster.write_status(RUNS, meta.namespace, meta.name, plan.status.wire(), version)
        self._measure(seen, plan.status)
        body = self._cluster.get(RUNS, meta.namespace, meta.name)
        if plan.event and body is not None:
            reason = plan.status.cause if plan.fact else plan.action
            await self._notes.publish(body, reason=reason, message=plan.message[:1000], warning=plan.warning)

    async def _tell_refusal(self, seen: RunSnapshot, refusal: str) -> None:
        """Say on the run that its fault cannot be taken back by the operator: the reaper tries as well, people may have to."""
        text = f"the API server refuses to take the fault back: {refusal}"
        status = next_status(seen.run, seen.now, progressing=(False, "UndoRefused", text))
        if differs(status_of(seen.run), status):
            meta = seen.run.metadata
            await self._cluster.write_status(RUNS, meta.namespace, meta.name, status.wire(), meta.resource_version)

    def _measure(self, seen: RunSnapshot, status: RunStatus) -> None:
        meta, terms = seen.run.metadata, status.terms
        service, fault = (terms.service, terms.fault.kind) if terms is not None else ("", "")
        now = seen.run.model_copy(update={"status": status})
        experiment, expires = seen.run.spec.experiment, status.expires_at
        if status.planned_at is not None:
            until = expires.timestamp() if expires is not None else 0.0
            place = may_be_in_place(now)
            self._figures.fault(meta.namespace, service, experiment, meta.name, fault, in_place=place, expires=until)
        if status.recovered_at is not None and status.undone_at is not None:
            self._figures.recovered((status.recovered_at - status.undone_at).total_seconds())
        if status.completed_at is not None:
            self._figures.run_ended(meta.namespace, service, experiment, result_of(now), status.cause)

    def _runs(self, namespace: str, service: str) -> list[ChaosRun]:
        """Return the service's runs that are open or owe a clean-up: those with a fault first, then the oldest."""
        found = []
        for body in self._cluster.list(RUNS, namespace):
            over = (body.get("status") or {}).get("completedAt")
            if over and FINALIZER not in (body["metadata"].get("finalizers") or ()):
                continue
            if service_of(self._cluster, body) == service:
                found.append(ChaosRun.read(body))
        return sorted(
            found, key=lambda run: (not may_be_in_place(run), str(run.metadata.creation_timestamp), run.metadata.name)
        )


def service_of(cluster: Cluster, run: Body) -> str:
    """Return the service of a run: that of its terms, else of its experiment; empty when neither is there."""
    terms = (run.get("status") or {}).get("terms")
    if terms is not None:
        return str(terms["service"])
    experiment = cluster.get(EXPERIMENTS, run["metadata"]["namespace"], run["spec"]["experiment"])
    return str(experiment["spec"]["service"]) if experiment is not None else ""
