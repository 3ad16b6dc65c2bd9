"""What an ended release owes, who may pay it, and how long its record stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from feem.api.release import ReleaseStatus, SignOffDuty
from feem.core.gates.closure import close, owed
from feem.core.gates.facts import GateFacts, Guard
from feem.core.gates.result import Closure, Reliance
from tests.gates import cases as at
from tests.gates.cases import Act, break_glass, ended, sign_off

DAY = 86400
SIGN_OFF = at.gate("signOff", stage="Closure", role="product", withinDays=5)
RULES = {"breakGlass": {"skips": ["freeze"], "signOffRole": "compliance", "signOffWithinDays": 2}}
GLASS = break_glass(name="fire", ago=3900, expires_in=3000)


def over(*gates: dict[str, Any], status: ReleaseStatus, acts: list[Act] | None = None, **facts: Any) -> GateFacts:
    return at.picture(*gates, status=status, acts=acts or [], rules=RULES, **facts)


@pytest.mark.parametrize(
    ("how", "gates", "acts", "traffic", "role", "emergency", "days"),
    [
        ("Promoted", [SIGN_OFF], [], True, "product", "", 5),
        ("RolledBack", [SIGN_OFF], [], True, "", "", 0),
        ("Aborted", [SIGN_OFF], [], True, "", "", 0),
        ("Superseded", [SIGN_OFF], [], False, "", "", 0),
        ("Promoted", [at.gate("data")], [], True, "", "", 0),
        ("Promoted", [at.gate("data")], [GLASS], True, "compliance", "fire", 2),
        ("Promoted", [SIGN_OFF], [GLASS], True, "compliance", "fire", 2),
        ("RolledBack", [SIGN_OFF], [GLASS], True, "compliance", "fire", 2),
        ("RolledBack", [SIGN_OFF], [GLASS], False, "", "", 0),
        ("Aborted", [SIGN_OFF], [break_glass(ago=60)], True, "", "", 0),
        ("Promoted", [SIGN_OFF], [break_glass(ago=60)], True, "product", "", 5),
        ("Promoted", [at.gate("signOff", stage="Closure", role="product", withinDays=1)], [GLASS], True, "compliance", "fire", 1),
        ("Promoted", [SIGN_OFF, at.gate("signOff", "second", "Closure", role="risk", withinDays=3)], [], True, "risk", "", 3),
    ],
)  # fmt: skip
def test_what_is_owed(
    *,
    how: str,
    gates: list[dict[str, Any]],
    acts: list[Act],
    traffic: bool,
    role: str,
    emergency: str,
    days: int,
) -> None:
    found = close(over(*gates, status=ended(how, traffic=traffic), acts=acts))
    if not role:
        assert found == Closure()
        return
    assert found.duty is not None
    assert (found.duty.role, found.duty.emergency) == (role, emergency)
    assert found.duty.due == at.NOW - timedelta(hours=1) + timedelta(days=days)
    assert found.duty.not_by == ([at.PIPELINE, "on-call"] if emergency else [at.PIPELINE])
    assert found.reason == ("ReviewOwed" if emergency else "SignOffDue")
    assert not found.signed
    assert f"--role {role}" in found.message
    assert "kubectl feem sign-off scoring-4 -n lending" in found.message


def test_an_open_release_owes_nothing() -> None:
    assert close(over(SIGN_OFF, status=ended().model_copy(update={"conditions": []}))) == Closure()
    assert close(at.picture(SIGN_OFF)) == Closure()


def test_the_author_takes_part_too() -> None:
    duty = close(over(SIGN_OFF, status=ended(), spec={"author": at.AUTHOR})).duty
    assert duty is not None
    assert duty.not_by == [at.PIPELINE, at.AUTHOR]


def test_an_emergency_is_reviewed_even_when_its_profile_is_gone() -> None:
    facts = over(SIGN_OFF, status=ended("RolledBack"), acts=[GLASS], profile=None)
    duty = close(facts).duty
    assert duty is not None
    assert (duty.role, duty.emergency) == ("compliance", "fire")


def test_a_duty_stays_as_it_was_written() -> None:
    duty = SignOffDuty(role="committee", due=at.later(99), not_by=["somebody"])
    facts = over(SIGN_OFF, status=ended(duty=duty))
    assert close(facts).duty == duty
    assert close(replace(facts, profile=None)).duty == duty


@pytest.mark.parametrize(("ago", "reason"), [(5 * DAY - 1, "SignOffDue"), (5 * DAY, "SignOffOverdue")])
def test_it_becomes_overdue(ago: float, reason: str) -> None:
    assert close(over(SIGN_OFF, status=ended(ago=ago))).reason == reason


def test_an_emergency_is_owed_at_once_and_stays_so() -> None:
    late = break_glass(name="fire", ago=9 * DAY + 60, expires_in=-9 * DAY)
    assert close(over(SIGN_OFF, status=ended(ago=9 * DAY), acts=[late])).reason == "ReviewOwed"


@pytest.mark.parametrize(
    ("act", "changes", "why"),
    [
        (sign_off("product-owner", "product"), {}, ""),
        (sign_off("product-owner", "product", 3600), {}, ""),
        (sign_off("product-owner", "risk"), {}, "signed off as risk"),
        (sign_off(at.PIPELINE, "product"), {}, "took part in the release"),
        (sign_off(at.AUTHOR, "product"), {"spec": {"author": at.AUTHOR}}, "took part in the release"),
        (sign_off("product-owner", "product", 3601), {}, "before the release had ended"),
        (sign_off("product-owner", "product"), {"guard": Guard(since=at.NOW)}, "policies were not in force"),
        (sign_off("product-owner", "product"), {"lost": frozenset({("product-owner", "signoff", "product")})}, "hold the role"),
        (sign_off("product-owner", "product"), {"lost": frozenset({("product-owner", "approve", "product")})}, ""),
        (sign_off("product-owner", "product", release="scoring-3"), {}, "-"),
        (at.approve("product-owner", "product"), {}, "-"),
    ],
)  # fmt: skip
def test_who_pays(act: Act, changes: dict[str, Any], why: str) -> None:
    found = close(over(SIGN_OFF, status=ended(), acts=[replace(act, name="paper")], **changes))
    assert found.signed == (not why)
    if not why:
        assert found.reason == "SignedOff"
        assert "product-owner (product) signed it off: looked at it" in found.message
        assert found.relies_on == (Reliance("paper", "product-owner", ("staff",), "signoff", "product"),)
    else:
        assert found.relies_on == ()
        assert found.reason == "SignOffDue"
        assert why == "-" or why in found.message


def test_who_broke_the_glass_does_not_review_it() -> None:
    facts = over(SIGN_OFF, status=ended(), acts=[GLASS, sign_off("on-call", "compliance")])
    assert not close(facts).signed
    assert "on-call took part" in close(facts).message
    written = SignOffDuty(role="compliance", due=at.later(9), emergency="fire", not_by=[])
    again = over(SIGN_OFF, status=ended(duty=written), acts=[GLASS, sign_off("on-call", "compliance")])
    assert not close(again).signed
    other = over(SIGN_OFF, status=ended(), acts=[GLASS, sign_off("reviewer", "compliance")])
    assert close(other).signed


def test_what_was_signed_off_stays_so() -> None:
    duty = SignOffDuty(role="product", due=at.later(-9), not_by=[])
    found = close(over(SIGN_OFF, status=ended(duty=duty, signed=True), guard=Guard(since=at.NOW)))
    assert (found.signed, found.reason, found.relies_on) == (True, "SignedOff", ())


def test_a_sign_off_between_promotion_and_clean_up_counts() -> None:
    status = ended(promoted_at=at.NOW - timedelta(seconds=900), completed_at=at.NOW - timedelta(seconds=300))
    found = close(over(SIGN_OFF, status=status, acts=[sign_off("product-owner", "product")]))
    assert found.signed
    assert found.duty is not None
    assert found.duty.due == at.later(-300) + timedelta(days=5)


@pytest.mark.parametrize(
    ("days", "before", "expected"),
    [
        ([], None, None),
        ([], 60, 60),
        ([10], None, 10 * DAY - 3600),
        ([10, 30, 20], None, 30 * DAY - 3600),
        ([10], 60 * DAY, 60 * DAY),
        ([10], 60, 10 * DAY - 3600),
    ],
)
def test_the_record_stays_as_long_as_was_ever_said(
    days: list[int], before: float | None, expected: float | None
) -> None:
    gates = [at.gate("retention", f"keep-{number}", "Closure", days=number) for number in days] or [at.gate("data")]
    status = ended("RolledBack", retain_until=at.later(before) if before is not None else None)
    found = close(over(*gates, status=status)).retain_until
    assert found == (at.later(expected) if expected is not None else None)


def test_what_is_owed_is_told_emergencies_first() -> None:
    def sibling(name: str, due: float, emergency: str = "", *, signed: bool = False) -> Any:
        duty = SignOffDuty(role="product", due=at.later(due), emergency=emergency)
        return at.release(None, at.service(None), name=name, status=ended(duty=duty, signed=signed))

    siblings = [sibling("a", 60), sibling("b", -60), sibling("c", 99, "fire"), sibling("d", 1, signed=True)]
    debts = owed(siblings, at.NOW)
    assert [(debt.release.metadata.name, debt.holds) for debt in debts] == [("c", True), ("b", True), ("a", False)]
