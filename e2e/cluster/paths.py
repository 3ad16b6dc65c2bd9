"""Where clusters keep their state and where built programs are cached: both outside the checkout."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .context import ClusterError

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?")


def state_root() -> Path:
    """Folder that holds one folder for each cluster: $FEEM_STATE, else below the user's XDG state folder."""
    given = os.environ.get("FEEM_STATE")
    if given:
        return Path(given).expanduser().absolute()
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local/state").absolute() / "feem" / "clusters"


def cache_root() -> Path:
    """Folder of everything that was built once and serves every cluster: $FEEM_CACHE, else below the XDG cache."""
    given = os.environ.get("FEEM_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache").absolute() / "feem"


def cluster_state(name: str) -> Path:
    """State folder of one cluster; the name goes into host names and cgroups, hence its narrow alphabet."""
    if not _NAME.fullmatch(name):
        raise ClusterError(
            f"cluster name {name!r} is not usable: it needs 1 to 30 of a-z, 0-9 and '-', starting with a letter "
            "and not ending in '-'. Choose another --name."
        )
    return state_root() / name
