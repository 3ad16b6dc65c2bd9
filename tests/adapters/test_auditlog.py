"""The AuditLog object is made once, replaced as a whole, and never taken from another log."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feem.adapters.kubernetes.auditlog import TRIES, KubernetesAuditLog
from feem.api.auditlog import AuditLogStatus
from feem.ports import Body, Refused, Unavailable
from tests.adapters.fake import FakeClient

ORIGIN = "bank.example/feem/prod"
PLACE = ("auditlogs.feem.dev", "", "feem")
STATUS = AuditLogStatus(
    size=7, root="cm9vdA==", signed_at=datetime(2026, 11, 24, 3, tzinfo=UTC), keys=["a+00000000+AQ=="]
)


def stored(fake: FakeClient) -> Body:
    return fake.objects[PLACE]


async def test_there_is_nothing_to_read_until_it_is_written() -> None:
    fake = FakeClient()
    log = KubernetesAuditLog(fake.client, ORIGIN)
    assert await log.read() is None
    await log.write(STATUS)
    assert stored(fake)["spec"] == {"origin": ORIGIN}
    assert stored(fake)["apiVersion"] == "feem.dev/v1alpha1"
    assert await log.read() == STATUS
    assert [verb for verb, _ in fake.requests] == ["get", "get", "create", "update", "get"]


async def test_an_object_without_a_status_says_nothing_yet() -> None:
    fake = FakeClient()
    await fake.client.create(PLACE[0], "", {"metadata": {"name": "feem"}, "spec": {"origin": ORIGIN}})
    assert await KubernetesAuditLog(fake.client, ORIGIN).read() == AuditLogStatus()


async def test_the_whole_status_is_replaced() -> None:
    fake = FakeClient()
    log = KubernetesAuditLog(fake.client, ORIGIN)
    await log.write(STATUS)
    await log.write(AuditLogStatus(size=9))
    assert await log.read() == AuditLogStatus(size=9)
    assert [verb for verb, _ in fake.requests].count("create") == 1


async def test_the_status_names_the_generation_it_is_about() -> None:
    fake = FakeClient()
    metadata = {"name": "feem", "generation": 3}
    await fake.client.create(PLACE[0], "", {"metadata": metadata, "spec": {"origin": ORIGIN}})
    await KubernetesAuditLog(fake.client, ORIGIN).write(STATUS)
    assert stored(fake)["status"]["observedGeneration"] == 3


async def test_another_logs_object_is_left_alone() -> None:
    fake = FakeClient()
    await KubernetesAuditLog(fake.client, "bank.example/feem/test").write(STATUS)
    before = stored(fake)
    log = KubernetesAuditLog(fake.client, ORIGIN)
    for attempt in (log.read(), log.write(AuditLogStatus(size=1))):
        with pytest.raises(Refused, match=r"bank\.example/feem/test.*audit\.origin.*or delete the AuditLog"):
            await attempt
    assert stored(fake) is before


async def test_a_change_by_others_in_between_is_read_again() -> None:
    fake = FakeClient()
    log = KubernetesAuditLog(fake.client, ORIGIN)
    await log.write(STATUS)
    others = 1

    async def changed(verb: str, _name: str) -> None:
        nonlocal others
        if verb == "update" and others:
            others -= 1
            stored(fake)["metadata"]["resourceVersion"] = "changed"

    fake.before = changed
    await log.write(AuditLogStatus(size=8))
    assert await log.read() == AuditLogStatus(size=8)


async def test_one_that_is_made_by_others_meanwhile_is_taken_over() -> None:
    fake = FakeClient()

    async def makes_it(verb: str, _name: str) -> None:
        if verb == "create" and PLACE not in fake.objects:
            fake.objects[PLACE] = {
                "metadata": {"name": "feem", "resourceVersion": "1"},
                "spec": {"origin": ORIGIN},
            }

    fake.before = makes_it
    log = KubernetesAuditLog(fake.client, ORIGIN)
    await log.write(STATUS)
    assert await log.read() == STATUS


async def test_one_that_is_deleted_meanwhile_is_made_anew() -> None:
    fake = FakeClient()
    log = KubernetesAuditLog(fake.client, ORIGIN)
    await log.write(STATUS)
    gone = False

    async def deletes(verb: str, _name: str) -> None:
        nonlocal gone
        if verb == "update" and not gone:
            gone = True
            del fake.objects[PLACE]

    fake.before = deletes
    await log.write(AuditLogStatus(size=8))
    assert await log.read() == AuditLogStatus(size=8)


async def test_it_gives_up_when_others_never_stop() -> None:
    fake = FakeClient()
    log = KubernetesAuditLog(fake.client, ORIGIN)
    await log.write(STATUS)
    versions = iter(range(100, 200))

    async def changed(verb: str, _name: str) -> None:
        if verb == "update":
            stored(fake)["metadata"]["resourceVersion"] = str(next(versions))

    fake.before = changed
    with pytest.raises(Unavailable, match=r"AuditLog feem was changed by others"):
        await log.write(AuditLogStatus(size=8))
    assert next(versions) == 100 + TRIES
    assert stored(fake)["status"]["size"] == 7
