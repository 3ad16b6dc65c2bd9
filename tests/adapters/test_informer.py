"""What the informer makes of events and listings, with the watches played by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from feem.adapters.kubernetes import informer as module
from feem.adapters.kubernetes.informer import Informer
from feem.adapters.kubernetes.store import Store
from feem.ports import Body, Unavailable
from tests.adapters.fake import FakeClient

PLANS, SERVICES = "greyreleaseplans.feem.dev", "services"


def thing(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"namespace": "lending", "name": name, "uid": f"u-{name}", "resourceVersion": str(version)}}


class Played:
    """An informer whose watches are the test itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fake, self.store, self.told = FakeClient(), Store(), list[tuple[str, str, bool]]()
        self.informer = Informer(
            self.fake.client, self.store, self._changed, resources=(PLANS, SERVICES), sweep_seconds=30
        )
        monkeypatch.setattr(self.informer, "_watches", self)
        self.alive, self.problem = True, ""

    def start(self) -> None:
        self.alive = True

    async def stop(self) -> None:
        self.alive = False

    def is_alive(self) -> bool:
        return self.alive

    def _changed(self, resource: str, body: Body, deleted: bool) -> None:  # noqa: FBT001 - the informer's signature
        self.told.append((resource, body["metadata"]["name"], deleted))

    def exists(self, name: str, version: int) -> None:
        """Put an object on the server, without an event."""
        self.fake.objects[PLANS, "lending", name] = thing(name, version)
        self.fake._version = max(self.fake._version, version)

    async def until_swept(self, times: int = 1) -> None:
        async with asyncio.timeout(5):
            while sum(verb == "list" for verb, _ in self.fake.requests) < times:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.01)


@pytest.fixture
async def played(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Played]:
    monkeypatch.setattr(module, "SETTLE", 0.02)
    monkeypatch.setattr(module, "RETRY", 0.05)
    found = Played(monkeypatch)
    async with found.informer:
        yield found


async def test_the_first_event_says_that_all_listings_are_complete(played: Played) -> None:
    played.informer._take(PLANS, thing("a", 1))
    waiting = asyncio.create_task(played.informer.synced())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    assert played.told == []
    played.informer._tell(SERVICES, None, thing("kubernetes", 2))
    await asyncio.wait_for(waiting, 1)
    assert played.store.get(PLANS, "lending", "a") is not None


async def test_deletions_reach_copy_and_listener(played: Played) -> None:
    played.informer._take(PLANS, thing("a", 1))
    played.informer._tell(PLANS, "ADDED", thing("a", 1))
    played.informer._tell(PLANS, "DELETED", thing("a", 2))
    assert played.store.list(PLANS) == []
    assert played.told == [(PLANS, "a", False), (PLANS, "a", True)]


async def test_a_listing_in_mid_life_is_followed_by_our_own(played: Played) -> None:
    played.informer._tell(SERVICES, "ADDED", thing("kubernetes", 1))
    for name in ("kept", "lost"):
        played.informer._take(PLANS, thing(name, 2))
    played.exists("kept", 9)
    played.informer._tell(PLANS, None, thing("kept", 9))
    await played.until_swept()
    assert played.fake.requests == [("list", PLANS)]
    assert [body["metadata"]["name"] for body in played.store.list(PLANS)] == ["kept"]
    assert played.told[-1] == (PLANS, "lost", True)


async def test_an_interruption_puts_everything_in_doubt(played: Played) -> None:
    played.informer._tell(SERVICES, "ADDED", thing("kubernetes", 1))
    played.informer._suspect(played.informer._resources)
    await played.until_swept(2)
    assert sorted(name for _, name in played.fake.requests) == [PLANS, SERVICES]


async def test_a_listing_that_fails_is_tried_again(played: Played, caplog: pytest.LogCaptureFixture) -> None:
    async def fails(_verb: str, _name: str) -> None:
        played.fake.before = works
        raise Unavailable("not now")

    async def works(_verb: str, _name: str) -> None:
        return None

    played.fake.before = fails
    played.informer._tell(SERVICES, "ADDED", thing("kubernetes", 1))
    played.informer._suspect([PLANS])
    await played.until_swept(2)
    assert "not now" in caplog.text


async def test_problems_are_told(played: Played) -> None:
    assert played.informer.problem == ""
    played.problem = "kopf ended"
    assert played.informer.problem == "kopf ended"
    played.alive = False
    assert "thread" in played.informer.problem


async def test_nothing_is_told_after_the_end(played: Played) -> None:
    await played.informer.stop()
    played.informer._hand_over(played.informer._tell, PLANS, "ADDED", thing("late", 3))
    played.informer._tell(PLANS, "ADDED", thing("late", 3))
    assert played.told == []
