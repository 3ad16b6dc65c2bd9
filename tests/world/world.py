"""A whole cluster in memory, one second a tick: users, controllers, clients, a gateway, metrics, and the operator.

Deterministic: the same calls lead to the same world. The operator's effects are the real ones, over a simulated API server.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from feem.api.audit import AuditSpec, Part
from feem.api.release import Release
from feem.api.service import ManagedService
from feem.core.audit.record import name_of
from feem.core.audit.verify import verify
from feem.core.conditions import find
from feem.ports import Body
from tests.world import bodies, experiments
from tests.world.api import OPERATOR, Api
from tests.world.bodies import NAME, NAMESPACE
from tests.world.deployments import DEPLOYMENTS, Deployments
from tests.world.experiments import EXPERIMENTS, RUNS
from tests.world.operator import Operator
from tests.world.rights import Rights
from tests.world.traffic import ROUTES, SERVICES, Traffic

MANAGED, RELEASES, DECISIONS = "managedservices.feem.dev", "releases.feem.dev", "decisions.feem.dev"
PROFILES, WINDOWS = "complianceprofiles.feem.dev", "changewindows.feem.dev"
POLICIES = "mutatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS = "mutatingadmissionpolicybindings.admissionregistration.k8s.io"
USER = "pipeline"


class Crash(BaseException):
    """The operator's process ended."""


