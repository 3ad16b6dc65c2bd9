"""The objects around one release, fetched for the view."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import ValidationError

from feem.adapters.kubernetes.resources import DEPLOYMENTS, RECORDS, RELEASES, REPLICASETS, ROUTES
from feem.api.release import Release
from feem.cli.cluster import Body, Cluster
from feem.cli.output import condition
from feem.cli.problem import Forbidden, NotFound, Problem
from feem.core.audit.record import name_of
from feem.view.gather import ReleaseBodies, release_tree
from feem.view.release import AuditRange, ReleaseTree

SERVICES = "managedservices.feem.dev"
DECISIONS = "decisions.feem.dev"


def find_release(cluster: Cluster, namespace: str, name: str) -> Body:
    """Return the Release of this name, or the newest one of the ManagedService of this name."""
    try:
        return cluster.get(RELEASES, namespace, name)
    except NotFound:
        pass
    hint = f"kubectl get releases,managedservices -n {namespace}"
    try:
        service = cluster.get(SERVICES, namespace, name)
    except NotFound as missing:
        raise NotFound(
            f"{namespace}/{name}", "there is neither a Release nor a ManagedService of this name", hint
        ) from missing
    newest = (service.get("status") or {}).get("release")
    if not newest:
        next_step = f"change the pod template of Deployment {service['spec']['workload']['name']}"
        raise NotFound(f"ManagedService {namespace}/{name}", "it has no release yet", next_step)
    return cluster.get(RELEASES, namespace, newest)


def find_owing(cluster: Cluster, namespace: str, name: str) -> Body:
    """Return the Release of this name, or the one of the ManagedService of this name that owes a sign-off."""
    try:
        return cluster.get(RELEASES, namespace, name)
    except NotFound:
        pass
    owing = [body for body in cluster.list(RELEASES, namespace) if body["spec"]["service"] == name and _owes(body)]
    if len(owing) > 1:
        names = ", ".join(sorted(body["metadata"]["name"] for body in owing))
        raise Problem(
            f"ManagedService {namespace}/{name}", f"several of its releases owe a sign-off: {names}", "name one"
        )
    return owing[0] if owing else find_release(cluster, namespace, name)


def _owes(body: Body) -> bool:
    return bool((body.get("status") or {}).get("signOff")) and condition(body, "SignedOff", "status") != "True"


def newest_of(cluster: Cluster, release: Release) -> Release | None:
    """Return the newest release of the same service, or None when the service is gone."""
    namespace = release.metadata.namespace
    try:
        service = cluster.get(SERVICES, namespace, release.spec.service)
        name = (service.get("status") or {}).get("release")
        return Release.read(cluster.get(RELEASES, namespace, name)) if name else None
    except NotFound:
        return None


def siblings_of(cluster: Cluster, release: Release) -> tuple[Release, ...]:
    """Return the service's other releases."""
    found = (Release.read(body) for body in cluster.list(RELEASES, release.metadata.namespace))
    return tuple(
        one for one in found if one.spec.service == release.spec.service and one.metadata.name != release.metadata.name
    )


@dataclass
class Gathering:
    """Fetches a release again and again, without reading the whole audit log each time."""

    cluster: Cluster
    namespace: str
    name: str
    _audit: AuditRange | None = None
    _next: int | None = field(default=None)
    _unreadable: dict[str, None] = field(default_factory=dict)

    def tree(self) -> ReleaseTree:
        """Return the release as it is now; raises NotFound, Unreachable or Problem."""
        release = self.cluster.get(RELEASES, self.namespace, self.name)
        self._unreadable.clear()
        self._read_audit()
        spec = release["spec"]
        deployment = self._maybe(DEPLOYMENTS, spec["deployment"])
        canary = self._maybe(DEPLOYMENTS, f"{spec['deployment']}-canary")
        if canary is not None and not _owned(canary, release["metadata"]["uid"]):
            canary = None
        bodies = ReleaseBodies(
            release=release,
            service=self._maybe(SERVICES, spec["service"]),
            deployment=deployment,
            replica_sets=self._replica_sets(deployment),
            canary=canary,
            route=self._maybe(ROUTES, spec["traffic"]["httpRoute"]),
            decisions=self._all(DECISIONS),
            audit=self._audit,
            unreadable=tuple(self._unreadable),
        )
        try:
            return release_tree(bodies, datetime.now(UTC))
        except ValidationError as odd:
            what, first = f"Release {self.namespace}/{self.name}", odd.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Problem(what, f"{where}: {first['msg']}", "use a feem of the operator's version") from odd

    def _maybe(self, resource: str, name: str) -> Body | None:
        try:
            return self.cluster.get(resource, self.namespace, name)
        except NotFound:
            return None
        except Forbidden:
            self._unreadable[resource] = None
            return None

    def _all(self, resource: str, selector: str = "") -> tuple[Body, ...]:
        try:
            return tuple(self.cluster.list(resource, self.namespace, selector))
        except Forbidden:
            self._unreadable[resource] = None
            return ()

    def _replica_sets(self, deployment: Body | None) -> tuple[Body, ...]:
        if deployment is None:
            return ()
        labels = (deployment["spec"].get("selector") or {}).get("matchLabels") or {}
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found = self._all(REPLICASETS, selector)
        return tuple(body for body in found if _owned(body, deployment["metadata"]["uid"]))

    def _read_audit(self) -> None:
        """Read the log once, then only what was added; who may not read it sees the tree without it."""
        try:
            if self._next is None:
                self._next = 0
                for record in self.cluster.list(RECORDS):
                    self._count(record)
                return
            while True:
                self._count(self.cluster.get(RECORDS, "", name_of(self._next)))
        except Problem:
            return

    def _count(self, record: Body) -> None:
        spec = record["spec"]
        self._next = int(spec["index"]) + 1
        subject = spec["subject"]
        if (subject["kind"], subject.get("namespace"), subject["name"]) != ("Release", self.namespace, self.name):
            return
        index, before = int(spec["index"]), self._audit
        self._audit = AuditRange(before.first if before else index, index, before.count + 1 if before else 1)


def _owned(body: Body, uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in body["metadata"].get("ownerReferences") or ())
