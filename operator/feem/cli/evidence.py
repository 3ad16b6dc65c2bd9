"""`feem evidence …`: the samples behind a decision, and what they say when they are judged again."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated

import typer

from feem.adapters.kubernetes.archive import KEY
from feem.adapters.kubernetes.resources import CONFIGMAPS, RELEASES
from feem.api.release import ObjectiveVerdict, Release
from feem.cli.audit.exported import read_file
from feem.cli.cluster import connect
from feem.cli.options import Context, Kubeconfig, Namespace
from feem.cli.problem import Problem
from feem.core.evidence.replay import Replay, Unreadable, replay

evidence = typer.Typer(no_args_is_help=True, help="Save the samples behind a decision; judge them again, offline.")


@evidence.command("save")
def save(
    release: Annotated[str, typer.Argument(help="The Release.")],
    file: Annotated[
        Path | None,
        typer.Option("--file", "-o", "-f", help="Where to write.", show_default="RELEASE.evidence.jsonl.gz"),
    ] = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Write the raw samples behind a release's last decision to a file."""
    cluster = connect(kubeconfig, context, namespace)
    found = Release.read(cluster.get(RELEASES, cluster.namespace, release))
    kept = found.status.evidence if found.status is not None else ""
    if not kept:
        raise Problem(
            f"Release {cluster.namespace}/{release}",
            "no samples are kept for it: no evidence has led to a rollback or a promotion yet, or it was too long to keep",
            f"feem explain {release} -n {cluster.namespace}",
        )
    data = cluster.get(CONFIGMAPS, cluster.namespace, kept).get("binaryData") or {}
    document = base64.b64decode(data.get(KEY, ""))
    file = file or Path(f"{release}.evidence.jsonl.gz")
    try:
        file.write_bytes(document)
    except OSError as refused:
        raise Problem(f"file {file}", str(refused.strerror), "give another --file") from refused
    typer.echo(f"{len(document):,} bytes written to {file}; judge them again with: feem evidence replay {file}")


@evidence.command("replay")
def replay_file(
    file: Annotated[Path, typer.Argument(help="What `feem evidence save` wrote.")],
    log: Annotated[
        Path | None,
        typer.Option(
            "--audit-log", help="An exported audit log, in which the digest is looked up.", show_default=False
        ),
    ] = None,
) -> None:
    """Judge saved samples again. Exit code 1: they do not give the verdicts, or the digest, that were recorded."""
    try:
        found = replay(file.read_bytes())
    except OSError as missing:
        raise Problem(f"file {file}", str(missing.strerror), "feem evidence save RELEASE writes one") from missing
    except Unreadable as broken:
        raise Problem(f"file {file}", str(broken), "feem evidence save RELEASE writes one") from broken
    typer.echo(told(found))
    recorded = _recorded(found, log) if log is not None else True
    if not found.holds or not recorded:
        raise typer.Exit(1)


def told(found: Replay) -> str:
    """Say what the samples say, and whether it is what was recorded."""
    lines = [
        f"Release {found.release}: {found.decision}, from {found.samples:,} samples in {found.rounds:,} rounds.",
        *(line for verdict in found.recomputed for line in _verdict(verdict)),
    ]
    if found.recorded == found.recomputed:
        lines.append("The samples give exactly the recorded verdicts.")
    else:
        lines.append("DIFFERENT: the samples do not give the recorded verdicts, which were:")
        lines += [line for verdict in found.recorded for line in _verdict(verdict)]
    if found.recorded_digest == found.recomputed_digest:
        lines.append(f"Digest {found.recomputed_digest}, as recorded in the file.")
    else:
        lines.append(
            f"DIFFERENT: the samples' digest is {found.recomputed_digest}, the file says {found.recorded_digest}."
        )
    return "\n".join(lines)


def _verdict(verdict: ObjectiveVerdict) -> list[str]:
    strength = f" (evidence {verdict.evidence} of {verdict.threshold})" if verdict.evidence else ""
    return [f"  {verdict.name}: {verdict.outcome.value}, {verdict.reason}{strength}", f"    {verdict.message}"]


def _recorded(found: Replay, log: Path) -> bool:
    """Say which audit entries carry one of the file's digests; the last one must be among them."""
    entries = [item["spec"] for item in read_file(log)]
    about = {spec.get("evidence"): spec for spec in entries if spec.get("evidence")}
    for digest in found.digests:
        spec = about.get(digest)
        if spec is not None:
            typer.echo(f"Audit entry {spec['index']} ({spec['action']}, {spec['time'][:19]}) carries digest {digest}.")
    if found.recomputed_digest not in about:
        typer.echo("DIFFERENT: no entry of the audit log carries this digest.")
        return False
    return True
