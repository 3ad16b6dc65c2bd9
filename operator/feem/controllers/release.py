"""Advances one open release by one transition: gather, judge, decide, apply."""

from __future__ import annotations

from dataclasses import replace

from feem.api.audit import Part, Subject
from feem.api.release import GateOutcome, GateStatus, Outcome, Release, ReleaseStatus
from feem.api.service import ManagedService
from feem.controllers.door import Door
from feem.controllers.examiner import Examiner
from feem.controllers.gather import Gatherer
from feem.controllers.judge import Judge, Judgement
from feem.controllers.keeping import Keeper
from feem.controllers.resources import RELEASES
from feem.controllers.sealing import Sealer, seal_digest, with_file
from feem.core.conditions import find
from feem.core.rollout.closing import with_duty
from feem.core.rollout.decide import decide
from feem.core.rollout.gating import news_of
from feem.core.rollout.plan import Plan
from feem.core.rollout.snapshot import ReleaseSnapshot
from feem.core.rollout.status import ALLOWED, PROGRESSING, differs, ending_of, next_status, status_of
from feem.core.rollout.steps import current_step
from feem.ports import Archive, Clock, Cluster, Entry, Ledger, Measurements, Notes, NotWitnessed, Refused


class ReleaseController:
    """Writes the release's status once a transition, after its effects."""

    def __init__(
        self,
        cluster: Cluster,
        ledger: Ledger,
        notes: Notes,
        measurements: Measurements,
        clock: Clock,
        *,
        gatherer: Gatherer,
        judge: Judge,
        door: Door,
        archive: Archive,
        examiner: Examiner,
        sealer: Sealer,
    ) -> None:
        self._cluster, self._ledger, self._notes, self._measurements = cluster, ledger, notes, measurements
        self._clock, self._gatherer, self._judge, self._examiner = clock, gatherer, judge, examiner
        self._keeper, self._sealer = Keeper(ledger, door, archive), sealer

    async def advance(self, service: ManagedService, release: Release) -> tuple[bool, float | None]:
        """Do one transition; returns whether to go on at once, and else the seconds until the next visit."""
        seen = self._gatherer.release_snapshot(service, release, (), Outcome.INCONCLUSIVE)
        judgement = await self._judge.evaluate(seen) if _can_be_judged(seen) else Judgement()
        if judgement.verdicts:
            seen = self._gatherer.release_snapshot(service, release, judgement.verdicts, judgement.outcome)
        meta = release.metadata
        subject = Subject(kind="Release", namespace=meta.namespace, name=meta.name, uid=meta.uid)
        seen, plan = await self._decided(service, self._with_memory(seen, subject))
        plan = await self._closed(service, release, plan)
        try:
            needed = self._needs_witness(release, plan)
            kept = await self._keeper.carry_out(seen, plan, judgement, subject, witnessed=needed)
        except Refused as refusal:
            await self._tell(seen, "Refused", str(refusal))
            raise
        except NotWitnessed as missing:
            await self._tell(seen, "NotWitnessed", str(missing))
            raise
        if kept is not None:
            plan = replace(plan, status=with_file(plan.status, kept))
        changed = differs(status_of(release), plan.status)
        if changed:
            await self._write(seen, plan, subject)
        self._show(release, plan.status)
        return bool(plan.effects) or (changed and plan.requeue == 0), plan.requeue

    def _needs_witness(self, release: Release, plan: Plan) -> bool:
        """Whether the release's profile wants witnesses to have seen this act before it is done."""
        profile = self._examiner.profile(release) if plan.goes_forward else None
        return profile is not None and plan.action in profile.spec.witness_before

    async def _decided(self, service: ManagedService, seen: ReleaseSnapshot) -> tuple[ReleaseSnapshot, Plan]:
        """Ask the gates and decide. Before a move forward the rights it rests on are asked for again, and it is decided anew."""
        if ending_of(seen.release) is not None:
            return seen, decide(seen)
        examined = await self._examiner.examine(service, seen.release)
        seen = replace(seen, compliance=examined.compliance)
        plan = decide(seen)
        if not plan.goes_forward:
            return seen, plan
        seen = replace(seen, compliance=await self._examiner.confirm(examined))
        return seen, decide(seen)

    async def _closed(self, service: ManagedService, release: Release, plan: Plan) -> Plan:
        """Add what a release owes, and what proves it, to the status that ends it."""
        if plan.status.completed_at is None or status_of(release).completed_at is not None:
            return plan
        ended = release.model_copy(update={"status": plan.status})
        plan = with_duty(plan, ended, await self._examiner.closure(service, ended), plan.status.completed_at)
        return self._sealer.sealed(release, plan)

    def _with_memory(self, seen: ReleaseSnapshot, subject: Subject) -> ReleaseSnapshot:
        """Add what the log knows of this release: a way back that was announced, and effects that may be half done."""
        intents = self._ledger.open_intents(subject)
        back = next(((item.reason, item.message) for item in intents if item.action in ("RollBack", "Undo")), None)
        return replace(seen, announced=back, unfinished=frozenset(text for item in intents for text in item.effects))

    async def _tell(self, seen: ReleaseSnapshot, reason: str, refusal: str) -> None:
        """Say on the release what was refused, or what it waits for: it is tried again, but only others can change the answer."""
        release, meta = seen.release, seen.release.metadata
        status = next_status(release, seen.now, progressing=(False, reason, refusal))
        if not differs(status_of(release), status):
            return
        await self._cluster.write_status(RELEASES, meta.namespace, meta.name, status.wire(), meta.resource_version)
        body = self._cluster.get(RELEASES, meta.namespace, meta.name)
        if body is not None:
            await self._notes.publish(body, reason=reason, message=refusal, warning=True)

    async def _write(self, seen: ReleaseSnapshot, plan: Plan, subject: Subject) -> None:
        release, meta = seen.release, seen.release.metadata
        ends = plan.status.completed_at is not None
        if ends:
            sealed = seal_digest(plan.status)
            fact = Entry("ReleaseEnded", Part.FACT, subject, plan.reason, plan.message, evidence=sealed)
            await self._ledger.append(fact)
        news = news_of(status_of(release), plan.status)
        if news:
            await self._record_gates(plan, subject)
        await self._cluster.write_status(RELEASES, meta.namespace, meta.name, plan.status.wire(), meta.resource_version)
        if news:
            await self._tell_gates(release, news)
        state = _reason(plan.status)
        if plan.event or _news(status_of(release), plan.status):
            body = self._cluster.get(RELEASES, meta.namespace, meta.name)
            if body is not None:
                warning = plan.warning or plan.action == "RollBack" or not _is_going(plan.status)
                reason = plan.event or state
                await self._notes.publish(body, reason=reason, message=plan.message, warning=warning)
        if ends:
            began = meta.creation_timestamp or seen.now
            seconds = (seen.now - began).total_seconds()
            end = ending_of(release)
            result = end[0] if end else plan.reason
            service = release.spec.service
            self._measurements.release_ended(meta.namespace, service, meta.name, result=result, seconds=seconds)

    async def _record_gates(self, plan: Plan, subject: Subject) -> None:
        """Write down what each gate says, whenever one of them says something else."""
        allowed = find(plan.status.conditions, ALLOWED)
        if allowed is not None:
            results = "; ".join(f"{gate.name} {gate.outcome} ({gate.reason})" for gate in plan.status.gates)
            entry = Entry("Gates", Part.FACT, subject, allowed.reason, results[:4000], evidence=plan.status.binding)
            await self._ledger.append(entry)

    async def _tell_gates(self, release: Release, news: tuple[GateStatus, ...]) -> None:
        """Tell people of the gates that say something else, in one event; the first look tells of those that hold."""
        first = not status_of(release).gates
        told = [gate for gate in news if not first or gate.outcome is GateOutcome.HOLDING]
        body = self._cluster.get(RELEASES, release.metadata.namespace, release.metadata.name)
        if told and body is not None:
            text = "; ".join(f"{gate.name}: {gate.message}" for gate in told)
            warning = any(gate.outcome is GateOutcome.HOLDING for gate in told)
            await self._notes.publish(body, reason="Gates", message=text[:1000], warning=warning)

    def _show(self, release: Release, status: ReleaseStatus) -> None:
        if status.completed_at is None:
            meta, service = release.metadata, release.spec.service
            state, step, weight = _reason(status), status.step, status.weight
            self._measurements.release_seen(meta.namespace, service, meta.name, step=step, weight=weight, state=state)


def _can_be_judged(seen: ReleaseSnapshot) -> bool:
    """Only a canary that gets traffic in a step is judged; on the way back nothing is, nor in a promotion, unless it is paused.

    What was promoted is judged while it is watched.
    """
    if seen.watched:
        return True
    if ending_of(seen.release) is not None or seen.canary is None:
        return False
    last = len(seen.release.spec.plan.steps)
    return 1 <= current_step(seen) <= (last + 1 if seen.directives.paused else last)


def _reason(status: ReleaseStatus) -> str:
    found = find(status.conditions, PROGRESSING)
    return found.reason if found else "Held"


def _is_going(status: ReleaseStatus) -> bool:
    found = find(status.conditions, PROGRESSING)
    return found is not None and (found.status == "True" or found.reason == "Promoted")


def _news(old: ReleaseStatus, new: ReleaseStatus) -> bool:
    """Whether people should hear of it: another step, or another state that is more than the way from one to the next."""
    before, after = _reason(old), _reason(new)
    if after in ("StartingCanary", "CleaningUp"):
        return False
    if (before, after) == ("StartingCanary", "Baking"):
        return old.step != new.step
    return before != after or old.step != new.step
