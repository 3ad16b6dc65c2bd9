"""Who may touch the audit log on a real API server: its key, its entries and its head."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from e2e.cluster import Cluster
from feem.adapters.kubernetes.auditlog import KubernetesAuditLog
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.records import KubernetesRecords
from feem.api.audit import Part, Subject
from feem.api.auditlog import AuditLogStatus
from feem.core.audit.record import name_of
from feem.ports import Entry, Refused
from feem.runtime.clock import SystemClock
from feem.runtime.ledger import RecordLedger, lowest_free_epoch
from tests.chart import helm
from tests.integration.adapter import PATIENT, operator_kubeconfig
from tests.integration.conftest import OPERATOR, REAPER, AsUser
from tests.integration.kubectl import Kubectl, Manifest
from tests.integration.people import ROLES, People, install_roles

pytestmark = pytest.mark.integration

OWN = "feem-system"
KEY = "feem-audit-key"
ORIGIN = "bank.example/feem/rights"
NOW = datetime.now(UTC).replace(microsecond=0)
PEOPLE = (*ROLES, "view", "edit", "auditor", "chaos")
ANY_VERB = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
WRITES = ("create", "update", "patch", "delete", "deletecollection")


# -- RBAC: the key, and who writes at all ---------------------------------------------------------------------------------


def held(
    admin: Kubectl, who: Manifest, resource: str, verbs: Sequence[str], *, namespace: str = "", name: str = ""
) -> set[str]:
    """Ask the API server which of these rights somebody has on a resource, named `plural[.group][/subresource]`."""
    full, _, subresource = resource.partition("/")
    plural, _, group = full.partition(".")
    at = {"group": group, "resource": plural, "subresource": subresource, "namespace": namespace, "name": name}
    reviews = [
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {**who, "resourceAttributes": {**at, "verb": verb}},
        }
        for verb in verbs
    ]
    answer = admin("create", "--output=yaml", manifest={"apiVersion": "v1", "kind": "List", "items": reviews})
    assert answer.code == 0, answer.told
    answers = list(yaml.safe_load_all(answer.out))
    assert len(answers) == len(verbs)
    return {item["spec"]["resourceAttributes"]["verb"] for item in answers if item["status"]["allowed"]}


def group_of(role: str) -> str:
    return f"audit-rights-{role}"


def person(role: str) -> Manifest:
    return {"user": f"somebody-of-{role}", "groups": [group_of(role), "system:authenticated"]}


def account(user: str) -> Manifest:
    return {
        "user": user,
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{OWN}", "system:authenticated"],
    }


SERVICE_ACCOUNT = account(OPERATOR)


@pytest.fixture(scope="module")
def admin(as_user: AsUser) -> Kubectl:
    return as_user("platform-admin")


@pytest.fixture(scope="module")
def people(cluster: Cluster, admin: Kubectl) -> Iterator[People]:
    """All roles of the chart, each held everywhere by a group of its own: as much as the chart can give anybody."""
    admin("create", "namespace", OWN)
    install_roles(admin)
    rendered = helm.render()
    kinds = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    rights = [body for kind in kinds for body in helm.of_kind(rendered, kind)]
    installed = admin("get", "clusterrolebinding", "feem-operator").code == 0
    admin.within(OWN).done("apply", manifest={"apiVersion": "v1", "kind": "List", "items": rights})
    found = People(cluster, admin, OWN)
    for role in PEOPLE:
        found.bind(f"feem-{role}", group_of(role), everywhere=True)
    yield found
    admin("delete", "clusterrolebinding", *(f"{group_of(role)}-feem-{role}" for role in PEOPLE))
    if not installed:  # else helm would find them to be somebody else's
        admin("delete", "clusterrole,clusterrolebinding", "feem-operator", "feem-reaper")
        admin.within(OWN)("delete", "role,rolebinding", "feem-leader")


@pytest.mark.parametrize("role", PEOPLE)
def test_nobodys_role_opens_the_keys_secret(people: People, role: str) -> None:
    somebody = person(role)
    assert not held(people.admin, somebody, "secrets", ANY_VERB, namespace=OWN, name=KEY)
    assert not held(people.admin, somebody, "pods", WRITES, namespace=OWN), "a pod of theirs would mount it"
    assert not held(people.admin, somebody, "pods/exec", ("create", "get"), namespace=OWN), "the operator's pod has it"
    told = people(f"somebody-of-{role}", group_of(role)).refused("get", "secret", KEY)
    assert f'"{KEY}" is forbidden' in told


FAULTS = {OPERATOR: {"patch", "delete"}, REAPER: {"patch"}}
"""What faults in pods take. A patch adds no volume to a pod, so it opens no Secret; what it may change of one says the next test."""


@pytest.mark.parametrize("user", FAULTS)
def test_neither_operator_nor_reaper_reads_a_secret(people: People, user: str) -> None:
    """The operator's pod has the keys as files; a right to read them would be one to read every Secret of that name."""
    who = account(user)
    for namespace in (OWN, "default", ""):
        assert not held(people.admin, who, "secrets", ANY_VERB, namespace=namespace, name=KEY)
    assert held(people.admin, who, "pods", WRITES, namespace=OWN) == FAULTS[user]
    for part in ("pods/exec", "pods/attach", "pods/ephemeralcontainers", "pods/portforward", "serviceaccounts/token"):
        assert not held(people.admin, who, part, ANY_VERB, namespace=OWN), part


