"""What can never count is turned down at once, with the next step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feem.api.decision import Verb
from feem.api.release import Release, SignOffDuty
from feem.core.gates.binding import binding_of
from feem.core.gates.reply import reply_to
from tests.gates import cases as at
from tests.gates.cases import Act, approve, break_glass, reject, sign_off

RULES = {"breakGlass": {"skips": ["freeze", "approvals"], "maxSeconds": 3600, "signOffRole": "compliance"}}
PROFILE = at.profile(at.approvals(("risk", 1), ("product", 1)), **RULES)
STRICT = at.profile(at.approvals(("risk", 1)))
LOOSE = at.profile(at.gate("data"))
RELEASE = at.release(PROFILE, at.service())
WRITTEN = at.release(PROFILE, at.service(), author=at.AUTHOR)
NO_PROFILE = at.release(None, at.service(None))
OVER = at.release(PROFILE, at.service(), status=at.ended("RolledBack"))
DUTY = SignOffDuty(role="product", due=at.later(60), not_by=["on-call"])
OWING = at.release(PROFILE, at.service(), status=at.ended(duty=DUTY))
PAID = at.release(PROFILE, at.service(), status=at.ended(duty=DUTY, signed=True))
DAY = 86400


def answer(act: Act, release: Release | None, profile: Any = PROFILE, siblings: tuple[Release, ...] = ()) -> Any:
    binding = binding_of(release, profile) if release is not None else ""
    return reply_to(act.decision(binding), release, binding, siblings, profile)


@pytest.mark.parametrize(
    ("act", "release", "reason", "words"),
    [
        (approve("risk-officer", "risk"), RELEASE, "Applied", "counts for Release scoring-4"),
        (reject("risk-officer", "risk"), RELEASE, "Applied", "until risk-officer approves it as risk"),
        (reject(at.PIPELINE, "risk"), RELEASE, "Applied", "held"),
        (reject("risk-officer", "risk", digest=""), RELEASE, "Applied", "held"),
        (break_glass(), RELEASE, "Applied", "skips freeze and approvals until 2026-03-02 10:20 UTC"),
        (break_glass(at.PIPELINE), RELEASE, "Applied", "owes a review"),
        (sign_off("product-owner", "product"), OWING, "Applied", "signs Release scoring-4 off"),
        (approve("risk-officer", "risk"), None, "ReleaseNotFound", "kubectl get rel"),
        (sign_off("risk-officer", "risk"), None, "ReleaseNotFound", "kubectl get rel"),
        (approve("risk-officer", "risk"), OVER, "ReleaseEnded", "RolledBack"),
        (reject("risk-officer", "risk"), OVER, "ReleaseEnded", "RolledBack"),
        (break_glass(), OVER, "ReleaseEnded", "RolledBack"),
        (approve(at.PIPELINE, "risk"), RELEASE, "OwnApproval", "somebody else has to approve it as risk"),
        (approve(at.AUTHOR, "risk"), WRITTEN, "OwnApproval", "somebody else"),
        (approve("risk-officer", "risk", digest=at.SHA), RELEASE, "ApprovedSomethingElse", "kubectl feem explain scoring-4"),
        (approve("risk-officer", "risk", digest=""), RELEASE, "ApprovedSomethingElse", "approve it again"),
        (approve("risk-officer", "risk", 11 * DAY), RELEASE, "ApprovedBeforeRequest", "requested after"),
        (approve("tester", "test"), RELEASE, "RoleNotAsked", "asks for risk and product"),
        (reject("tester", "test"), RELEASE, "RoleNotAsked", "asks for risk and product"),
        (approve("risk-officer", "risk", 600, expires_in=-600), RELEASE, "ApprovalExpired", "later expiresAt"),
        (approve("risk-officer", "risk"), NO_PROFILE, "NotForeseen", "no profile"),
        (break_glass(), NO_PROFILE, "NotForeseen", "no profile"),
        (break_glass(digest=at.SHA), RELEASE, "ApprovedSomethingElse", "break the glass again"),
        (break_glass(ago=11 * DAY), RELEASE, "ApprovedBeforeRequest", "requested after"),
        (break_glass(ago=0, expires_in=3600), RELEASE, "Applied", "until 2026-03-02 10:30"),
        (break_glass(ago=0, expires_in=3601), RELEASE, "ExpiryTooFar", "60 minutes at most"),
        (break_glass(ago=0, expires_in=0), RELEASE, "ExpiryMissing", "expiresAt"),
        (break_glass(expires_in=None), RELEASE, "ExpiryMissing", "expiresAt"),
        (sign_off("product-owner", "product"), RELEASE, "StillRunning", "when it has ended"),
        (sign_off("product-owner", "product"), OVER, "NothingOwed", "owes no sign-off"),
        (sign_off("product-owner", "product"), PAID, "NothingOwed", "signed off already"),
        (sign_off("risk-officer", "risk"), OWING, "RoleNotAsked", "as product, not as risk"),
        (sign_off("on-call", "product"), OWING, "OwnSignOff", "somebody else has to sign it off as product"),
        (sign_off(at.PIPELINE, "product"), OWING, "OwnSignOff", "took part"),
    ],
)  # fmt: skip
def test_reply(act: Act, release: Release | None, reason: str, words: str) -> None:
    counts, word, message = answer(act, release)
    assert (counts, word) == (reason == "Applied", reason)
    assert words in message


def test_where_the_profile_lists_nothing_the_glass_stays_whole() -> None:
    made = at.release(STRICT, at.service())
    assert answer(break_glass(), made, STRICT)[:2] == (False, "NotForeseen")


def test_where_nothing_asks_for_approvals_nobody_approves() -> None:
    counts, reason, message = answer(approve("risk-officer", "risk"), at.release(LOOSE, at.service()), LOOSE)
    assert (counts, reason) == (False, "RoleNotAsked")
    assert "asks for no approvals" in message


@pytest.mark.parametrize("act", [approve("anybody", "anything"), break_glass(), reject("anybody", "anything")])
def test_without_knowing_the_profile_the_gates_decide_later(act: Act) -> None:
    assert answer(act, RELEASE, None)[:2] == (True, "Applied")


def test_who_signs_off_the_wrong_release_is_told_of_the_right_one() -> None:
    sibling = at.release(PROFILE, at.service(), name="scoring-3", status=at.ended(duty=DUTY))
    message = answer(sign_off("product-owner", "product"), OVER, siblings=(sibling,))[2]
    assert "owed by scoring-3" in message


@pytest.mark.parametrize("act", [approve("risk-officer", "risk"), break_glass(), reject("risk-officer", "risk")])
def test_what_is_not_stored_yet_is_answered_all_the_same(act: Act) -> None:
    binding = binding_of(RELEASE, PROFILE)
    made = act.decision(binding)
    young = made.model_copy(update={"metadata": made.metadata.model_copy(update={"creation_timestamp": None})})
    assert reply_to(young, RELEASE, binding, (), PROFILE)[0]


def test_what_is_turned_down_never_counts_at_the_gates_either() -> None:
    acts = [
        approve(at.PIPELINE, "risk"),
        approve("risk-officer", "risk", digest=at.SHA),
        approve("risk-officer", "risk", 11 * DAY),
        approve("risk-officer", "test"),
        break_glass(ago=0, expires_in=3601),
        replace(break_glass(), digest=at.SHA),
    ]
    facts = at.picture(at.approvals(("risk", 1)), acts=acts, rules=RULES)
    assert at.holding(facts) == ["approvals"]
    for act in acts:
        assert act.verb in (Verb.APPROVE, Verb.BREAK_GLASS)
        assert not reply_to(
            act.decision(binding_of(facts.release, facts.profile)),
            facts.release,
            binding_of(facts.release, facts.profile),
            (),
            facts.profile,
        )[0]
