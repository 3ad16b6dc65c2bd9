"""Version 1.0 answers whatever its bureau does, and never says `clean` of somebody it knows nothing about."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from credit_check.records import RecentRecords

from tests.example.credit_check.world import cut_off, refusing

if TYPE_CHECKING:
    from tests.example.credit_check.world import Way, World

BAD: tuple[Way, ...] = ("hangs", "fails", "breaks off", "lies", "rambles")


def spent(seen: dict[str, float]) -> tuple[float, ...]:
    return seen["ok"], seen["timeout"], seen["error"]


@pytest.mark.parametrize(("way", "record"), [("answers", "clean"), ("adverse", "adverse")])
async def test_a_report_says_what_the_bureau_says(world: World, way: Way, record: str) -> None:
    world.bureau.ways = [way]
    service = await world.start()
    seen = await service.report("Ada & Bob/=?")
    assert seen.status == 200
    assert seen.document["record"] == record
    assert (seen.document["refer"], seen.document["source"]) == (False, "bureau")
    assert world.bureau.asked == ["Ada & Bob/=?"]
    assert spent(service.calls()) == (1, 0, 0)
    assert service.value("credit_reports_total", record=record) == 1


@pytest.mark.parametrize("way", BAD)
async def test_a_second_try_on_a_new_connection_meets_the_replica_that_answers(world: World, way: Way) -> None:
    world.bureau.ways = [way, "adverse"]
    service = await world.start()
    seen = await service.report()
    assert (seen.status, seen.document["record"], seen.document["source"]) == (200, "adverse", "bureau")
    assert spent(service.calls()) == ((1, 1, 0) if way == "hangs" else (1, 0, 1))
    assert len(world.bureau.asked) == 2


@pytest.mark.parametrize("way", BAD)
async def test_after_two_tries_an_unknown_applicant_is_referred_to_a_person(world: World, way: Way) -> None:
    world.bureau.ways = [way]
    service = await world.start()
    seen = await service.report()
    assert seen.status == 200
    assert (seen.document["record"], seen.document["refer"], seen.document["source"]) == ("unknown", True, "none")
    assert spent(service.calls()) == ((0, 2, 0) if way == "hangs" else (0, 0, 2))
    assert len(world.bureau.asked) == 2
    assert service.value("credit_reports_total", record="unknown") == 1
    assert service.value("bureau_cache_hits_total") == 0
    assert (service.requests("200"), service.requests("504")) == (1, 0)


async def test_a_recent_record_stands_in_for_the_bureau_but_only_for_the_same_person(world: World) -> None:
    world.bureau.ways = ["adverse", "fails"]
    service = await world.start()
    fresh = await service.report("ada")
    kept = await service.report("ada")
    assert (kept.document["record"], kept.document["source"], kept.document["refer"]) == ("adverse", "cache", False)
    assert kept.document["kept_as"] == fresh.document["kept_as"]
    assert "ada" not in kept.document["kept_as"]
    assert (await service.report("bob")).document["record"] == "unknown"
    assert service.value("bureau_cache_hits_total") == 1


async def test_a_record_that_is_too_old_is_not_believed(world: World) -> None:
    world.bureau.ways = ["answers", "fails"]
    service = await world.start(record_seconds=0.05)
    assert (await service.report()).document["record"] == "clean"
    await asyncio.sleep(0.1)
    assert (await service.report()).document["record"] == "unknown"


def test_the_newest_records_are_kept_and_unknown_is_never_one() -> None:
    now = [100.0]
    records = RecentRecords(10, most=2, clock=lambda: now[0])
    records.keep("a", "clean")
    records.keep("b", "adverse")
    records.keep("a", "adverse")  # again: newer than b now
    records.keep("c", "clean")
    assert [records.recent(name) for name in "abc"] == ["adverse", None, "clean"]
    now[0] += 10
    assert records.recent("c") == "clean"
    now[0] += 0.1
    assert records.recent("c") is None


async def test_packets_that_vanish_and_refused_connections_cost_little_time(world: World) -> None:
    with cut_off() as port:
        service = await world.start(port=port)
        seen = await service.report()
    assert (seen.status, seen.document["record"]) == (200, "unknown")
    assert 0.3 <= seen.seconds < 1.5  # two waits of 0.15 s
    assert spent(service.calls()) == (0, 2, 0)
    refused = await world.start(port=refusing())
    seen = await refused.report()
    assert (seen.status, seen.document["record"]) == (200, "unknown")
    assert spent(refused.calls()) == (0, 0, 2)


async def test_a_name_server_that_is_cut_off_counts_into_the_same_short_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await world.start(bureau_host="bureau")
    loop, found = asyncio.get_running_loop(), asyncio.get_running_loop().getaddrinfo

    async def lost(host: str, *more: object, **options: object) -> object:
        await asyncio.sleep(3600 if host == "bureau" else 0)
        return await found(host, *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "getaddrinfo", lost)
    seen = await service.report()
    assert (seen.status, seen.document["record"]) == (200, "unknown")
    assert seen.seconds < 1.5
