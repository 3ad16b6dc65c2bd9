"""What is measured: each request that a policy of FEEM looks at, as somebody makes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.admission import objects
from bench.admission.plan import Arm
from bench.admission.wire import Account, grouped

TEAM = Account("team-dev", ("lending-team",))
RISK = Account("risk-officer", ("lending-risk",))
CONTROLLER = Account(
    "system:serviceaccount:kube-system:replicaset-controller",
    ("system:serviceaccounts", "system:serviceaccounts:kube-system"),
)
ROLE = "risk"
LENDING = "bench-lending"
RELEASES = (1, 50, 500)
ORDINARY, SCORING, LARGE = "ledger", "scoring", "scoring-large"
DRY_RUN = "?dryRun=All"


@dataclass(frozen=True)
class Cell:
    """One request, ready to be sent. `acted` tells from the answer's object whether the policies had a hand in it."""

    name: str
    title: str
    account: Account
    method: str
    path: str
    content: Mapping[Arm, bytes]
    acted: Callable[[objects.Body], bool] | None = None


def cells() -> list[Cell]:
    """List what is measured, in the order of the report."""
    return [
        _update("ordinary", "update of an ordinary Deployment", ORDINARY, governed=False),
        _update("governed", "update of a governed Deployment", SCORING, governed=True),
        _update(
            "large",
            f"the same, {objects.LARGE_CONTAINERS} containers, {objects.LARGE_LABELS} labels",
            LARGE,
            governed=True,
        ),
        _creation("userPod", "pod by a user", TEAM, objects.pod(LENDING, "batch")),
        _creation(
            "controllerPod",
            "pod by the ReplicaSet controller",
            CONTROLLER,
            objects.pod(LENDING, SCORING, replica_set="scoring-5d9c7b6f4"),
        ),
        *(_approval(count) for count in RELEASES),
    ]


def decisions_namespace(releases: int) -> str:
    """Return the namespace that has so many Releases."""
    return f"bench-releases-{releases}"


def paused(body: objects.Body) -> bool:
    """Tell whether the Deployment is held."""
    return body["spec"].get("paused") is True


def of_large_size(name: str) -> tuple[int, int]:
    """Return how many containers and labels a Deployment has."""
    return (objects.LARGE_CONTAINERS, objects.LARGE_LABELS) if name == LARGE else (1, 3)


def _update(name: str, title: str, deployment: str, *, governed: bool) -> Cell:
    containers, labels = of_large_size(deployment)
    body = objects.deployment(LENDING, deployment, governed=governed, version="2", containers=containers, labels=labels)
    path = f"/apis/apps/v1/namespaces/{LENDING}/deployments/{deployment}{DRY_RUN}"
    return Cell(name, title, TEAM, "PUT", path, _alike(body), paused if governed else None)


def _creation(name: str, title: str, account: Account, body: objects.Body) -> Cell:
    return Cell(name, title, account, "POST", f"/api/v1/namespaces/{LENDING}/pods{DRY_RUN}", _alike(body))


def _approval(releases: int) -> Cell:
    """An approval of the newest Release: short where admission fills in the rest, in full where it does not."""
    namespace = decisions_namespace(releases)
    release = objects.release_name(releases)
    short = objects.approval(namespace, release, ROLE)
    groups = list(grouped(RISK))
    full = objects.approval(namespace, release, ROLE, by=RISK.user, groups=groups, digest=objects.DIGEST)
    return Cell(
        f"decision{releases}",
        f"approval, {releases} Release{'' if releases == 1 else 's'} in the namespace",
        RISK,
        "POST",
        f"/apis/{objects.FEEM}/namespaces/{namespace}/decisions{DRY_RUN}",
        {Arm.WITH: json.dumps(short).encode(), Arm.WITHOUT: json.dumps(full).encode()},
    )


def _alike(body: objects.Body) -> dict[Arm, bytes]:
    content = json.dumps(body).encode()
    return dict.fromkeys(Arm, content)
