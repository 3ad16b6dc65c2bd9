"""What profile full has on top of the control plane."""

from __future__ import annotations

from pathlib import Path

from ..context import Say
from .plan import Component
from .record import Layout

PROGRAMS = ("kubernetes", "kwok", "containerd", "containerd-shim-runc-v2", "ctr", "runc")


def require_packages(say: Say) -> None:
    raise NotImplementedError


def ensure_images(cache: Path, say: Say) -> dict[str, Path]:
    raise NotImplementedError


def runtime(layout: Layout, programs: dict[str, Path]) -> list[Component]:
    raise NotImplementedError


def start(layout: Layout, programs: dict[str, Path], images: dict[str, Path], say: Say) -> None:
    raise NotImplementedError
