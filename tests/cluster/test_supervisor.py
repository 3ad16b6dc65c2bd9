"""The supervisor with small programs in place of a control plane: it is the same code either way."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.cluster.context import ClusterError
from e2e.cluster.local import control, lifecycle
from e2e.cluster.local.plan import Component, read_running
from e2e.cluster.local.supervisor import launch
from e2e.cluster.processes import Process, alive, identify, marked


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    state = tmp_path / "demo"
    state.mkdir()
    yield state
    lifecycle.purge(state, lambda _: None)
    assert marked(state) == []
    assert not state.exists()


def sleeper(name: str) -> Component:
    return Component(name, ("sleep", "300"))


def eventually(done: Callable[[], bool], within: float = 10.0) -> None:
    control.wait_until(done, within=within, failed=lambda: "it did not happen")


def started(state: Path, *names: str) -> dict[str, Process]:
    """Launch a supervisor with these components; returns who they are."""
    launch(state, namespaces=False)
    control.add(state, [sleeper(name) for name in names])
    eventually(lambda: set(read_running(state)) == set(names))
    found = {name: identify(pid) for name, pid in read_running(state).items()}
    return {name: process for name, process in found.items() if process}


def test_components_run_outside_the_callers_session(state: Path) -> None:
    supervisor = launch(state, namespaces=False)
    assert alive(supervisor)
    assert os.getsid(supervisor.pid) != os.getsid(0)
    with Path(f"/proc/{supervisor.pid}/status").open() as status:
        parent = next(int(line.split()[1]) for line in status if line.startswith("PPid"))
    assert parent != os.getpid()


def test_what_falls_over_is_started_again(state: Path) -> None:
    first = started(state, "one", "two")
    os.kill(first["one"].pid, signal.SIGKILL)
    eventually(lambda: read_running(state).get("one") not in (None, first["one"].pid))
    assert read_running(state)["two"] == first["two"].pid
    assert "one fell over, signal 9" in (state / "logs/supervisor.log").read_text()


def test_one_component_is_stopped_and_started_while_others_go_on(state: Path) -> None:
    first = started(state, "one", "two")
    control.want(state, "one", wanted=False)
    assert not alive(first["one"])
    assert alive(first["two"])
    time.sleep(0.3)
    assert set(read_running(state)) == {"two"}
    control.want(state, "one", wanted=True)
    assert set(read_running(state)) == {"one", "two"}
    with pytest.raises(ClusterError, match="it has"):
        control.want(state, "three", wanted=False)


def test_components_die_with_a_killed_supervisor(state: Path) -> None:
    supervisor = launch(state, namespaces=False)
    control.add(state, [sleeper("one"), sleeper("two")])
    eventually(lambda: len(read_running(state)) == 2)
    children = [identify(pid) for pid in read_running(state).values()]
    os.kill(supervisor.pid, signal.SIGKILL)
    eventually(lambda: not any(child and alive(child) for child in children))
    with pytest.raises(ClusterError, match="run `up --name demo` again"):
        control.add(state, [])


def test_nobody_stays_when_the_state_folder_is_removed_by_hand(state: Path) -> None:
    children = started(state, "one")
    shutil.rmtree(state)
    eventually(lambda: not alive(children["one"]) and not marked(state))


def test_a_lost_record_hides_nobody(state: Path) -> None:
    children = started(state, "one")
    (state / "supervisor.json").unlink()
    lifecycle.halt(state)
    assert not alive(children["one"])


def test_a_program_that_cannot_start_says_so_in_its_log(state: Path) -> None:
    launch(state, namespaces=False)
    control.add(state, [Component("ghost", ("/no/such/program",))])
    eventually(lambda: "cannot be executed" in control.log_tail(state, "ghost"))
