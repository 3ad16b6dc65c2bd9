"""Proves that blocks hold whole scrapes of all live pods, count each event once, and leave warm-up out."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.core.evidence.rounds import rounds
from feem.core.evidence.samples import Series, TrackSamples
from feem.core.evidence.tally import Block, Tally, key_of
from tests.evidence.samples import START, Pod, between, mix, objective, scores, series, track


def blocks_of(
    canary: list[Pod],
    stable: list[Pod],
    looks: list[float],
    *,
    warm_up: float = 10,
    chance: random.Random | None = None,
) -> list[Block]:
    """The blocks of a release that is looked at in these moments; `chance` shuffles what each look brings."""
    tally, last, found = Tally(objective().indicator, start=START, warm_up=warm_up), START, []
    for now in looks:
        parts = []
        for side, pods in ((tally.canary, canary), (tally.stable, stable)):
            fetched = between(track(pods, now), last - (60 if last == START else 30), now)
            if chance is not None:
                fetched = TrackSamples(
                    {role: tuple(chance.sample(several, len(several))) for role, several in fetched.series.items()}
                )
            parts.append(side.fresh(fetched))
        for one in rounds(*parts, last=last, end=now, step=1):
            block = tally.take(one)
            if block is not None:
                found.append(block)
        last = now
    return found


def sums(blocks: list[Block], side: str = "canary") -> Counter[str]:
    total: Counter[str] = Counter()
    for one in blocks:
        total.update(getattr(one, side))
    return total


def every(seconds: float, until: float) -> list[float]:
    return [START + seconds * number for number in range(1, int((until - START) / seconds) + 1)]


C, S = Pod("c"), Pod("s", rate=90)


def test_each_look_closes_a_block_when_all_pods_were_scraped() -> None:
    found = blocks_of([C], [S], every(5, START + 30))
    assert [(one.start, one.end) for one in found] == [(START + 5 * n, START + 5 * n + 5) for n in range(6)]
    assert [(one.canary["total"], one.stable["total"]) for one in found] == [(50, 450)] * 6


def test_a_block_waits_for_the_pod_that_was_not_scraped_yet() -> None:
    slow = replace(S, every=15, offset=1)
    found = blocks_of([C], [slow], every(5, START + 60))
    assert len(found) == 4
    assert sums(found[1:])["total"] / sums(found[1:], "stable")["total"] == pytest.approx(10 / 90)


def test_it_waits_half_a_minute_for_a_pod_that_is_gone() -> None:
    gone = Pod("s2", rate=90, gone=START + 10)
    found = blocks_of([C], [S, gone], every(5, START + 60))
    assert [one.end - START for one in found] == [5, 10, 40, 45, 50, 55, 60]
    assert sums(found)["total"] == 600


def test_without_a_live_canary_no_block_closes() -> None:
    assert blocks_of([], [S], every(5, START + 60)) == []
    away = replace(C, deaf=(START + 11, START + 300))
    found = blocks_of([away], [S], every(5, START + 320))
    assert not [one for one in found if START + 45 < one.end < START + 300]
    assert sums(found)["total"] == 3200


def test_a_stable_that_is_gone_is_not_waited_for() -> None:
    found = blocks_of([C], [replace(S, gone=START + 20)], every(5, START + 120))
    assert sums(found)["total"] == 1200
    assert found[-1].end == START + 120


def test_a_reset_in_the_middle_loses_only_what_no_scrape_saw() -> None:
    found = blocks_of([replace(C, restarts=(START + 22,))], [S], every(5, START + 60))
    assert sums(found)["total"] == 600 - 20


@pytest.mark.parametrize(("scrape", "warm"), [(5, 30), (15, 45), (30, 60), (60, 120)])
def test_a_new_pod_warms_up_whatever_the_scrape_interval(scrape: float, warm: float) -> None:
    """Born at 20 s and scraped at the next multiple; what it did between two scrapes counts if the earlier one was warm."""
    new = Pod("c2", rate=10, born=START + 20, every=scrape, offset=START % scrape)
    found = blocks_of([C, new], [S], every(5, START + 120), warm_up=10)
    assert sums(found)["total"] == 1200 + 10 * (120 - warm)


def test_the_first_errors_of_a_new_counter_count() -> None:
    found = blocks_of([replace(C, bad=0.5, bad_since=START + 11)], [S], every(5, START + 60))
    assert sums(found)["bad"] == 5 * 49


def test_the_warm_up_hides_errors_of_a_counter_born_in_it() -> None:
    new = Pod("c2", bad=1.0, born=START + 1)
    late = replace(new, bad_since=START + 30)
    looks = every(5, START + 60)
    assert sums(blocks_of([new], [S], looks))["bad"] == 10 * (60 - 15)
    assert sums(blocks_of([late], [S], looks))["bad"] == 10 * 30


def test_a_late_sample_is_counted_in_the_next_block() -> None:
    tally = Tally(objective().indicator, start=START, warm_up=0)
    known = [(START - 5, 0.0), (START, 10.0)]
    late = [*known, (START + 4.9, 60.0)]
    stable = [(START - 5, 0.0), (START + 4, 90.0)]
    counts = []
    for now, canary in ((START + 5, known), (START + 10, [*late, (START + 9.9, 110.0)])):
        fresh = (
            tally.canary.fresh(TrackSamples({"total": (series(canary),)})),
            tally.stable.fresh(TrackSamples({"total": (series(stable, pod="s"),)})),
        )
        for one in rounds(*fresh, last=now - 5, end=now, step=1):
            made = tally.take(one)
            counts.append(made.canary["total"] if made is not None else None)
    assert counts == [None, 100.0]


def test_a_series_that_comes_twice_counts_once() -> None:
    one = series([(START - 5, 0), (START + 1, 10)])
    other = Series(one.labels, (one.samples[1], replace(one.samples[1], time=START + 3, value=25.0)))
    tally = Tally(objective().indicator, start=START, warm_up=0)
    fresh = tally.canary.fresh(TrackSamples({"total": (one, other, one)}))
    assert [len(item.samples) for item in fresh.series["total"]] == [3]
    (cut,) = rounds(fresh, TrackSamples(), last=START, end=START + 5, step=1)
    made = tally.take(cut)
    assert made is not None
    assert made.canary == {"total": 25.0}


def test_kinds_are_told_apart_by_label_or_edge() -> None:
    assert key_of(mix().indicator)("events", (("decision", "refer"), ("pod", "p"))) == "refer"
    assert key_of(mix().indicator)("events", (("pod", "p"),)) == ""
    assert key_of(scores().indicator)("buckets", (("le", "300"),)) == "300"
    assert key_of(objective().indicator)("bad", (("le", "300"),)) == "bad"


pods = st.builds(
    Pod,
    name=st.uuids().map(str),
    rate=st.integers(1, 50).map(float),
    bad=st.sampled_from([0.0, 0.1, 1.0]),
    every=st.sampled_from([5.0, 15.0, 30.0]),
    offset=st.integers(0, 29).map(float),
    born=st.sampled_from([START - 300, START + 20]),
    gone=st.sampled_from([START + 90, 1e9]),
    restarts=st.sampled_from([(), (START + 33.3,), (START + 12, START + 77)]),
)
teams = st.lists(pods, min_size=1, max_size=4)
UNTIL = START + 240


@settings(max_examples=30, deadline=None)
@given(teams, teams, st.lists(st.integers(1, 230), max_size=12, unique=True))
def test_looking_often_or_once_counts_the_same(canary: list[Pod], stable: list[Pod], looks: list[int]) -> None:
    """Whatever the cuts are; the last look is long after the last event, so that no block is open."""
    at = [*(START + one for one in sorted(looks)), UNTIL]
    often = every(5, UNTIL)
    seen = []
    for moments in (at, often):
        tally = Tally(objective().indicator, start=START, warm_up=10)
        last = START
        total: dict[str, Counter[str]] = {"canary": Counter(), "stable": Counter()}
        for now in moments:
            fresh = [
                side.fresh(between(track(team, now), last - (60 if last == START else 30), now))
                for side, team in ((tally.canary, canary), (tally.stable, stable))
            ]
            for one in rounds(fresh[0], fresh[1], last=last, end=now, step=1):
                made = tally.take(one)
                if made is not None:
                    total["canary"].update(made.canary)
                    total["stable"].update(made.stable)
            last = now
        for side, name in ((tally.canary, "canary"), (tally.stable, "stable")):
            total[name].update(side.close())
        seen.append({name: {key: value for key, value in one.items() if value} for name, one in total.items()})
    assert seen[0] == seen[1]
    assert all(value >= 0 for one in seen[0].values() for value in one.values())


@settings(max_examples=8, deadline=None)
@given(teams, teams, st.randoms(use_true_random=False))
def test_the_order_of_series_does_not_matter(canary: list[Pod], stable: list[Pod], chance: random.Random) -> None:
    looks = every(15, UNTIL)
    assert blocks_of(canary, stable, looks, chance=chance) == blocks_of(canary, stable, looks)
