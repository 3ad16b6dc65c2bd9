"""Nothing is written to the cluster around the door: no module, no port and no request."""

from __future__ import annotations

import ast
import importlib
import re

import pytest

from feem.adapters.kubernetes.resources import type_of
from feem.api.audit import Part
from tests.architecture import writes
from tests.controllers import checks
from tests.controllers.test_crashes import SCENARIOS, begun, finish
from tests.world.api import Request
from tests.world.bodies import NAMESPACE
from tests.world.world import World

K8S = "adapters/kubernetes/"
WRITERS: dict[str, tuple[set[str], str]] = {
    f"{K8S}client.py": ({"send"}, "the client itself"),
    f"{K8S}writer.py": ({"create", "replace", "merge", "apply", "delete"}, "the local copy in front of the client"),
    f"{K8S}announced.py": (
        {"create"},
        "what creating a Release and a ChaosRun have in common: effects, called by effects.perform",
    ),
    f"{K8S}workload.py": ({"merge", "apply", "nudge"}, "effects, called by effects.perform"),
    f"{K8S}canary_objects.py": ({"create", "delete", "nudge"}, "effects, called by effects.perform"),
    f"{K8S}traffic.py": ({"merge", "replace"}, "effects, called by effects.perform"),
    f"{K8S}undo.py": ({"merge"}, "effects, called by effects.perform"),
    f"{K8S}effects.py": ({"apply"}, "not a client's: canary_objects.apply, an effect"),
    f"{K8S}faults.py": (
        {"create", "patch", "delete", "evict"},
        "effects, called by effects.perform; and by the reaper, with an account that may do nothing else",
    ),
    f"{K8S}runs.py": ({"delete"}, "effects, called by effects.perform"),
    f"{K8S}remains.py": ({"patch"}, "the reaper: the finalizer of a run that was deleted and left alone"),
    f"{K8S}archive.py": ({"create", "deposit"}, "an effect, called by effects.perform; and a dry run"),
    f"{K8S}cluster.py": ({"merge", "replace"}, "bookkeeping: status and finalizer of FEEM's own kinds"),
    f"{K8S}records.py": ({"create", "delete"}, "bookkeeping: AuditRecords, and their pruning"),
    f"{K8S}auditlog.py": ({"create", "replace"}, "bookkeeping: the AuditLog, and its status"),
    f"{K8S}lease.py": ({"create", "replace"}, "bookkeeping: the Lease"),
    f"{K8S}notes.py": ({"create", "merge"}, "bookkeeping: Events"),
    f"{K8S}authority.py": ({"create"}, "bookkeeping: SubjectAccessReviews, which store nothing"),
    "cli/chaos/acts.py": (
        {"create", "merge", "delete"},
        "not the operator: a person's own runs and halts, with that person's rights",
    ),
    "cli/submit.py": ({"create"}, "not the operator: a person's own Decision, with that person's rights"),
}
"""Which module writes with what, and why it may."""
RAW = {f"{K8S}client.py", f"{K8S}watches.py", "cli/cluster.py"}
"""Who speaks HTTP to an API server: the client, the watches (GET), and the kubectl plugin with a person's rights."""

DOOR = {"Cluster.perform"}
REAPER = {"Remains.take_back", "Remains.let_go"}
"""What the reaper does without an operator: it undoes what the door announced."""
BOOKKEEPING = {
    "Cluster.write_status",
    "Cluster.set_finalizer",
    "Ledger.append",
    "NumberedLedger.append",
    "Notes.publish",
    "Records.put",
    "Records.prune",
    "LogObject.write",
    "Publication.extend",
    "Publication.publish",
    "Witness.cosign",
    "Witnessing.witnessed",
}
READS = {
    "Archive.has",
    "Authority.holds",
    "Faults.observe",
    "Faults.scene",
    "Faults.terminating",
    "LogObject.read",
    "Metrics.burn",
    "Metrics.exists",
    "Metrics.samples",
    "Probing.value",
    "Publication.tip",
    "Records.head",
    "Records.read",
    "Remains.halts",
    "Remains.marked",
    "Remains.runs",
    "Tickets.look_up",
}


