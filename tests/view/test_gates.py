"""Gates, approvals and sign-offs as people see them."""

from __future__ import annotations

from typing import Any

import pytest

from feem.api.release import GateOutcome
from feem.view.explanation import explain, one_line
from feem.view.gates import gate_rows, head_rows
from feem.view.gather import ReleaseBodies, release_tree
from feem.view.release import ReleaseTree
from feem.view.tree import style_of
from tests.view import bodies as at
from tests.view.test_rendering import text_of


def tree(body: dict[str, Any], **around: Any) -> ReleaseTree:
    known: dict[str, Any] = {
        "service": at.service(),
        "deployment": at.deployment(),
        "replica_sets": (at.replica_set("6b4f", "1.0", ready=3, desired=3),),
        "route": at.route(),
        **around,
    }
    return release_tree(ReleaseBodies(release=body, **known), at.NOW)


APPROVE = 'feem approve limit-scoring-4 -n lending --role risk --reason "…"'


def test_a_waiting_release_names_its_gates_and_what_opens_each() -> None:
    view = tree(at.waiting())
    assert view.doing == (
        "The change is held by 2 gates: two-roles and night; the stable version answers every request."
    )
    assert view.why == at.SUMMARY
    assert view.next_step == (
        "It goes on by itself as soon as every gate is open: two-roles needs an approval of role risk; "
        "night: the next window opens 22:00 Asia/Shanghai."
    )
    assert view.act[0] == (APPROVE, "if you hold role risk")
    assert [command.split()[1] for command, _ in view.act] == ["approve", "abort", "watch"]
    assert one_line(view) == f"Waiting 0/3: {at.SUMMARY}"
    assert style_of(view.state, view.result) == "yellow"


def test_the_tree_shows_every_gate_between_steps_and_objectives() -> None:
    skipped = at.gate("lead", "Skipped", "BreakGlass", "skipped until 12:00 UTC by BreakGlass d-1")
    text = text_of(tree(at.waiting(gates=[*at.GATES, skipped])), width=200)
    assert (
        """\
├── Gates
│   └── ✔ freeze     Request  no change freeze is open
│       ◐ two-roles  Start    1 of 2 approvals, by product-owner (product); role risk: whoever has verb approve on"""
        in text
    )
    assert "│       ◐ night      Start    the next window opens 22:00 Asia/Shanghai\n" in text
    assert "│       ↷ lead       Start    skipped until 12:00 UTC by BreakGlass d-1\n├── Objectives" in text
    assert text.index("├── Steps") < text.index("├── Gates")


def test_the_head_shows_author_profile_mode_and_what_an_approval_names() -> None:
    text = text_of(tree(at.waiting()))
    assert "asked by  release-pipeline, 3m20s ago\nauthor    team-dev (as the change itself says)\n" in text
    assert "profile   standard, mode Enforce\ndigest    sha256:4f4f4f4f4f4f4f4f (what an approval names)\n" in text


def test_a_release_without_a_profile_shows_none_of_it() -> None:
    text = text_of(tree(at.release(conditions=at.running("Baking"), step=1, weight=10)))
    assert not {"profile", "digest", "author", "sign-off", "Gates"} & set(text.split())


@pytest.mark.parametrize(
    ("step", "blocking"),
    [(0, ["start"]), (1, ["start", "step"]), (2, ["start", "step"]), (3, ["start", "step", "last"])],
)
def test_only_the_gates_of_the_next_stage_block(step: int, blocking: list[str]) -> None:
    gates = [
        at.gate(name, "Holding", "TicketMissing", "no ticket", stage)
        for name, stage in (("start", "Start"), ("step", "Step"), ("last", "Promotion"))
    ]
    view = tree(at.waiting(gates=gates, step=step, weight=10 * step, progress=f"{step}/3"))
    assert [gate.name for gate in view.compliance.blocking] == blocking
    assert ("held by gate start;" in view.doing) == (step == 0)
    assert step == 0 or view.doing.startswith(f"Step {step} of 3 is kept at {step * 10}%: what comes next is held by")


