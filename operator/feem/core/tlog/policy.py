"""Whom to believe (c2sp.org/tlog-policy): the keys of logs and witnesses, and how many witnesses are enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from feem.core.tlog.note import NoteError
from feem.core.tlog.signing import Opened
from feem.core.tlog.vkey import Algorithm, Key, parse_vkey

NONE = "none"


@dataclass(frozen=True)
class Witness:
    """A named witness: its key, and where it takes checkpoints when that is known."""

    name: str
    key: Key
    url: str = ""


@dataclass(frozen=True)
class Group:
    """So many of these members have to agree."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Logs, witnesses, groups of them, and the name whose agreement is needed; `none`: nobody's."""

    logs: tuple[Key, ...]
    witnesses: Mapping[str, Witness] = field(default_factory=lambda: MappingProxyType({}))
    groups: Mapping[str, Group] = field(default_factory=lambda: MappingProxyType({}))
    quorum: str = NONE

    @property
    def keys(self) -> tuple[Key, ...]:
        """All keys."""
        return (*self.logs, *(witness.key for witness in self.witnesses.values()))

    def satisfied(self, opened: Opened) -> bool:
        """Whether enough witnesses signed."""
        return self.quorum == NONE or self._agrees(self.quorum, set(opened.witnesses))

    def _agrees(self, name: str, signed: set[Key]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name].key in signed
        group = self.groups[name]
        return sum(self._agrees(member, signed) for member in group.members) >= group.threshold


def parse_policy(text: str) -> Policy:
    """Read a policy file. Raises NoteError that names the line."""
    reading = _Reading()
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip(" \t")
        if line and not line.startswith("#"):
            try:
                reading.take(line.split())
            except NoteError as problem:
                raise NoteError(f"line {number}: {problem}") from problem
    return reading.policy()


class _Reading:
    def __init__(self) -> None:
        self._logs: list[Key] = []
        self._witnesses: dict[str, Witness] = {}
        self._groups: dict[str, Group] = {}
        self._used: set[str] = set()
        self._quorum: str | None = None

    def take(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self._log(parse_vkey(vkey))
            case ["witness", name, vkey]:
                self._witness(Witness(name, parse_vkey(vkey)))
            case ["witness", name, vkey, url]:
                self._witness(Witness(name, parse_vkey(vkey), url))
            case ["group", name, threshold, *members] if members:
                self._group(name, threshold, tuple(members))
            case ["quorum", name]:
                self._set_quorum(name)
            case _:
                raise NoteError(
                    f"{' '.join(words)[:60]!r} is not log, witness, group or quorum in the form that policies have"
                )

    def policy(self) -> Policy:
        if self._quorum is None:
            raise NoteError("there is no quorum line; `quorum none` asks for no witness")
        return Policy(tuple(self._logs), self._witnesses, self._groups, self._quorum)

    def _log(self, key: Key) -> None:
        if key.algorithm is Algorithm.COSIGN_ED25519:
            raise NoteError(f"the key of {key.name} is a witness' key")
        if any(other.public == key.public for other in self._logs):
            raise NoteError(f"the key of {key.name} stands here twice")
        self._logs.append(key)

    def _witness(self, witness: Witness) -> None:
        if witness.key.algorithm is Algorithm.ED25519:
            raise NoteError(f"the key of {witness.name} is a log's key")
        if any(other.key.public == witness.key.public for other in self._witnesses.values()):
            raise NoteError(f"the key of {witness.name} stands here twice")
        self._new(witness.name)
        self._witnesses[witness.name] = witness

    def _group(self, name: str, threshold: str, members: tuple[str, ...]) -> None:
        self._new(name)
        for member in members:
            self._defined(member)
            if member in self._used:
                raise NoteError(f"{member} is a member twice")
            self._used.add(member)
        count = {"any": 1, "all": len(members)}.get(threshold, int(threshold) if threshold.isdecimal() else 0)
        if not 1 <= count <= len(members):
            raise NoteError(f"a group needs any, all, or 1 to {len(members)} of its members, not {threshold}")
        self._groups[name] = Group(count, members)

    def _set_quorum(self, name: str) -> None:
        if self._quorum is not None:
            raise NoteError("there is a second quorum line")
        if name != NONE:
            self._defined(name)
        self._quorum = name

    def _new(self, name: str) -> None:
        if name == NONE or name in self._witnesses or name in self._groups:
            raise NoteError(f"the name {name} is taken")

    def _defined(self, name: str) -> None:
        if name not in self._witnesses and name not in self._groups:
            raise NoteError(f"{name} is not defined above")
