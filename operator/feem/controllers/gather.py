"""Gathers what the decisions look at, from the local copy of the cluster: nothing here asks the API server."""

from __future__ import annotations

from typing import Any

from feem.api.base import ConditionStatus
from feem.api.decision import Decision
from feem.api.objective import ServiceLevelObjective
from feem.api.plan import GreyReleasePlan
from feem.api.profile import ComplianceProfile
from feem.api.release import ObjectiveSnapshot, ObjectiveVerdict, Outcome, Release
from feem.api.service import ManagedService
from feem.controllers.guarding import GuardWatch
from feem.core.conditions import find
from feem.core.digest import HASH_LABEL
from feem.core.gates.facts import Guard
from feem.core.gates.snapshot import author_of, compliance_facts
from feem.core.rollout.mark import parse_mark
from feem.core.rollout.observe import (
    GOVERNED_LABEL,
    REQUESTED_BY,
    canary_of,
    directives_of,
    is_canary,
    revisions_of,
    workload_of,
)
from feem.core.rollout.references import References, plan_of, problem_with
from feem.core.rollout.revisions import holder_of, revision_with
from feem.core.rollout.route import agrees, observed, touched
from feem.core.rollout.snapshot import HoldMechanism, ReleaseSnapshot, Revision, ServiceSnapshot, Traffic, Workload
from feem.core.rollout.status import holds
from feem.core.rollout.watch import watched_set
from feem.ports import Body, Clock, Cluster

DEPLOYMENTS, REPLICA_SETS, SERVICES = "deployments.apps", "replicasets.apps", "services"
ROUTES = "httproutes.gateway.networking.k8s.io"
SERVICES_MANAGED, RELEASES, DECISIONS = "managedservices.feem.dev", "releases.feem.dev", "decisions.feem.dev"
OBJECTIVES, PLANS = "servicelevelobjectives.feem.dev", "greyreleaseplans.feem.dev"
PROFILES, WINDOWS = "complianceprofiles.feem.dev", "changewindows.feem.dev"
POLICIES = "mutatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS = "mutatingadmissionpolicybindings.admissionregistration.k8s.io"
HOLD_POLICY = "hold.feem.dev"


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
        """Return what people decided about a release, without what was answered with no: that does not count later either."""
        bodies = self._cluster.list(DECISIONS, namespace)
        found = (Decision.read(body) for body in bodies if body["spec"].get("release") == release)
        return tuple(decision for decision in found if not _turned_down(decision))

    def service_snapshot(self, service: ManagedService) -> ServiceSnapshot:
        """Gather everything `decide_service` looks at."""
        found = self._references(service)
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
            release_spec=None if problem else _frozen(service, found),
            guard=guard,
            guard_digest=digest,
            pod_selector=_pod_selector(found.service),
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
        problem = problem_with(service, self._references(service))
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
        )

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

    def _references(self, service: ManagedService) -> References:
        namespace, spec, get = service.metadata.namespace, service.spec, self._cluster.get
        deployment = get(DEPLOYMENTS, namespace, spec.workload.name)
        plan = get(PLANS, namespace, spec.plan_ref) if spec.plan_ref else None
        profile = get(PROFILES, "", spec.compliance_profile) if spec.compliance_profile else None
        objectives: dict[str, ServiceLevelObjective | None] = {}
        for reference in spec.objectives:
            body = get(OBJECTIVES, namespace, reference.name)
            objectives[reference.name] = ServiceLevelObjective.read(body) if body is not None else None
        return References(
            deployment=deployment,
            service=get(SERVICES, namespace, spec.traffic.service),
            route=get(ROUTES, namespace, spec.traffic.http_route),
            plan=GreyReleasePlan.read(plan) if plan is not None else None,
            objectives=objectives,
            profile=ComplianceProfile.read(profile) if profile is not None else None,
            governed_by_another=self._other_governor(service, deployment),
            canaries=(
                ("Deployment", get(DEPLOYMENTS, namespace, f"{spec.workload.name}-canary")),
                ("Service", get(SERVICES, namespace, f"{spec.traffic.service}-canary")),
            ),
        )

    def _other_governor(self, service: ManagedService, deployment: Body | None) -> str:
        """Name the ManagedService that came first to the same Deployment: the one on its label, else the older, else by name."""
        if deployment is None:
            return ""
        rivals = [
            body["metadata"]["name"]
            for body in self._cluster.list(SERVICES_MANAGED, service.metadata.namespace)
            if body["spec"]["workload"]["name"] == service.spec.workload.name
            and body["metadata"]["name"] != service.metadata.name
        ]
        label = str((deployment["metadata"].get("labels") or {}).get(GOVERNED_LABEL, ""))
        if label == service.metadata.name or not rivals:
            return ""
        if label in rivals:
            return label
        mine = (str(service.metadata.creation_timestamp), service.metadata.name)
        older = [name for name in rivals if self._age_of(service.metadata.namespace, name) < mine]
        return older[0] if older else ""

    def _age_of(self, namespace: str, name: str) -> tuple[str, str]:
        rival = self.managed(namespace, name)
        return (str(rival.metadata.creation_timestamp), name) if rival is not None else ("", name)


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


def _turned_down(decision: Decision) -> bool:
    answer = find(decision.status.conditions, "Applied") if decision.status is not None else None
    return answer is not None and answer.status is ConditionStatus.FALSE


def _age(release: Release) -> tuple[str, int, int]:
    return str(release.metadata.creation_timestamp), release.spec.deployment_generation, release.spec.attempt


def _frozen(service: ManagedService, found: References) -> dict[str, Any]:
    """The parts of a Release's spec that are copied, so that later edits do not change a release under way."""
    plan = plan_of(service, found)
    if plan is None:
        raise ValueError("a service without problems has a plan")
    objectives = [
        ObjectiveSnapshot(name=name, **dict(objective.spec)).wire()
        for name, objective in found.objectives.items()
        if objective is not None
    ]
    frozen: dict[str, Any] = {
        "traffic": service.spec.traffic.wire(),
        "plan": plan.wire(),
        "objectives": objectives,
        "mode": service.spec.mode.value,
    }
    annotations = (found.deployment or {"metadata": {}})["metadata"].get("annotations") or {}
    if found.profile is not None:
        frozen["author"] = author_of(found.profile, annotations, annotations.get(REQUESTED_BY, ""))
        frozen["compliance"] = compliance_facts(service, found.profile, annotations).wire()
    return frozen


def _pod_selector(service: Body | None) -> dict[str, str]:
    selector = (service or {}).get("spec", {}).get("selector") or {}
    return {key: value for key, value in selector.items() if key != HASH_LABEL}