def test_the_reaper_puts_no_program_of_its_own_beside_the_key(people: People, as_user: AsUser) -> None:
    """A pod that has the Secret as a volume, with another image, would show it."""
    body: Manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"operator-{uuid.uuid4().hex[:8]}"},
        "spec": {"containers": [{"name": "operator", "image": "feem.dev/operator:0.1.0"}]},
    }
    here = people.admin.within(OWN)
    here.done("create", manifest=body)
    name = body["metadata"]["name"]
    try:
        told = as_user(REAPER).within(OWN).refused("set", "image", f"pod/{name}", "operator=unreleased:9")
        assert "the reaper touches only what carries a fault" in told
    finally:
        here.done("delete", "pod", name, "--wait=false")


@pytest.mark.parametrize("role", PEOPLE)
def test_nobodys_role_writes_the_audit_log(people: People, role: str) -> None:
    for resource in ("auditrecords.feem.dev", "auditlogs.feem.dev", "auditlogs.feem.dev/status"):
        assert not held(people.admin, person(role), resource, WRITES, name="feem"), resource
    kubectl = people(f"somebody-of-{role}", group_of(role))
    assert "forbidden" in kubectl.refused("delete", "auditrecord", name_of(0))
    assert "forbidden" in kubectl.refused("create", "--validate=false", manifest=log_object())


def test_who_sees_the_audit_log(people: People) -> None:
    def sees(resource: str) -> set[str]:
        return {role for role in PEOPLE if held(people.admin, person(role), resource, ("list",))}

    assert sees("auditrecords.feem.dev") == {"auditor"}
    assert sees("auditlogs.feem.dev") == {*ROLES, "view", "auditor", "chaos"}


def test_the_operator_has_the_rights_that_it_uses_and_no_more(people: People) -> None:
    def has(resource: str) -> set[str]:
        return held(people.admin, SERVICE_ACCOUNT, resource, ANY_VERB)

    assert has("auditrecords.feem.dev") == {"create", "get", "list", "delete"}
    assert has("auditlogs.feem.dev") == {"create", "get"}
    assert has("auditlogs.feem.dev/status") == {"update"}


def test_helm_keeps_the_key_that_is_there(cluster: Cluster, admin: Kubectl) -> None:
    place = f"keys-{uuid.uuid4().hex[:8]}"
    only = ["--show-only", "templates/audit.yaml", "--dry-run=server", "--kubeconfig", str(cluster.kubeconfig)]
    only += ["--set=crds.install=false,policies.install=false,rbac.userRoles=false", "--take-ownership"]

    def rendered() -> Manifest:
        done = helm.run("template", "feem", str(helm.CHART), "--namespace", place, *only)
        assert done.returncode == 0, done.stderr
        found: Manifest = yaml.safe_load(done.stdout)
        return found

    admin.done("create", "namespace", place)
    try:
        first = rendered()
        assert rendered()["data"] != first["data"], "none is there yet, so each is new"
        admin.within(place).done("create", manifest=first)
        assert rendered()["data"] == first["data"]
        other = {**first, "data": dict.fromkeys(first["data"], "A" * 43 + "=")}
        assert "immutable" in admin.within(place).refused("apply", "--server-side", "--force-conflicts", manifest=other)
    finally:
        admin.done("delete", "namespace", place, "--wait=false")


# -- admission: whoever has all rights ------------------------------------------------------------------------------------


def log_object(origin: str = ORIGIN) -> Manifest:
    return {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "AuditLog",
        "metadata": {"name": "feem"},
        "spec": {"origin": origin},
    }


def status_of(size: int, *, published: timedelta | None = timedelta()) -> AuditLogStatus:
    """A head signed now; published so much later, None: nowhere."""
    return AuditLogStatus(size=size, signed_at=NOW, published_at=None if published is None else NOW + published)


@dataclass(frozen=True)
class Log:
    """The log of the cluster, with its newest entry, seen by the operator and by an administrator with all rights."""

    client: Client
    head: KubernetesAuditLog
    index: int
    operator: Kubectl
    admin: Kubectl

    @property
    def record(self) -> str:
        return f"auditrecord/{name_of(self.index)}"