@pytest.mark.parametrize(("name", "tree"), list(writes.modules()), ids=[name for name, _ in writes.modules()])
def test_a_module_writes_to_the_cluster_only_as_listed(name: str, tree: ast.Module) -> None:
    found = writes.client_writes(tree)
    allowed = WRITERS.get(name, (set(), ""))[0]
    assert found <= allowed, f"{name} writes by {sorted(found - allowed)}: make it an effect, and go through the door"
    assert name in RAW or not writes.mentions(tree, writes.RAW), f"{name} speaks HTTP by itself"


def test_the_list_names_nothing_that_does_not_write() -> None:
    trees = dict(writes.modules())
    stale = {name: allowed - writes.client_writes(trees[name]) for name, (allowed, _) in WRITERS.items()}
    assert not {name: methods for name, methods in stale.items() if methods}


def test_effects_are_performed_by_the_door_alone() -> None:
    """`Cluster.perform` by the door, what it calls by the adapter, and what that calls by nobody else."""
    performing = {name for name, tree in writes.modules() if writes.mentions(tree, frozenset({"perform"}))}
    assert performing == {"controllers/door.py", f"{K8S}cluster.py"}
    acting = {"announced", "workload", "canary_objects", "traffic", "undo", "archive", "faults", "runs"}
    for name, tree in writes.modules():
        if not name.startswith(K8S):
            modules = {f"feem.{K8S.replace('/', '.')}{one}" for one in (*acting, "effects", "writer")}
            assert not modules & writes.imports(tree), f"{name} imports how effects are carried out"


@pytest.mark.parametrize("room", ["controllers", "core", "runtime", "view"])
def test_whoever_decides_knows_no_client(room: str) -> None:
    for name, tree in writes.modules(room):
        known = {one for one in writes.imports(tree) if one.startswith(("feem.adapters.kubernetes", "kubernetes"))}
        allowed = {"feem.adapters.kubernetes.resources"}
        assert {one.rpartition(".")[0] for one in known} <= allowed, f"{name} imports {sorted(known)}"


def test_every_port_is_the_door_bookkeeping_or_reads() -> None:
    assert writes.port_methods() == DOOR | BOOKKEEPING | READS | REAPER


@pytest.mark.parametrize(
    ("name", "tree"), list(writes.modules("controllers")), ids=[name for name, _ in writes.modules("controllers")]
)
def test_controllers_write_status_and_finalizers_of_feems_own_kinds_only(name: str, tree: ast.Module) -> None:
    module = importlib.import_module("feem." + name.removesuffix(".py").replace("/", "."))
    for line, written in writes.kinds_given_to(tree, frozenset({"write_status", "set_finalizer"})):
        kind = getattr(module, written, written)
        assert kind.endswith(".feem.dev"), f"{name}:{line} writes to {written}"


# -- at run time --------------------------------------------------------------------------------------------------------


def is_bookkeeping(request: Request) -> bool:
    own = request.resource.endswith(".feem.dev")
    return own and (request.verb in ("update/status", "patch") or request.resource == "auditrecords.feem.dev")


def announced(world: World) -> str:
    """The effects of all intents that are open now."""
    closed = {record.intent for record in world.records if record.part is Part.OUTCOME}
    intents = [item for item in world.records if item.part is Part.INTENT and item.index not in closed]
    return "\n".join(text for item in intents for text in item.effects)


def watch(world: World, seen: set[str]) -> None:
    """From now on, fail at the first write that no open intent names."""

    def at_each(request: Request, moment: str) -> None:
        if moment != "before" or is_bookkeeping(request):
            return
        kind = type_of(request.resource).kind
        named = rf"\b{kind} {NAMESPACE}/{re.escape(request.name)}(?![\w.-])"
        assert re.search(named, announced(world)), f"no open intent names {request}:\n{announced(world)}"
        seen.add(kind)

    world.api.fault = at_each


@pytest.mark.parametrize("name", SCENARIOS)
async def test_each_write_to_what_others_own_is_announced_by_an_open_intent(name: str) -> None:
    scenario, seen = SCENARIOS[name], set[str]()
    world = await begun(scenario)
    watch(world, seen)
    await finish(world, scenario)
    decided = {record.action for record in world.records if record.evidence}
    assert {"Deployment", "Service", "Release"} <= seen
    assert ("ConfigMap" in seen) == bool(decided & {"Promote", "RollBack", "Undo"})
    checks.recorded(world)


async def test_taking_a_deployment_under_care_is_announced_too() -> None:
    world, seen = World(), set[str]()
    watch(world, seen)
    await world.start()
    assert seen == {"Deployment"}
    checks.recorded(world)
