"""The API server's refusals, in the words of who refused."""

from __future__ import annotations

import json
import re

from feem.cli.problem import Denied, Forbidden, NotFound, Problem, Unreachable

_POLICY = re.compile(
    r"ValidatingAdmissionPolicy '(?P<policy>[^']+)' with binding '[^']+' denied request: (?P<said>.*)", re.DOTALL
)
_PREFIX = re.compile(r"^[A-Za-z.]+(\.feem\.dev)?( \"[^\"]*\")? is (forbidden|invalid): ")


def refusal(what: str, code: int, data: bytes) -> Problem:
    """Return the problem that an answer other than 2xx is: by policy, by RBAC, by the CRD, or for want of a server."""
    message = _message(data)
    denied = _POLICY.search(message)
    if denied is not None:
        said = denied["said"].strip()
        return Denied(what, f"{said} (policy {denied['policy']})", policy=denied["policy"])
    if code == 404 and "could not find the requested resource" in message:
        return Problem(what, "this cluster does not know FEEM's kinds", "install FEEM's chart, or check --context")
    if code == 404:
        return NotFound(what, "there is no such object")
    if code == 401:
        return Problem(what, "the API server does not accept your credentials", "log in again, or check --context")
    plain = _PREFIX.sub("", message)
    if code == 403:
        return Forbidden(what, plain, "ask for one of the roles feem-view, feem-edit or feem-auditor")
    if code == 429 or code >= 500:
        return Unreachable(what, f"{message} ({code})", "try again in a moment")
    return Problem(what, f"{plain} ({code})")


def _message(data: bytes) -> str:
    try:
        return str(json.loads(data).get("message") or "")
    except (ValueError, AttributeError):
        return data[:300].decode(errors="replace")
