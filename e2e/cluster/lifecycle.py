"""The four things one does with clusters, whichever backend makes them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
from pathlib import Path

from . import given, kind
from .commands import which
from .context import BACKENDS, PROFILES, Cluster, ClusterError, Say
from .local import lifecycle as local
from .locks import file_lock
from .paths import cache_root, cluster_state, state_root


def up(name: str, profile: str, backend: str, say: Say) -> Cluster:
    """Bring a cluster up, or return the running one when its profile suffices: a profile is a floor."""
    if profile not in PROFILES or backend not in BACKENDS:
        raise ClusterError(
            f"no profile {profile!r} with backend {backend!r}: profiles are {', '.join(PROFILES)}; backends are "
            f"{', '.join(BACKENDS)}."
        )
    state, cache = cluster_state(name), cache_root()
    with file_lock(_lock(state), say, f"cluster {name}"):
        running = find(name)
        if running:
            if running.backend == "local":
                local.revive(state, say)
            return _check_floor(running, profile, say)
        chosen = choose_backend(say) if backend == "auto" else backend
        say(f"cluster {name}: profile {profile}, backend {chosen}")
        makers = {"given": given.up, "kind": kind.up, "local": local.up}
        return makers[chosen](state, profile, cache, say)


def down(name: str, say: Say) -> None:
    """Remove a cluster and everything it left; a given cluster is only forgotten. Safe to repeat."""
    state = cluster_state(name)
    with file_lock(_lock(state), say, f"cluster {name}"):
        if not state.exists():
            say(f"cluster {name}: no files of it are here; looking for processes and cgroups only")
        elif kind.owns(state):
            kind.down(state, say)
        elif given.owns(state):
            given.down(state, say)
        local.purge(state, say)
        with contextlib.suppress(OSError):  # the last one takes the folder of clusters with it
            state_root().rmdir()


def find(name: str) -> Cluster | None:
    """Return a cluster that is up; None when there is none by this name, or only remains."""
    state = cluster_state(name)
    return local.find(state) or kind.find(state) or given.find(state)


def names() -> list[str]:
    """List every name with a state folder, running or not."""
    root = state_root()
    if not root.is_dir():
        return []
    return sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def choose_backend(say: Say) -> str:
    """Choose as the documentation says: KUBECONFIG, else a Docker engine with a node image, else this machine."""
    chosen = os.environ.get("KUBECONFIG")
    if chosen and not Path(chosen).is_relative_to(state_root()):
        return "given"
    if docker_answers():
        if kind.node_image_available(say):
            return "kind"
        say("a Docker engine answers, but kind's node image can neither be found nor pulled: backend local")
    return "local"


def docker_answers() -> bool:
    """Tell whether a Docker engine serves this user (the client alone is not enough)."""
    docker = which("docker")
    if docker is None:
        return False
    try:
        asked = subprocess.run(
            [str(docker), "info", "--format", "{{.ServerVersion}}"], capture_output=True, timeout=20, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0 and bool(asked.stdout.strip())


def _check_floor(running: Cluster, profile: str, say: Say) -> Cluster:
    if PROFILES.index(running.profile) < PROFILES.index(profile):
        raise ClusterError(
            f"cluster {running.name} runs with profile {running.profile}, which does not have what {profile} has: "
            f"remove it first (`down --name {running.name}`) or choose another --name."
        )
    say(f"cluster {running.name} is up: profile {running.profile}, backend {running.backend}")
    return running


def _lock(state: Path) -> Path:
    digest = hashlib.sha256(str(state).encode()).hexdigest()[:12]
    return cache_root() / "locks" / f"cluster-{state.name}-{digest}.lock"
