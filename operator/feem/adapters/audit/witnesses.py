"""Asks a witness elsewhere to vouch for a checkpoint (c2sp.org/tlog-witness)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import aiohttp
import structlog

from feem.adapters.audit.witness_request import submission_body
from feem.core.tlog.checkpoint import Checkpoint, decimal
from feem.core.tlog.note import NoteError, parse_lines
from feem.core.tlog.signing import verify_signature
from feem.core.tlog.vkey import Key
from feem.ports import Unavailable, WitnessAhead, WitnessDisagrees

log = structlog.get_logger("feem.audit")

_ATTEMPTS = 3
"""The size it is asked with, the one it then says, and once more in case another request came between."""
_MAX_ANSWER = 256 * 1024
_NEXT_STEPS = {
    403: "it does not trust these signatures: give it this log's vkeys (`--log`), both of them",
    404: "it does not know this log: give it this log's vkeys (`--log`)",
    413: "the request is too large for it, or for a proxy before it",
}


class HttpWitness:
    """A witness at a URL, the prefix of its `add-checkpoint`; `timeout` in seconds for each request.

    Only signatures by `keys` count. What it said last about its size is remembered, to ask once instead of twice.
    """

    def __init__(self, name: str, keys: Sequence[Key], url: str, timeout: float = 5.0) -> None:
        self._name, self._url = name, f"{url.rstrip('/')}/add-checkpoint"
        self._keys = {(key.name, key.key_id): key for key in keys}
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._size = 0

    @property
    def name(self) -> str:
        """How the policy calls it."""
        return self._name

    async def cosign(
        self, note: str, checkpoint: Checkpoint, consistency: Callable[[int], Sequence[bytes]]
    ) -> tuple[str, ...]:
        """Show a checkpoint; returns checked signature lines without their newlines.

        `consistency(old)` returns the proof from a smaller size to this checkpoint's. Raises WitnessAhead, WitnessDisagrees or
        Unavailable.
        """
        old = self._size if self._size <= checkpoint.size else 0  # the witness itself has to say that it is ahead
        async with aiohttp.ClientSession(timeout=self._timeout, trust_env=True) as session:
            for _ in range(_ATTEMPTS):
                status, body = await self._ask(session, submission_body(old, consistency(old), note))
                if status == 200:
                    lines = self._checked(body, checkpoint)
                    self._size = checkpoint.size
                    return lines
                old = self._told(status, body, old, checkpoint)
        raise self._unavailable("its size changes at each request: is another operator asking it for the same log?")

    def _told(self, status: int, body: str, old: int, checkpoint: Checkpoint) -> int:
        """Return the size to ask with next. Raises what a refusal means."""
        if status == 422:
            raise WitnessDisagrees(f"witness {self.name} holds another history of the first {old} entries")
        if status != 409:
            step = _NEXT_STEPS.get(status, "see its log")
            raise self._unavailable(f"it answered {status} ({' '.join(body.split())[:200]}): {step}")
        try:
            size = decimal(body.removesuffix("\n"))
        except NoteError as problem:
            if old == checkpoint.size:
                size = old  # the protocol asks for no size in this refusal
            else:
                raise self._unavailable(f"its 409 names no size: {problem}") from problem
        if size > checkpoint.size:
            raise WitnessAhead(self.name, size)
        if size == old == checkpoint.size:
            raise WitnessDisagrees(f"witness {self.name} holds another root of {size} entries")
        if size < self._size:
            log.warning("a witness forgot what it had signed", witness=self.name, signed=self._size, holds=size)
        self._size = size
        return size

    async def _ask(self, session: aiohttp.ClientSession, body: bytes) -> tuple[int, str]:
        try:
            async with session.post(self._url, data=body, allow_redirects=False) as response:
                answer = bytearray()
                async for chunk in response.content.iter_any():
                    answer += chunk
                    if len(answer) > _MAX_ANSWER:
                        raise self._unavailable("its answer is too long: is this the URL of a witness?")
                return response.status, answer.decode()
        except TimeoutError as problem:
            raise self._unavailable(f"no answer within {self._timeout.total:g} s") from problem
        except UnicodeDecodeError as problem:
            raise self._unavailable("its answer is not text") from problem
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            raise self._unavailable(str(problem) or type(problem).__name__) from problem

    def _checked(self, body: str, checkpoint: Checkpoint) -> tuple[str, ...]:
        """Return the lines by known keys; others say nothing. Raises Unavailable when one is wrong or none is there."""
        try:
            signatures = parse_lines(body) if body.endswith("\n") else ()
        except NoteError as problem:
            raise self._unavailable(f"its answer has no signature lines: {problem}") from problem
        lines: dict[Key, str] = {}
        for signature in signatures:
            key = self._keys.get((signature.name, signature.key_id))
            if key is None:
                continue
            if not verify_signature(key, checkpoint, signature):
                raise self._unavailable(f"its signature by the key {key.key_id.hex()} is wrong: ask its operator")
            lines[key] = signature.line()
        if not lines:
            known = ", ".join(key.vkey()[:60] for key in self._keys.values())
            raise self._unavailable(f"it signed with none of the keys known here ({known}): compare the policy's vkey")
        return tuple(lines.values())

    def _unavailable(self, why: str) -> Unavailable:
        return Unavailable(f"witness {self.name} at {self._url}: {why}")
