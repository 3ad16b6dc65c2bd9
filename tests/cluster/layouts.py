"""Layouts as a bring-up would have chosen them."""

from __future__ import annotations

from pathlib import Path

from e2e.cluster import pki
from e2e.cluster.local.record import Layout


def api_layout(folder: Path) -> Layout:
    return _with_certificates(Layout("demo", "api", folder, folder / "cache", "127.0.0.1", 20001, 20002, 20003))


def full_layout(folder: Path) -> Layout:
    address = "10.231.0.2"
    return _with_certificates(
        Layout("demo", "full", folder, folder / "cache", address, 6443, 2379, 2380, "feem0", address)
    )


def _with_certificates(layout: Layout) -> Layout:
    layout.state.mkdir(parents=True, exist_ok=True)
    pki.create(layout.pki, layout.node, layout.host)
    return layout
