"""Acts in a role: shown first, bound to what was shown, and every no told with its next step."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from feem.api.decision import Verb
from feem.cli import allow as module
from feem.cli.app import app
from feem.cli.problem import Denied, Forbidden, Problem, Unreachable
from feem.cli.span import expiry, moment, span
from tests.cli.fake import FakeCluster
from tests.view import bodies as at

NAME = "limit-scoring-4"


@pytest.fixture
def waiting(cluster: FakeCluster) -> FakeCluster:
    cluster.add("releases.feem.dev", at.waiting())
    cluster.add("complianceprofiles.feem.dev", at.profile())
    return cluster


def owing(cluster: FakeCluster, **duty: Any) -> None:
    conditions = [*at.over("Promoted", "all 3 pods"), at.condition("SignedOff", "False", "SignOffDue")]
    cluster.add(
        "releases.feem.dev",
        at.governed(at.release(conditions=conditions, completedAt=at.stamp(60), signOff=at.duty(**duty))),
    )


def run(*words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--wait", "0"], catch_exceptions=False)


def spec_of(cluster: FakeCluster) -> dict[str, Any]:
    (body,) = cluster.created
    spec: dict[str, Any] = body["spec"]
    return spec


def test_an_approval_shows_what_it_allows_and_names_it(waiting: FakeCluster) -> None:
    done = run("approve", NAME, "--role", "risk", "--reason", "looked at the plan")
    assert done.exit_code == 0
    assert done.output == (
        f"""\
About to approve Release lending/limit-scoring-4 as risk, by risk-officer:
  image     app: feem.example/limit-scoring:2.0
  asked by  release-pipeline
  author    team-dev (as the change itself says)
  ticket    PAY-12
  profile   standard
  holding   two-roles (Start): {at.MISSING}
  holding   night (Start): the next window opens 22:00 Asia/Shanghai
  digest    {at.BINDING}
