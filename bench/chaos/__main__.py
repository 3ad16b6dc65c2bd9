"""Measure what many chaos experiments with schedules cost one operator, print it and keep the figures.

python -m bench.chaos [--out FILE] [--experiments N] [--coming N] [--idle S] [--busy S]    makes cluster `feem-bench`, takes it down
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import yaml

from bench.admission.plan import Arm
from bench.admission.policies import NotInForceError, install
from bench.admission.wire import Account, RefusedError, Wire
from bench.chaos import stage
from bench.chaos.process import Operator, between
from bench.chaos.report import Act, Run, sections
from bench.session import Session
from e2e import cluster
from e2e.cluster.local.plan import read_running

COMMAND = "make bench-chaos"
NAME = "feem-bench"
ADMIN = Account("bench", ("system:masters",))
OPERATOR = "system:serviceaccount:feem-system:feem"
EXPERIMENTS, NAMESPACES, COMING = 500, 10, 100
IDLE, BUSY = 120.0, 180.0
LEAD_IN = 125.0
"""Seconds until each has two runs behind it, so that for each further one an old one is forgotten; not measured."""

Say = Callable[[str], None]


def main(words: Sequence[str]) -> int:
    """Run the bench; 0 when its promises are kept, 1 when not or when it could not be made."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--out", type=Path, help="write the figures to this file")
    parser.add_argument("--experiments", type=int, default=EXPERIMENTS, help="how many (default %(default)s)")
    parser.add_argument("--namespaces", type=int, default=NAMESPACES, help="in how many namespaces (%(default)s)")
    parser.add_argument("--coming", type=int, default=COMING, help="how many of them come each minute (%(default)s)")
    parser.add_argument("--idle", type=float, default=IDLE, help="seconds with nothing due (%(default).0f)")
    parser.add_argument("--busy", type=float, default=BUSY, help="seconds with runs each minute (%(default).0f)")
    options = parser.parse_args(words)
    session = Session("Chaos experiments, measured", COMMAND)
    say = session.say
    try:
        run = measured(options, say)
    except (cluster.ClusterError, NotInForceError, RefusedError, OSError) as problem:
        print(f"NOT MEASURED: {problem}", file=sys.stderr)
        return 1
    return session.publish(sections(run), options.out, experiments=options.experiments, namespaces=options.namespaces)


def measured(options: argparse.Namespace, say: Say) -> Run:
    """Make the cluster, measure and take the cluster down, whatever happens in between."""
    if cluster.find(NAME):
        say(f"cluster {NAME} is left from an earlier run: made anew")
        cluster.down(NAME, say)
    try:
        found = cluster.up(NAME, "api", "local", say)
        with tempfile.TemporaryDirectory(prefix="feem-bench-chaos-") as folder:
            return on(found, options, Path(folder) / "operator.log", say)
    finally:
        cluster.down(NAME, say)


def on(found: cluster.Cluster, options: argparse.Namespace, log: Path, say: Say) -> Run:
    """Measure on a cluster, with FEEM's policies in force."""
    server = yaml.safe_load(found.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    with closing(Wire(server, found.state / "pki", ADMIN)) as admin:
        install(admin, say).bring(Arm.WITH)
        stage.let_in(admin)
        spaces = stage.namespaces(admin, options.namespaces)
        config = cluster.user_kubeconfig(found, OPERATOR, (stage.GROUP,))
        with Operator(config, log, read_running(found.state)["kube-apiserver"]) as operator:
            return play(operator, admin, spaces, options, say)


def play(operator: Operator, admin: Wire, spaces: list[str], options: argparse.Namespace, say: Say) -> Run:
    """Look at the operator before and after each act."""
    count, coming = options.experiments, min(options.coming, options.experiments)
    time.sleep(5)
    say(f"nothing to do for {options.idle / 2:.0f} s")
    start = operator.look()
    time.sleep(options.idle / 2)
    empty = operator.look()
    say(f"{count} experiments are made")
    places = stage.experiments(admin, spaces, count, stage.now())
    stage.await_scheduled(admin, spaces, count)
    time.sleep(5)
    say(f"none of them is due for {options.idle:.0f} s")
    settled = operator.look()
    time.sleep(options.idle)
    idle = operator.look()
    busy = _act(operator, admin, places[:coming], spaces, options.busy, say)
    after = operator.look()
    flood = _act(operator, admin, places, spaces, options.busy / 2, say)
    return Run(
        experiments=count,
        empty=between(start, empty),
        idle=between(settled, idle),
        settling=between(empty, settled),
        busy=busy,
        flood=flood,
        memory={
            "its start": empty,
            f"a look at {count} experiments": idle,
            f"{coming} runs a minute": after,
            f"{count} times a minute": operator.look(),
        },
    )


def _act(
    operator: Operator, admin: Wire, places: list[stage.Place], spaces: list[str], seconds: float, say: Say
) -> Act:
    """Let experiments come each minute, and measure once they do."""
    say(f"{len(places)} come each minute from now on; {LEAD_IN:.0f} s to get going")
    stage.each_minute(admin, places)
    time.sleep(LEAD_IN)
    say(f"{seconds:.0f} s are measured")
    first, before, began = stage.dealt_with(admin, spaces), operator.look(), stage.now()
    time.sleep(seconds)
    last, after, ended = stage.dealt_with(admin, spaces), operator.look(), stage.now()
    causes, late = stage.outcomes(admin, places, began)
    times, missed = stage.times_between(places, first, last), stage.missed_between(admin, began, ended)
    return Act(len(places), between(before, after), times, missed, causes, late)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
