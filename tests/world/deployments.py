"""The Deployment and ReplicaSet controllers, a tick at a time: paused, rolling, scaling, progress deadlines."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime
from typing import Any

from feem.core.digest import HASH_LABEL, template_digest
from feem.ports import Body
from tests.world.api import CONTROLLER, Api

DEPLOYMENTS, REPLICA_SETS = "deployments.apps", "replicasets.apps"
REVISION = "deployment.kubernetes.io/revision"
NEVER = 1_000_000


class Deployments:
    """Brings pods closer to what Deployments ask for. A pod is the number of ticks until it is Ready."""

    def __init__(self, api: Api, now: Callable[[], datetime]) -> None:
        self._api, self._now = api, now
        self.ready_after = 2
        self.never_ready: set[str] = set()
        self.crashing: set[str] = set()
        self._pods: dict[str, list[int]] = {}
        self._progress: dict[str, tuple[tuple[int, ...], datetime]] = {}

    def tick(self) -> None:
        """One second of controllers and kubelets."""
        for body in self._api.list(REPLICA_SETS):
            pods = self._pods.setdefault(body["metadata"]["uid"], [])
            if version_of(body) in self.crashing:
                pods[:] = [NEVER] * len(pods)
            pods[:] = [left if left in (0, NEVER) else left - 1 for left in pods]
        for body in self._api.list(DEPLOYMENTS):
            if "deletionTimestamp" not in body["metadata"]:
                self._reconcile(body)

    def heal(self) -> None:
        """What kept pods from becoming Ready is over."""
        for pods in self._pods.values():
            pods[:] = [min(left, self.ready_after) for left in pods]

    def ready(self, replica_set: Body) -> int:
        """Ready pods of a ReplicaSet."""
        return self._pods.get(replica_set["metadata"]["uid"], []).count(0)

    def sets_of(self, deployment: Body) -> list[Body]:
        """The ReplicaSets of a Deployment, oldest revision first."""
        uid = deployment["metadata"]["uid"]
        mine = [body for body in self._api.list(REPLICA_SETS) if body["metadata"]["ownerReferences"][0]["uid"] == uid]
        return sorted(mine, key=lambda body: int(body["metadata"]["annotations"][REVISION]))

    def _reconcile(self, deployment: Body) -> None:
        spec, sets = deployment["spec"], self.sets_of(deployment)
        desired = spec.get("replicas", 1)
        digest = template_digest(spec["template"])
        current = next((body for body in sets if template_digest(body["spec"]["template"]) == digest), None)
        if not spec.get("paused"):
            current = self._current(deployment, current, sets)
            sets = self.sets_of(deployment)
            self._roll(current, [body for body in sets if body is not current], desired)
        elif sets:
            largest = max(sets, key=self._size)
            self._scale(largest, max(0, desired - sum(self._size(body) for body in sets if body is not largest)))
        self._report(deployment, self.sets_of(deployment), digest)

    def _current(self, deployment: Body, found: Body | None, sets: list[Body]) -> Body:
        newest = max((int(body["metadata"]["annotations"][REVISION]) for body in sets), default=0)
        if found is None:
            taken = {body["metadata"]["name"] for body in self._api.list(REPLICA_SETS)}
            return self._api.create(REPLICA_SETS, _replica_set(deployment, newest + 1, taken), CONTROLLER)
        if int(found["metadata"]["annotations"][REVISION]) == newest:
            return found
        again = copy.deepcopy(found)
        again["metadata"]["annotations"][REVISION] = str(newest + 1)
        return self._api.update(REPLICA_SETS, again, CONTROLLER)

    def _roll(self, current: Body, others: list[Body], desired: int) -> None:
        """One pod up and one down a tick at most, never fewer than desired available; without old pods all at once."""
        old = sum(self._size(body) for body in others)
        room = desired + (1 if old else 0) - old - self._size(current)
        self._scale(current, min(desired, self._size(current) + max(0, room)) if old else desired)
        for body in others:
            unready = self._size(body) - self.ready(body)
            spare = self.ready(current) + sum(self.ready(each) for each in others) - desired
            if self._size(body) > 0 and (spare > 0 or unready > 0):
                self._scale(body, self._size(body) - 1)
                break

    def _size(self, replica_set: Body) -> int:
        return len(self._pods.get(replica_set["metadata"]["uid"], []))

    def _scale(self, replica_set: Body, size: int) -> None:
        pods = self._pods.setdefault(replica_set["metadata"]["uid"], [])
        failing = version_of(replica_set) in self.never_ready | self.crashing
        while len(pods) < size:
            pods.append(NEVER if failing else self.ready_after)
        if len(pods) > size:
            pods.sort()
            del pods[size:]
        changed = copy.deepcopy(replica_set)
        changed["spec"]["replicas"] = size
        stored = self._api.update(REPLICA_SETS, changed, CONTROLLER) if changed != replica_set else replica_set
        status = {**stored, "status": {"replicas": len(pods), "availableReplicas": pods.count(0)}}
        if status != stored:
            self._api.update(REPLICA_SETS, status, CONTROLLER, status=True)

    def _report(self, deployment: Body, sets: list[Body], digest: str) -> None:
        updated = [body for body in sets if template_digest(body["spec"]["template"]) == digest]
        counts = {
            "replicas": sum(self._size(body) for body in sets),
            "updatedReplicas": sum(self._size(body) for body in updated),
            "availableReplicas": sum(self.ready(body) for body in sets),
        }
        status: dict[str, Any] = {key: count for key, count in counts.items() if count}
        status["observedGeneration"] = deployment["metadata"]["generation"]
        if self._is_stuck(deployment, tuple(counts.values())):
            message = f"ReplicaSet of {deployment['metadata']['name']} has timed out progressing."
            reason = "ProgressDeadlineExceeded"
            status["conditions"] = [{"type": "Progressing", "status": "False", "reason": reason, "message": message}]
        if status != deployment.get("status"):
            self._api.update(DEPLOYMENTS, {**deployment, "status": status}, CONTROLLER, status=True)

    def _is_stuck(self, deployment: Body, figures: tuple[int, ...]) -> bool:
        uid, spec = deployment["metadata"]["uid"], deployment["spec"]
        seen = (*figures, deployment["metadata"]["generation"])
        if uid not in self._progress or self._progress[uid][0] != seen or spec.get("paused"):
            self._progress[uid] = (seen, self._now())
        replicas, updated, available = figures
        complete = replicas == updated == available == spec.get("replicas", 1)
        waited = (self._now() - self._progress[uid][1]).total_seconds()
        return not complete and waited >= spec.get("progressDeadlineSeconds", 600)


def version_of(body: Body) -> str:
    """The image tag of the first container."""
    image: str = body["spec"]["template"]["spec"]["containers"][0]["image"]
    return image.rpartition(":")[2]


def _replica_set(deployment: Body, revision: int, taken: set[str]) -> Body:
    """A new ReplicaSet; where a dying one still has its name, the hash gets longer, as with a collision count."""
    template = copy.deepcopy(deployment["spec"]["template"])
    length = 10
    while f"{deployment['metadata']['name']}-{template_digest(template)[7 : 7 + length]}" in taken:
        length += 1
    pod_hash = template_digest(template)[7 : 7 + length]
    template.setdefault("metadata", {}).setdefault("labels", {})[HASH_LABEL] = pod_hash
    metadata = deployment["metadata"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"], "uid": metadata["uid"]}
    return {
        "metadata": {
            "namespace": metadata["namespace"],
            "name": f"{metadata['name']}-{pod_hash}",
            "labels": {**template["metadata"]["labels"]},
            "annotations": {REVISION: str(revision)},
            "ownerReferences": [{**owner, "controller": True}],
        },
        "spec": {"replicas": 0, "template": template},
    }
