"""One run of a bench: its progress, and its figures, printed and kept with the command that made them."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.evidence.section import Section, verdicts


@dataclass(frozen=True)
class Session:
    """What is measured by which command; time and load are noted when it is made."""

    title: str
    command: str
    began: float = field(default_factory=time.monotonic)
    load: tuple[float, float, float] = field(default_factory=os.getloadavg)

    def say(self, line: str) -> None:
        """Show progress."""
        print(f"{time.monotonic() - self.began:7.1f} s  {line}", file=sys.stderr, flush=True)

    def publish(self, made: Sequence[Section], out: Path | None, **more: Any) -> int:
        """Print the sections, keep their figures and `more` in `out`; returns 0 when all promises are kept, else 1."""
        kept = {
            "command": self.command,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "seconds": round(time.monotonic() - self.began),
            "python": platform.python_version(),
            "processors": os.cpu_count(),
            "load": [round(one, 2) for one in self.load],
            **more,
            "sections": {section.name: section.plain() for section in made},
        }
        print(f"# {self.title}\nmade by: {self.command}    ({kept['time']}, load {self.load[0]:.1f} before the run)")
        for section in made:
            print("\n" + "\n".join(section.text()))
        checks = [check for section in made for check in section.checks]
        misses = [check for check in checks if not check.passed]
        print(f"\n## All promises: {len(checks) - len(misses)} of {len(checks)} kept")
        print("\n".join(verdicts(misses)))
        if out:
            out.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
        return 1 if misses else 0
