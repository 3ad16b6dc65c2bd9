"""Gathers what a run's decision looks at; what costs a request only when the run's state needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from feem.api.audit import Subject
from feem.api.run import ChaosRun, Track
from feem.controllers.chaos.judge import RunJudge
from feem.controllers.chaos.neighbours import Allowed, Neighbours, deployment_of
from feem.controllers.resources import DEPLOYMENTS, REPLICA_SETS, ROUTES
from feem.core.chaos.checking import terms_now, wants_look
from feem.core.chaos.edit import Remove, Target, mark_of
from feem.core.chaos.running import parts
from feem.core.chaos.snapshot import RunSnapshot
from feem.core.chaos.status import State, state_of, status_of
from feem.core.rollout.observe import revisions_of
from feem.ports import Body, Clock, Cluster, Ledger
from feem.ports.chaos import Faults, Probing

FINAL = timedelta(seconds=2)
"""How long before the end of the recovery window objects are read again: they are compared at its beginning and at its end."""


class RunGatherer:
    """Builds snapshots of one run."""

    def __init__(
        self,
        cluster: Cluster,
        ledger: Ledger,
        clock: Clock,
        *,
        faults: Faults,
        probing: Probing,
        judge: RunJudge,
        allowed: Allowed,
        interval: float,
    ) -> None:
        self._cluster, self._ledger, self._clock = cluster, ledger, clock
        self._faults, self._probing, self._judge = faults, probing, judge
        self._neighbours, self._interval = Neighbours(cluster, faults, allowed), interval

    async def snapshot(self, run: ChaosRun) -> RunSnapshot:
        """Gather everything that the run's state needs. Raises Unavailable or Refused."""
        experiment = self._neighbours.experiment(run)
        intents = self._ledger.open_intents(subject_of(run))
        back = next(((item.reason, item.message) for item in intents if item.action == "UndoFault"), None)
        seen = RunSnapshot(
            now=self._clock.now(),
            interval=self._interval,
            run=run,
            around=await self._neighbours.around(run, experiment),
            experiment=experiment,
            announced=back,
        )
        match state_of(run):
            case State.NEW | State.CHECKING:
                return await self._before(seen) if wants_look(seen) else seen
            case State.RUNNING:
                return await self._while(seen)
            case State.RECOVERING:
                return await self._after(seen)
        return seen

    async def _before(self, seen: RunSnapshot) -> RunSnapshot:
        terms, run = terms_now(seen), seen.run
        names = self._tracks(seen)
        deployment = self._deployment(seen)
        if terms is None or deployment is None or names is None:
            return replace(seen, scene_problem="the ReplicaSet whose pods shall be hit is not there (any more)")
        namespace, service = run.metadata.namespace, seen.around.service
        route = service.spec.traffic.http_route if service is not None else ""
        scene = await self._faults.scene(
            terms.fault,
            namespace,
            deployment=deployment,
            replica_set=self._cluster.get(REPLICA_SETS, namespace, names[0]),
            route=self._cluster.get(ROUTES, namespace, route),
        )
        judged = await self._judge.before(run, terms, names)
        reading = await self._probing.value(terms.effect.query) if terms.effect is not None else None
        return replace(
            seen,
            now=self._clock.now(),
            scene=scene,
            judged=judged,
            reading=reading,
            replica_set=names[0],
            compared_with=names[1],
        )

    async def _while(self, seen: RunSnapshot) -> RunSnapshot:
        terms, edits = parts(seen)
        if terms is None or edits is None:
            return seen
        observed, standing = await self._look(seen)
        known = status_of(seen.run).effect
        probe = terms.effect if known is None or known.seen_at is None else None
        reading = await self._probing.value(probe.query) if probe is not None else None
        judged = await self._judge.during(seen.run, terms)
        return replace(
            seen, now=self._clock.now(), judged=judged, reading=reading, observed=observed, vanished=not standing
        )

    async def _after(self, seen: RunSnapshot) -> RunSnapshot:
        terms, edits = parts(seen)
        if terms is None or edits is None:
            return seen
        undone = status_of(seen.run).undone_at or seen.now
        waited, window = seen.now - undone, timedelta(seconds=terms.hypothesis.recovery_window_seconds)
        late = waited >= window - FINAL
        leaving = seen.run.metadata.deletion_timestamp is not None
        observed: Mapping[str, Body | None] | None = None
        if late or leaving or waited < timedelta(seconds=self._interval):
            observed = await self._faults.observe(targets_of(seen))
        reading = await self._probing.value(terms.effect.query) if terms.effect is not None else None
        judged = await self._judge.after(seen.run, terms) if waited >= window else seen.judged
        during = await self._judge.during(seen.run, terms) if status_of(seen.run).injected_at else seen.during
        return replace(seen, judged=judged, during=during, reading=reading, observed=observed)

    async def _look(self, seen: RunSnapshot) -> tuple[Mapping[str, Body | None], bool]:
        """Read objects until one still carries the fault; all of them while its effect has to be seen in them.

        Returns them, and whether any carries it: a fault of removals has nothing to carry.
        """
        status, targets = status_of(seen.run), targets_of(seen)
        terms = status.terms
        by_objects = terms is not None and terms.effect is None
        if by_objects and (status.effect is None or status.effect.seen_at is None):
            edits = parts(seen)[1] or ()
            observed = await self._faults.observe([edit.target for edit in edits])
            return observed, not targets or any(_carries(body, seen.run.metadata.uid) for body in observed.values())
        found: dict[str, Body | None] = {}
        for target in targets:
            found.update(await self._faults.observe([target]))
            if _carries(found[str(target)], seen.run.metadata.uid):
                return found, True
        return found, not targets

    def _tracks(self, seen: RunSnapshot) -> tuple[str, str] | None:
        """Name the ReplicaSet that is hit, and the one it is compared with; None when it is not there."""
        service = seen.around.service
        stable = service.status.stable.replica_set if service and service.status and service.status.stable else ""
        if seen.run.spec.track is Track.STABLE:
            return (stable, "") if stable else None
        canary = self._deployment(seen)
        sets = self._cluster.owned(REPLICA_SETS, canary["metadata"]["uid"]) if canary is not None else ()
        newest = max(revisions_of(sets), key=lambda one: one.number, default=None)
        return (newest.name, stable) if newest is not None else None

    def _deployment(self, seen: RunSnapshot) -> Body | None:
        service = seen.around.service
        if service is None:
            return None
        return self._cluster.get(DEPLOYMENTS, seen.run.metadata.namespace, deployment_of(seen.run, service))


def subject_of(run: ChaosRun) -> Subject:
    """Return what the audit log knows the run by."""
    meta = run.metadata
    return Subject(kind="ChaosRun", namespace=meta.namespace, name=meta.name, uid=meta.uid)


def targets_of(seen: RunSnapshot) -> list[Target]:
    """Return the objects that have to be compared: all that the fault touched and did not remove."""
    return [edit.target for edit in parts(seen)[1] or () if not isinstance(edit, Remove)]


def _carries(body: Body | None, run_uid: str) -> bool:
    """Whether an object carries this run's mark; one that cannot be read is taken for one."""
    if body is None:
        return False
    try:
        mark = mark_of(body)
    except ValueError:
        return True
    return mark is not None and mark.run_uid == run_uid
