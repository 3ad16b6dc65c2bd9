"""Which experiments and which services' runs are visited after an object changed."""

from __future__ import annotations

from collections.abc import Iterator

from feem.controllers.chaos.run import service_of
from feem.controllers.resources import (
    DEPLOYMENTS,
    EXPERIMENTS,
    HALTS,
    OBJECTIVES,
    RELEASES,
    RUNS,
    SERVICES_MANAGED,
    WINDOWS,
)
from feem.core.finalizer import FINALIZER
from feem.ports import Body, Cluster

EXPERIMENT, CHAOS = "experiment", "chaos"
Target = tuple[str, str, str]
EVERYWHERE = frozenset({HALTS, WINDOWS})
AROUND = frozenset({DEPLOYMENTS, RELEASES, SERVICES_MANAGED})


def chaos_targets(cluster: Cluster, resource: str, body: Body) -> Iterator[Target]:
    """Yield the keys of experiments and of services with open runs that this object concerns."""
    namespace, name = body["metadata"].get("namespace", ""), body["metadata"]["name"]
    if resource == EXPERIMENTS:
        yield EXPERIMENT, namespace, name
        yield from _open_runs(cluster, namespace)
    elif resource == RUNS:
        yield CHAOS, namespace, service_of(cluster, body)
        yield EXPERIMENT, namespace, str(body["spec"]["experiment"])
        yield from _open_runs(cluster, namespace)
    elif resource in EVERYWHERE:
        yield from _open_runs(cluster, None)
    elif resource in AROUND:
        yield from _open_runs(cluster, namespace)
    if resource in (OBJECTIVES, SERVICES_MANAGED):
        yield from _naming(cluster, namespace, name)


def _naming(cluster: Cluster, namespace: str, name: str) -> Iterator[Target]:
    """The experiments that name an objective, or a service: they may be usable now, or not any more."""
    for body in cluster.list(EXPERIMENTS, namespace):
        spec = body["spec"]
        if name == spec["service"] or name in spec["hypothesis"]["objectives"]:
            yield EXPERIMENT, namespace, body["metadata"]["name"]


def _open_runs(cluster: Cluster, namespace: str | None) -> Iterator[Target]:
    """The services that have runs which are open or owe a clean-up."""
    for run in cluster.list(RUNS, namespace):
        over = (run.get("status") or {}).get("completedAt")
        if not over or FINALIZER in (run["metadata"].get("finalizers") or ()):
            yield CHAOS, run["metadata"]["namespace"], service_of(cluster, run)
