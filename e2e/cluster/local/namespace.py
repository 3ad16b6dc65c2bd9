"""A cluster's own world: pid, mount, network, host-name and IPC namespaces that end with their first process."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from pathlib import Path

from e2e.cluster.commands import run, search_path

# sched.h
_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC, _CLONE_NEWPID, _CLONE_NEWNET = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x20000000,
    0x40000000,
)
# Kernel settings the kubelet insists on and that no namespace holds apart: it finds them as it wants them here, and
# the machine's own stay as they are.
_KUBELET_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
_OWN = ("/var/lib", "/var/log")  # written to by programs that cannot be told to write elsewhere


def unshare() -> None:
    """Leave the host's namespaces; the next child becomes the first process of the new pid namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    flags = _CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWPID | _CLONE_NEWNET
    if libc.unshare(flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"namespaces cannot be made: {os.strerror(code)}")


def prepare(state: Path, keep: tuple[Path, ...]) -> None:
    """Arrange mounts and host name inside the new namespaces, so that nothing written there reaches the host.

    /run is empty, /var/lib and /var/log are seen through an overlay in memory; `keep` (state folder and cache) stay
    the host's even below those.
    """
    _mount("--make-rprivate", "/")
    _mount("--make-rshared", "/")  # a peer group of our own: pods may ask for mount propagation
    _mount("-t", "proc", "proc", "/proc")
    kept = {path: os.open(path, os.O_PATH) for path in keep}
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for target in _OWN:
        layers = Path("/run/feem") / target.lstrip("/").replace("/", "-")
        for part in ("upper", "work"):
            (layers / part).mkdir(parents=True)
        _mount(
            "-t", "overlay", "-o", f"lowerdir={target},upperdir={layers}/upper,workdir={layers}/work", "overlay", target
        )
    for path, handle in kept.items():
        if any(path.is_relative_to(hidden) for hidden in (*_OWN, "/run")):
            path.mkdir(parents=True, exist_ok=True)
            _mount("--bind", f"/proc/self/fd/{handle}", str(path), handles=(handle,))
        os.close(handle)
    Path("/var/lib/kubelet").mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/var/lib/kubelet")
    _shield_settings()
    socket.sethostname(state.name)


def _mount(*arguments: str, handles: tuple[int, ...] = ()) -> None:
    if handles:
        subprocess.run(["mount", *arguments], env={"PATH": search_path()}, pass_fds=handles, check=True)
        return
    run(["mount", *arguments], next_step="Profile full needs the right to mount (root, CAP_SYS_ADMIN).")


def _shield_settings() -> None:
    for name, value in _KUBELET_SETTINGS.items():
        real = Path("/proc/sys") / name
        if not real.exists():
            continue
        stand_in = Path("/run/feem/settings") / name.replace("/", ".")
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        stand_in.write_text(f"{value}\n", encoding="ascii")
        _mount("--bind", str(stand_in), str(real))
