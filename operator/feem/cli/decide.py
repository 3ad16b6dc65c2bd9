"""`feem pause|resume|abort|promote|retry`: one human act, written down as a Decision. The acts in a role are in `allow`."""

from __future__ import annotations

import typer

from feem.api.decision import Verb
from feem.api.release import Release
from feem.cli.cluster import Cluster, connect
from feem.cli.gathering import find_release, newest_of
from feem.cli.options import Context, Kubeconfig, Namespace, Reason, ReleaseName, Wait
from feem.cli.problem import Problem
from feem.cli.submit import draft, submit
from feem.core.rollout.reply import reply_to

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
    release = Release.read(find_release(cluster, namespace, name))
    decision = draft(release.metadata.name, verb, reason, cluster.whoami(), namespace)
    ok, _, message = reply_to(decision, release, newest_of(cluster, release))
    if not ok:
        what = f"{verb} of Release {namespace}/{release.metadata.name}"
        raise Problem(what, message, f"feem explain {release.metadata.name} -n {namespace}")
    return submit(cluster, decision, wait=wait)
