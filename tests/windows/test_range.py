"""Windows that come once: exact on ordinary days, on the safe side where clocks are changed."""

from __future__ import annotations

import pytest

from feem.api.window import WindowType
from feem.core.windows.interval import FOREVER, Interval
from feem.core.windows.times import is_over, next_span, span_at
from tests.windows.written import ALLOW, BERLIN, FREEZE, NEW_YORK, SHANGHAI, at, once, utc

BEFORE = utc("2026-01-01 00:00")


@pytest.mark.parametrize(
    ("kind", "start", "end", "zone", "begins", "ends"),
    [
        (ALLOW, "2026-12-31T18:00", "2027-01-02T06:00", SHANGHAI, "2026-12-31 10:00", "2027-01-01 22:00"),
        (ALLOW, "2026-12-31T18:00:30", "2026-12-31T18:01:15", SHANGHAI, "2026-12-31 10:00:30", "2026-12-31 10:01:15"),
        # In the hour that is skipped: the first moment after it, for both.
        (ALLOW, "2026-03-29T02:30", "2026-03-29T05:00", BERLIN, "2026-03-29 01:00", "2026-03-29 03:00"),
        (FREEZE, "2026-03-28T22:00", "2026-03-29T02:30", BERLIN, "2026-03-28 21:00", "2026-03-29 01:00"),
        (FREEZE, "2026-03-08T02:59:59", "2026-03-08T05:00", NEW_YORK, "2026-03-08 07:00", "2026-03-08 09:00"),
        # In the hour that comes twice: a Freeze has both, an Allow neither more than once.
        (FREEZE, "2026-10-25T02:30", "2026-10-25T05:00", BERLIN, "2026-10-25 00:30", "2026-10-25 04:00"),
        (ALLOW, "2026-10-25T02:30", "2026-10-25T05:00", BERLIN, "2026-10-25 01:30", "2026-10-25 04:00"),
        (FREEZE, "2026-10-24T22:00", "2026-10-25T02:30", BERLIN, "2026-10-24 20:00", "2026-10-25 01:30"),
        (ALLOW, "2026-10-24T22:00", "2026-10-25T02:30", BERLIN, "2026-10-24 20:00", "2026-10-25 00:30"),
        (FREEZE, "2026-11-01T01:15", "2026-11-01T01:45", NEW_YORK, "2026-11-01 05:15", "2026-11-01 06:45"),
        (ALLOW, "2026-11-01T01:15", "2026-11-01T01:45", NEW_YORK, "2026-11-01 06:15", "2026-11-01 06:45"),
        # Half an hour on Lord Howe Island.
        (
            *(FREEZE, "2026-10-04T02:15", "2026-10-04T04:00", "Australia/Lord_Howe"),
            *("2026-10-03 15:30", "2026-10-03 17:00"),
        ),
    ],
)
def test_ranges(kind: WindowType, start: str, end: str, zone: str, begins: str, ends: str) -> None:
    spec, expected = once(start, end, zone, kind), Interval(utc(begins), utc(ends))
    assert next_span(spec, BEFORE) == expected
    assert span_at(spec, expected.start) == expected
    assert span_at(spec, expected.end) is None
    assert next_span(spec, expected.start) is None


def test_a_range_in_the_past_is_over() -> None:
    spec, now = once("2025-12-20T00:00", "2026-01-05T00:00"), utc("2026-11-23 12:00")
    assert (span_at(spec, now), next_span(spec, now), is_over(spec, now)) == (None, None, True)
    assert not is_over(once("2026-12-20T00:00", "2027-01-05T00:00"), now)


def test_a_range_beyond_the_horizon_is_not_told_yet() -> None:
    spec, now = once("2030-12-20T00:00", "2031-01-05T00:00"), utc("2026-11-23 12:00")
    assert (next_span(spec, now), is_over(spec, now)) == (None, False)


@pytest.mark.parametrize("zone", [SHANGHAI, NEW_YORK])
def test_until_further_notice(zone: str) -> None:
    """People write the end of the calendar when they mean that there is no end."""
    found = span_at(once("0001-01-01T00:00", "9999-12-31T23:59", zone, FREEZE), at("2026-11-23 12:00", zone))
    assert found is not None
    assert found.end == FOREVER
