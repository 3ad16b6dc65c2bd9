"""`feem get` and `feem explain`: releases and services as they are now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from feem.adapters.kubernetes.resources import RELEASES
from feem.api.service import Mode
from feem.cli.cluster import Body, Cluster, connect
from feem.cli.gathering import SERVICES, Gathering, find_release
from feem.cli.options import Context, Kubeconfig, Namespace, ReleaseName
from feem.cli.output import age, columns, condition, show
from feem.cli.problem import Problem
from feem.view.compliance import day
from feem.view.explanation import explain as explain_tree
from feem.view.tree import render
from feem.view.words import meaning

_RELEASES = {"release", "releases", "rel", "releases.feem.dev"}
_SERVICES = {"service", "services", "svc", "managedservice", "managedservices", "msvc", "managedservices.feem.dev"}


def get(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[release|service] [NAME]", help="Kind, name, both, or neither for all releases."),
    ] = None,
    namespace: Namespace = None,
    everywhere: Annotated[bool, typer.Option("--all-namespaces", "-A", help="List all namespaces.")] = False,  # noqa: FBT002
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show releases or services: a table of all, or one as a tree."""
    kind, name = wanted(what or [])
    cluster = connect(kubeconfig, context, namespace)
    if name:
        _tree(cluster, kind, name)
        return
    bodies = sorted(
        cluster.list(RELEASES if kind == "release" else SERVICES, "" if everywhere else cluster.namespace),
        key=lambda body: (
            body["metadata"]["namespace"],
            body["metadata"]["creationTimestamp"],
            body["metadata"]["name"],
        ),
    )
    if not bodies:
        place = "this cluster" if everywhere else f"namespace {cluster.namespace}"
        typer.echo(f"No {kind}s in {place}.", err=True)
        return
    typer.echo(_release_table(bodies, everywhere) if kind == "release" else _service_table(bodies, everywhere))


def explain(
    name: ReleaseName, namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None
) -> None:
    """Say in sentences what a release does, why, what comes next and how to act; or what a reason such as RoleLost means."""
    if name != name.lower():  # no Kubernetes object has such a name
        typer.echo(_meaning(name))
        return
    cluster = connect(kubeconfig, context, namespace)
    release = find_release(cluster, cluster.namespace, name)
    typer.echo(explain_tree(Gathering(cluster, cluster.namespace, release["metadata"]["name"]).tree()))


def _meaning(word: str) -> str:
    said = meaning(word)
    if said is None:
        raise Problem(word, "it is neither the reason of a gate nor a name", "feem explain RELEASE|SERVICE")
    return said


def wanted(words: list[str]) -> tuple[str, str]:
    """Return (kind, name) for `release NAME`, `release/NAME`, `NAME`, `releases`; the name is empty for all."""
    parts = [part for word in words for part in word.split("/")]
    if len(parts) > 2:
        raise Problem("feem get", f"too many words: {' '.join(words)}", "feem get [release|service] [NAME]")
    if not parts:
        return "release", ""
    if len(parts) == 1:
        word = parts[0].lower()
        if word in _RELEASES or word in _SERVICES:
            return ("release" if word in _RELEASES else "service"), ""
        return "", parts[0]
    if parts[0].lower() in _RELEASES:
        return "release", parts[1]
    if parts[0].lower() in _SERVICES:
        return "service", parts[1]
    raise Problem(f"kind {parts[0]!r}", "feem shows releases and services", "feem get [release|service] [NAME]")


def _tree(cluster: Cluster, kind: str, name: str) -> None:
    namespace = cluster.namespace
    if kind == "service":
        service = cluster.get(SERVICES, namespace, name)
        typer.echo(_service_text(service))
        newest = (service.get("status") or {}).get("release")
        if not newest:
            return
        typer.echo("")
        release = cluster.get(RELEASES, namespace, newest)
    elif kind == "release":
        release = cluster.get(RELEASES, namespace, name)
    else:
        release = find_release(cluster, namespace, name)
    show(render(Gathering(cluster, namespace, release["metadata"]["name"]).tree()))


def _service_text(body: Body) -> str:
    ready, hold = condition(body, "Ready"), condition(body, "Hold")
    said = condition(body, "Ready", "message")
    name = f"{body['metadata']['namespace']}/{body['metadata']['name']}"
    lines = [f"ManagedService {name} of Deployment {body['spec']['workload']['name']}"]
    lines.append(f"  ready  {ready or 'not looked at by FEEM yet'}{f': {said}' if said else ''}")
    lines.append(f"  hold   {hold or 'unknown'}{_message(body)}")
    lines.extend(f"  {line}" for line in _compliance(body))
    return "\n".join(lines)


def _message(body: Body, kind: str = "Hold") -> str:
    said = condition(body, kind, "message")
    return f": {said}" if said else ""


def _compliance(body: Body) -> Iterator[str]:
    """Yield what gates changes of the service have to pass, and whether decisions about them can be believed."""
    spec = body["spec"]
    profile, observed = spec.get("complianceProfile"), spec.get("mode") == Mode.OBSERVE
    if profile or observed:
        yield f"gates  {profile or 'no profile'}{', mode Observe: nothing is held' if observed else ''}"
    guarded = condition(body, "Guarded")
    if guarded:
        yield f"guard  {guarded}{_message(body, 'Guarded')}"


def _release_table(bodies: list[Body], everywhere: bool) -> str:  # noqa: FBT001
    header = ["NAME", "SERVICE", "STEP", "STATE", "RESULT", "ASKED BY", "AGE", "MESSAGE"]
    rows = []
    for body in bodies:
        spec, status = body["spec"], body.get("status") or {}
        result = condition(body, "Succeeded")
        row = [
            body["metadata"]["name"],
            spec["service"],
            str(status.get("progress") or ""),
            condition(body, "Progressing"),
        ]
        row += ["" if result == "Running" else result, spec.get("requestedBy") or "", age(body)]
        rows.append([*row, _said(body)])
    return _placed(header, rows, bodies, everywhere)


def _said(body: Body) -> str:
    """Return what a release waits for or owes, in the line of a table."""
    said = condition(body, "Progressing", "message")
    duty = (body.get("status") or {}).get("signOff")
    if not duty or condition(body, "SignedOff", "status") == "True":
        return said
    due = datetime.fromisoformat(duty["due"])
    late = " (overdue)" if due <= datetime.now(UTC) else ""
    owed = f"sign-off by {duty['role']} until {day(due)}{late}"
    return f"{said}; {owed}" if said else owed


def _service_table(bodies: list[Body], everywhere: bool) -> str:  # noqa: FBT001
    header = ["NAME", "DEPLOYMENT", "READY", "HOLD", "PROFILE", "RELEASE", "AGE"]
    rows = [
        [
            body["metadata"]["name"],
            body["spec"]["workload"]["name"],
            condition(body, "Ready"),
            condition(body, "Hold"),
            str(body["spec"].get("complianceProfile") or "none"),
            str((body.get("status") or {}).get("release") or ""),
            age(body),
        ]
        for body in bodies
    ]
    return _placed(header, rows, bodies, everywhere)


def _placed(header: list[str], rows: list[list[str]], bodies: list[Body], everywhere: bool) -> str:  # noqa: FBT001
    if not everywhere:
        return columns(header, rows)
    placed = [[body["metadata"]["namespace"], *row] for body, row in zip(bodies, rows, strict=True)]
    return columns(["NAMESPACE", *header], placed)
