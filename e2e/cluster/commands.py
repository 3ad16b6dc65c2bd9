"""Programs run to their end, with errors that name the program, its reason and the next step."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .context import ClusterError

_ADMIN_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # an ordinary user's PATH lacks them


def search_path() -> str:
    """Return PATH with the administrator's folders, where ip and iptables live."""
    folders = os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin").split(os.pathsep)
    return os.pathsep.join([*folders, *(folder for folder in _ADMIN_FOLDERS if folder not in folders)])


def which(program: str) -> Path | None:
    found = shutil.which(program, path=search_path())
    return Path(found) if found else None


def run(
    argv: Sequence[str | Path],
    *,
    next_step: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    timeout: float = 600.0,
) -> str:
    """Run a program and return its standard output; a failure becomes a ClusterError with its last lines."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env={"PATH": search_path(), **(os.environ if env is None else env)} | {"PATH": search_path()},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise ClusterError(f"{words[0]} is not installed. {next_step}") from error
    except subprocess.TimeoutExpired as error:
        raise ClusterError(f"`{' '.join(words[:4])}` did not end within {timeout:.0f} s. {next_step}") from error
    if done.returncode:
        reason = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise ClusterError(f"`{' '.join(words[:6])}` ended with code {done.returncode}: {reason}\n{next_step}")
    return done.stdout