@pytest.fixture
async def log(cluster: Cluster, as_user: AsUser) -> AsyncIterator[Log]:
    operator, admin = as_user(OPERATOR), as_user("platform-admin")
    admin("delete", "auditlog", "feem", "--ignore-not-found")
    async with await Client.connect(str(operator_kubeconfig(cluster)), limits=PATIENT) as client:
        records = KubernetesRecords(client)
        epoch = await lowest_free_epoch(records)
        ledger = await RecordLedger.open(records, SystemClock(), epoch=epoch, actor=OPERATOR)
        written = await ledger.append(Entry("Seen", Part.FACT, Subject(kind="AuditLog", name="feem")))
        yield Log(client, KubernetesAuditLog(client, ORIGIN), written.index, operator, admin)
    admin.done("delete", "auditlog", "feem", "--ignore-not-found")


async def told_soon(kubectl: Kubectl, words: tuple[str, ...], expected: str) -> None:
    """Wait until a request is refused in these words: the policy sees a new head a moment after it is written."""
    for _ in range(100):
        told = kubectl.refused(*words)
        if expected in told:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{expected!r} is not what is said after 10 s: {told}")


async def test_unpublished_records_stay_whoever_asks(log: Log) -> None:
    delete = ("delete", log.record, "--dry-run=server")
    await told_soon(log.operator, delete, "no params found")
    cases: tuple[tuple[AuditLogStatus, str], ...] = (
        (status_of(log.index, published=None), "is in no published directory"),
        (status_of(log.index, published=timedelta(minutes=-5)), "is in no published directory"),
        (status_of(log.index), "this AuditRecord is not published yet"),
    )
    for status, expected in cases:
        await log.head.write(status)
        await told_soon(log.operator, delete, expected)
        assert "only the FEEM operator writes AuditRecords" in log.admin.refused(*delete)
    with pytest.raises(Refused, match="not published yet"):
        await KubernetesRecords(log.client).prune(log.index + 1)


async def test_published_records_are_let_go_by_the_operator_alone(log: Log) -> None:
    await log.head.write(status_of(log.index + 1))
    assert "only the FEEM operator writes AuditRecords" in log.admin.refused("delete", log.record)
    assert "only the FEEM operator" in log.admin.refused("delete", "auditrecords", "--all", "--dry-run=server")
    log.admin.done("get", log.record)
    for _ in range(100):
        if log.operator("delete", log.record, "--dry-run=server").code == 0:
            break
        await asyncio.sleep(0.1)
    log.operator.done("delete", log.record)
    assert await KubernetesRecords(log.client).read(log.index) is None


async def test_the_log_does_not_get_shorter(log: Log) -> None:
    await log.head.write(status_of(7))
    await log.head.write(status_of(7, published=timedelta(minutes=5)))
    await log.head.write(status_of(9))
    for shorter in (status_of(8), AuditLogStatus()):
        with pytest.raises(Refused, match="the audit log does not get shorter"):
            await log.head.write(shorter)
    patch: Any = {"status": None}
    words = ("patch", "auditlog", "feem", "--subresource=status", "--type=merge", f"--patch={json.dumps(patch)}")
    assert "does not get shorter" in log.operator.refused(*words)
    assert (await log.head.read() or AuditLogStatus()).size == 9


async def test_only_the_operator_says_how_long_the_log_is(log: Log) -> None:
    only = "only the FEEM operator writes the AuditLog"
    assert only in log.admin.refused("create", manifest=log_object())
    await log.head.write(status_of(3))
    longer = '--patch={"status":{"size":1000000}}'
    assert only in log.admin.refused("patch", "auditlog", "feem", "--subresource=status", "--type=merge", longer)
    assert only in log.admin.refused("label", "auditlog", "feem", "reviewed=yes")
    other = f"--patch={json.dumps({'spec': {'origin': 'bank.example/feem/other'}})}"
    assert "origin is the log's name and never changes" in log.operator.refused(
        "patch", "auditlog", "feem", "--type=merge", other
    )


@pytest.mark.parametrize("cascade", ["background", "foreground"])
async def test_another_log_begins_when_the_object_is_deleted(log: Log, cascade: str) -> None:
    await log.head.write(status_of(9))
    other = KubernetesAuditLog(log.client, "bank.example/feem/other")
    with pytest.raises(Refused, match=r"of the log bank\.example/feem/rights"):
        await other.write(status_of(1))
    log.admin.done("delete", "auditlog", "feem", f"--cascade={cascade}", "--timeout=60s")
    assert await other.read() is None
    await other.write(status_of(1))
    assert (await other.read() or AuditLogStatus()).size == 1
