"""One build: shown while it runs, whole in the cache or not there at all."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
from collections import deque
from pathlib import Path

from e2e.cluster.commands import which
from e2e.cluster.context import ClusterError, Say
from e2e.cluster.locks import file_lock

from .recipes import Recipe
from .toolchain import ensure_go

HEARTBEAT = 15.0  # seconds between two lines of a long build


def build(recipe: Recipe, cache: Path, say: Say) -> Path:
    """Return the cache entry of a recipe, building it when it is not there.

    A killed build leaves nothing under the final name; what Go compiled until then stays in Go's own cache, so the
    next attempt goes on from there.
    """
    folder = _folder(recipe, cache)
    if folder.is_dir():
        return folder
    with file_lock(cache / "locks" / f"{recipe.name}.lock", say, f"the build of {recipe.name}"):
        if folder.is_dir():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        for stale in folder.parent.glob(f".{recipe.name}-*"):  # the lock is ours: nobody works there
            shutil.rmtree(stale, ignore_errors=True)
        half_made = Path(tempfile.mkdtemp(prefix=f".{recipe.name}-", dir=folder.parent))
        try:
            took = _compile(recipe, half_made, ensure_go(cache, say), say)
            (half_made / "built.json").write_text(json.dumps({"seconds": round(took, 1)}) + "\n", encoding="ascii")
            half_made.chmod(0o755)
            half_made.rename(folder)
        finally:
            shutil.rmtree(half_made, ignore_errors=True)
    return folder


def is_built(recipe: Recipe, cache: Path) -> bool:
    """Tell whether asking for this recipe costs nothing."""
    return _folder(recipe, cache).is_dir()


def _folder(recipe: Recipe, cache: Path) -> Path:
    return cache / "programs" / recipe.entry()


def _environment(recipe: Recipe, folder: Path, go: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("GOOS", "GOARCH", "GOWORK")}
    fixed = {
        "GOBIN": str(folder),
        "GOFLAGS": "-buildvcs=false",
        "GOWORK": "off",
        "CGO_ENABLED": "1" if recipe.cgo else "0",
        "PATH": f"{go.parent}{os.pathsep}{kept.get('PATH', os.defpath)}",
    }
    return kept | fixed


def _compile(recipe: Recipe, folder: Path, go: Path, say: Say) -> float:
    say(f"building {recipe.name} {recipe.version} (about {recipe.takes} s when nothing is cached)")
    start = time.monotonic()
    setpriv = which("setpriv")  # a build is not to go on when we are killed
    bound = [str(setpriv), "--pdeathsig", "KILL"] if setpriv else []
    argv = [*bound, str(go), *recipe.arguments(folder)]
    with subprocess.Popen(
        argv,
        cwd=recipe.source or folder,
        env=_environment(recipe, folder, go),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        process_group=0,
    ) as process:
        try:
            tail = _watch(process, recipe, say, start)
        except BaseException:
            os.killpg(process.pid, 9)
            raise
    took = time.monotonic() - start
    missing = [name for name in recipe.makes if not (folder / name).is_file()]
    if process.returncode or missing:
        reason = "\n".join(tail) or f"it made no {', '.join(missing)}"
        raise ClusterError(
            f"building {recipe.name} {recipe.version} failed with code {process.returncode}: {reason}\n"
            "Check that the Go module proxy can be reached (`go env GOPROXY`) and run the same command again: "
            "it goes on where it stopped."
        )
    say(f"built {recipe.name} {recipe.version} in {took:.0f} s")
    return took


def _watch(process: subprocess.Popen[str], recipe: Recipe, say: Say, start: float) -> list[str]:
    """Follow a build until its end; returns its last lines. Go prints one line for each module and package."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    tail: deque[str] = deque(maxlen=12)
    compiled, shown = 0, start
    while True:
        try:
            line = lines.get(timeout=max(0.1, shown + HEARTBEAT - time.monotonic()))
        except queue.Empty:
            line = ""
        if line is None:
            break
        if line:
            tail.append(line)
            compiled += not line.startswith("go: ")
        now = time.monotonic()
        if now - shown >= HEARTBEAT:
            shown = now
            last = tail[-1] if tail else "reading the cache"
            say(f"building {recipe.name}: {now - start:.0f} s, {compiled} packages compiled, now {last}")
    process.wait()
    return list(tail)


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    for line in process.stderr or ():
        lines.put(line.strip())
    lines.put(None)
