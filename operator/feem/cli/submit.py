"""Handing a Decision to the API server, and waiting for what FEEM says of it."""

from __future__ import annotations

import time
from typing import Any

from pydantic import ValidationError

from feem.api.base import Metadata
from feem.api.decision import Decision, DecisionSpec, Verb
from feem.cli.cluster import Body, Cluster, Person
from feem.cli.gathering import DECISIONS
from feem.cli.output import condition
from feem.cli.problem import Denied, Forbidden, Problem

_RIGHTS = {
    Verb.APPROVE: "approve approvalroles.feem.dev/{role}",
    Verb.REJECT: "approve approvalroles.feem.dev/{role}",
    Verb.SIGN_OFF: "signoff approvalroles.feem.dev/{role}",
    Verb.BREAK_GLASS: "breakglass releases.feem.dev/{release}",
}
"""The right that a verb takes, as `kubectl auth can-i` asks for it."""


def draft(release: str, verb: Verb, reason: str, person: Person, namespace: str, **fields: Any) -> Decision:
    """Write a decision in a person's own name, as of the API server's time; raises Problem for what it cannot say."""
    if not reason.strip():
        raise Problem(f"--reason {reason!r}", "the audit log needs a reason", 'give --reason "…"')
    groups = list(person.groups)
    try:
        spec = DecisionSpec(release=release, verb=verb, reason=reason, by=person.name, groups=groups, **fields)
    except ValidationError as odd:
        first = odd.errors()[0]
        where = "".join(f"--{part}" for part in first["loc"][:1])
        raise Problem(f"{verb} of Release {namespace}/{release}", f"{where}: {first['msg']}") from odd
    return Decision(metadata=Metadata(name="", namespace=namespace, creation_timestamp=person.now), spec=spec)


def named(decision: Decision) -> str:
    """Say which act of whom it is."""
    spec = decision.spec
    role = f" as {spec.role}" if spec.role else ""
    return f"{spec.verb} of Release {decision.metadata.namespace}/{spec.release} by {spec.by}{role}"


def submit(cluster: Cluster, decision: Decision, *, wait: float) -> str:
    """Create the decision and say what became of it; raises Problem when the API server or FEEM says no."""
    namespace, spec = decision.metadata.namespace, decision.spec
    metadata = {"namespace": namespace, "generateName": f"{spec.release}-{spec.verb.value.lower()}-"}
    written = {key: value for key, value in spec.wire().items() if value not in ("", [])}
    what = named(decision)
    try:
        body = cluster.create(DECISIONS, namespace, {"metadata": metadata, "spec": written})
    except Denied as denied:
        raise Denied(what, denied.reason, _after(denied, decision), denied.policy) from denied
    except Forbidden as refused:
        right = f"kubectl auth can-i create decisions.feem.dev -n {namespace}"
        raise Forbidden(what, refused.reason, f"ask for role feem-edit, or the one you decide in; {right}") from refused
    except Problem as problem:
        raise type(problem)(what, problem.reason, problem.next_step) from problem
    applied = _answer(cluster, body, wait)
    if applied is None:
        if wait <= 0:
            return f"{what}: decided ({body['metadata']['name']})"
        return (
            f"{what}: decided ({body['metadata']['name']}), but FEEM has not answered within {wait:g} s; "
            f"it counts as soon as the operator runs"
        )
    ok, message = applied
    if not ok:
        raise Problem(what, message, f"feem explain {spec.release} -n {namespace}")
    return f"{what}: {message}"


def _after(denied: Denied, decision: Decision) -> str:
    """Say how to look further: at the right that is missing, or at what the release asks for."""
    spec, namespace = decision.spec, decision.metadata.namespace
    right = _RIGHTS.get(spec.verb, "")
    if right and ("approvalroles" in denied.reason or "breakglass" in denied.reason):
        return f"kubectl auth can-i {right.format(role=spec.role, release=spec.release)} -n {namespace}"
    return f"feem explain {spec.release} -n {namespace}"


def _answer(cluster: Cluster, decision: Body, wait: float) -> tuple[bool, str] | None:
    """Return what FEEM wrote on the decision, or None when it wrote nothing in time."""
    name, namespace = decision["metadata"]["name"], decision["metadata"]["namespace"]
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        time.sleep(0.25)
        body = cluster.get(DECISIONS, namespace, name)
        status = condition(body, "Applied", "status")
        if status:
            return status == "True", condition(body, "Applied", "message") or condition(body, "Applied")
    return None