def test_gates_of_later_stages_are_told_where_only_they_hold() -> None:
    """A person who skips the bakes meets the gates of the promotion at once."""
    gates = [at.gate("last", "Holding", "TicketMissing", "no ticket", "Promotion")]
    assert [gate.name for gate in tree(at.waiting(gates=gates)).compliance.blocking] == ["last"]


def test_in_the_promotion_it_says_so() -> None:
    view = tree(at.waiting(step=4, weight=100, progress="promotion at 100%"))
    assert view.doing.startswith("The promotion is kept at 100%: what comes next is held by 2 gates")


def test_a_release_that_waits_for_something_else_says_what() -> None:
    conditions = at.running("Waiting", "HTTPRoute limit-scoring does not exist", going=False)
    view = tree(at.release(conditions=conditions))
    assert view.doing == "The release waits: something it needs is not there."
    assert view.why == "HTTPRoute limit-scoring does not exist"
    assert view.next_step == "It goes on by itself as soon as that is mended."
    assert [command.split()[1] for command, _ in view.act] == ["pause", "promote", "abort", "watch"]


def test_a_debt_of_another_release_is_paid_there() -> None:
    message = (
        "Release limit-scoring-3 broke the glass (d-1) and was not reviewed: whoever has verb signoff on "
        "approvalroles/compliance, but not release-pipeline, runs "
        'kubectl feem sign-off limit-scoring-3 -n lending --role compliance --reason "…"'
    )
    view = tree(at.waiting(gates=[at.gate("debt", "Holding", "ReviewOwed", message, "Request")]))
    assert view.act[0] == (
        'feem sign-off limit-scoring-3 -n lending --role compliance --reason "…"',
        "as compliance: what Release limit-scoring-3 owes",
    )
    assert "debt: Release limit-scoring-3 broke the glass" in view.next_step


def test_the_same_command_is_offered_once() -> None:
    gates = [at.gate(name, "Holding", "ApprovalsMissing", at.MISSING) for name in ("one", "two")]
    assert [command for command, _ in tree(at.waiting(gates=gates)).act].count(APPROVE) == 1


def test_the_explanation_says_each_gate_its_reason_and_what_the_word_means() -> None:
    refused = at.condition("Applied", "False", "OwnApproval", "somebody else has to approve it")
    mine = at.decision("Approve", "team-dev", applied=refused)
    mine["spec"].update(role="product", digest=at.BINDING)
    text = explain(tree(at.waiting(), decisions=(mine,)))
    assert text.startswith("release-pipeline, for team-dev, changed Deployment limit-scoring in lending")
    assert "It is under ComplianceProfile standard, an approval allows sha256:4f4f4f4f4f4f4f4f." in text
    assert f"Gate two-roles (Start) holds, ApprovalsMissing: {at.MISSING}." in text
    assert "Gates passed: freeze." in text
    assert "Approve by team-dev as product does not count, OwnApproval: somebody else has to approve it." in text
    assert "In other words:\n  ApprovalsMissing: fewer people than the profile asks for have approved" in text
    assert "  OwnApproval: whoever asked for a change or wrote it does not approve it." in text


def observed(*gates: dict[str, Any], said: str) -> dict[str, Any]:
    body = at.waiting(conditions=at.over("Observed", said), completedAt=at.stamp(1), gates=list(gates))
    body["spec"]["mode"] = "Observe"
    return body


def test_an_observed_change_says_what_would_have_held_it() -> None:
    view = tree(observed(*at.GATES, said=f"it goes live by itself; it would have been held: {at.SUMMARY}"))
    assert view.doing == (
        "Mode is Observe: the change of Deployment limit-scoring goes live by itself; FEEM writes down what it thinks of it."
    )
    assert view.why == f"it goes live by itself; it would have been held: {at.SUMMARY}"
    assert view.next_step == "Nothing: nothing is held while the service's mode is Observe."
    assert view.act == ()
    assert "Release limit-scoring-4 brings app to feem.example/limit-scoring:2.0; nothing was held." in explain(view)
    text = text_of(view)
    assert "profile   standard, mode Observe: nothing is held" in text
    assert "traffic" not in text
    assert "Gate night (Start) would have held, WindowClosed: the next window opens" in explain(view)


