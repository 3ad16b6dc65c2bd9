"""Bring docker-archives to a cluster's nodes, once for each content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from e2e.cluster import binaries
from e2e.cluster.commands import run
from e2e.cluster.context import Cluster, ClusterError, Say
from e2e.cluster.images.archive import read_names

RECORD = "images.json"  # in the cluster's state: which archive each name came from


def load(cluster: Cluster, archives: Mapping[str, Path] | Iterable[Path], say: Say) -> None:
    """Load images into the cluster's runtime, skipping what is there with the same content.

    `archives` are docker-archives, or what `ensure` gives. A given cluster has no door for this: its nodes must pull
    the images. Raises ClusterError then, and when the runtime refuses.
    """
    loaded = _read(cluster.state / RECORD)
    present = _present(cluster, say)
    for path in archives.values() if isinstance(archives, Mapping) else archives:
        names = read_names(path)
        if all(loaded.get(name) == path.name and name in present for name in names):
            continue
        say(f"loading {', '.join(names)} into the cluster")
        _load(cluster, path, say)
        loaded |= dict.fromkeys(names, path.name)
        _write(cluster.state / RECORD, loaded)


def _load(cluster: Cluster, path: Path, say: Say) -> None:
    if cluster.backend == "kind":
        from e2e.cluster.kind import kind_name  # noqa: PLC0415 - kind needs the stack, and the stack this module

        kind = binaries.ensure(["kind"], cluster.cache, say)["kind"]
        command: list[str | Path] = [kind, "load", "image-archive", path, f"--name={kind_name(cluster.state)}"]
        run(command, next_step="Check the node with `docker ps`.")
    elif cluster.containerd is not None:
        run([*_ctr(cluster, say), "import", "--local", path], next_step="Look at containerd's log in the state folder.")
    else:
        raise ClusterError(
            f"cluster {cluster.name} was given, so nothing can be loaded into its nodes: push {path} to a registry "
            "they reach, under the name the archive carries, and run again"
        )


def _present(cluster: Cluster, say: Say) -> set[str]:
    """Give the names the runtime has; on kind the record alone is believed, since it ends with the cluster."""
    if cluster.containerd is None:
        return set(_read(cluster.state / RECORD))
    names = run([*_ctr(cluster, say), "list", "-q"], next_step="Look at containerd's log in the state folder.")
    return set(names.split())


def _ctr(cluster: Cluster, say: Say) -> list[str]:
    ctr = binaries.ensure(["ctr"], cluster.cache, say)["ctr"]
    return [str(ctr), f"--address={cluster.containerd}", "--namespace=k8s.io", "images"]


def _read(record: Path) -> dict[str, str]:
    if not record.exists():
        return {}
    found: dict[str, str] = json.loads(record.read_text())
    return found


def _write(record: Path, loaded: dict[str, str]) -> None:
    partial = record.with_suffix(".partial")
    partial.write_text(json.dumps(loaded, indent=1, sort_keys=True) + "\n")
    partial.rename(record)
