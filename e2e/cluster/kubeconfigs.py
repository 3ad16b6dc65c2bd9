"""Kubeconfig files that stand alone: certificates embedded, readable by their owner only."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import yaml


def write_kubeconfig(
    path: Path, *, cluster: str, server: str, authority: bytes, user: str, pair: tuple[bytes, bytes]
) -> Path:
    """Write a kubeconfig with one context called `cluster`; `pair` is the user's certificate and key, in PEM."""

    def embed(content: bytes) -> str:
        return base64.b64encode(content).decode("ascii")

    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": embed(authority)}}],
        "users": [
            {"name": user, "user": {"client-certificate-data": embed(pair[0]), "client-key-data": embed(pair[1])}}
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
        "current-context": cluster,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    half_made = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(half_made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        yaml.safe_dump(document, file, sort_keys=False)
    half_made.rename(path)
    return path
