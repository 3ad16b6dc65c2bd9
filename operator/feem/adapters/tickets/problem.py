"""What to say when a ticket system gives no usable answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

if TYPE_CHECKING:
    from feem.adapters.tickets.access import Access


class Unanswered(Exception):  # noqa: N818 - an outcome, not an error of the program
    """There is no usable answer; the message names the system, the reason and the next step, and never a token."""


def refused(access: Access, code: int) -> Unanswered:
    """Return what to say of an answer other than 200 and 404."""
    if code in (401, 403):
        return Unanswered(
            f"{access.system} does not let FEEM look ({code}): renew the token in the Secret of {access.setting}.token, "
            f"and check that its user may read tickets"
        )
    if code == 429:
        return Unanswered(f"{access.system} has had too many requests ({code}): raise FEEM's limit there")
    if code >= 500:
        return Unanswered(f"{access.system} has a problem of its own ({code}): look at its log")
    return Unanswered(f"{access.system} refuses the question ({code}): check {access.setting}.url")


def moved(access: Access, code: int) -> Unanswered:
    """Return what to say of a redirect, which might take the token elsewhere."""
    return Unanswered(
        f"{access.system} sends FEEM to another address ({code}), which it does not follow with its token: set "
        f"{access.setting}.url to where the answers come from"
    )


def malformed(access: Access, what: str) -> Unanswered:
    """Return what to say of an answer that is not what such a system answers."""
    return Unanswered(f"{access.system} answered {what}: check that {access.setting}.url is right")


def late(access: Access) -> Unanswered:
    """Return what to say of silence."""
    return Unanswered(
        f"{access.system} did not answer within {access.timeout:g} s: check its load, and that network policies let the "
        f"operator through"
    )


def broken(access: Access, failure: Exception) -> Unanswered:
    """Return what to say of a connection that failed. Only words that cannot hold a header's value are taken from it."""
    if isinstance(failure, requests.Timeout | ReadTimeoutError):
        return late(access)
    if isinstance(failure, DecodeError):
        return malformed(access, "what cannot be unpacked")
    if isinstance(failure, requests.exceptions.SSLError):
        return Unanswered(
            f"{access.system} is not trusted ({_innermost(failure)}): check its certificate and {access.setting}.ca"
        )
    if isinstance(failure, requests.ConnectionError | HTTPError):
        return Unanswered(
            f"{access.system} cannot be reached ({_innermost(failure)}): check {access.setting}.url, that it runs, and that "
            f"network policies let the operator through"
        )
    if isinstance(failure, OSError) and not isinstance(failure, requests.RequestException):
        return Unanswered(
            f"FEEM cannot use the CA file for {access.system} ({failure.strerror or 'not found'}): check {access.setting}.ca"
        )
    return Unanswered(f"{access.system} cannot be asked ({type(failure).__name__}): check {access.setting}.url")


def _innermost(failure: Exception) -> str:
    """`Connection refused` says more than the layers around it."""
    cause: BaseException = failure
    while True:
        inner = getattr(cause, "reason", None) or cause.__cause__ or cause.__context__
        if not isinstance(inner, BaseException):
            break
        cause = inner
    said = getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or type(cause).__name__
    return " ".join(str(said).split())[:120]
