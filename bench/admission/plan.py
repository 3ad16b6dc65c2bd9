"""In which order things are measured, so that the machine's other work falls on both sides alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

Thing = TypeVar("Thing")


class Arm(StrEnum):
    """Whether the policies' bindings are there."""

    WITHOUT = "without"
    WITH = "with"


@dataclass(frozen=True)
class Block:
    """A short time in which every cell is measured on one side; two blocks of a round are compared with each other."""

    round: int
    arm: Arm


def blocks(rounds: int) -> Iterator[Block]:
    """Yield the blocks, A B, B A, A B, ...: a slow drift of the machine cancels out, and every other change is saved."""
    for number in range(rounds):
        arms = (Arm.WITHOUT, Arm.WITH) if number % 2 == 0 else (Arm.WITH, Arm.WITHOUT)
        yield from (Block(number, arm) for arm in arms)


def turned(things: Sequence[Thing], by: int) -> list[Thing]:
    """Return the things starting `by` places later, so that not always the same one comes right after a change."""
    start = by % len(things) if things else 0
    return [*things[start:], *things[:start]]
