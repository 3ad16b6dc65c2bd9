"""Sets the stage: namespaces with an objective and many experiments each, and what becomes of their runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.admission.policies import apply, await_true
from bench.admission.wire import Wire
from feem.api.experiment import Schedule
from feem.core.chaos.schedule import begins_at, missed

Body = dict[str, Any]
FEEM = "/apis/feem.dev/v1alpha1"
RBAC = "rbac.authorization.k8s.io"
GROUP = "bench-operator"
EACH_MINUTE = Schedule(cron="* * * * *", time_zone="Europe/Berlin", jitter_seconds=59, starting_deadline_seconds=60)
MERGE = "application/merge-patch+json"
SETTLED_WITHIN = 180.0
_COUNT = re.compile(r"^(?:more than )?([0-9,]+) times")


@dataclass(frozen=True)
class Place:
    """One experiment: where it is, and the UID that its jitter comes from."""

    namespace: str
    name: str
    uid: str = ""

    @property
    def path(self) -> str:
        """Where the API server has it."""
        return f"{FEEM}/namespaces/{self.namespace}/chaosexperiments/{self.name}"


def let_in(admin: Wire) -> None:
    """Let the operator do everything: its own rights are tested elsewhere, and cost the same."""
    body = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": GROUP},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": GROUP}],
    }
    apply(admin, body)


def namespaces(admin: Wire, count: int) -> list[str]:
    """Make the namespaces, each with an objective."""
    names = [f"bench-{number}" for number in range(count)]
    for name in names:
        apply(admin, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        admin.done("POST", f"{FEEM}/namespaces/{name}/servicelevelobjectives", _objective(name))
    return names


def experiments(admin: Wire, spaces: list[str], count: int, now: datetime) -> list[Place]:
    """Make the experiments; none of them is due within two hours, then one every few minutes."""
    made = []
    for number in range(count):
        space = spaces[number % len(spaces)]
        at = now + timedelta(hours=2, minutes=number * 1200 // count)
        cron = f"{at.minute} {at.hour} * * {at.isoweekday() % 7}"
        schedule = {"cron": cron, "timeZone": "UTC", "jitterSeconds": 300}
        path = f"{FEEM}/namespaces/{space}/chaosexperiments"
        meta = admin.done("POST", path, _experiment(space, f"pod-kill-{number}", schedule))["metadata"]
        made.append(Place(space, meta["name"], meta["uid"]))
    return made


def each_minute(admin: Wire, places: list[Place]) -> None:
    """Let every experiment come each minute, within the minute."""
    for place in places:
        admin.done("PATCH", place.path, {"spec": {"schedule": EACH_MINUTE.wire()}}, MERGE)


def await_scheduled(admin: Wire, spaces: list[str], count: int) -> None:
    """Wait until the operator has said of every experiment, as it is now, when it comes next; raises NotInForceError."""

    def said() -> bool:
        bodies = [body for space in spaces for body in pages(admin, f"{FEEM}/namespaces/{space}/chaosexperiments")]
        return sum(map(_is_scheduled, bodies)) == count

    await_true(said, f"the schedules of {count} experiments", SETTLED_WITHIN)


def pages(admin: Wire, path: str) -> Iterator[Body]:
    """Yield every object of a collection."""
    token = ""
    while True:
        page = admin.done("GET", f"{path}?limit=500{f'&continue={token}' if token else ''}")
        yield from page["items"]
        token = page["metadata"].get("continue") or ""
        if not token:
            return


def dealt_with(admin: Wire, spaces: list[str]) -> dict[str, datetime]:
    """Return up to which time of its schedule each experiment has got, by its UID."""
    found = {}
    for space in spaces:
        for body in pages(admin, f"{FEEM}/namespaces/{space}/chaosexperiments"):
            last = (body.get("status") or {}).get("lastScheduledAt")
            if last:
                found[body["metadata"]["uid"]] = datetime.fromisoformat(last)
    return found


def times_between(places: list[Place], before: dict[str, datetime], after: dict[str, datetime]) -> int:
    """Count the times of schedules of each minute that experiments have dealt with between two looks."""
    count = 0
    for place in places:
        if place.uid in before and place.uid in after:
            passed = missed(EACH_MINUTE, before[place.uid], after[place.uid])
            count += passed.count if passed is not None else 0
    return count


def missed_between(admin: Wire, begin: datetime, end: datetime) -> int:
    """Count the times that the log says were missed."""
    specs = (body["spec"] for body in pages(admin, f"{FEEM}/auditrecords"))
    found = (spec for spec in specs if spec["action"] == "RunsMissed")
    return sum(_count(spec["message"]) for spec in found if begin < datetime.fromisoformat(spec["time"]) <= end)


def outcomes(admin: Wire, places: list[Place], since: datetime) -> tuple[Counter[str], list[float]]:
    """Look at the runs made since a moment and still kept: how they ended, and how many seconds after time and jitter they were made."""
    uids = {(place.namespace, place.name): place.uid for place in places}
    causes, late = Counter[str](), list[float]()
    for body in pages(admin, f"{FEEM}/chaosruns"):
        meta, spec, status = body["metadata"], body["spec"], body.get("status") or {}
        made, uid = datetime.fromisoformat(meta["creationTimestamp"]), uids.get((meta["namespace"], spec["experiment"]))
        if uid is not None and made > since:
            causes[status.get("cause") or "still open"] += 1
            begin = begins_at(EACH_MINUTE, uid, datetime.fromisoformat(spec["scheduledFor"]))
            late.append(max((made - begin).total_seconds(), 0.0))
    return causes, late


def now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


def _is_scheduled(body: Body) -> bool:
    conditions = (body.get("status") or {}).get("conditions") or ()
    generation = body["metadata"]["generation"]
    return any(
        (one["type"], one["status"], one["observedGeneration"]) == ("Scheduled", "True", generation)
        for one in conditions
    )


def _count(message: str) -> int:
    found = _COUNT.match(message)
    return int(found[1].replace(",", "")) if found else 1


def _objective(namespace: str) -> Body:
    ratio = {"bad": 'http_requests_total{code=~"5.."}', "total": "http_requests_total"}
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ServiceLevelObjective",
        "metadata": {"name": "answered", "namespace": namespace},
        "spec": {"objective": "99.9", "indicator": {"ratio": ratio}},
    }


def _experiment(namespace: str, name: str, schedule: Body) -> Body:
    """An experiment on a service that is not there, so that each of its runs is refused at the first look."""
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ChaosExperiment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "service": f"{name}-service",
            "fault": {"podKill": {}},
            "blastRadius": {"pods": 1},
            "hypothesis": {"objectives": ["answered"]},
            "schedule": schedule,
            "history": {"passed": 1, "others": 1},
        },
    }
