"""`feem audit witness`: somebody elsewhere who remembers a log's head and vouches for it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from feem.adapters.audit.witness_desk import WitnessDesk, logs_of
from feem.adapters.audit.witness_server import WitnessServer
from feem.adapters.audit.witness_state import StateError, WitnessState
from feem.cli.problem import Problem
from feem.core.tlog.note import NoteError
from feem.core.tlog.policy import parse_policy
from feem.core.tlog.vkey import Algorithm, Key, parse_keys, parse_vkey
from feem.observe.logging import LEVELS, configure


def witness(
    name: Annotated[
        str, typer.Option("--name", help="Its key name, e.g. auditor.bank.example/feem; it never changes.")
    ],
    state: Annotated[Path, typer.Option("--state", help="A folder of its own for keys and heads; made when missing.")],
    listen: Annotated[
        str, typer.Option("--listen", help="HOST:PORT; put TLS in front of it beyond the loopback.")
    ] = "127.0.0.1:8400",
    log: Annotated[
        list[str] | None, typer.Option("--log", metavar="VKEY", help="A key of a log that it watches; repeatable.")
    ] = None,
    policy: Annotated[Path | None, typer.Option("--policy", help="A C2SP policy file: its `log` lines.")] = None,
    keys: Annotated[Path | None, typer.Option("--keys", help="A file of vkeys: those of logs in it.")] = None,
    url: Annotated[str, typer.Option("--url", help="How logs reach it, for the printed lines.")] = "",
    log_level: Annotated[str, typer.Option("--log-level", help=f"One of {', '.join(LEVELS)}.")] = "INFO",
) -> None:
    """Run a C2SP witness until it is stopped: it cosigns each head that continues the last one, and refuses every other.

    Prints lines for a policy file, then logs to standard error. docs/witness.md says what it proves and what to back up.
    """
    try:
        configure(log_level, stream=sys.stderr)
    except ValueError as problem:
        raise Problem("--log-level", str(problem)) from problem
    host, port = _address(listen)
    logs = logs_of(trusted(log or (), policy, keys))
    if not logs:
        raise Problem("witness", "it has no log to watch", "give it the log's vkeys: --log, --keys or --policy")
    try:
        with contextlib.closing(WitnessState(state, name)) as held:
            desk = WitnessDesk(held, logs)
            asyncio.run(_serve(desk, host, port, url))
    except StateError as problem:
        raise Problem("witness", str(problem)) from problem
    except OSError as problem:
        raise Problem(f"--listen {listen}", problem.strerror or str(problem), "choose another address") from problem


def trusted(vkeys: tuple[str, ...] | list[str], policy: Path | None, keys: Path | None) -> tuple[Key, ...]:
    """Return the keys of logs that these options name. Raises Problem."""
    found: list[Key] = []
    for vkey in vkeys:
        try:
            found.append(_log_key(vkey))
        except NoteError as problem:
            raise Problem("--log", str(problem), "copy the line from the log's keys.txt, in quotes") from problem
    try:
        if policy:
            found += parse_policy(policy.read_text(encoding="utf-8")).logs
        if keys:
            found += parse_keys(keys.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, NoteError) as problem:
        raise Problem("--policy" if policy and not keys else "--policy or --keys", str(problem)) from problem
    return tuple(found)


def _log_key(vkey: str) -> Key:
    key = parse_vkey(vkey)
    if key.algorithm is Algorithm.COSIGN_ED25519:
        raise NoteError(f"the key of {key.name} is a witness' key, not a log's")
    return key


async def _serve(desk: WitnessDesk, host: str, port: int, url: str) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = WitnessServer(desk, host, port)
    await server.start()
    try:
        for key in desk.state.keys:
            kind = key.algorithm.name.removeprefix("COSIGN_").replace("_", "-").lower()
            typer.echo(f"witness {desk.state.name}-{kind} {key.key.vkey()} {url or server.url}")
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await server.stop()


def _address(listen: str) -> tuple[str, int]:
    host, found, port = listen.rpartition(":")
    if not found or not host or not port.isdecimal() or int(port) > 65_535:
        raise Problem("--listen", f"{listen!r} is not HOST:PORT", "write it as 127.0.0.1:8400 or [::1]:8400")
    return host.removeprefix("[").removesuffix("]"), int(port)
