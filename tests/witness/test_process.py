"""The command as a process: it says its keys, stops when told, and is killed between keeping a head and answering."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from feem.adapters.audit.witnesses import HttpWitness
from feem.core.tlog.policy import parse_policy
from feem.core.tlog.vkey import Key, parse_vkey
from feem.ports import Unavailable, WitnessDisagrees
from tests.witness.growing import NAME, Log, vkeys_of

RUN = "import typer; from feem.cli.audit.witness import witness; typer.run(witness)"
DIE = "os.kill(os.getpid(), signal.SIGKILL)"
DIE_AFTER = f"""
import os, signal
from feem.adapters.audit import witness_state
keep = witness_state.replace_file
def keep_and_die(path, data, mode=0o644):
    keep(path, data, mode)
    if b"\\n10\\n" in data:
        {DIE}
witness_state.replace_file = keep_and_die
"""
DIE_BEFORE = f"""
import os, pathlib, signal
move = pathlib.Path.replace
def die(self, target):
    if b"\\n10\\n" in self.read_bytes():
        {DIE}
    return move(self, target)
pathlib.Path.replace = die
"""

Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def begin(log: Log, *more: str, before: str = "") -> tuple[subprocess.Popen[str], str]:
        words = ["--name", NAME, "--state", str(tmp_path / "state"), "--listen", "127.0.0.1:0", *more]
        words += [word for key in log.signer.keys for word in ("--log", key.vkey())]
        process = subprocess.Popen(
            [sys.executable, "-c", before + RUN, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout
        return process, process.stdout.readline() + process.stdout.readline()

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def client(lines: str) -> HttpWitness:
    return HttpWitness("auditor", keys_of(lines), lines.rsplit(maxsplit=1)[-1])


def keys_of(lines: str) -> list[Key]:
    return [parse_vkey(vkey) for vkey in vkeys_of(lines)]


async def show(asking: HttpWitness, log: Log, size: int) -> tuple[str, ...]:
    return await asking.cosign(log.note(size), log.checkpoint(size), lambda old: log.tree.consistency(old, size))


async def test_it_prints_lines_for_a_policy_and_stops_when_told(start: Start) -> None:
    log = Log(20)
    process, lines = start(log)
    policy = parse_policy(f"{lines}group auditor all {NAME}-ed25519 {NAME}-ml-dsa-44\nquorum auditor\n")
    assert [witness.key for witness in policy.witnesses.values()] == keys_of(lines)
    assert len(await show(client(lines), log, 20)) == 2
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert process.stderr
    told = process.stderr.read()
    assert '"event": "cosigned"' in told
    _, again = start(log, "--url", "https://witness.example/feem/")
    assert keys_of(again) == keys_of(lines)
    assert again.rsplit(maxsplit=1)[-1] == "https://witness.example/feem/"


@pytest.mark.parametrize(("script", "holds"), [(DIE_AFTER, 10), (DIE_BEFORE, 5)])
async def test_killed_while_it_keeps_a_head(start: Start, script: str, holds: int) -> None:
    log = Log(20)
    process, lines = start(log, before=script)
    await show(client(lines), log, 5)
    with pytest.raises(Unavailable):
        await show(client(lines), log, 10)
    assert process.wait(20) == -signal.SIGKILL
    _, lines = start(log)
    fork = log.fork(holds - 1, 12)
    with pytest.raises(WitnessDisagrees):
        await show(client(lines), fork, 12)
    if holds == 10:
        with pytest.raises(WitnessDisagrees):
            await show(client(lines), log.fork(7, 10), 10)
    assert len(await show(client(lines), log, 10)) == 2
    assert len(await show(client(lines), log, 20)) == 2


def run(*words: str) -> str:
    script = (
        "import typer; from feem.cli.audit.witness import witness; from feem.cli.problem import Problem\n"
        "try: typer.run(witness)\nexcept Problem as problem: print(problem)"
    )
    environment = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    return done.stdout + done.stderr


def test_what_it_cannot_work_with_is_named(tmp_path: Path, start: Start) -> None:
    log, state = Log(), tmp_path / "state"
    words = ["--name", NAME, "--state", str(state), "--listen", "127.0.0.1:0"]
    vkey = log.signer.keys[0].vkey()
    assert "no log to watch" in run(*words)
    assert "no verifier key" in run(*words, "--log", "nonsense")
    assert "--policy" in run(*words, "--policy", str(tmp_path / "missing"))
    assert "not HOST:PORT" in run(*words[:-1], "8400", "--log", vkey)
    assert "cannot be a witness' name" in run("--name", "a b", *words[2:], "--log", vkey)
    assert "log level" in run(*words, "--log", vkey, "--log-level", "loud")
    _, lines = start(log)
    assert "is running" in run(*words, "--log", vkey)
    assert "a witness' key" in run(*words, "--log", vkeys_of(lines)[0])
    port = lines.rsplit(maxsplit=1)[-1].rpartition(":")[2]
    elsewhere = ["--name", NAME, "--state", str(tmp_path / "other"), "--listen", f"127.0.0.1:{port}"]
    assert "choose another address" in run(*elsewhere, "--log", vkey)


async def test_logs_are_known_from_a_policy_or_from_a_list_of_keys(tmp_path: Path, start: Start) -> None:
    log, other = Log(5), Log(origin="feem.dev/audit/other")
    policy, keys = tmp_path / "policy", tmp_path / "keys.txt"
    policy.write_text("".join(f"log {key.vkey()}\n" for key in log.signer.keys) + "quorum none\n")
    keys.write_text("# published\n" + "".join(f"{key.vkey()}\n" for key in log.signer.keys))
    for option, file in (("--policy", policy), ("--keys", keys)):
        process, lines = start(other, option, str(file))
        assert len(await show(client(lines), log, 5)) == 2
        process.terminate()
        assert process.wait(20) == 0
