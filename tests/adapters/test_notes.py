"""People see each thing once, with a count when it repeats; nothing fails because of an Event."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from feem.adapters.kubernetes.notes import MAX_WAITING, KubernetesNotes
from feem.ports import Refused
from tests.adapters.fake import FakeClient

RELEASE: dict[str, Any] = {
    "apiVersion": "feem.dev/v1alpha1",
    "kind": "Release",
    "metadata": {"namespace": "lending", "name": "scoring-2", "uid": "u1", "resourceVersion": "7"},
}


async def test_an_event_says_what_happened_to_what() -> None:
    fake = FakeClient()
    notes = KubernetesNotes(fake.client, instance="feem-0")
    await notes.publish(RELEASE, reason="RolledBack", message="5% errors", warning=True)
    await notes.drain()
    ((resource, namespace, name), event) = next(iter(fake.objects.items()))
    assert (resource, namespace) == ("events.events.k8s.io", "lending")
    assert name.startswith("scoring-2.")
    assert event["regarding"] == {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "Release",
        "namespace": "lending",
        "name": "scoring-2",
        "uid": "u1",
        "resourceVersion": "7",
    }
    assert (event["reason"], event["action"], event["type"]) == ("RolledBack", "RolledBack", "Warning")
    assert (event["note"], event["reportingController"]) == ("5% errors", "feem.dev/operator")
    assert (event["reportingInstance"], "series" in event) == ("feem-0", False)


async def test_repetitions_are_counted_and_differences_are_not() -> None:
    fake = FakeClient()
    notes = KubernetesNotes(fake.client, instance="feem-0")
    for message in ("no data", "no data", "no data", "other"):
        await notes.publish(RELEASE, reason="Inconclusive", message=message)
    await notes.drain()
    counts = sorted(event.get("series", {}).get("count", 1) for event in fake.objects.values())
    assert counts == [1, 3]


async def test_a_series_whose_event_expired_begins_anew() -> None:
    fake = FakeClient()
    notes = KubernetesNotes(fake.client, instance="feem-0")
    await notes.publish(RELEASE, reason="Held", message="held")
    await notes.drain()
    fake.objects.clear()
    await notes.publish(RELEASE, reason="Held", message="held")
    await notes.drain()
    assert len(fake.objects) == 1


async def test_cluster_scoped_objects_have_their_events_in_default() -> None:
    fake = FakeClient()
    notes = KubernetesNotes(fake.client, instance="feem-0")
    await notes.publish({"kind": "X", "metadata": {"name": "x", "uid": "1"}}, reason="Seen", message="m" * 3000)
    await notes.drain()
    ((_, namespace, _), event) = next(iter(fake.objects.items()))
    assert namespace == "default"
    assert len(event["note"].encode()) <= 1024


async def test_failing_is_logged_never_raised(caplog: pytest.LogCaptureFixture) -> None:
    fake = FakeClient()

    async def refuses(_verb: str, _name: str) -> None:
        raise Refused("no right to create events")

    fake.before = refuses
    notes = KubernetesNotes(fake.client, instance="feem-0")
    with caplog.at_level(logging.WARNING):
        await notes.publish(RELEASE, reason="Held", message="held")
        await notes.drain()
    assert "no right to create events" in caplog.text


async def test_a_flood_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    fake, gate = FakeClient(), asyncio.Event()

    async def waits(_verb: str, _name: str) -> None:
        await gate.wait()

    fake.before = waits
    notes = KubernetesNotes(fake.client, instance="feem-0")
    with caplog.at_level(logging.WARNING):
        for number in range(MAX_WAITING + 5):
            await notes.publish(RELEASE, reason="Held", message=str(number))
    assert caplog.text.count("dropped") == 5
    gate.set()
    await notes.drain()
    assert len(fake.objects) == MAX_WAITING
