"""Makes the requests: short blocks with and without the bindings in turn, every cell in each block."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.admission.cells import DRY_RUN, LENDING, TEAM, Cell, paused
from bench.admission.figures import Measured
from bench.admission.plan import Arm, Block, blocks, turned
from bench.admission.policies import CHANGE_WITHIN, Policies
from bench.admission.server import Check, checks, cpu_seconds, since
from bench.admission.stage import HEADROOM, headroom
from bench.admission.wire import Account, Answer, RefusedError, Wire

WARM = 2
"""Requests of a cell at the beginning of a block that are not measured: connections and caches come to rest."""
BLOCK_SECONDS, LEAST_REQUESTS = 1.5, 4
"""A block of a cell ends after so many seconds, but not before so many requests: slow cells are asked less often."""
LEAST_ROUNDS = 6
"""Of fewer differences no interval can be 95% sure."""
Rounds = dict[str, list[dict[Arm, Measured]]]
"""By cell: what each round measured on either side."""
QUIET, QUIET_SECONDS, QUIET_TRIES = 0.1, 2.0, 8
"""Share of a CPU below which the API server is at rest, over how many seconds, and how often that is looked at."""


@dataclass
class Bench:
    """One run: the connections, the policies and the API server's pid."""

    wires: Mapping[Account, Wire]
    admin: Wire
    policies: Policies
    pid: int
    say: Callable[[str], None]
    sent: int = 0
    spent: dict[str, Check] = field(default_factory=dict)
    changes: list[float] = field(default_factory=list)

    def measure(self, cells: Sequence[Cell], rounds: int, requests: int, until: float) -> Rounds:
        """Measure every cell in every block; raises RefusedError when a request is refused.

        No round begins after `until` (of the monotonic clock) once there are enough for an interval: on a busy machine
        there are fewer rounds then.
        """
        found: Rounds = {cell.name: [{} for _ in range(rounds)] for cell in cells}
        before, now = self.look(), Arm.WITHOUT
        for block in blocks(rounds):
            if block.round >= LEAST_ROUNDS and not found[cells[0].name][block.round] and time.monotonic() > until:
                self.say(f"time is up after {block.round} rounds")
                found = {name: made[: block.round] for name, made in found.items()}
                break
            if block.arm is not now:
                self.change(block.arm)
                now = block.arm
            for cell in turned(cells, block.round):
                found[cell.name][block.round][block.arm] = self._block(cell, block, requests)
            if len(found[cells[0].name][block.round]) == len(Arm):
                self.say(f"round {block.round + 1} of {rounds}")
        self.spent = since(before, self.look(), self.policies.names)
        if now is Arm.WITHOUT:
            self.change(Arm.WITH)
        return found

    def change(self, arm: Arm) -> None:
        """Bring the bindings in or take them out."""
        began = time.monotonic()
        self.policies.bring(arm)
        self.changes.append(time.monotonic() - began)

    def look(self) -> dict[str, Check]:
        """Read the API server's own figures."""
        return checks(self.admin.ask("GET", "/metrics").content.decode())

    def idle(self) -> float:
        """Wait until controllers have dealt with what was set up; return the share of a CPU the API server uses by itself."""
        share = 1.0
        for _ in range(QUIET_TRIES):
            before, began = cpu_seconds(self.pid), time.monotonic()
            time.sleep(QUIET_SECONDS)
            share = (cpu_seconds(self.pid) - before) / (time.monotonic() - began)
            if share < QUIET:
                break
        return share

    def headroom(self) -> dict[int, str]:
        """Change governed Deployments of growing size; return the answer by number of containers, `` where it was held."""
        wire, outcomes = self.wires[TEAM], dict[int, str]()
        for containers in HEADROOM:
            path = f"/apis/apps/v1/namespaces/{LENDING}/deployments/headroom-{containers}{DRY_RUN}"
            answer = wire.ask("PUT", path, json.dumps(headroom(containers, "2")).encode())
            held = answer.fine and paused(answer.body())
            outcomes[containers] = "" if held else answer.text() if not answer.fine else "let through, not held"
        return outcomes

    def _block(self, cell: Cell, block: Block, requests: int) -> Measured:
        wire, content = self.wires[cell.account], cell.content[block.arm]
        self._settle(cell, block.arm)
        for _ in range(WARM):
            self._sent(cell, block.arm, wire.ask(cell.method, cell.path, content))
        gc.collect()
        gc.disable()
        before = cpu_seconds(self.pid)
        answers = list[Answer]()
        until = time.monotonic() + BLOCK_SECONDS
        while len(answers) < requests and (len(answers) < LEAST_REQUESTS or time.monotonic() < until):
            answers.append(wire.ask(cell.method, cell.path, content))
        spent = cpu_seconds(self.pid) - before
        gc.enable()
        for answer in answers:
            self._sent(cell, block.arm, answer)
        return Measured(tuple(answer.seconds for answer in answers), spent)

    def _settle(self, cell: Cell, arm: Arm) -> None:
        """Wait until the cell is answered as it should be: parameters of a policy are read anew after each change."""
        wire, content = self.wires[cell.account], cell.content[arm]
        deadline = time.monotonic() + CHANGE_WITHIN
        while not _settled(cell, arm, answer := wire.ask(cell.method, cell.path, content)):
            if time.monotonic() > deadline:
                raise RefusedError(_complaint(cell, arm, answer))
            time.sleep(0.05)

    def _sent(self, cell: Cell, arm: Arm, answer: Answer) -> None:
        self.sent += 1
        if not _settled(cell, arm, answer):
            raise RefusedError(_complaint(cell, arm, answer))


def _settled(cell: Cell, arm: Arm, answer: Answer) -> bool:
    """Tell whether the answer is a good one, and shows the policies' hand where, and only where, it should."""
    if not answer.fine:
        return False
    return cell.acted is None or cell.acted(answer.body()) == (arm is Arm.WITH)


def _complaint(cell: Cell, arm: Arm, answer: Answer) -> str:
    said = answer.text() if not answer.fine else "granted, but the policies did not act as they should"
    return f"{cell.title}, {arm} policies, as {cell.account.user}: {said}"
