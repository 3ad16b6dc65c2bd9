"""Measure how soon and how surely a worse canary is known, print it, and keep the figures.

python -m bench.evidence [--out FILE] [--only NAME ...]      FULL=1: five times as many runs
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from bench.evidence import bursts, cost, grid_section, loan_section, mixes, path_section, shapes
from bench.evidence.bench import PROCESSES, SEED, Bench, full_wanted
from bench.evidence.section import Section, verdicts

SECTIONS: tuple[tuple[str, Callable[[Bench], Section]], ...] = (
    ("grid", grid_section.run),
    ("mix", mixes.run),
    ("bursts", bursts.run),
    ("shapes", shapes.run),
    ("path", path_section.run),
    ("loans", loan_section.run),
    ("cost", cost.run),
)
"""The parts of the report in their order; a new one is a module with `run` and a line here."""


def main(words: Sequence[str]) -> int:
    """Run the sections; 0 when all were made and kept their promises, 1 when not."""
    parser = argparse.ArgumentParser(prog="python -m bench.evidence", description=__doc__)
    parser.add_argument("--out", type=Path, help="write the figures to this file")
    parser.add_argument("--only", nargs="*", choices=[name for name, _ in SECTIONS], help="make these sections only")
    options = parser.parse_args(words)
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as executor:
        bench = Bench(executor, full=full_wanted())
        sections = [made(make, name, bench) for name, make in SECTIONS if not options.only or name in options.only]
        bench.say("done")
    report(sections, full=bench.full)
    if options.out:
        options.out.write_text(json.dumps(figures(sections, full=bench.full), indent=1, ensure_ascii=False) + "\n")
    return 1 if any(one.failure or not all(check.passed for check in one.checks) for one in sections) else 0


def made(make: Callable[[Bench], Section], name: str, bench: Bench) -> Section:
    """Make one section and say how long it took."""
    start = time.monotonic()
    bench.say(f"{name}: begins")
    section = make(bench)
    bench.say(
        f"{name}: took {time.monotonic() - start:.0f} s" + (f"; FAILED: {section.failure}" if section.failure else "")
    )
    return section


def report(sections: Sequence[Section], *, full: bool) -> None:
    """Print everything."""
    print("# FEEM's evidence, measured")
    print(f"made by: {command(full=full)}    (seed {SEED}, Python {platform.python_version()}, numpy {np.__version__})")
    for section in sections:
        print()
        print("\n".join(section.text()))
    checks = [check for section in sections for check in section.checks]
    missed = [check for check in checks if not check.passed]
    failed = [section for section in sections if section.failure]
    print(f"\n## All promises: {len(checks) - len(missed)} of {len(checks)} kept, {len(failed)} sections not measured")
    print("\n".join(verdicts(missed)))


def command(*, full: bool) -> str:
    """Return what to type to make the same figures."""
    return "FULL=1 make bench-evidence" if full else "make bench-evidence"


def figures(sections: Sequence[Section], *, full: bool) -> dict[str, object]:
    """Return what the result file keeps."""
    return {
        "command": command(full=full),
        "seed": SEED,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "sections": {section.name: section.plain() for section in sections},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
