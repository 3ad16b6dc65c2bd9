"""What cannot be used is found when it is read, and raises nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.api.window import WindowSpec, WindowType
from feem.core.windows.problem import problem_with
from feem.core.windows.state import state_of
from feem.core.windows.times import is_over, next_span, span_at
from tests.windows.written import ALLOW, BERLIN, FREEZE, SHANGHAI, cron, days, once, utc, window

NOW = utc("2026-11-23 12:00")
NO_TIME = WindowSpec(type=ALLOW, reason="nothing", time_zone=BERLIN)
BAD = [
    (cron("0 22 * * *", 60, "Asia/Shangai"), "UnknownTimeZone", "write e.g. Asia/Shanghai"),
    (cron("0 22 * * *", 60, "America"), "UnknownTimeZone", "America is not an IANA time zone"),
    (cron("0 22 * * *", 60, "/etc/passwd"), "UnknownTimeZone", "write e.g."),
    (cron("0 22 * * *", 60, "localtime"), "UnknownTimeZone", "write e.g."),
    (cron("0 25 * * *", 60), "BadCron", "Bad hour"),
    (cron("0 0 * * 8", 60), "BadCron", "Bad day-of-week"),
    (cron("0 0 32 2 *", 60), "BadCron", "Bad day-of-month"),
    (cron("0 0 30 13 *", 60), "BadCron", "cannot be read"),
    (cron("30 0 22 * * *", 60), "BadCron", "has 6 fields"),
    (cron("@midnight", 60), "BadCron", "has 1 fields"),
    (cron("0 0 30 2 *", 60), "NeverOccurs", "choose one that exists"),
    (cron("0 0 31 4,6,9,11 *", 60), "NeverOccurs", "choose one that exists"),
    (once("2026-02-30T00:00", "2026-03-01T00:00"), "BadRange", "2026-02-30T00:00"),
    (once("2026-02-27T24:00", "2026-03-01T00:00"), "BadRange", "is not between two dates"),
    (once("2026-02-28T10:00", "2026-02-28T10:00:00"), "NeverOccurs", "later than the start"),
    (once("2026-03-29T02:15", "2026-03-29T02:45"), "NeverOccurs", "no time in Europe/Berlin"),
    (days("PublicHolidays", country="XX"), "UnknownCountry", "CN or DE-HE"),
    (days("PublicHolidays", country="CN-SH"), "UnknownCountry", "write CN"),
    (days("Weekends", country="DE-XX"), "UnknownCountry", "one of DE-BB, "),
    (NO_TIME, "NoTime", "exactly one of"),
]


@pytest.mark.parametrize(("spec", "reason", "words"), BAD)
def test_problems(spec: WindowSpec, reason: str, words: str) -> None:
    found = problem_with(spec)
    assert found is not None
    assert found[0] == reason
    assert words in found[1]
    assert span_at(spec, NOW) is None
    assert next_span(spec, NOW) is None
    assert not is_over(spec, NOW)


@pytest.mark.parametrize("spec", [spec for spec, _, _ in BAD])
def test_what_cannot_be_used_is_on_the_safe_side(spec: WindowSpec) -> None:
    freeze, allow = (window(spec.model_copy(update={"type": kind})) for kind in (FREEZE, ALLOW))
    frozen = state_of([freeze], NOW, need_allow=False)
    assert (frozen.open, frozen.freezes, frozen.opens_at, frozen.changes_at) == (False, (freeze,), None, None)
    closed = state_of([allow], NOW, need_allow=True)
    assert (closed.open, closed.allow, closed.has_allow, closed.opens_at) == (False, False, True, None)


@pytest.mark.parametrize(
    "spec",
    [
        cron("0 22 * * mon-fri", 60, "UTC"),
        cron("0 22 29 2 *", 60, SHANGHAI),
        cron("0 22 30 2 MON", 60),  # cron's OR: each Monday in February
        cron("0 22 * 2 MON#5", 60),
        cron("0 22 LW * *", 60, "Etc/GMT+8"),
        days("PublicHolidays", country="DE-HE"),
        days("Weekends"),
    ],
)
def test_fine(spec: WindowSpec) -> None:
    assert problem_with(spec) is None


@settings(max_examples=200, deadline=None)
@given(st.text("0123456789*/,-#LW MONTUE\t", min_size=9, max_size=30))
def test_no_expression_raises(expression: str) -> None:
    for kind in (ALLOW, FREEZE):
        spec = cron(expression, 3600, kind=kind)
        assert state_of([window(spec)], NOW, need_allow=kind is WindowType.ALLOW).open in (True, False)


@settings(max_examples=80, deadline=None)
@given(st.from_regex(r"\A\d{4}-\d{2}-\d{2}T\d{2}:\d{2}\Z"), st.from_regex(r"\A[A-Za-z0-9_+/-]{1,64}\Z"))
def test_no_range_and_no_zone_raises(start: str, zone: str) -> None:
    for spec in (
        once(start, "9999-12-31T00:00"),
        once("0000-01-01T00:00", start),
        once("2026-01-01T00:00", start, zone),
    ):
        assert state_of([window(spec)], NOW, need_allow=True).has_allow
