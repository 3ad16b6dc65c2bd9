"""The process every component of a local cluster hangs on: when it dies, they die.

It is started by `launch`, leaves the command line's session, keeps running what the plan wants, restarts what falls
over, and ends when the plan is gone. On profile full it is the first process of a pid namespace of its own, so the
kernel ends every process and mount of the cluster with it; on profile api each child asks for SIGKILL at its
parent's death.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from e2e.cluster.context import ClusterError
from e2e.cluster.processes import MARK, Process, identify

from . import namespace
from .plan import Component, read_plan, write_json, write_plan, write_running

RECORD = "supervisor.json"
RELOAD = signal.SIGHUP
_PR_SET_PDEATHSIG = 1
_RESTART_PAUSE = 1.0  # seconds before a component that fell over is tried again
_HEARD = {signal.SIGCHLD, RELOAD, signal.SIGTERM, signal.SIGINT}
_ROUND = 2.0  # seconds between two looks at the plan when no signal comes
_PACKAGE_ROOT = Path(__file__).resolve().parents[3]


def launch(state: Path, *, namespaces: bool, keep: tuple[Path, ...] = ()) -> Process:
    """Start a supervisor for a state folder, with an empty plan; it outlives the caller.

    `namespaces` gives it pid, mount, network, host-name and IPC namespaces of its own (needs root); the folders in
    `keep` stay the host's there. Returns the supervisor as the host sees it.
    """
    (state / "logs").mkdir(parents=True, exist_ok=True)
    write_plan(state, [])
    options = json.dumps({"state": str(state), "namespaces": namespaces, "keep": [str(path) for path in keep]})
    environment = {**os.environ, MARK: str(state), "PYTHONPATH": str(_PACKAGE_ROOT)}
    with (state / "logs/supervisor.log").open("ab") as log:
        started = subprocess.run(
            [sys.executable, "-P", "-m", "e2e.cluster.local.supervisor", options],
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            timeout=60,
            check=False,
        )
    if started.returncode:
        tail = (state / "logs/supervisor.log").read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
        raise ClusterError(
            f"the supervisor of {state.name} did not start: {' / '.join(tail)}\n"
            "Profile full needs root with the right to make namespaces; profile api does not."
        )
    return Process(**json.loads((state / RECORD).read_text(encoding="utf-8")))


def main(options: str) -> None:
    """Fork the supervisor proper, write down who it is, and leave it alone."""
    wish = json.loads(options)
    state = Path(wish["state"])
    if wish["namespaces"]:
        namespace.unshare()
    ready_read, ready_write = os.pipe()
    go_read, go_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ready_read)
        os.close(go_write)
        _become_supervisor(state, wish, ready_write, go_read)
    os.close(ready_write)
    process = identify(pid)
    if process is None:
        raise SystemExit("the supervisor died at once")
    write_json(state / RECORD, {"pid": process.pid, "started": process.started, "boot": process.boot})
    os.write(go_write, b"g")
    if os.read(ready_read, 1) != b"r":
        raise SystemExit("the supervisor died while it prepared its namespaces")


def _become_supervisor(state: Path, wish: dict[str, object], ready: int, go: int) -> NoReturn:
    """Wait until we are on record, prepare the namespaces, cut the last tie to the caller, and work."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    if os.read(go, 1) != b"g":
        os._exit(1)
    try:
        if wish["namespaces"]:
            keep = wish["keep"]
            namespace.prepare(state, tuple(Path(path) for path in (keep if isinstance(keep, list) else ())))
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        os.write(ready, b"r")
        os.close(ready)
        Supervisor(state).work()
    except BaseException as error:  # noqa: BLE001 - the last frame of a forked process: nobody else can report it
        print(f"supervisor ends: {error!r}", file=sys.stderr, flush=True)
        os._exit(1)
    os._exit(0)


class Supervisor:
    """Runs the plan of one state folder: forks, reaps, restarts."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._plan: dict[str, Component] = {}
        self._running: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)

    def work(self) -> None:
        """Follow the plan until it is gone, then end everything."""
        write_running(self._state, {})
        while True:
            try:
                self._plan = {component.name: component for component in read_plan(self._state)}
            except FileNotFoundError:
                break
            self._settle()
            pending = any(name not in self._running for name, entry in self._plan.items() if entry.wanted)
            news = signal.sigtimedwait(_HEARD, 0.2 if pending else _ROUND)
            if news and news.si_signo in (signal.SIGTERM, signal.SIGINT):
                break
            self._reap()
        for pid in self._running.values():
            os.kill(pid, signal.SIGKILL)

    def _settle(self) -> None:
        """Start what is wanted and does not run, end what runs and is not wanted."""
        before = dict(self._running)
        for name, component in self._plan.items():
            if component.wanted and name not in self._running and time.monotonic() >= self._not_before.get(name, 0):
                self._running[name] = self._start(component)
        for name, pid in list(self._running.items()):
            entry = self._plan.get(name)
            if entry is None or not entry.wanted:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                del self._running[name]
        if self._running != before:
            write_running(self._state, self._running)

    def _reap(self) -> None:
        """Bury dead children, ours and (as first process of a namespace) everybody's; note who is to come back."""
        names = {pid: name for name, pid in self._running.items()}
        fallen = False
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            name = names.get(pid)
            if name is not None:
                print(f"{name} fell over, {_how(status)}: starting it again", file=sys.stderr, flush=True)
                del self._running[name]
                self._not_before[name] = time.monotonic() + _RESTART_PAUSE
                fallen = True
        if fallen:
            write_running(self._state, self._running)

    def _start(self, component: Component) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        try:
            os.setsid()
            self._libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)
            signal.pthread_sigmask(signal.SIG_SETMASK, set())
            log = os.open(self._state / "logs" / f"{component.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.execvpe(component.argv[0], component.argv, {**os.environ, **component.env})  # noqa: S606
        except OSError as error:
            os.write(2, f"{component.argv[0]} cannot be executed: {error}\n".encode())
        finally:
            os._exit(127)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"code {code}" if code >= 0 else f"signal {-code}"


if __name__ == "__main__":
    main(sys.argv[1])
