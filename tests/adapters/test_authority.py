"""What is asked about a person's right, what is made of the answer, and how far the clocks are apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from hypothesis import given
from hypothesis import strategies as st
from kubernetes.aio.client.configuration import Configuration

from feem.adapters.kubernetes.authority import KubernetesAuthority, has_mutating_policies
from feem.adapters.kubernetes.client import Client, Limits
from feem.adapters.kubernetes.resources import WATCHED, type_of
from feem.adapters.kubernetes.skew import ANSWERS, Skew
from feem.core.gates.result import Reliance
from feem.ports import Refused, Unavailable

APPROVAL = Reliance("d-1", "risk-officer", ("bank:risk", "system:authenticated"), "approve", "risk")
EMERGENCY = Reliance("d-2", "team-dev", ("bank:dev",), "breakglass")
NOON = 1_800_000_000.0


class Reviewer:
    """An API server that answers every review alike, at the time it believes it is."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.status = 201
        self.answer: dict[str, Any] = {"status": {"allowed": True}}
        self.time = NOON

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append((request.method, request.path, await request.json() if request.can_read_body else {}))
        date = formatdate(int(self.time), usegmt=True)
        return web.json_response(self.answer, status=self.status, headers={"Date": date})


@pytest.fixture
def api() -> Reviewer:
    return Reviewer()


@pytest.fixture
async def client(api: Reviewer) -> AsyncIterator[Client]:
    async with RawTestServer(api.serve) as server:
        configuration = Configuration(host=f"http://127.0.0.1:{server.port}")
        async with Client(configuration, limits=Limits(timeout=2), clock=lambda: NOON + 0.5) as made:
            yield made


async def test_a_role_is_asked_for_by_its_name_in_the_releases_namespace(client: Client, api: Reviewer) -> None:
    assert await KubernetesAuthority(client).holds(APPROVAL, "lending", "credit-line-3")
    ((method, path, body),) = api.asked
    assert (method, path) == ("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews")
    assert (body["apiVersion"], body["kind"]) == ("authorization.k8s.io/v1", "SubjectAccessReview")
    assert body["spec"] == {
        "user": "risk-officer",
        "groups": ["bank:risk", "system:authenticated"],
        "resourceAttributes": {
            "group": "feem.dev",
            "resource": "approvalroles",
            "name": "risk",
            "namespace": "lending",
            "verb": "approve",
        },
    }


async def test_breaking_glass_is_a_right_on_the_release(client: Client, api: Reviewer) -> None:
    assert await KubernetesAuthority(client).holds(EMERGENCY, "lending", "credit-line-3")
    attributes = api.asked[0][2]["spec"]["resourceAttributes"]
    assert (attributes["resource"], attributes["name"]) == ("releases", "credit-line-3")
    assert attributes["verb"] == "breakglass"


@pytest.mark.parametrize("more", [{}, {"denied": True}, {"evaluationError": "role gone not found"}])
async def test_what_is_not_allowed_is_lost(client: Client, api: Reviewer, more: dict[str, Any]) -> None:
    api.answer = {"status": {"allowed": False, **more}}
    assert not await KubernetesAuthority(client).holds(APPROVAL, "lending", "credit-line-3")


@pytest.mark.parametrize(
    ("status", "answer", "raised"),
    [
        (201, {}, Unavailable),
        (201, {"status": {"allowed": "yes"}}, Unavailable),
        (404, {"message": "no such resource"}, Unavailable),
        (409, {"message": "conflict"}, Unavailable),
        (500, {"message": "etcd is away"}, Unavailable),
        (403, {"message": "FEEM may not create reviews"}, Refused),
        (422, {"message": "user or groups must be given"}, Refused),
    ],
)
async def test_no_answer_is_never_a_yes(
    client: Client, api: Reviewer, status: int, answer: dict[str, Any], raised: type[Exception]
) -> None:
    api.status, api.answer = status, answer
    with pytest.raises(raised):
        await KubernetesAuthority(client).holds(APPROVAL, "lending", "credit-line-3")


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -3600.0])
async def test_the_clocks_are_compared_by_every_answer(client: Client, api: Reviewer, ahead: float) -> None:
    authority = KubernetesAuthority(client)
    assert authority.skew is None
    api.time = NOON - ahead
    await authority.holds(APPROVAL, "lending", "credit-line-3")
    assert authority.skew == pytest.approx(ahead, abs=1)


async def test_an_older_server_lacks_the_kind_that_holds(client: Client, api: Reviewer) -> None:
    api.status, api.answer = 200, {"metadata": {}, "items": []}
    assert await has_mutating_policies(client)
    api.status, api.answer = 404, {"message": "the server could not find the requested resource"}
    assert not await has_mutating_policies(client)
    api.status = 403
    with pytest.raises(Refused):
        await has_mutating_policies(client)


def test_reviews_are_asked_and_policies_are_watched() -> None:
    assert "subjectaccessreviews.authorization.k8s.io" not in WATCHED
    watched = {type_of(name).kind for name in WATCHED}
    assert {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"} <= watched
    assert {"ChangeWindow", "ComplianceProfile"} <= watched
    policies = type_of("validatingadmissionpolicies.admissionregistration.k8s.io")
    assert policies.path() == "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"


def noted(skew: Skew, server: float, *, ahead: float, out: float = 0.0, back: float = 0.0) -> None:
    date = formatdate(int(server), usegmt=True)
    skew.note(date, asked=server - out + ahead, answered=server + back + ahead)


@given(
    ahead=st.floats(-7200, 7200),
    answers=st.lists(st.tuples(st.floats(0, 60), st.floats(0, 10), st.floats(0, 10)), min_size=1, max_size=40),
)
def test_the_true_difference_is_never_left_out(ahead: float, answers: list[tuple[float, float, float]]) -> None:
    skew, server = Skew(), NOON
    slowest = []
    for pause, out, back in answers:
        server += pause
        noted(skew, server, ahead=ahead, out=out, back=back)
        slowest.append(out + back)
    assert skew.seconds is not None
    best = min(slowest[-ANSWERS:])
    assert abs(skew.seconds - ahead) <= (best + 1) / 2 + 1e-3


def test_many_answers_see_past_the_whole_seconds() -> None:
    skew = Skew()
    for number in range(ANSWERS):
        noted(skew, NOON + number * 2.13, ahead=0.4, out=0.001, back=0.001)
    assert skew.seconds == pytest.approx(0.4, abs=0.15)


def test_a_clock_that_is_set_is_believed_at_once() -> None:
    skew = Skew()
    for number in range(ANSWERS):
        noted(skew, NOON + number, ahead=0.0)
    noted(skew, NOON + 20, ahead=3600.0, out=0.01, back=0.01)
    assert skew.seconds == pytest.approx(3600, abs=0.6)


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 32 Nov 2026 25:00:00 GMT"])
def test_what_is_no_date_says_nothing(date: str | None) -> None:
    skew = Skew()
    skew.note(date, asked=NOON, answered=NOON)
    assert skew.seconds is None
