"""The two writes of a run: its fault is put in place, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from feem.core.chaos.edit import Change, Edit, Make, Mark, Remove, Target

T = TypeVar("T")
MOST_LETTERS = 480
"""Of an effect's text in the audit log, which takes 512."""


@dataclass(frozen=True)
class InjectFault:
    """Make some of a fault's edits, in this order, each marked with whose they are and until when they may stay."""

    edits: tuple[Edit, ...]
    mark: Mark

    def marked(self, edit: Edit) -> Mark:
        """Return the mark that one edit leaves on its object."""
        fields = edit.fields if isinstance(edit, Change) else ()
        return replace(self.mark, fields=fields, made=isinstance(edit, Make))

    def __str__(self) -> str:
        return "; ".join(_short(edit) for edit in self.edits)


@dataclass(frozen=True)
class UndoFault:
    """Take a run's fault off some objects: what is still as the fault left it, and nothing else."""

    targets: tuple[Target, ...]
    run_uid: str

    def __str__(self) -> str:
        return "take the fault off " + ", ".join(map(str, self.targets))


def injections(edits: Sequence[Edit], mark: Mark) -> tuple[InjectFault, ...]:
    """Divide edits among effects whose text fits into the audit log."""
    return tuple(InjectFault(part, mark) for part in _parts(edits, lambda edit: len(_short(edit)) + 2))


def undos(edits: Sequence[Edit], run_uid: str) -> tuple[UndoFault, ...]:
    """The same for taking back, the last one first; what was removed is not there to be taken back."""
    targets = tuple(edit.target for edit in reversed(edits) if not isinstance(edit, Remove))
    return tuple(UndoFault(part, run_uid) for part in _parts(targets, lambda target: len(str(target)) + 2))


def _short(edit: Edit) -> str:
    text = str(edit)
    return text if len(text) <= MOST_LETTERS else f"{type(edit).__name__.lower()} {edit.target}"


def _parts(items: Sequence[T], length: Callable[[T], int]) -> Iterator[tuple[T, ...]]:
    part, letters = list[T](), 0
    for item in items:
        if part and letters + length(item) > MOST_LETTERS - 20:
            yield tuple(part)
            part, letters = [], 0
        part.append(item)
        letters += length(item)
    if part:
        yield tuple(part)