class Clock:
    """The time of the world."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, 30, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


class World:
    """Begins with a governed service at rest on version 1.0; see `start`."""

    def __init__(
        self,
        *,
        steps: bodies.Steps = bodies.QUICK_STEPS,
        replicas: int = 3,
        policy: bool = True,
        profile: Body | None = None,
        service: dict[str, Any] | None = None,
        **plan: Any,
    ) -> None:
        self.clock = Clock()
        self.api = Api(self.clock.now)
        self.api.admission.in_force = policy
        self.pods = Deployments(self.api, self.clock.now)
        self.traffic = Traffic(self.api, self.pods, self.clock.now)
        self.runs = experiments.Runs(self.api, self.clock.now)
        self.records: list[AuditSpec] = []
        self.rights = Rights.all_of(self.api)
        self.crashes = 0
        self.script: list[tuple[Callable[[World], bool], Callable[[World], object]]] = []
        self.history: list[tuple[datetime, str, int]] = []
        self._decisions = 0
        self._steps, self._plan, self._service = steps, plan, dict(service or {})
        if profile is not None:
            self.write_profile(profile)
            self._service.setdefault("complianceProfile", profile["metadata"]["name"])
        if policy:
            for resource in (POLICIES, BINDINGS):
                self.api.create(resource, {"metadata": {"name": "hold.feem.dev"}, "spec": {}}, USER)
        self.api.create(DEPLOYMENTS, bodies.deployment("1.0", replicas), USER)
        self.api.create(SERVICES, bodies.service(), USER)
        self.api.create(ROUTES, bodies.route(), USER)
        objective = self.api.create("servicelevelobjectives.feem.dev", bodies.objective(), USER)
        for named in dict.fromkeys(step[2] for step in steps if len(step) > 2):
            self.add_experiment(named)
        status = bodies.accepted(objective, self.clock.time.isoformat())
        self.api.update("servicelevelobjectives.feem.dev", {**objective, "status": status}, USER, status=True)
        self.operator = self._new_operator()

    async def start(self) -> World:
        """Let the Deployment come up, put it under FEEM's care, and wait until it is governed."""
        await self.run(5)
        self.traffic.unanswered = 0
        body = bodies.managed(self._steps, **self._plan)
        self.api.create(MANAGED, {**body, "spec": {**body["spec"], **self._service}}, USER)
        await self.run(5)
        assert self.ready in ("Governed", "Observing"), self.ready
        return self

    def _new_operator(self) -> Operator:
        return Operator(self.api, self.records, self.traffic, self.clock, 1.0, self.rights)

    # -- time -----------------------------------------------------------------------------------------------------------

    async def tick(self) -> None:
        self.clock.time += timedelta(seconds=1)
        self.traffic.tick()
        self.pods.tick()
        self.runs.tick()
        self.api.collect_garbage()
        if self.script and self.script[0][0](self):
            self.script.pop(0)[1](self)
        try:
            await self.operator.tick()
        except Crash:
            self.crashes += 1
            self.restart()
        self.history.append((self.clock.time, self._marked(), self.weight))

    def fork(self) -> World:
        """A world of its own that goes on from here, with a new operator."""
        operator, fault = self.operator, self.api.fault
        del self.operator
        self.api.fault = None
        clone = copy.deepcopy(self)
        self.operator, self.api.fault = operator, fault
        clone.restart()
        return clone

    def _marked(self) -> str:
        """The release whose mark the route carries."""
        route = self.get(ROUTES)
        annotations = (route or {"metadata": {}})["metadata"].get("annotations") or {}
        return str(annotations.get("feem.dev/traffic", "")).partition("/")[0]

    def restart(self) -> None:
        """A new process takes over, with nothing in memory."""
        self.operator = self._new_operator()

    async def run(self, seconds: int) -> World:
        for _ in range(seconds):
            await self.tick()
        return self

    async def until(self, holds: Callable[[World], bool], limit: int = 200) -> World:
        """Run until something holds; fails with what is there when it does not come."""
        for _ in range(limit):
            if holds(self):
                return self
            await self.tick()
        raise AssertionError(f"did not come to it in {limit} s:\n{self.story()}")

    async def settled(self, limit: int = 200) -> World:
        """Run until every release is complete and nothing has been written for a while."""
        quiet = 0
        for _ in range(limit):
            before = self.api.version
            await self.tick()
            quiet = quiet + 1 if self.api.version == before else 0
            if (
                quiet >= 4
                and not self.script
                and all(release.status and release.status.completed_at for release in self.releases)
            ):
                return self
        raise AssertionError(f"does not settle in {limit} s:\n{self.story()}")

    # -- people ---------------------------------------------------------------------------------------------------------

    def change(self, resource: str, edit: Callable[[Body], None], name: str = NAME, by: str = USER) -> Body:
        """Read, edit, write, as kubectl edit does."""
        body = copy.deepcopy(self.api.get(resource, NAMESPACE, name))
        assert body is not None, f"{resource} {name} is not there"
        edit(body)
        return self.api.update(resource, body, by)

    def apply_template(self, version: str, by: str = USER) -> Body:
        return self.change(DEPLOYMENTS, lambda body: body["spec"].update(template=bodies.template(version)), by=by)

    def scale(self, replicas: int) -> Body:
        return self.change(DEPLOYMENTS, lambda body: body["spec"].update(replicas=replicas))

    def bypass(self) -> Body:
        """Resume the Deployment around FEEM, past the policy."""
        before, self.api.admission.in_force = self.api.admission.in_force, False
        body = self.change(DEPLOYMENTS, lambda body: body["spec"].pop("paused", None))
        self.api.admission.in_force = before
        return body

    def decide(self, verb: str, release: str = "", **spec: Any) -> Body:
        self._decisions += 1
        name = release or self.last.metadata.name
        return self.api.create(DECISIONS, bodies.decision(name, verb, self._decisions, **spec), USER)

    def approve(self, by: str = "risk-officer", role: str = "risk", **spec: Any) -> Body:
        """What kubectl feem approve writes: bound to what the release says an approval allows."""
        status = self.last.status
        assert status is not None
        return self.decide("Approve", **{"by": by, "role": role, "digest": status.binding, **spec})

    def write_profile(self, body: Body) -> Body:
        """Create or replace a profile, and accept it as FEEM would."""
        place = PROFILES, "", body["metadata"]["name"]
        there = self.api.get(*place)
        found = self.api.create(PROFILES, body, USER) if there is None else self.api.update(PROFILES, body, USER)
        status = bodies.accepted(found, self.clock.time.isoformat())
        return self.api.update(PROFILES, {**found, "status": status}, USER, status=True)

    def freeze(self, name: str = "ad-hoc", hours: float = 1) -> Body:
        """Declare a Freeze from a minute ago on."""
        start, end = (self.clock.time + timedelta(hours=span) for span in (-1 / 60, hours))
        text = "%Y-%m-%dT%H:%M:%S"
        return self.api.create(WINDOWS, bodies.freeze(name, start.strftime(text), end.strftime(text)), USER)

    def thaw(self, name: str = "ad-hoc") -> None:
        self.api.delete(WINDOWS, "", name, USER)

    def add_experiment(self, name: str, service: str = NAME) -> Body:
        return self.api.create(EXPERIMENTS, experiments.experiment(name, NAMESPACE, service), USER)

    def try_on_stable(self, name: str, experiment: str) -> Body:
        """Ask for a run on the pods that serve users."""
        return self.api.create(RUNS, experiments.on_stable(name, NAMESPACE, experiment), USER)

    def delete_service(self, name: str = NAME) -> None:
        self.api.delete(MANAGED, NAMESPACE, name, USER)

    def delete_deployment(self) -> None:
        self.api.delete(DEPLOYMENTS, NAMESPACE, NAME, USER)

    def reapply_route(self) -> Body:
        """The owner's `kubectl apply`: backends as in the file, annotations of others kept."""
        return self.change(ROUTES, lambda body: body.update(spec=copy.deepcopy(bodies.route()["spec"])))

    # -- what is there --------------------------------------------------------------------------------------------------

    def get(self, resource: str, name: str = NAME) -> Any:
        return self.api.get(resource, NAMESPACE, name)

    @property
    def releases(self) -> list[Release]:
        found = [Release.read(body) for body in self.api.list(RELEASES)]
        return sorted(found, key=lambda item: int(item.metadata.uid.removeprefix("uid-")))

    @property
    def last(self) -> Release:
        return self.releases[-1]

    @property
    def ready(self) -> str:
        service = ManagedService.read(self.get(MANAGED))
        found = find(service.status.conditions, "Ready") if service.status else None
        return found.reason if found else ""

    @property
    def stable(self) -> str:
        status = ManagedService.read(self.get(MANAGED)).status
        assert status is not None
        assert status.stable is not None
        return status.stable.template_digest

    def state(self, kind: str = "Progressing") -> str:
        """The reason of a condition of the newest release, empty when there is none."""
        if not self.releases or self.last.status is None:
            return ""
        found = find(self.last.status.conditions, kind)
        return found.reason if found else ""

    @property
    def step(self) -> int:
        return self.last.status.step if self.releases and self.last.status else 0

    @property
    def weight(self) -> int:
        route = self.get(ROUTES)
        refs = route["spec"]["rules"][0]["backendRefs"] if route is not None else []
        return next((ref["weight"] for ref in refs if ref["name"] == f"{NAME}-canary"), 0)

    @property
    def writes(self) -> int:
        """Requests of the operator that write, events included."""
        return sum(request.verb != "get" for request in self.api.requests)

    def outcomes(self) -> dict[int, list[str]]:
        """Every intent with the reasons of its outcomes."""
        found: dict[int, list[str]] = {item.index: [] for item in self.records if item.part is Part.INTENT}
        for item in self.records:
            if item.part is Part.OUTCOME and item.intent is not None:
                found[item.intent].append(item.reason)
        return found

    def audit(self) -> Any:
        return verify((name_of(item.index), item.wire()) for item in self.records)

    def story(self) -> str:
        """What happened, for a failing test's message."""
        releases = [
            f"{item.metadata.name}: {[(c.type, c.status.value, c.reason, c.message) for c in item.status.conditions]}"
            for item in self.releases
            if item.status
        ]
        return "\n".join([f"ready={self.get(MANAGED) and self.ready}", *releases, *map(str, self.api.requests[-40:])])


__all__ = ["OPERATOR", "Crash", "World"]
