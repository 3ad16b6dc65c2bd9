"""`feem audit verify`: the log of a cluster, or whatever somebody was given of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from feem.adapters.kubernetes.resources import RECORDS
from feem.cli.audit.check import Checked, check, trust_of
from feem.cli.audit.exported import in_order, read_file, told
from feem.cli.audit.published import head_of
from feem.cli.cluster import ApiServer, connect
from feem.cli.options import Context, Kubeconfig
from feem.cli.problem import Problem
from feem.core.audit.entry import canonical_bytes
from feem.core.audit.published import Trust
from feem.core.audit.verify import Fault, Finding, Report, Walk
from feem.core.tlog.merkle import leaf_hash
from feem.core.tlog.signing import CheckpointError, open_checkpoint
from feem.core.tlog.tree import Frontier
from feem.core.tlog.vkey import parse_keys

SHOWN = 20
EACH = 16_384

Given = Annotated[
    Path | None,
    typer.Argument(
        help="A published directory, a bundle, evidence pack or game day report (.zip), or a .tlog-proof.",
        show_default=False,
    ),
]
Keys = Annotated[
    Path | None, typer.Option("--keys", help="The log's public keys, one vkey a line.", show_default=False)
]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", help="A C2SP policy: logs, witnesses, quorum.", show_default=False)
]
Held = Annotated[
    list[Path] | None,
    typer.Option("--held", help="A checkpoint that you kept; may be given again.", show_default=False),
]
Entry = Annotated[Path | None, typer.Option("--entry", help="Of a .tlog-proof: the entry's bytes.", show_default=False)]
File = Annotated[
    Path | None,
    typer.Option("--file", "-f", help="Entries exported as JSON; no cluster is needed.", show_default=False),
]


def verify_log(
    given: Given = None,
    keys: Keys = None,
    policy: PolicyFile = None,
    held: Held = None,
    entry: Entry = None,
    file: File = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Check a log, a bundle, a pack or a proof; without any of them, the cluster's log. Exit code 1: it is damaged."""
    if given is None:
        _refuse_unused(file, {"--policy": policy, "--held": held, "--entry": entry, "--keys": keys if file else None})
    trust = trust_of(keys, policy, held or ())
    if given is not None:
        found = check(given, trust, entry, _progress)
        typer.echo(said(found, str(given)))
        good = found.ok
    elif file is not None:
        report = Walked(in_order(read_file(file))).report
        typer.echo(told(report, str(file)))
        good = report.ok
    else:
        report = _cluster(connect(kubeconfig, context, None), trust)
        typer.echo(told(report, "the cluster"))
        good = report.ok
    if not good:
        raise typer.Exit(1)


def _refuse_unused(file: Path | None, options: dict[str, object]) -> None:
    """Nobody shall believe that something was compared that was not. Raises Problem."""
    useless = ", ".join(name for name, value in options.items() if value)
    if not useless:
        return
    if file is not None:
        reason = "exported JSON has a chain, and neither signatures nor proofs to compare with them"
        raise Problem(f"{useless} with --file", reason, "export a bundle with them: feem audit export --file log.zip")
    reason = "the cluster's own log is compared with the checkpoint of its AuditLog alone"
    step = "feem audit export --file log.zip, then feem audit verify log.zip with these options"
    raise Problem(f"{useless} without a PATH", reason, step)


def said(found: Checked, where: str) -> str:
    """Say what was verified, or which entry is the first bad one."""
    lines = []
    if found.ok:
        head = found.opened.checkpoint if found.opened else None
        lines.append(f"Verified {found.kind} {where}" + (f": {found.about}." if found.about else "."))
        if head is not None and found.opened is not None:
            lines.append(f"Log {head.origin}, {head.size} entries, root {head.root.hex()}.")
            signers = [
                f"{key.name} ({key.algorithm.name}, {key.key_id.hex()})"
                for key in (*found.opened.log, *found.opened.witnesses)
            ]
            lines.append("Signed by " + ", ".join(signers) + ".")
    else:
        bad = found.first_bad
        place = "" if bad is None or bad.index is None else f", first at entry {bad.index}"
        lines.append(f"DAMAGED{place}: {where}")
        lines += [
            f"  {'-' if item.index is None else item.index}: {item.fault}: {item.message}"
            for item in found.findings[:SHOWN]
        ]
        if len(found.findings) > SHOWN:
            lines.append(f"  … and {len(found.findings) - SHOWN} more")
    if found.report is not None and found.report.open_intents:
        lines.append(f"Acts without an outcome yet: {len(found.report.open_intents)}.")
    if found.own_keys:
        lines.append("Note: the keys came with it. They prove that it hangs together, not whose it is: give --keys.")
    return "\n".join(lines)


class Walked:
    """A walk over listed records, with the root of what was walked so far at one size."""

    def __init__(self, records: list[tuple[str, object]], size: int = -1) -> None:
        walk, frontier = Walk(), Frontier()
        self.root: bytes | None = None
        for name, spec in records:
            walk.step(name, spec)
            if walk.first == 0:
                frontier.append(leaf_hash(canonical_bytes(spec)))
            if frontier.size == size:
                self.root = frontier.root()
        self.walk = walk

    @property
    def report(self) -> Report:
        """What the walk found."""
        return self.walk.report()


def _cluster(cluster: ApiServer, trust: Trust) -> Report:
    head = head_of(cluster)
    walked = Walked(in_order(cluster.list(RECORDS)), -1 if head is None else head.size)
    if head is None:
        walked.walk.remarks.append("nothing is signed: kubectl describe auditlog feem tells why")
        return walked.report
    try:
        found = open_checkpoint(head.note, trust.keys or parse_keys(head.keys)).checkpoint
    except (CheckpointError, ValueError) as problem:
        walked.walk.add([Finding(None, Fault.CHECKPOINT, f"the AuditLog's checkpoint: {problem}")])
        return walked.report
    if walked.root is not None and walked.root != found.root:
        walked.walk.add(
            [Finding(None, Fault.ROOT, f"the first {found.size} entries do not give the root of the signed checkpoint")]
        )
    elif walked.root is None and walked.walk.first == 0 and found.size:
        text = f"the log was cut off: the signed checkpoint covers {found.size} entries"
        walked.walk.add([Finding(walked.walk.entries, Fault.HELD, text)])
    elif walked.root is not None:
        walked.walk.remarks.append(
            f"the first {found.size} entries are those of the signed checkpoint of {found.origin}"
        )
    return walked.report


def _progress(done: int, size: int) -> None:
    if size > EACH and (done % EACH == 0 or done == size):
        typer.echo(f"\r{done:,} of {size:,} entries", err=True, nl=done == size)
