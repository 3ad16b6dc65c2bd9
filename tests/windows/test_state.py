"""All windows of a service together: open or not, since when, until when; a Freeze never opens anything."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.api.service import ManagedService
from feem.api.window import WindowScope, WindowSpec, WindowType
from feem.core.windows.interval import HORIZON
from feem.core.windows.scope import applies
from feem.core.windows.state import state_of
from feem.core.windows.times import next_span, span_at
from feem.core.windows.words import moment
from tests.windows.written import ALLOW, BERLIN, FREEZE, NEW_YORK, SHANGHAI, at, cron, days, once, utc, window
from tests.world.bodies import QUICK_STEPS, managed

HOUR = 3600
NIGHTS = cron("0 22 * * 1-4", 8 * HOUR, SHANGHAI)
MONTH_END = days("MonthEnd", SHANGHAI, FREEZE, before=2, after=1)
YEAR_END = once("2026-12-18T18:00", "2027-01-06T09:00", SHANGHAI, FREEZE)


@pytest.mark.parametrize(
    ("specs", "need", "now", "is_open", "opens", "changes"),
    [
        # No window at all: open where none is needed, never where one is.
        ([], False, "2026-11-23 12:00", True, "2026-11-23 12:00", None),
        ([], True, "2026-11-23 12:00", False, None, None),
        # An Allow alone.
        ([NIGHTS], True, "2026-11-23 12:00", False, "2026-11-23 22:00", "2026-11-23 22:00"),
        ([NIGHTS], True, "2026-11-23 22:00", True, "2026-11-23 22:00", "2026-11-24 06:00"),
        ([NIGHTS], False, "2026-11-23 12:00", True, "2026-11-23 12:00", None),
        # The next nights are in the freeze of the month's end; when it is over, at midnight, the night of Tuesday is still open.
        ([NIGHTS, MONTH_END], True, "2026-11-27 12:00", False, "2026-12-02 00:00", "2026-11-28 00:00"),
        # A freeze that ends while an Allow is open: open at its end.
        (
            *([NIGHTS, once("2026-11-23T20:00", "2026-11-24T01:30", SHANGHAI, FREEZE)], True),
            *("2026-11-23 21:00", False, "2026-11-24 01:30", "2026-11-23 22:00"),
        ),
        # Freezes that follow one another: the month's end begins while that of the year is open.
        ([YEAR_END, MONTH_END], False, "2026-12-20 12:00", False, "2027-01-06 09:00", "2026-12-29 00:00"),
        ([NIGHTS, YEAR_END, MONTH_END], True, "2026-12-20 12:00", False, "2027-01-06 22:00", "2026-12-21 22:00"),
        # Two Allows: the earlier one counts.
        ([NIGHTS, days("Weekends", SHANGHAI)], True, "2026-11-27 12:00", False, "2026-11-28 00:00", "2026-11-28 00:00"),
        # What never fits together, and what is always frozen.
        ([NIGHTS, cron("0 22 * * *", 8 * HOUR, SHANGHAI, FREEZE)], True, "2026-11-23 12:00", False, None, "2026-11-23 22:00"),
        ([NIGHTS, cron("* * * * *", 60, SHANGHAI, FREEZE)], True, "2026-11-23 12:00", False, None, "2026-11-23 22:00"),
        # Over and done with.
        ([once("2025-12-18T18:00", "2026-01-06T09:00", SHANGHAI, FREEZE)], False, "2026-11-23 12:00", True, "2026-11-23 12:00", None),
        ([once("2025-12-18T18:00", "2026-01-06T09:00", SHANGHAI)], True, "2026-11-23 12:00", False, None, None),
    ],
)  # fmt: skip
def test_states(
    specs: list[WindowSpec], need: bool, now: str, is_open: bool, opens: str | None, changes: str | None  # noqa: FBT001
) -> None:  # fmt: skip
    state = state_of([window(spec) for spec in specs], at(now, SHANGHAI), need_allow=need)
    assert state.open is is_open
    assert state.opens_at == (at(opens, SHANGHAI) if opens else None)
    assert state.changes_at == (at(changes, SHANGHAI) if changes else None)


def test_which_windows_say_so() -> None:
    freeze, allow = window(YEAR_END, "year-end"), window(NIGHTS, "nights")
    state = state_of([allow, freeze], at("2026-12-21 23:00", SHANGHAI), need_allow=True)
    assert (state.open, state.freezes, state.allow, state.has_allow) == (False, (freeze,), True, True)
    state = state_of([freeze], at("2026-12-01 23:00", SHANGHAI), need_allow=False)
    assert (state.open, state.freezes, state.allow, state.has_allow) == (True, (), False, False)


def test_windows_that_never_agree_cost_little() -> None:
    """Each of 115,000 openings a year is frozen: the search gives up."""
    windows = [window(cron("*/5 * * * *", 240)), window(cron("*/5 * * * *", 240, kind=FREEZE))]
    began = time.perf_counter()
    assert state_of(windows, utc("2026-11-23 12:01"), need_allow=True).opens_at is None
    assert time.perf_counter() - began < 2


SPECS = st.one_of(
    st.builds(
        cron,
        st.sampled_from(["0 22 * * 1-4", "0 2 * * *", "*/30 * * * *", "30 1 * * 0", "0 0 1 * *", "* 3 * * *"]),
        st.sampled_from([60, 1800, 8 * HOUR, 86400, 3 * 86400]),
        st.sampled_from([BERLIN, NEW_YORK, SHANGHAI]),
        st.sampled_from([ALLOW, FREEZE]),
    ),
    st.builds(
        once,
        st.sampled_from(["2026-10-25T02:15", "2026-03-29T02:30", "2026-10-24T22:00"]),
        st.sampled_from(["2026-10-25T02:45", "2026-10-28T00:00", "2026-11-01T01:30"]),
        st.sampled_from([BERLIN, NEW_YORK, SHANGHAI]),
        st.sampled_from([ALLOW, FREEZE]),
    ),
    st.builds(
        days,
        st.sampled_from(["MonthEnd", "QuarterEnd", "YearEnd", "Weekends", "PublicHolidays"]),
        st.sampled_from([BERLIN, NEW_YORK, SHANGHAI]),
        st.sampled_from([ALLOW, FREEZE]),
        before=st.integers(0, 3),
        after=st.integers(0, 3),
        country=st.sampled_from(["CN", "DE-HE", "US"]),
    ),
)
NOWS = st.one_of(
    st.datetimes(datetime(2026, 3, 27), datetime(2026, 4, 8), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds it
    st.datetimes(datetime(2026, 10, 23), datetime(2026, 11, 3), timezones=st.just(UTC)),  # noqa: DTZ001
)


@settings(max_examples=100, deadline=None)
@given(SPECS, NOWS)
def test_a_span_contains_now_and_the_next_one_comes_later(spec: WindowSpec, now: datetime) -> None:
    here, following = span_at(spec, now), next_span(spec, now)
    if here is not None:
        assert here.start <= now < here.end
        assert span_at(spec, here.start) is not None
        outside = span_at(spec, here.end) if here.end < now + HORIZON else None
        assert outside is None
    if following is not None:
        assert now < following.start < following.end
        assert following.start <= now + HORIZON
        assert here is None or here.end < following.start
        found = span_at(spec, following.start)
        assert found is not None
        assert (found.start, found.end) == (following.start, following.end)
        assert span_at(spec, following.start - timedelta(seconds=1)) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(SPECS, max_size=4), SPECS, NOWS, st.booleans())
def test_adding_a_freeze_never_opens(specs: list[WindowSpec], more: WindowSpec, now: datetime, need: bool) -> None:  # noqa: FBT001
    windows = [window(spec) for spec in specs]
    freeze = window(more.model_copy(update={"type": WindowType.FREEZE}))
    before, after = (state_of(found, now, need_allow=need) for found in (windows, [*windows, freeze]))
    assert before.open or not after.open
    assert before.opens_at is None or after.opens_at is None or before.opens_at <= after.opens_at
    assert before.opens_at is not None or after.opens_at is None


@settings(max_examples=50, deadline=None)
@given(st.lists(SPECS, max_size=4), NOWS, st.booleans(), st.lists(st.floats(0, 1), max_size=6))
def test_it_opens_when_it_says_and_not_before(
    specs: list[WindowSpec], now: datetime, need: bool, samples: list[float]  # noqa: FBT001
) -> None:  # fmt: skip
    windows = [window(spec) for spec in specs]
    state = state_of(windows, now, need_allow=need)
    assert (state.opens_at == now) is state.open
    if state.opens_at is not None:
        assert state_of(windows, state.opens_at, need_allow=need).open
    end = min(state.opens_at or now + timedelta(days=20), now + timedelta(days=20))
    moments = [now + sample * (end - now) for sample in samples] + [end - timedelta(seconds=1)]
    for sampled in (sampled for sampled in moments if now <= sampled < end):
        assert not state_of(windows, sampled, need_allow=need).open
        if state.changes_at is not None and sampled < state.changes_at:
            same = state_of(windows, sampled, need_allow=need)
            assert (same.freezes, same.changes_at) == (state.freezes, state.changes_at)


def service(namespace: str = "lending", **labels: str) -> ManagedService:
    body = managed(QUICK_STEPS)
    body["metadata"] = {"name": "scoring", "namespace": namespace, "labels": labels}
    return ManagedService.read(body)


@pytest.mark.parametrize(
    ("scope", "namespace", "labels", "expected"),
    [
        (None, "lending", {}, True),
        (WindowScope(), "lending", {}, True),
        (WindowScope(match_labels={"tier": "1"}), "lending", {"tier": "1", "team": "limits"}, True),
        (WindowScope(match_labels={"tier": "1"}), "lending", {"tier": "2"}, False),
        (WindowScope(match_labels={"tier": "1"}), "lending", {}, False),
        (WindowScope(match_labels={"tier": "1", "team": "limits"}), "lending", {"tier": "1"}, False),
        (WindowScope(namespaces=["cards", "lending"]), "lending", {}, True),
        (WindowScope(namespaces=["cards"]), "lending", {}, False),
        (WindowScope(namespaces=["lending"], match_labels={"tier": "1"}), "lending", {"tier": "2"}, False),
    ],
)
def test_scope(scope: WindowScope | None, namespace: str, labels: dict[str, str], expected: bool) -> None:  # noqa: FBT001
    scoped = window(NIGHTS.model_copy(update={"scope": scope}))
    assert applies(scoped, service(namespace, **labels)) is expected


@pytest.mark.parametrize(
    ("then", "zone", "words"),
    [
        ("2026-11-23 22:00", SHANGHAI, "22:00 Asia/Shanghai"),
        ("2026-11-24 00:00", SHANGHAI, "Tue 00:00 Asia/Shanghai"),
        ("2026-11-29 22:00", SHANGHAI, "Sun 22:00 Asia/Shanghai"),
        ("2026-11-30 22:00", SHANGHAI, "2026-11-30 22:00 Asia/Shanghai"),
        ("2026-11-22 22:00", SHANGHAI, "2026-11-22 22:00 Asia/Shanghai"),
        ("2026-11-23 16:30", BERLIN, "16:30 Europe/Berlin"),
        ("2026-11-24 00:30", BERLIN, "Tue 00:30 Europe/Berlin"),
    ],
)
def test_words(then: str, zone: str, words: str) -> None:
    assert moment(at(then, zone), at("2026-11-23 20:00", SHANGHAI), zone) == words


def test_words_without_a_known_zone() -> None:
    assert moment(utc("2026-11-23 22:00"), utc("2026-11-23 20:00"), "Asia/Shangai") == "22:00 UTC"