def ended(result: str = "Promoted", *, signed: bool = False, **duty: Any) -> ReleaseTree:
    paid = at.condition("SignedOff", str(signed), "SignedOff", "product-owner (product) signed it off: all well")
    conditions = [*at.over(result, "all 3 pods"), paid]
    return tree(at.governed(at.release(conditions=conditions, completedAt=at.stamp(60), signOff=at.duty(**duty))))


SIGN_OFF = 'feem sign-off limit-scoring-4 -n lending --role product --reason "…"'


@pytest.mark.parametrize(
    ("duty", "next_step", "head"),
    [
        (
            {},
            (
                "Somebody of role product, but not release-pipeline, has to sign it off until 2026-03-03 09:30 UTC, in 1d; "
                "the next release of limit-scoring is held once it is overdue."
            ),
            "sign-off  product until 2026-03-03 09:30 UTC, in 1d",
        ),
        (
            {"due": 7200},
            (
                "Somebody of role product, but not release-pipeline, has to sign it off; it was due 2026-03-02 07:30 UTC, "
                "and the next release of limit-scoring is held until then."
            ),
            "sign-off  product since 2026-03-02 07:30 UTC: overdue by 2h",
        ),
        (
            {"emergency": "d-1"},
            (
                "Somebody of role product, but not release-pipeline, has to review the emergency until 2026-03-03 09:30 UTC, "
                "in 1d; the next release of limit-scoring is held until then."
            ),
            "sign-off  product, for the emergency d-1, until 2026-03-03 09:30 UTC, in 1d",
        ),
    ],
)
def test_what_is_owed_after_the_end_is_the_next_step(duty: dict[str, Any], next_step: str, head: str) -> None:
    view = ended(**duty)
    assert view.next_step == next_step
    assert view.act[0][0] == SIGN_OFF
    assert head in text_of(view)


def test_only_what_is_overdue_is_red() -> None:
    for due, style in ((7200, "red"), (0, "red"), (-1, "yellow")):
        view = ended(due=due)
        rows = dict(head_rows(view.compliance, at.NOW, ended=True))
        assert rows["sign-off"].style == style


def test_a_rolled_back_emergency_is_reviewed_as_well() -> None:
    view = ended("RolledBack", emergency="d-1")
    assert [command.split()[1] for command, _ in view.act] == ["sign-off", "retry", "apply"]


def test_what_is_signed_off_is_told_and_not_asked_again() -> None:
    view = ended(signed=True)
    assert view.next_step == "Nothing: it is over."
    assert view.act == ()
    assert "sign-off  done: product-owner (product) signed it off: all well" in text_of(view)
    assert "digest" not in text_of(view)


def test_the_record_is_kept_until_a_day() -> None:
    body = at.waiting(retainUntil="2033-03-02T09:30:00Z")
    assert "kept      until 2033-03-02 09:30 UTC" in text_of(tree(body))


def test_decisions_name_their_role() -> None:
    vote = at.decision("Approve", "product-owner", applied=at.condition("Applied", "True", "Applied", "it counts"))
    vote["spec"].update(role="product", digest=at.BINDING)
    assert "Approve  by product-owner as product  20s ago" in text_of(tree(at.waiting(), decisions=(vote,)))


def test_what_a_person_may_not_read_is_a_note_not_a_loss() -> None:
    view = tree(
        at.waiting(),
        deployment=None,
        route=None,
        unreadable=("deployments.apps", "httproutes.gateway.networking.k8s.io"),
    )
    (note,) = view.warnings
    assert note.startswith("you may not read deployments.apps, httproutes.gateway.networking.k8s.io here")


def test_a_gate_row_has_sign_stage_and_message() -> None:
    signs = {gate.outcome: row[0].plain[0] for gate, row in _rows()}
    assert signs == {GateOutcome.PASSED: "✔", GateOutcome.HOLDING: "◐", GateOutcome.SKIPPED: "↷"}


def _rows() -> list[Any]:
    skipped = at.gate("lead", "Skipped", "BreakGlass", "skipped")
    compliance = tree(at.waiting(gates=[*at.GATES, skipped])).compliance
    return list(zip(compliance.gates, gate_rows(compliance), strict=True))
