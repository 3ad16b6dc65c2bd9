"""Measure what FEEM's admission policies add to requests, print it, and keep the figures.

python -m bench.admission [--out FILE] [--rounds N] [--requests N]      makes cluster `feem-bench` and takes it down
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import yaml

from bench.admission import stage
from bench.admission.cells import CONTROLLER, RISK, TEAM, cells
from bench.admission.figures import compared
from bench.admission.measure import Bench
from bench.admission.policies import ROOT, NotInForceError, install
from bench.admission.report import COMMAND, Run, facts, sections
from bench.admission.wire import Account, RefusedError, Wire
from bench.session import Session
from e2e import cluster
from e2e.cluster.local.plan import read_running

NAME = "feem-bench"
ADMIN = Account("bench", ("system:masters",))
ROUNDS, REQUESTS = 12, 25
BUDGET = 255.0
"""Seconds after the beginning until which rounds begin: the whole run is to take less than five minutes."""


def main(words: Sequence[str]) -> int:
    """Run the bench; 0 when its promises are kept, 1 when not or when it could not be made."""
    parser = argparse.ArgumentParser(prog="python -m bench.admission", description=__doc__)
    parser.add_argument("--out", type=Path, help="write the figures to this file")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds, each with two blocks (default %(default)s)")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="requests of a cell in a block (%(default)s)")
    options = parser.parse_args(words)
    session = Session("FEEM's admission policies, measured", COMMAND)
    try:
        run = measured(options.rounds, options.requests, session)
    except (cluster.ClusterError, NotInForceError, RefusedError, OSError) as problem:
        print(f"NOT MEASURED: {problem}", file=sys.stderr)
        return 1
    return session.publish(sections(run), options.out, **facts(run, ROOT / "policies"))


def measured(rounds: int, requests: int, session: Session) -> Run:
    """Make the cluster, measure and take the cluster down, whatever happens in between."""
    say = session.say
    if cluster.find(NAME):
        say(f"cluster {NAME} is left from an earlier run: made anew")
        cluster.down(NAME, say)
    try:
        found = cluster.up(NAME, "api", "local", say)
        return on(found, rounds, requests, session)
    finally:
        cluster.down(NAME, say)


def on(found: cluster.Cluster, rounds: int, requests: int, session: Session) -> Run:
    """Measure on a cluster."""
    say = session.say
    server = yaml.safe_load(found.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    with ExitStack() as stack:

        def wire(account: Account) -> Wire:
            return stack.enter_context(closing(Wire(server, found.state / "pki", account)))

        admin = wire(ADMIN)
        policies = install(admin, say)
        stage.set_up(admin, say)
        wires = {account: wire(account) for account in (TEAM, RISK, CONTROLLER)}
        bench = Bench(wires, admin, policies, read_running(found.state)["kube-apiserver"], say)
        wanted = cells()
        say("waiting for the controllers to come to rest")
        idle = bench.idle()
        blocks = bench.measure(wanted, rounds, requests, session.began + BUDGET)
        headroom = bench.headroom()
    results = {name: compared(of_cell) for name, of_cell in blocks.items()}
    rounds = len(next(iter(blocks.values())))
    return Run(wanted, results, bench.spent, headroom, bench.sent, bench.changes, idle, rounds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
