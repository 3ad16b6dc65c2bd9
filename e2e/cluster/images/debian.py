"""Files of Debian packages as image entries: fetched once with apt, read without installing and without root."""

from __future__ import annotations

import io
import os
import re
import subprocess
import tarfile
from typing import TYPE_CHECKING

from e2e.cluster.commands import run
from e2e.cluster.context import ClusterError, Say
from e2e.cluster.images.archive import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MERGED = ("bin", "sbin", "lib", "lib64")  # Debian 12 keeps these below /usr
SECONDS = 300.0


def fetch(packages: Iterable[str], cache: Path, say: Say) -> dict[str, Path]:
    """Give the .deb file of each package, downloaded with apt unless the cache has it.

    Raises ClusterError with the command to run by hand when apt cannot fetch one.
    """
    folder = cache / "debian"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(packages)
    missing = [name for name in wanted if not any(folder.glob(f"{name}_*.deb"))]
    if missing:
        say(f"fetching {len(missing)} Debian packages for the images")
        _download(missing, folder)
    return {name: max(folder.glob(f"{name}_*.deb")) for name in wanted}


def entries(package: Path, keep: str = "", drop: str = "") -> Iterator[Entry]:
    """Yield a package's files with /bin, /lib and the like moved below /usr.

    `keep` and `drop` are regular expressions on the path without its leading slash, searched anywhere in it.
    """
    stream = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(stream)) as tar:
        for member in tar:
            path = _merged(member.name)
            unwanted = (keep and not re.search(keep, path)) or (drop and re.search(drop, path))
            if not path or member.isdir() or unwanted:
                continue
            if member.issym():
                yield Entry(path, link=member.linkname)
            elif file := tar.extractfile(member):
                yield Entry(path, file.read(), mode=member.mode & 0o7777)


def merged_links() -> Iterator[Entry]:
    """Yield the links that a system with merged /usr has at its root."""
    for name in MERGED:
        yield Entry(name, link=f"usr/{name}")


def install(packages: tuple[str, ...], say: Say) -> None:
    """Install packages as root; say what to install otherwise. Raises ClusterError when that is impossible."""
    names = ", ".join(packages)
    line = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0:
        raise ClusterError(f"{names} is missing and this is not root: run `sudo {line}`, then start again")
    say(f"installing {names} with apt")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-q"], next_step="Check apt's sources.", timeout=SECONDS)
    command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
    run(command, next_step=f"Run `{line}` and start again.", env=environment, timeout=SECONDS)


def _download(packages: list[str], folder: Path) -> None:
    command = ["apt-get", "download", "-q", *packages]
    next_step = f"Run `apt-get update && apt-get download {' '.join(packages)}` to see why."
    try:
        run(command, cwd=folder, next_step=next_step, timeout=SECONDS)
    except ClusterError:
        if os.geteuid() != 0:
            raise
        run(["apt-get", "update", "-q"], next_step="Check apt's sources.", timeout=SECONDS)  # lists may be old
        run(command, cwd=folder, next_step=next_step, timeout=SECONDS)


def _merged(name: str) -> str:
    path = name.removeprefix("./").strip("/")
    return f"usr/{path}" if path.split("/", 1)[0] in MERGED else path
