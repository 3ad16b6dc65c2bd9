"""Beginning and end of a local cluster."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

from e2e.cluster import binaries, pki
from e2e.cluster.context import Cluster, ClusterError, Say
from e2e.cluster.ports import free_port
from e2e.cluster.processes import alive, kill, marked

from . import bootstrap, cgroups, controlplane, full, network
from .control import add, tell
from .plan import read_plan
from .record import READY, STARTING, Layout, cgroup_name, read_record, supervisor_of, write_record
from .supervisor import launch

_API_PORT, _ETCD_PORT, _ETCD_PEER_PORT = 6443, 2379, 2380  # the usual ones, free in a namespace of one's own


def find(state: Path) -> Cluster | None:
    """Return the cluster of a state folder when it is whole and runs; None when there is none or only remains."""
    found = read_record(state)
    supervisor = supervisor_of(state)
    if found is None or found[1] != READY or supervisor is None or not alive(supervisor):
        return None
    return found[0].cluster()


def up(state: Path, profile: str, cache: Path, say: Say) -> Cluster:
    """Make a cluster in an empty place; the caller holds the name's lock and has looked for a running one.

    A failure ends every process again but leaves the logs, which its message names.
    """
    if profile == "full" and os.geteuid() != 0:
        raise ClusterError(
            "profile full of backend local needs root: it makes namespaces, a bridge and cgroups. Run the command with "
            "sudo, use a machine with a Docker engine (backend kind), or be content with --profile api."
        )
    purge(state, say)
    if profile == "full":
        full.require_packages(say)
    programs = binaries.ensure(full.PROGRAMS if profile == "full" else ("kubernetes", "kwok"), cache, say)
    images = full.ensure_images(cache, say) if profile == "full" else {}
    state.mkdir(parents=True, mode=0o700)
    try:
        layout = _lay_out(state, profile, cache, say)
        _start_control_plane(layout, programs, say)
        if profile == "full":
            full.start(layout, programs, images, say)
        else:
            bootstrap.wait_for_nodes(layout, (controlplane.KWOK_NODE,), say)
            say(f"node {controlplane.KWOK_NODE} Ready (played by kwok)")
        write_record(layout, READY)
    except BaseException:
        halt(state)
        raise
    return layout.cluster()


def _lay_out(state: Path, profile: str, cache: Path, say: Say) -> Layout:
    """Choose addresses and ports, start the supervisor, connect its network, make the certificates."""
    for folder in ("logs", "etcd", "audit"):
        (state / folder).mkdir(mode=0o700)
    if profile == "full":
        supervisor = launch(state, namespaces=True, keep=(state, cache))
        link, host_address, address = network.connect(supervisor.pid)
        layout = Layout(
            state.name, profile, state, cache, address, _API_PORT, _ETCD_PORT, _ETCD_PEER_PORT, link, address
        )
        write_record(layout, STARTING)
        cgroups.make(cgroup_name(state))
        say(f"own namespaces, reached over {link}: {host_address} here, {address} there")
    else:
        api_port = free_port()
        etcd_port = free_port({api_port})
        peer_port = free_port({api_port, etcd_port})
        layout = Layout(state.name, profile, state, cache, "127.0.0.1", api_port, etcd_port, peer_port)
        launch(state, namespaces=False)
        write_record(layout, STARTING)
    pki.create(layout.pki, layout.node, layout.host)
    return layout


def _start_control_plane(layout: Layout, programs: dict[str, Path], say: Say) -> None:
    kubernetes = programs["kubernetes"]
    early = full.runtime(layout, programs) if layout.profile == "full" else []
    add(layout.state, [controlplane.etcd(layout, kubernetes), controlplane.apiserver(layout, kubernetes), *early])
    controlplane.component_kubeconfig(layout, "admin")
    bootstrap.wait_for_api(layout, say)
    say(f"API server ready at {layout.server}")
    add(
        layout.state,
        [
            controlplane.controller_manager(layout, kubernetes),
            controlplane.scheduler(layout, kubernetes),
            controlplane.kwok(layout, programs["kwok"]),
        ],
    )
    bootstrap.create_objects(layout)


def revive(state: Path, say: Say) -> None:
    """Start components that a fault test stopped and, being killed itself, did not start again."""
    plan = read_plan(state)
    found = read_record(state)
    stopped = [component.name for component in plan if not component.wanted]
    if found is None or not stopped:
        return
    say(f"cluster {state.name}: starting {', '.join(stopped)}, which an earlier run had stopped")
    tell(state, [replace(component, wanted=True) for component in plan])
    bootstrap.wait_for_api(found[0], say)


def halt(state: Path) -> None:
    """End every process of a cluster, with its network and cgroups; safe to repeat, whatever a crash has left."""
    found = read_record(state)
    supervisor = supervisor_of(state)
    stubborn = kill([supervisor] if supervisor else [])
    for _ in range(5):  # what was being forked while we looked shows up at the next look
        remains = marked(state)
        if not remains:
            break
        stubborn = kill(remains)
    if stubborn:
        pids = ", ".join(str(process.pid) for process in stubborn)
        raise ClusterError(f"processes {pids} of cluster {state.name} survive SIGKILL: they hang in the kernel.")
    if found and found[0].link:
        network.disconnect(found[0].link)
    cgroups.remove(cgroup_name(state))


def purge(state: Path, say: Say) -> None:
    """Remove a cluster altogether: processes, network, cgroups, files; looks for remains even without a folder."""
    halt(state)
    if not state.exists():
        return
    for attempt in range(20):  # the kernel takes the mounts of dead namespaces away in its own time
        shutil.rmtree(state, ignore_errors=attempt < 19)
        if not state.exists():
            break
        time.sleep(0.1)
    say(f"removed what was left in {state}")
