"""From when on decisions can be believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from feem.api.service import GuardStatus
from feem.core.guard.since import next_guard

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
GONE = ("ValidatingAdmissionPolicyBinding decisions.feem.dev is missing",)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_it_begins_when_it_is_first_seen() -> None:
    assert next_guard(None, (), A, NOON) == GuardStatus(digest=A, since=NOON)


def test_it_stays_while_nothing_changes() -> None:
    old = GuardStatus(digest=A, since=NOON)
    assert next_guard(old, (), A, at(5)) is old


def test_an_edit_that_was_undone_before_anybody_looked_begins_anew() -> None:
    assert next_guard(GuardStatus(digest=A, since=NOON), (), B, at(5)) == GuardStatus(digest=B, since=at(5))


def test_while_weakened_nothing_is_written_over_and_over() -> None:
    weak = next_guard(GuardStatus(digest=A, since=NOON), GONE, B, at(5))
    assert weak == GuardStatus(digest="", since=at(5))
    assert next_guard(weak, GONE, B, at(6)) is weak
    assert next_guard(weak, GONE, A, at(7)) is weak


def test_back_in_force_begins_anew_even_when_all_is_as_before() -> None:
    weak = GuardStatus(digest="", since=at(5))
    assert next_guard(weak, (), A, at(9)) == GuardStatus(digest=A, since=at(9))


Look = tuple[bool, str]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([A, B])), min_size=1, max_size=20))
def test_no_gap_lies_between_since_and_now(looks: list[Look]) -> None:
    status: GuardStatus | None = None
    for minute, (weak, digest) in enumerate(looks):
        status = next_guard(status, GONE if weak else (), digest, at(minute))
        if weak:
            continue
        first = int((status.since - NOON).total_seconds() // 60)
        assert looks[first : minute + 1] == [(False, digest)] * (minute + 1 - first)
        assert first == 0 or looks[first - 1] != (False, digest)
