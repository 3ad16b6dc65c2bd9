"""`feem approve|reject|sign-off|break-glass`: acts in a role, of which the person sees first what it is that they allow."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import typer

from feem.api.decision import Verb
from feem.api.release import Release
from feem.cli.asked import Asked, approval_roles, asked_of, require_role
from feem.cli.cluster import Cluster, connect
from feem.cli.gathering import find_owing, find_release, siblings_of
from feem.cli.options import Context, Kubeconfig, Namespace, Reason, ReleaseName, Wait
from feem.cli.problem import Problem
from feem.cli.shown import shown
from feem.cli.span import expiry
from feem.cli.submit import draft, submit
from feem.core.gates.reply import reply_to

Role = Annotated[str | None, typer.Option("--role", help="The role you decide in, e.g. risk.", show_default=False)]
Insist = Annotated[
    str, typer.Option("--digest", help="What you saw before; refused if it is different now.", show_default=False)
]
Until = Annotated[str | None, typer.Option("--until", help="Until when it counts, with its zone.", show_default=False)]
For = Annotated[str | None, typer.Option("--for", help="How long it counts, e.g. 2h.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask again on a terminal.")]

LONGEST_EMERGENCY = timedelta(hours=4)
LONGEST_APPROVAL = timedelta(days=30)
SHORTEST_DIGEST = len("sha256:") + 16
"""With fewer characters somebody could make another change that begins alike."""


@dataclass(frozen=True)
class Act:
    """What a person wants to decide; `length` and `until` as typed."""

    verb: Verb
    reason: str
    role: str | None = None
    digest: str = ""
    ticket: str | None = None
    length: str | None = None
    until: str | None = None


def approve(
    name: ReleaseName,
    reason: Reason,
    *,
    role: Role = None,
    digest: Insist = "",
    until: Until = None,
    length: For = None,
    yes: Yes = False,
    namespace: Namespace = None,
    wait: Wait = 10.0,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Approve a release in a role. It counts for exactly what is shown: any later edit voids it."""
    act = Act(Verb.APPROVE, reason, role, digest, length=length, until=until)
    _run(connect(kubeconfig, context, namespace), name, act, yes=yes, wait=wait)


def reject(
    name: ReleaseName,
    reason: Reason,
    *,
    role: Role = None,
    yes: Yes = False,
    namespace: Namespace = None,
    wait: Wait = 10.0,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Say no to a release in a role: it is held until you approve it later."""
    _run(connect(kubeconfig, context, namespace), name, Act(Verb.REJECT, reason, role), yes=yes, wait=wait)


def sign_off(
    name: ReleaseName,
    reason: Reason,
    *,
    role: Role = None,
    yes: Yes = False,
    namespace: Namespace = None,
    wait: Wait = 10.0,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Confirm an ended release, or review an emergency; of a service, the release that owes it."""
    _run(connect(kubeconfig, context, namespace), name, Act(Verb.SIGN_OFF, reason, role), yes=yes, wait=wait)


def break_glass(
    name: ReleaseName,
    reason: Reason,
    *,
    ticket: Annotated[str, typer.Option("--ticket", help="The emergency's ticket.", show_default=False)],
    length: Annotated[str, typer.Option("--for", help="How long it counts, e.g. 30m or 2h; 4h at most.")],
    digest: Insist = "",
    yes: Yes = False,
    namespace: Namespace = None,
    wait: Wait = 10.0,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Skip, in an emergency, the gates that the profile lists. Somebody else has to review it afterwards."""
    act = Act(Verb.BREAK_GLASS, reason, digest=digest, ticket=ticket, length=length)
    _run(connect(kubeconfig, context, namespace), name, act, yes=yes, wait=wait)


def add_acts(app: typer.Typer) -> None:
    """Add one command an act."""
    app.command("approve")(approve)
    app.command("reject")(reject)
    app.command("sign-off")(sign_off)
    app.command("break-glass")(break_glass)


def allow(cluster: Cluster, name: str, act: Act, *, yes: bool, wait: float) -> str:
    """Show what it is about, create the Decision, and say what became of it; raises Problem when it cannot count."""
    namespace = cluster.namespace
    find = find_owing if act.verb is Verb.SIGN_OFF else find_release
    release = Release.read(find(cluster, namespace, name))
    asked = asked_of(cluster, release)
    what = f"{act.verb} of Release {namespace}/{release.metadata.name}"
    role = None if act.verb is Verb.BREAK_GLASS else require_role(what, act.role, _roles(act.verb, release, asked))
    most = _most(what, act.verb, release, asked)
    person = cluster.whoami()
    fields = {
        "role": role,
        "ticket": act.ticket,
        "digest": _digest(what, act, release) if act.verb in _BOUND else "",
        "expires_at": expiry(person.now, act.length, act.until, most),
    }
    decision = draft(release.metadata.name, act.verb, act.reason, person, namespace, **fields)
    siblings = siblings_of(cluster, release) if act.verb is Verb.SIGN_OFF else ()
    ok, _, message = reply_to(decision, release, _binding(release), siblings, asked.profile)
    if not ok:
        raise Problem(what, message, f"feem explain {release.metadata.name} -n {namespace}")
    typer.echo(shown(decision, release, asked, person.now))
    if sys.stdin.isatty() and not (yes or act.digest):
        typer.confirm(f"{act.verb}?", abort=True)
    return submit(cluster, decision, wait=wait)


_BOUND = (Verb.APPROVE, Verb.BREAK_GLASS)


def _run(cluster: Cluster, name: str, act: Act, *, yes: bool, wait: float) -> None:
    typer.echo(allow(cluster, name, act, yes=yes, wait=wait))


def _roles(verb: Verb, release: Release, asked: Asked) -> tuple[str, ...] | None:
    """Return the roles in which this is asked for, None where this person cannot see that."""
    if verb is Verb.SIGN_OFF:
        duty = release.status.sign_off if release.status else None
        return (duty.role,) if duty else None
    return None if asked.name and asked.profile is None else approval_roles(asked)


def _digest(what: str, act: Act, release: Release) -> str:
    """Return what is allowed, as the release says it now; raises Problem where the person saw something else."""
    binding = _binding(release)
    where = f"{release.metadata.name} -n {release.metadata.namespace}"
    if not binding:
        raise Problem(
            what, "FEEM has not said yet what it would allow (status.binding is empty)", f"try again: feem get {where}"
        )
    if act.digest and len(act.digest) < SHORTEST_DIGEST:
        raise Problem(f"--digest {act.digest}", f"it is too short: {SHORTEST_DIGEST} characters at least", binding)
    if act.digest and not binding.startswith(act.digest):
        reason = f"it is not what you saw any more: you saw {act.digest}, now it is {binding}"
        raise Problem(what, reason, f"look at it again: feem get {where}")
    return binding


def _binding(release: Release) -> str:
    return release.status.binding if release.status else ""


def _most(what: str, verb: Verb, release: Release, asked: Asked) -> timedelta:
    """Return for how long it may count; raises Problem where the glass cannot be broken."""
    if verb is not Verb.BREAK_GLASS:
        return LONGEST_APPROVAL
    if not asked.name:
        service = f"ManagedService {release.spec.service}"
        raise Problem(what, f"{service} is under no profile, and only a profile says what an emergency may skip")
    if asked.profile is None:
        return LONGEST_EMERGENCY
    if asked.profile.spec.break_glass is None:
        raise Problem(what, f"ComplianceProfile {asked.name} lets no emergency skip a gate", "ask for the approvals")
    return timedelta(seconds=asked.profile.spec.break_glass.max_seconds)
