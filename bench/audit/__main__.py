"""Measure how fast the audit log is written, published and verified, and in how much memory; print it and keep the figures.

python -m bench.audit [--out FILE] [--entries N] [--no-cluster]      makes cluster `feem-bench` for the API server's part
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.audit.proofs import proofs
from bench.audit.stores import stores
from bench.evidence.section import Check, Section
from bench.session import Session
from e2e import cluster

COMMAND = "make bench-audit"
ENTRIES = 100_000
RATE = 20_000
"""Entries a second that verifying has to reach."""
FLAT = 1.25
"""How much more memory checking ten times as many entries may take, as a ratio of peaks."""

Say = Callable[[str], None]


def main(words: Sequence[str]) -> int:
    """Run the bench; 0 when its promises are kept, 1 when not or when it could not be made."""
    parser = argparse.ArgumentParser(prog="python -m bench.audit", description=__doc__)
    parser.add_argument("--out", type=Path, help="write the figures to this file")
    parser.add_argument("--entries", type=int, default=ENTRIES, help="length of the long log (default %(default)s)")
    parser.add_argument("--no-cluster", action="store_true", help="leave the API server out")
    options = parser.parse_args(words)
    session = Session("FEEM's audit log, measured", COMMAND)
    say = session.say
    try:
        with tempfile.TemporaryDirectory(prefix="feem-bench-audit-") as folder:
            made = [
                lengths(Path(folder), options.entries, say),
                proofs(say),
                stores(say, cluster=not options.no_cluster),
            ]
    except (cluster.ClusterError, OSError, subprocess.CalledProcessError) as problem:
        print(f"NOT MEASURED: {problem}", file=sys.stderr)
        return 1
    return session.publish(made, options.out)


def lengths(folder: Path, entries: int, say: Say) -> Section:
    """Make, publish and check a short and a long log, each step in a process of its own."""
    rows, figures, rates, peaks = [], {}, [], []
    for count in (entries // 10, entries):
        directory = folder / str(count)
        say(f"a log of {count:,} entries is made and published")
        made, written, signed, size, peak = _run("bench.audit.log", str(count), str(directory))
        say(f"a log of {count:,} entries is checked")
        checked, cpu, took, before, after = _run("bench.audit.check", str(directory))
        if checked != count:
            raise OSError(f"{checked:.0f} of {count} entries were checked")
        rates.append(count / cpu)
        peaks.append(after)
        rows.append(
            (
                f"{count:,} entries, {size / count:,.0f} bytes each",
                f"{count / made:,.0f}",
                f"{count / written:,.0f}",
                f"{signed * 1000:,.0f} ms",
                f"{count / cpu:,.0f}",
                f"{after / 1024:,.0f} MiB",
                f"{(after - before) / 1024:+,.0f} MiB",
            )
        )
        figures[str(count)] = {
            "bytes": size,
            "makeCpuSeconds": round(made, 3),
            "publishSeconds": round(written, 3),
            "treeAndSignatureSeconds": round(signed, 3),
            "verifyCpuSeconds": round(cpu, 3),
            "verifySeconds": round(took, 3),
            "verifyPeakKiB": after,
            "writerPeakKiB": peak,
        }
    return Section(
        "lengths",
        "Logs made, published as tiles and verified (entries a CPU second; published: a second, with fsync)",
        notes=(
            "Verifying reads, hashes and parses each entry, checks its form, digest, chain and place, every tile, and",
            "  the root against the signatures. Each step is a process of its own; memory is its peak, and how much of it is the check.",
        ),
        columns=("log", "made", "published", "tree, signature", "verified", "peak", "by the check"),
        rows=tuple(rows),
        checks=(
            Check(f"at least {RATE:,} entries are verified in a CPU second", f"{rates[-1]:,.0f}", rates[-1] >= RATE),
            Check(
                "memory is flat: ten times the entries",
                f"{peaks[-1] / peaks[0]:.2f} times the peak",
                peaks[-1] <= FLAT * peaks[0],
            ),
        ),
        figures=figures,
    )


def _run(module: str, *words: str) -> list[float]:
    done = subprocess.run([sys.executable, "-m", module, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{module} {' '.join(words)}: {done.stderr or done.stdout}")
    return [float(word) for word in done.stdout.split()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
