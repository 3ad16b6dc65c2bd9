"""What of a fault is left on the objects it touched: read again after the undo, so that nothing has to be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feem.core.chaos.edit import LABEL, Body, Change, Edit, Make, MarkUnreadable, Remove, mark_of
from feem.core.chaos.pointer import value_at
from feem.core.chaos.quantity import same
from feem.core.chaos.room import too_low_a_limit


@dataclass(frozen=True)
class Left:
    """Sentences: what is still the fault's, what somebody else changed meanwhile, and which objects are gone.

    `unmarked` is still as the fault made it, on an object whose mark somebody took off: nothing says any more whose it is.
    """

    residue: tuple[str, ...] = ()
    unmarked: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def left_of(edits: Sequence[Edit], observed: Mapping[str, Body | None], run_uid: str) -> Left:
    """Compare every object with what it was before the fault; `observed` is by the text of its target."""
    residue, unmarked, kept, gone = list[str](), list[str](), list[str](), list[str]()
    for edit in edits:
        if isinstance(edit, Remove):
            continue
        body = observed.get(str(edit.target))
        if body is None:
            if not isinstance(edit, Make):
                gone.append(f"{edit.target} is gone")
            continue
        if isinstance(edit, Make):
            residue += [f"{edit.target} is still there"] * _is_ours(body, run_uid)
            continue
        if body["metadata"].get("uid") != edit.target.uid:
            gone.append(f"{edit.target} was replaced by another one of its name")
            continue
        ours = _is_ours(body, run_uid)
        residue += [f"{edit.target} still carries the mark"] * ours
        if isinstance(edit, Change):
            _compare(edit, body, residue if ours else unmarked, kept)
    return Left(tuple(residue), tuple(unmarked), tuple(kept), tuple(gone))


def _is_ours(body: Body, run_uid: str) -> bool:
    try:
        mark = mark_of(body)
    except MarkUnreadable:
        return True
    labelled = (body["metadata"].get("labels") or {}).get(LABEL) == run_uid
    return labelled or (mark is not None and mark.run_uid == run_uid)


def _compare(edit: Change, body: Body, residue: list[str], kept: list[str]) -> None:
    for field in edit.fields:
        now = value_at(body, field.path)
        if same(field.path, now, field.before):
            continue
        where = f"{field.path} of {edit.target}"
        if not same(field.path, now, field.after):
            kept.append(f"{where} was changed by somebody else meanwhile, and left so")
        elif limit := too_low_a_limit(body, field, edit.fields):
            kept.append(
                f"{where} stays {now}: {field.before} is above the limit {limit} that somebody else set meanwhile"
            )
        else:
            residue.append(f"{where} is still what the fault made it")
