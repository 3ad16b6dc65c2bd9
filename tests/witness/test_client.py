"""Witnesses that answer what they should not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from feem.adapters.audit.keys import SigningKey, generate_seed
from feem.adapters.audit.witness_request import parse_submission
from feem.adapters.audit.witnesses import HttpWitness
from feem.core.tlog.vkey import Algorithm
from feem.ports import Unavailable, WitnessAhead, WitnessDisagrees
from tests.witness.growing import NAME, Log

OURS = SigningKey(NAME, Algorithm.COSIGN_ED25519, generate_seed())
PQ = SigningKey(NAME, Algorithm.ML_DSA_44, generate_seed())
STRANGER = SigningKey("stranger.example/w", Algorithm.COSIGN_ED25519, generate_seed())
LOG = Log(20)


@dataclass
class Odd:
    """Answers what it was told to, one after the other, the last one for ever."""

    answers: list[tuple[int, bytes]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    url: str = ""
    delay: float = 0.0

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(parse_submission(await request.read()).old)
        await asyncio.sleep(self.delay)
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        headers = {"Location": "http://127.0.0.1:1/"} if 300 <= status < 400 else None
        return web.Response(status=status, body=body, headers=headers)


@pytest.fixture
async def odd() -> AsyncIterator[Odd]:
    one, app = Odd(), web.Application()
    app.add_routes([web.post("/w/add-checkpoint", one.handle)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/w"
    yield one
    await runner.cleanup()


async def ask(odd: Odd, patience: float = 5.0, size: int = 20) -> tuple[str, ...]:
    asking = HttpWitness("odd", [OURS.key, PQ.key], odd.url, patience)
    return await asking.cosign(LOG.note(size), LOG.checkpoint(size), lambda old: LOG.tree.consistency(old, size))


def line(key: SigningKey, size: int = 20) -> bytes:
    return key.sign(LOG.checkpoint(size), 1_750_000_000).line().encode() + b"\n"


async def test_unknown_keys_are_ignored(odd: Odd) -> None:
    ours, pq = line(OURS), line(PQ)  # ML-DSA signs differently each time
    odd.answers = [(200, line(STRANGER) + ours + pq + line(STRANGER, 19))]
    assert await ask(odd) == (ours.decode().strip(), pq.decode().strip())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "none of the keys"),
        (b"\n", "no signature lines"),
        (line(STRANGER), "none of the keys"),
        (line(OURS)[:-1], "none of the keys"),
        (line(OURS) + line(PQ, 19), "is wrong"),
        (line(OURS, 19), "is wrong"),
        (LOG.note().encode(), "no signature lines"),
        (b"<html>a login page</html>\n", "no signature lines"),
        (b"\xff\n", "not text"),
        (b"x" * 300_000, "too long"),
    ],
)
async def test_a_wrong_answer_is_no_signature(odd: Odd, body: bytes, said: str) -> None:
    odd.answers = [(200, body)]
    with pytest.raises(Unavailable, match=f"witness odd at .*{said}"):
        await ask(odd)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 405, 413, 429, 500, 502, 503])
async def test_another_status_is_unavailable_and_is_not_followed(odd: Odd, status: int) -> None:
    odd.answers = [(status, b"why\n")]
    with pytest.raises(Unavailable, match=f"answered {status} .why."):
        await ask(odd)
    assert odd.asked == [0]


async def test_it_waits_so_long_and_no_longer(odd: Odd) -> None:
    odd.answers, odd.delay = [(200, line(OURS))], 2.0
    with pytest.raises(Unavailable, match=r"no answer within 0\.2 s"):
        await ask(odd, 0.2)


@pytest.mark.parametrize("body", [b"", b"many\n", b"-1\n", b"07\n", b"7\n\n", b" 7\n"])
async def test_a_conflict_without_a_size_is_unavailable(odd: Odd, body: bytes) -> None:
    odd.answers = [(409, body)]
    with pytest.raises(Unavailable, match="409 names no size"):
        await ask(odd)


@pytest.mark.parametrize("body", [b"20\n", b"20", b""])
async def test_a_conflict_at_our_own_size_is_a_disagreement(odd: Odd, body: bytes) -> None:
    odd.answers = [(409, b"20\n"), (409, body)]
    with pytest.raises(WitnessDisagrees, match="another root of 20 entries"):
        await ask(odd)
    assert odd.asked == [0, 20]


async def test_a_size_that_jumps_about_is_not_followed_for_ever(odd: Odd) -> None:
    odd.answers = [(409, b"3\n"), (409, b"4\n"), (409, b"5\n"), (409, b"6\n")]
    with pytest.raises(Unavailable, match="changes at each request"):
        await ask(odd)
    assert odd.asked == [0, 3, 4]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(409, b"21\n", WitnessAhead), (422, b"", WitnessDisagrees), (409, b"9223372036854775807\n", WitnessAhead)],
)
async def test_what_a_refusal_means(odd: Odd, status: int, body: bytes, kind: type[Exception]) -> None:
    odd.answers = [(status, body)]
    with pytest.raises(kind):
        await ask(odd)


async def test_a_witness_that_forgot_is_asked_from_the_beginning(odd: Odd) -> None:
    asking = HttpWitness("odd", [OURS.key], odd.url)

    def proof(size: int) -> Callable[[int], Sequence[bytes]]:
        return lambda old: LOG.tree.consistency(old, size)

    odd.answers = [(200, line(OURS, 10)), (409, b"0\n"), (200, line(OURS))]
    await asking.cosign(LOG.note(10), LOG.checkpoint(10), proof(10))
    await asking.cosign(LOG.note(), LOG.checkpoint(), proof(20))
    assert odd.asked == [0, 10, 0]
