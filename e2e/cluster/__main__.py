"""Make, look at and remove clusters to test on.

python -m e2e.cluster up [--name feem] [--profile api|full] [--backend auto|given|kind|local]
python -m e2e.cluster down [--name feem | --all]
python -m e2e.cluster status [--json]
python -m e2e.cluster kubeconfig [--name feem] [--user U --group G ...]
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import lifecycle
from .context import BACKENDS, PROFILES, Cluster, ClusterError
from .local.plan import read_plan, read_running
from .paths import cluster_state
from .users import user_kubeconfig


def main(words: Sequence[str]) -> int:
    """Run one command; 0 when it did what was asked, 1 with a plain message when not, 130 when interrupted."""
    options = _parser().parse_args(words)
    start = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - start:7.1f} s  {line}", file=sys.stderr, flush=True)

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if options.command == "up":
            cluster = lifecycle.up(options.name, options.profile, options.backend, say)
            say(f"cluster {cluster.name} is ready: export KUBECONFIG={cluster.kubeconfig}")
        elif options.command == "down":
            for name in lifecycle.names() if options.all else [options.name]:
                lifecycle.down(name, say)
        elif options.command == "status":
            _status(as_json=options.json)
        else:
            print(_kubeconfig(options.name, options.user, options.group))
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: the same command goes on, or `down` cleans up", file=sys.stderr)
        return 130
    return 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _kubeconfig(name: str, user: str | None, groups: list[str]) -> Path:
    cluster = lifecycle.find(name)
    if cluster is None:
        raise ClusterError(f"cluster {name} does not run: bring it up with `up --name {name}`.")
    if user is None:
        if groups:
            raise ClusterError("--group needs --user: groups belong to a user's certificate.")
        return cluster.kubeconfig
    return user_kubeconfig(cluster, user, groups)


def _status(*, as_json: bool) -> None:
    rows = [_describe(name, lifecycle.find(name)) for name in lifecycle.names()]
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    if not rows:
        print("no clusters")
    for row in rows:
        if not row["running"]:
            print(f"{row['name']}: does not run; remains of it are in {row['state']} (`down --name {row['name']}`)")
            continue
        where = f", NodePorts at {row['address']}" if row["address"] else ""
        print(f"{row['name']}: profile {row['profile']}, backend {row['backend']}{where}")
        print(f"  KUBECONFIG={row['kubeconfig']}")
        for component, state in row["components"].items():
            print(f"  {component}: {state}")


def _describe(name: str, cluster: Cluster | None) -> dict[str, Any]:
    if cluster is None:
        return {"name": name, "running": False, "state": str(cluster_state(name))}
    row: dict[str, Any] = {key: str(value) if value is not None else None for key, value in asdict(cluster).items()}
    components: dict[str, str] = {}
    if cluster.backend == "local":
        running = read_running(cluster.state)
        for component in read_plan(cluster.state):
            state = "runs" if component.name in running else "starts again" if component.wanted else "stopped"
            components[component.name] = state
    return row | {"running": True, "components": components}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m e2e.cluster", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring a cluster up, or return at once when it is")
    up.add_argument("--profile", choices=PROFILES, default="full", help="how much of it (default: %(default)s)")
    up.add_argument("--backend", choices=BACKENDS, default="auto", help="who makes it (default: %(default)s)")
    down = commands.add_parser("down", help="remove a cluster and all it left")
    down.add_argument("--all", action="store_true", help="every cluster of this user")
    status = commands.add_parser("status", help="list clusters and their components")
    status.add_argument("--json", action="store_true", help="for programs")
    kubeconfig = commands.add_parser("kubeconfig", help="print the path of a kubeconfig")
    kubeconfig.add_argument("--user", help="make one for this user, by client certificate")
    kubeconfig.add_argument("--group", action="append", default=[], help="group of that user (repeatable)")
    for command in (up, down, kubeconfig):
        command.add_argument("--name", default="feem", help="name of the cluster (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
