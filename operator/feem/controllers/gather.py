"""Gathers what the decisions look at, from the local copy of the cluster: nothing here asks the API server."""

from __future__ import annotations

from feem.api.base import ConditionStatus
from feem.api.decision import Decision
from feem.api.experiment import ChaosExperiment
from feem.api.release import ObjectiveVerdict, Outcome, Release
from feem.api.service import ManagedService
from feem.controllers.guarding import GuardWatch
from feem.controllers.references import frozen, pod_selector, references
from feem.controllers.resources import (
    BINDINGS,
    DECISIONS,
    DEPLOYMENTS,
    EXPERIMENTS,
    HOLD_POLICY,
    POLICIES,
    RELEASES,
    REPLICA_SETS,
    ROUTES,
    RUNS,
    SERVICES,
    SERVICES_MANAGED,
)
from feem.core.audit.texts import Unrecordable, checked_name
from feem.core.conditions import find
from feem.core.digest import HASH_LABEL
from feem.core.gates.facts import Guard
from feem.core.rollout.mark import parse_mark
from feem.core.rollout.observe import (
    canary_of,
    directives_of,
    is_canary,
    revisions_of,
    workload_of,
)
from feem.core.rollout.references import problem_with
from feem.core.rollout.revisions import holder_of, revision_with
from feem.core.rollout.route import agrees, observed, touched
from feem.core.rollout.runs import concerning
from feem.core.rollout.snapshot import HoldMechanism, ReleaseSnapshot, Revision, ServiceSnapshot, Traffic, Workload
from feem.core.rollout.status import holds
from feem.core.rollout.watch import watched_set
from feem.ports import Clock, Cluster