Approve of Release lending/limit-scoring-4 by risk-officer as risk: decided (limit-scoring-4-approve-x7k2p)
"""
    )
    assert spec_of(waiting) == {
        "release": NAME,
        "verb": "Approve",
        "reason": "looked at the plan",
        "by": "risk-officer",
        "groups": ["risk-officers", "system:authenticated"],
        "role": "risk",
        "digest": at.BINDING,
    }


@pytest.mark.parametrize(
    ("option", "until"),
    [(["--for", "30m"], "2026-03-02T10:00:00Z"), (["--until", "2026-03-03T18:00+08:00"], "2026-03-03T10:00:00Z")],
)
def test_an_approval_may_end_by_itself(waiting: FakeCluster, option: list[str], until: str) -> None:
    done = run("approve", NAME, "--role", "risk", "--reason", "ok", *option)
    assert spec_of(waiting)["expiresAt"] == until
    assert "counts    until 2026-03-0" in done.output


def test_an_expiry_is_measured_by_the_api_servers_clock(waiting: FakeCluster) -> None:
    waiting.now = at.NOW + timedelta(days=400)
    run("approve", NAME, "--role", "risk", "--reason", "ok", "--for", "1h")
    assert spec_of(waiting)["expiresAt"] == "2027-04-06T10:30:00Z"


@pytest.mark.parametrize("length", [71, 30, 23])
def test_a_person_can_insist_on_what_they_saw(waiting: FakeCluster, length: int) -> None:
    assert run("approve", NAME, "--role", "risk", "--reason", "ok", "--digest", at.BINDING[:length]).exit_code == 0
    assert spec_of(waiting)["digest"] == at.BINDING


def test_what_was_edited_since_it_was_seen_is_not_approved(waiting: FakeCluster) -> None:
    seen = "sha256:" + "4e" * 32
    with pytest.raises(Problem, match=f"you saw {seen}, now it is {at.BINDING}") as problem:
        run("approve", NAME, "--role", "risk", "--reason", "ok", "--digest", seen)
    assert problem.value.next_step == "look at it again: feem get limit-scoring-4 -n lending"
    assert waiting.created == []


def test_a_digest_that_is_too_short_proves_nothing(waiting: FakeCluster) -> None:
    with pytest.raises(Problem, match="it is too short: 23 characters at least"):
        run("approve", NAME, "--role", "risk", "--reason", "ok", "--digest", at.BINDING[:22])
    assert waiting.created == []


def test_before_feem_has_said_what_it_allows_nothing_is_approved(waiting: FakeCluster) -> None:
    waiting.add("releases.feem.dev", at.waiting(binding=""))
    with pytest.raises(Problem, match=r"FEEM has not said yet what it would allow \(status.binding is empty\)"):
        run("approve", NAME, "--role", "risk", "--reason", "ok")
    assert waiting.created == []


@pytest.mark.parametrize(
    ("role", "reason"), [([], "the role is missing"), (["--role", "treasury"], "nobody is asked in role treasury")]
)
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_a_role_that_nobody_asks_for_is_answered_with_the_right_ones(
    waiting: FakeCluster, verb: str, role: list[str], reason: str
) -> None:
    with pytest.raises(Problem, match=reason) as problem:
        run(verb, NAME, "--reason", "ok", *role)
    assert "product" in problem.value.next_step
    assert "risk" in problem.value.next_step
    assert waiting.created == []


def test_a_release_that_asks_nobody_says_so(cluster: FakeCluster) -> None:
    with pytest.raises(Problem, match="nobody is asked for it in any role"):
        run("approve", NAME, "--role", "risk", "--reason", "ok")


def test_who_may_not_read_the_profile_can_still_decide(waiting: FakeCluster) -> None:
    waiting.forbid("get complianceprofiles.feem.dev")
    done = run("approve", NAME, "--role", "treasury", "--reason", "ok")
    assert done.exit_code == 0
    assert "note      you may not read ComplianceProfile standard" in done.output
    with pytest.raises(Problem, match="the role is missing") as problem:
        run("approve", NAME, "--reason", "ok")
    assert problem.value.next_step == "give --role ROLE"


def test_a_profile_that_is_gone_or_of_another_version_is_a_note(waiting: FakeCluster) -> None:
    del waiting.objects["complianceprofiles.feem.dev", "", "standard"]
    assert "ComplianceProfile standard is gone" in run("reject", NAME, "--role", "risk", "--reason", "no").output
    waiting.add("complianceprofiles.feem.dev", at.profile(gates="many"))
    assert "is of another version" in run("reject", NAME, "--role", "risk", "--reason", "no").output


def test_a_rejection_needs_no_digest(waiting: FakeCluster) -> None:
    done = run("reject", NAME, "--role", "risk", "--reason", "the plan is too fast")
    assert "About to reject Release lending/limit-scoring-4 as risk" in done.output
    assert "digest" not in spec_of(waiting)
    assert spec_of(waiting)["role"] == "risk"


def test_a_role_that_cannot_be_one_is_told(waiting: FakeCluster) -> None:
    waiting.forbid("get complianceprofiles.feem.dev")
    with pytest.raises(Problem, match="--role: String should match pattern"):
        run("approve", NAME, "--role", "Risk Team", "--reason", "ok")


def test_a_terminal_is_asked_before_the_decision(waiting: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def confirm(text: str, *, abort: bool) -> None:
        asked.append(text)
        raise typer.Abort

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(typer, "confirm", confirm)
    act = module.Act(Verb.APPROVE, "ok", "risk")
    with pytest.raises(typer.Abort):
        module.allow(waiting, NAME, act, yes=False, wait=0)
    assert (asked, waiting.created) == (["Approve?"], [])
    module.allow(waiting, NAME, act, yes=True, wait=0)
    seen = module.Act(Verb.APPROVE, "ok", "risk", at.BINDING)
    module.allow(waiting, NAME, seen, yes=False, wait=0)
    assert (len(asked), len(waiting.created)) == (1, 2)


def denied(reason: str) -> Denied:
    return Denied("Decision in lending", f"{reason} (policy decisions.feem.dev)", policy="decisions.feem.dev")


@pytest.mark.parametrize(
    ("refusal", "kind", "next_step"),
    [
        (
            denied(
                "you do not hold role risk in namespace lending: that takes verb approve on approvalroles.feem.dev/risk"
            ),
            Denied,
            "kubectl auth can-i approve approvalroles.feem.dev/risk -n lending",
        ),
        (denied("who asked for a change may not approve it"), Denied, "feem explain limit-scoring-4 -n lending"),
        (
            Forbidden("Decision in lending", 'User "risk-officer" cannot create resource "decisions"'),
            Forbidden,
            "ask for role feem-edit, or the one you decide in; kubectl auth can-i create decisions.feem.dev -n lending",
        ),
        (Unreachable("Decision in lending", "etcd is away", "try again"), Unreachable, "try again"),
    ],
)
def test_the_api_servers_no_names_the_act_the_reason_and_the_next_step(
    waiting: FakeCluster, refusal: Problem, kind: type[Problem], next_step: str
) -> None:
    waiting.refusals["create decisions.feem.dev"] = refusal
    with pytest.raises(Problem) as problem:
        run("approve", NAME, "--role", "risk", "--reason", "ok")
    assert type(problem.value) is kind
    assert problem.value.what == "Approve of Release lending/limit-scoring-4 by risk-officer as risk"
    assert problem.value.reason == refusal.reason
    assert problem.value.next_step == next_step


def broken(*more: str) -> Result:
    return run("break-glass", NAME, "--ticket", "INC-7", "--reason", "customers cannot log in", *more)


def test_an_emergency_shows_what_it_skips_and_what_it_owes(waiting: FakeCluster) -> None:
    done = broken("--for", "2h")
    assert done.output.startswith(
        "EMERGENCY, about to skip gates of Release lending/limit-scoring-4, by risk-officer:\n"
    )
    assert "holding    two-roles" in done.output
    assert "skipped    night" in done.output
    assert "then owed  a sign-off by another person, as compliance, in 5 days" in done.output
    spec = spec_of(waiting)
    assert (spec["ticket"], spec["expiresAt"], spec["digest"]) == ("INC-7", "2026-03-02T11:30:00Z", at.BINDING)
    assert "role" not in spec


@pytest.mark.parametrize(
    ("spec", "length", "said"),
    [
        ({}, "2h1m", "it may count 2h at most"),
        ({}, "4h1s", "it may count 2h at most"),
        ({}, "soon", "it is not a time span"),
        ({}, "0m", "it is not a time span"),
        ({"breakGlass": None}, "1h", "ComplianceProfile standard lets no emergency skip a gate"),
    ],
)
def test_an_emergency_that_cannot_count_is_not_even_created(
    waiting: FakeCluster, spec: dict[str, Any], length: str, said: str
) -> None:
    waiting.add("complianceprofiles.feem.dev", at.profile(**spec))
    with pytest.raises(Problem, match=said):
        broken("--for", length)
    assert waiting.created == []


def test_four_hours_are_the_most_where_the_profile_cannot_be_read(waiting: FakeCluster) -> None:
    waiting.forbid("get complianceprofiles.feem.dev")
    with pytest.raises(Problem, match="it may count 4h at most"):
        broken("--for", "4h1m")
    broken("--for", "4h")
    assert spec_of(waiting)["expiresAt"] == "2026-03-02T13:30:00Z"


def test_without_a_profile_there_is_no_glass_to_break(cluster: FakeCluster) -> None:
    with pytest.raises(Problem, match="only a profile says what an emergency may skip"):
        broken("--for", "1h")


def test_who_may_not_break_the_glass_is_told_the_right(waiting: FakeCluster) -> None:
    waiting.refusals["create decisions.feem.dev"] = denied("you may not break the glass: that takes verb breakglass")
    with pytest.raises(Denied) as problem:
        broken("--for", "1h")
    assert problem.value.next_step == "kubectl auth can-i breakglass releases.feem.dev/limit-scoring-4 -n lending"


@pytest.mark.parametrize("missing", ["--ticket", "--for", "--reason"])
def test_an_emergency_needs_ticket_reason_and_end(waiting: FakeCluster, missing: str) -> None:
    options = {"--ticket": "INC-7", "--for": "1h", "--reason": "customers cannot log in"}
    words = [word for option, value in options.items() if option != missing for word in (option, value)]
    done = CliRunner().invoke(app, ["break-glass", NAME, *words])
    assert done.exit_code == 2
    assert missing in done.output


def test_a_sign_off_says_what_was_owed(cluster: FakeCluster) -> None:
    owing(cluster, emergency="d-1")
    done = run("sign-off", "limit-scoring", "--role", "product", "--reason", "limits are as before")
    assert "About to sign off Release lending/limit-scoring-4 as product" in done.output
    assert "owed      by product until 2026-03-03 09:30 UTC for the emergency d-1" in done.output
    assert (spec_of(cluster)["verb"], spec_of(cluster)["role"]) == ("SignOff", "product")


def test_a_sign_off_in_another_role_is_answered_with_the_right_one(cluster: FakeCluster) -> None:
    owing(cluster)
    with pytest.raises(Problem, match="nobody is asked in role risk") as problem:
        run("sign-off", NAME, "--role", "risk", "--reason", "ok")
    assert problem.value.next_step == "give --role product"


def test_a_service_means_the_release_that_owes_not_the_newest(cluster: FakeCluster) -> None:
    owing(cluster)
    cluster.add(
        "releases.feem.dev", {**at.waiting(), "metadata": {**at.release()["metadata"], "name": "limit-scoring-5"}}
    )
    cluster.add("managedservices.feem.dev", at.service(newest="limit-scoring-5"))
    run("sign-off", "limit-scoring", "--role", "product", "--reason", "ok")
    assert spec_of(cluster)["release"] == NAME
    older = at.release("limit-scoring-3", conditions=at.over("Promoted"), signOff=at.duty())
    cluster.add("releases.feem.dev", older)
    with pytest.raises(Problem, match="several of its releases owe a sign-off: limit-scoring-3, limit-scoring-4"):
        run("sign-off", "limit-scoring", "--role", "product", "--reason", "ok")


def test_what_is_paid_is_not_owed(cluster: FakeCluster) -> None:
    conditions = [*at.over("Promoted"), at.condition("SignedOff", "True", "SignedOff")]
    cluster.add("releases.feem.dev", at.release(conditions=conditions, signOff=at.duty()))
    cluster.add("releases.feem.dev", at.release("limit-scoring-5"))
    cluster.add("managedservices.feem.dev", at.service(newest="limit-scoring-5"))
    with pytest.raises(Problem, match="limit-scoring-5 is still under way"):
        run("sign-off", "limit-scoring", "--role", "product", "--reason", "ok")


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("2h", 7200), ("1d12h", 129600), ("90s", 90), ("1h30m", 5400)]
)
def test_spans_are_read_as_people_type_them(text: str, seconds: int) -> None:
    assert span(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "h", "2", "-2h", "2h ago", "1.5h", "2 h"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="it is not a time span"):
        span(text)


@pytest.mark.parametrize(
    ("text", "said"), [("2026-11-24T18:00", "it does not say in which time zone"), ("tomorrow", "it is not a moment")]
)
def test_a_moment_needs_its_zone(text: str, said: str) -> None:
    with pytest.raises(Problem, match=said):
        moment(text)


@pytest.mark.parametrize(
    ("length", "until", "said"),
    [
        ("1h", "2026-03-02T12:00Z", "both say until when it counts"),
        (None, "2026-03-02T09:30Z", "it is over already"),
        ("30d1s", None, "it may count 30d at most"),
        (None, "2026-04-02T09:30Z", "it may count 30d at most"),
    ],
)
def test_an_end_that_cannot_be_is_refused(length: str | None, until: str | None, said: str) -> None:
    with pytest.raises(Problem, match=said):
        expiry(at.NOW, length, until, timedelta(days=30))


def test_an_end_never_lies_later_than_what_the_api_server_bounds() -> None:
    now = at.NOW + timedelta(milliseconds=700)
    end = expiry(now, "4h", None, timedelta(hours=4))
    assert end == at.NOW + timedelta(hours=4)


def test_what_feem_would_turn_down_is_not_even_created(waiting: FakeCluster) -> None:
    for user in ("release-pipeline", "team-dev"):
        waiting.user = user
        with pytest.raises(
            Problem, match=f"{user} asked for the change .*, or wrote it: somebody else has to approve it"
        ):
            run("approve", NAME, "--role", "risk", "--reason", "ok")
    waiting.add("releases.feem.dev", at.waiting(conditions=at.over("Aborted", "by a person")))
    with pytest.raises(Problem, match=r"had already ended \(Aborted\)"):
        run("reject", NAME, "--role", "risk", "--reason", "no")
    with pytest.raises(Problem, match="owes no sign-off"):
        run("sign-off", NAME, "--role", "risk", "--reason", "ok")
    assert waiting.created == []


def test_who_took_part_does_not_sign_off(cluster: FakeCluster) -> None:
    owing(cluster)
    cluster.user = "release-pipeline"
    with pytest.raises(Problem, match="release-pipeline took part in Release limit-scoring-4"):
        run("sign-off", NAME, "--role", "product", "--reason", "ok")


def test_a_release_that_owes_nothing_names_those_that_do(cluster: FakeCluster) -> None:
    conditions = at.over("Promoted", "all 3 pods")
    cluster.add("releases.feem.dev", at.release(conditions=conditions, completedAt=at.stamp(60)))
    cluster.add("releases.feem.dev", at.release("limit-scoring-3", conditions=conditions, signOff=at.duty()))
    with pytest.raises(Problem, match="sign-offs are owed by limit-scoring-3"):
        run("sign-off", NAME, "--role", "product", "--reason", "ok")


def test_feems_answer_is_waited_for(waiting: FakeCluster) -> None:
    def answer(body: dict[str, Any]) -> None:
        said = at.condition("Applied", "False", "ApprovedSomethingElse", "the digest is not that of the release")
        body["status"] = {"conditions": [said]}

    waiting.on_create = answer
    with pytest.raises(Problem, match="the digest is not that of the release") as problem:
        module.allow(waiting, NAME, module.Act(Verb.APPROVE, "ok", "risk"), yes=True, wait=2)
    assert problem.value.what == "Approve of Release lending/limit-scoring-4 by risk-officer as risk"
