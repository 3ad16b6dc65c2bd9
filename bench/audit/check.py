"""Checks a published log in a process of its own, and prints what it took: CPU seconds, and the peak of memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from feem.cli.audit.check import check, trust_of


def main(words: Sequence[str]) -> int:
    """Check the directory that is named; 1 when it is not whole."""
    directory = Path(words[0])
    trust = trust_of(directory / "keys.txt", None, ())
    before, began, cpu = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter(), time.process_time()
    found = check(directory, trust)
    spent, took = time.process_time() - cpu, time.perf_counter() - began
    entries = found.report.entries if found.report else 0
    print(entries, spent, took, before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