class Gatherer:
    """Builds snapshots of one service."""

    def __init__(self, cluster: Cluster, clock: Clock, interval: float, watch: GuardWatch) -> None:
        self._cluster, self._clock, self._interval, self._watch = cluster, clock, interval, watch

    def guard(self) -> tuple[Guard, str]:
        """Say whether FEEM's admission policies are in force, and which ones these are."""
        return self._watch.look()

    def managed(self, namespace: str, name: str) -> ManagedService | None:
        """Return the ManagedService, or None."""
        body = self._cluster.get(SERVICES_MANAGED, namespace, name)
        return ManagedService.read(body) if body is not None else None

    def hold(self) -> str:
        """Say what holds changes on this cluster: the policy with its binding, or the standing pause."""
        there = self._cluster.get(POLICIES, "", HOLD_POLICY) and self._cluster.get(BINDINGS, "", HOLD_POLICY)
        return HoldMechanism.ADMISSION if there else HoldMechanism.STANDING

    def releases(self, service: ManagedService) -> tuple[Release, ...]:
        """Return the service's releases, newest last."""
        bodies = self._cluster.list(RELEASES, service.metadata.namespace)
        found = [Release.read(body) for body in bodies if body["spec"].get("service") == service.metadata.name]
        return tuple(sorted(found, key=_age))

    def decisions(self, namespace: str, release: str) -> tuple[Decision, ...]:
        """Return what people decided about a release, without what was or will be answered with no: that does not count later either."""
        bodies = self._cluster.list(DECISIONS, namespace)
        found = (Decision.read(body) for body in bodies if body["spec"].get("release") == release)
        return tuple(decision for decision in found if not _turned_down(decision) and _is_recordable(decision))

    def service_snapshot(self, service: ManagedService) -> ServiceSnapshot:
        """Gather everything `decide_service` looks at."""
        found = references(self._cluster, service)
        problem = problem_with(service, found)
        releases = self.releases(service)
        workload, revisions = self._workload(service)
        guard, digest = self.guard()
        return ServiceSnapshot(
            now=self._clock.now(),
            service=service,
            workload=workload,
            revisions=revisions,
            releases=releases,
            retry=self._retried(workload, releases),
            hold=self.hold(),
            problem=problem,
            release_spec=None if problem else frozen(service, found),
            guard=guard,
            guard_digest=digest,
            pod_selector=pod_selector(found.service),
        )

    def release_snapshot(
        self, service: ManagedService, release: Release, verdicts: tuple[ObjectiveVerdict, ...], outcome: Outcome
    ) -> ReleaseSnapshot:
        """Gather everything `decide` looks at."""
        namespace, spec = release.metadata.namespace, release.spec
        workload, revisions = self._workload(service)
        canary = self._cluster.get(DEPLOYMENTS, namespace, f"{spec.deployment}-canary")
        canary_sets = self._cluster.owned(REPLICA_SETS, canary["metadata"]["uid"]) if canary is not None else ()
        canary_service = self._cluster.get(SERVICES, namespace, f"{spec.traffic.service}-canary")
        owner_service = self._cluster.get(SERVICES, namespace, spec.traffic.service)
        problem = problem_with(service, references(self._cluster, service))
        return ReleaseSnapshot(
            now=self._clock.now(),
            interval=self._interval,
            namespace=namespace,
            release=release,
            service_deleting=service.metadata.deletion_timestamp is not None,
            workload=workload,
            canary=canary_of(canary, canary_sets),
            canary_service=canary_service is not None and is_canary(canary_service),
            traffic=self._traffic(release),
            pinned=((owner_service or {}).get("spec", {}).get("selector") or {}).get(HASH_LABEL, ""),
            directives=directives_of(self.decisions(namespace, release.metadata.name)),
            verdicts=verdicts,
            outcome=outcome,
            hold=self.hold(),
            problem=problem[1] if problem and problem[0] in _NEEDED_ON_THE_WAY else "",
            watched=watched_set(release, workload, revisions),
            stable_kept=revision_with(revisions, spec.stable.template_digest) is not None,
            experiments=self._experiments(release),
            runs=concerning(self._cluster.list(RUNS, namespace), release),
        )

    def _experiments(self, release: Release) -> tuple[ChaosExperiment, ...]:
        """Return the experiments that the steps of a release's plan ask for, those that are there."""
        names = {step.chaos.experiment for step in release.spec.plan.steps if step.chaos is not None}
        bodies = (self._cluster.get(EXPERIMENTS, release.metadata.namespace, name) for name in sorted(names))
        return tuple(ChaosExperiment.read(body) for body in bodies if body is not None)

    def _retried(self, workload: Workload | None, releases: tuple[Release, ...]) -> bool:
        """Whether people have decided Retry on the release that holds the Deployment's change."""
        holder = holder_of(releases, workload.template_digest) if workload is not None else None
        if holder is None or not holds(holder):
            return False
        return directives_of(self.decisions(holder.metadata.namespace, holder.metadata.name)).retry

    def _workload(self, service: ManagedService) -> tuple[Workload | None, tuple[Revision, ...]]:
        body = self._cluster.get(DEPLOYMENTS, service.metadata.namespace, service.spec.workload.name)
        owned = self._cluster.owned(REPLICA_SETS, body["metadata"]["uid"]) if body is not None else ()
        return workload_of(body), revisions_of(owned)

    def _traffic(self, release: Release) -> Traffic | None:
        traffic = release.spec.traffic
        route = self._cluster.get(ROUTES, release.metadata.namespace, traffic.http_route)
        if route is None:
            return None
        backends = traffic.service, f"{traffic.service}-canary"
        seen = observed(route, *backends)
        uneven = not agrees(route, *backends)
        return Traffic(seen.weight, parse_mark(seen.mark), touched=touched(route, *backends), uneven=uneven)


_NEEDED_ON_THE_WAY = frozenset(
    {
        "ServiceNotFound",
        "ServiceWithoutPorts",
        "ServiceDoesNotSelectPods",
        "HTTPRouteNotFound",
        "RouteDoesNotUseService",
        "CanaryNameTaken",
    }
)


def _is_recordable(decision: Decision) -> bool:
    """Whether the log can carry who decides: what cannot be on record does not count, also before it is answered."""
    try:
        checked_name("the actor", decision.spec.by)
    except Unrecordable:
        return False
    return True


def _turned_down(decision: Decision) -> bool:
    answer = find(decision.status.conditions, "Applied") if decision.status is not None else None
    return answer is not None and answer.status is ConditionStatus.FALSE


def _age(release: Release) -> tuple[str, int, int]:
    return str(release.metadata.creation_timestamp), release.spec.deployment_generation, release.spec.attempt
