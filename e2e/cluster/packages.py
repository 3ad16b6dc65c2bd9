"""Debian packages a real node needs: installed when we may, named when we may not."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .commands import run, which
from .context import ClusterError, Say

_HEADERS = ("/usr/include/seccomp.h",)
_PLUGIN_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))  # Debian's place, upstream's place
_PLUGINS = ("bridge", "host-local", "loopback", "portmap")
_PROGRAMS = {
    "ip": "iproute2",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "mount": "mount",
    "nsenter": "util-linux",
    "tee": "coreutils",
    "gcc": "gcc",
    "pkg-config": "pkg-config",
}


def missing_for_nodes() -> list[str]:
    """List the packages this machine lacks for running pods and for building runc, by what they would provide."""
    missing = [package for program, package in _PROGRAMS.items() if which(program) is None]
    if cni_folder() is None:
        missing.append("containernetworking-plugins")
    if not any(Path(header).is_file() for header in _HEADERS):
        missing += ["libseccomp-dev", "libc6-dev"]
    return missing


def cni_folder() -> Path | None:
    """Find the folder with the network plugins pods are connected by."""
    for folder in _PLUGIN_FOLDERS:
        if all((folder / plugin).is_file() for plugin in _PLUGINS):
            return folder
    return None


def require(packages: Iterable[str], say: Say) -> None:
    """Install Debian packages with apt-get as root; otherwise ClusterError with the command to run."""
    wanted = sorted(set(packages))
    if not wanted:
        return
    command = f"apt-get install --no-install-recommends {' '.join(wanted)}"
    if os.geteuid() != 0 or which("apt-get") is None:
        raise ClusterError(f"this machine lacks {', '.join(wanted)}. On Debian: sudo {command}")
    say(f"installing Debian packages: {' '.join(wanted)}")
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *wanted]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    next_step = f"Repair the package sources, then: {command}"
    try:
        run(install, next_step=next_step, env=environment, timeout=900)
    except ClusterError:  # the lists of a fresh machine are empty or old
        say("fetching Debian's package lists")
        run(["apt-get", "update", "--quiet"], next_step=next_step, env=environment, timeout=600)
        run(install, next_step=next_step, env=environment, timeout=900)


def load_modules(say: Say) -> None:
    """Load kernel modules for pod networks and container file systems where they are not built in."""
    for module, proof in (("br_netfilter", Path("/proc/sys/net/bridge")), ("overlay", None)):
        there = proof.exists() if proof else "overlay" in Path("/proc/filesystems").read_text(encoding="ascii")
        if not there:
            say(f"loading the kernel module {module}")
            run(["modprobe", module], next_step=f"Profile full of backend local needs {module} in the kernel.")
