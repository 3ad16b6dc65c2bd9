"""`feem pause|resume|abort|promote|retry`: one human act, written down as a Decision."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from feem.adapters.kubernetes.resources import RELEASES
from feem.api.base import Metadata
from feem.api.decision import Decision, DecisionSpec, Verb
from feem.api.release import Release
from feem.cli.cluster import Body, Cluster, connect
from feem.cli.gathering import DECISIONS, SERVICES, find_release
from feem.cli.options import Context, Kubeconfig, Namespace, ReleaseName
from feem.cli.output import condition
from feem.cli.problem import NotFound, Problem
from feem.core.rollout.reply import reply_to

Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, for the audit log.", show_default=False)]
Wait = Annotated[float, typer.Option("--wait", help="Seconds to wait for FEEM's answer; 0 does not wait.")]

_HELP = {
    Verb.PAUSE: "Keep a release at its present weight until somebody resumes or aborts it.",
    Verb.RESUME: "Let a paused release go on.",
    Verb.ABORT: "Send all requests to the stable version and end a release.",
    Verb.PROMOTE: "Skip the bakes that are left; evidence against the canary still rolls it back.",
    Verb.RETRY: "Try a change again that was rolled back or aborted and is still held.",
}


def add_verbs(app: typer.Typer) -> None:
    """Add one command a verb."""
    for verb, text in _HELP.items():
        app.command(verb.value.lower(), help=text)(_command(verb))


def _command(verb: Verb):  # type: ignore[no-untyped-def] # noqa: ANN202 - typer reads the inner signature
    def command(
        name: ReleaseName,
        reason: Reason,
        namespace: Namespace = None,
        wait: Wait = 10.0,
        context: Context = None,
        kubeconfig: Kubeconfig = None,
    ) -> None:
        cluster = connect(kubeconfig, context, namespace)
        typer.echo(decide(cluster, cluster.namespace, name, verb, reason, wait=wait))

    return command


def decide(cluster: Cluster, namespace: str, name: str, verb: Verb, reason: str, *, wait: float) -> str:
    """Create the Decision in this person's own name and say what became of it; raises Problem when it cannot count."""
    if not reason.strip():
        raise Problem(f"--reason {reason!r}", "the audit log needs a reason", 'give --reason "…"')
    release = find_release(cluster, namespace, name)
    spec = DecisionSpec(release=release["metadata"]["name"], verb=verb, reason=reason, by=cluster.whoami())
    _check(cluster, namespace, spec, release)
    metadata = {"namespace": namespace, "generateName": f"{spec.release}-{verb.value.lower()}-"}
    body = cluster.create(DECISIONS, namespace, {"metadata": metadata, "spec": spec.wire()})
    what = f"{verb.value} of Release {namespace}/{spec.release} by {spec.by}"
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


def _check(cluster: Cluster, namespace: str, spec: DecisionSpec, release: Body) -> None:
    """Say at once what the operator would answer."""
    decision = Decision(metadata=Metadata(name="", namespace=namespace), spec=spec)
    read = Release.read(release)
    ok, _, message = reply_to(decision, read, _newest(cluster, namespace, read))
    if not ok:
        raise Problem(
            f"{spec.verb} of Release {namespace}/{spec.release}", message, f"feem explain {spec.release} -n {namespace}"
        )


def _newest(cluster: Cluster, namespace: str, release: Release) -> Release | None:
    try:
        service = cluster.get(SERVICES, namespace, release.spec.service)
        name = (service.get("status") or {}).get("release")
        return Release.read(cluster.get(RELEASES, namespace, name)) if name else None
    except NotFound:
        return None


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
