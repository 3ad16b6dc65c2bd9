"""What the publisher signs, and what it refuses to: only a log that goes on from every head seen before."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.adapters.audit.directory import DirectoryRecords
from feem.adapters.audit.keys import LogSigner, SigningKey, generate_seed
from feem.api.audit import Part, Subject
from feem.api.auditlog import AuditLogStatus
from feem.cli.audit.check import check, trust_of
from feem.controllers.heartbeat import Heartbeat
from feem.controllers.publisher import Publisher, Publishing
from feem.controllers.retention import Keep, Retention
from feem.core.conditions import find
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.merkle import verify_consistency
from feem.core.tlog.policy import Policy
from feem.core.tlog.policy import Witness as Named
from feem.core.tlog.signing import open_checkpoint
from feem.core.tlog.vkey import Algorithm
from feem.ports import Entry, Fenced, NotWitnessed, Unavailable, WitnessAhead, WitnessDisagrees
from feem.runtime.ledger import RecordLedger

ORIGIN = "feem.dev/audit/test"
SUBJECT = Subject(kind="Release", namespace="lending", name="limit-scoring-7", uid="u")


class Clock:
    """Goes on by a second each time it is asked."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


class LogObject:
    """The AuditLog in memory."""

    def __init__(self) -> None:
        self.status: AuditLogStatus | None = None
        self.writes = 0
        self.broken = False

    async def read(self) -> AuditLogStatus | None:
        return self.status

    async def write(self, status: AuditLogStatus) -> None:
        if self.broken:
            raise Unavailable("the API server does not answer")
        self.status = status
        self.writes += 1


class Figures:
    """Counts failures by stage."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.signing: bool | None = None

    def log_seen(self, size: int, open_intents: int) -> None: ...
    def log_signed(self, size: int, at: float) -> None: ...
    def log_published(self, size: int) -> None: ...
    def log_signing(self, *, ok: bool) -> None:
        self.signing = ok

    def log_failed(self, stage: str) -> None:
        self.failed.append(stage)


class Auditor:
    """A witness in memory, as honest as the real one."""

    name = "auditor"

    def __init__(self) -> None:
        self.signing = SigningKey("witness.example/auditor", Algorithm.COSIGN_ED25519, generate_seed())
        self.head: tuple[int, bytes] | None = None
        self.asleep = False

    async def cosign(
        self, note: str, checkpoint: Checkpoint, consistency: Callable[[int], Sequence[bytes]]
    ) -> Sequence[str]:
        if self.asleep:
            raise Unavailable("the auditor does not answer")
        assert note.startswith(checkpoint.text())
        if self.head is not None:
            size, root = self.head
            if size > checkpoint.size:
                raise WitnessAhead(self.name, size)
            if not verify_consistency(size, checkpoint.size, root, checkpoint.root, consistency(size)):
                raise WitnessDisagrees("the auditor has seen another history")
        self.head = checkpoint.size, checkpoint.root
        return [self.signing.sign(checkpoint, 1).line()]


def keys() -> LogSigner:
    return LogSigner([SigningKey(ORIGIN, kind, generate_seed()) for kind in (Algorithm.ED25519, Algorithm.ML_DSA_44)])


class Room:
    """A store, a published directory, an AuditLog, a witness, and leaders one after another."""

    def __init__(self, root: Path, *, directory: bool = True, witness: bool = False, keep: Keep | None = None) -> None:
        self.root, self.clock, self.log, self.figures = root, Clock(), LogObject(), Figures()
        self.signer, self.auditor, self.keep, self.epoch = keys(), Auditor(), keep or Keep(), 0
        self.store = DirectoryRecords(root / "store")
        self.published = DirectoryRecords(root / "published") if directory else None
        named = {"auditor": Named("auditor", self.auditor.signing.key, "http://auditor.example")}
        self.policy = Policy((), named, {}, "auditor") if witness else Policy(())
        self.witnesses = [self.auditor] if witness else []

    async def lead(self) -> Room:
        self.epoch += 1
        self.ledger = await RecordLedger.open(self.store, self.clock, epoch=self.epoch, actor="feem")
        retention = Retention(self.store, self.ledger, self.clock, self.keep)
        where = Publishing(ORIGIN, self.signer, self.log, self.published, self.witnesses, self.policy)
        self.publisher = Publisher(where, self.store, self.ledger, self.clock, self.figures, retention)
        return self

    async def say(self, count: int, text: str = "seen") -> None:
        for number in range(count):
            await self.ledger.append(Entry("Seen", Part.FACT, SUBJECT, "Seen", f"{text} {number}"))

    def back_up(self) -> None:
        shutil.copytree(self.root / "store", self.root / "backup")

    def restore(self) -> None:
        shutil.rmtree(self.root / "store")
        shutil.copytree(self.root / "backup", self.root / "store")

    @property
    def status(self) -> AuditLogStatus:
        assert self.log.status is not None
        return self.log.status

    def state(self, kind: str = "Signed") -> tuple[str, str]:
        found = find(self.status.conditions, kind)
        assert found is not None
        return found.status.value, found.reason

    def checked(self) -> bool:
        file = self.root / "keys.txt"
        file.write_text("".join(f"{key.vkey()}\n" for key in (*self.signer.keys, self.auditor.signing.key)))
        return check(self.root / "published", trust_of(file, None, ())).ok


async def test_new_entries_are_signed_published_and_witnessed_and_silence_costs_nothing(tmp_path: Path) -> None:
    room = await Room(tmp_path, witness=True).lead()
    await room.say(300)
    await room.publisher.visit()
    assert room.status.size == 300
    assert [room.state(kind) for kind in ("Signed", "Published", "Witnessed")] == [
        ("True", "Signed"),
        ("True", "Published"),
        ("True", "Witnessed"),
    ]
    assert room.checked()
    opened = open_checkpoint(room.status.checkpoint, (*room.signer.keys, room.auditor.signing.key))
    assert [key.algorithm for key in opened.log] == [Algorithm.ED25519, Algorithm.ML_DSA_44]
    assert opened.witnesses == (room.auditor.signing.key,)
    writes = room.log.writes
    await room.publisher.visit()
    assert room.log.writes == writes, "nothing is new"


async def test_an_empty_log_is_not_signed(tmp_path: Path) -> None:
    room = await Room(tmp_path).lead()
    await room.publisher.visit()
    assert room.status.checkpoint == ""


async def test_the_next_leader_goes_on(tmp_path: Path) -> None:
    room = await Room(tmp_path).lead()
    await room.say(260)
    await room.publisher.visit()
    await room.lead()
    await room.say(5)
    await room.publisher.visit()
    assert (room.status.size, room.state()) == (265, ("True", "Signed"))
    assert room.checked()


@pytest.mark.parametrize("directory", [True, False], ids=["directory", "AuditLog"])
async def test_a_store_restored_from_an_old_backup_is_not_signed(tmp_path: Path, directory: bool) -> None:  # noqa: FBT001
    room = await Room(tmp_path, directory=directory).lead()
    await room.say(10)
    room.back_up()
    await room.say(10)
    await room.publisher.visit()
    signed = room.status.checkpoint
    room.restore()
    await room.lead()
    await room.publisher.visit()
    assert room.state() == ("False", "PublishedAhead")
    assert room.status.checkpoint == signed, "the head that was published stays"
    assert room.figures.signing is False
    await room.say(15, "another history")
    await room.publisher.visit()
    assert room.state() == ("False", "Forked")
    assert room.status.checkpoint == signed


async def test_a_witness_that_has_seen_more_forbids_to_sign(tmp_path: Path) -> None:
    room = await Room(tmp_path, directory=False, witness=True).lead()
    await room.say(10)
    room.back_up()
    await room.say(10)
    await room.publisher.visit()
    room.restore()
    room.log.status = None  # the AuditLog was restored as well, or deleted
    await room.lead()
    await room.publisher.visit()
    assert room.state() == ("False", "WitnessAhead")
    assert room.status.checkpoint == ""
    await room.say(15, "another history")
    await room.publisher.visit()
    assert room.state() == ("False", "WitnessDisagrees")
    assert room.status.checkpoint == ""


async def test_an_entry_that_was_edited_in_the_store_is_never_signed(tmp_path: Path) -> None:
    room = await Room(tmp_path).lead()
    await room.say(5)
    path = tmp_path / "store/tile/entries/000.p/5"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"seen 3", b"seen 8"))
    await room.publisher.visit()
    assert room.state() == ("False", "Forked")
    found = find(room.status.conditions, "Signed")
    assert found is not None
    assert "entry 3" in found.message
    path.write_bytes(data)
    await room.lead()
    await room.publisher.visit()
    assert room.state() == ("True", "Signed")


async def test_rotated_keys_go_on_and_those_of_before_stay_known(tmp_path: Path) -> None:
    room = await Room(tmp_path).lead()
    await room.say(5)
    await room.publisher.visit()
    held, before = room.status.checkpoint, list(room.status.keys)
    room.signer = keys()
    await room.lead()
    await room.publisher.visit()
    assert room.state() == ("True", "Signed")
    assert room.status.keys == [*(key.vkey() for key in room.signer.keys), *before]
    assert room.ledger.head is not None
    assert room.ledger.head.action == "KeysChanged"
    file, note = tmp_path / "all-keys.txt", tmp_path / "held"
    file.write_text("".join(f"{key}\n" for key in before))
    note.write_text(held)
    assert open_checkpoint(held, trust_of(file, None, ()).keys).checkpoint.size == 5


async def test_keys_of_somebody_else_in_the_directory_are_not_gone_on_from(tmp_path: Path) -> None:
    room = await Room(tmp_path).lead()
    await room.say(5)
    await room.publisher.visit()
    room.signer, room.log.status = keys(), None
    await room.lead()
    await room.publisher.visit()
    assert room.state() == ("False", "UnknownCheckpoint")


async def test_acts_wait_for_witnesses(tmp_path: Path) -> None:
    room = await Room(tmp_path, witness=True).lead()
    room.auditor.asleep = True
    intent = await room.ledger.append(Entry("Promote", Part.INTENT, SUBJECT, "AllStepsPassed", "on"))
    with pytest.raises(NotWitnessed, match="does not answer"):
        await room.publisher.witnessed(intent.index)
    assert room.state() == ("True", "Signed"), "that a witness sleeps does not keep the log from being signed"
    assert room.state("Witnessed") == ("False", "NotWitnessed")
    room.auditor.asleep = False
    await room.publisher.witnessed(intent.index)
    assert room.state("Witnessed") == ("True", "Witnessed")


async def test_without_witnesses_an_act_that_needs_one_waits_and_says_why(tmp_path: Path) -> None:
    room = await Room(tmp_path).lead()
    intent = await room.ledger.append(Entry("Promote", Part.INTENT, SUBJECT, "AllStepsPassed", "on"))
    with pytest.raises(NotWitnessed, match=r"audit\.witnesses"):
        await room.publisher.witnessed(intent.index)


async def test_a_failure_is_counted_and_mended_by_the_next_visit(tmp_path: Path) -> None:
    room = await Room(tmp_path).lead()
    await room.say(3)
    room.log.broken = True
    with pytest.raises(Unavailable):
        await room.publisher.visit()
    assert room.figures.failed == ["status"]
    room.log.broken = False
    await room.say(1)
    await room.publisher.visit()
    assert room.status.size == 4


class Pruned(DirectoryRecords):
    """A directory that says what it was asked to remove."""

    asked: list[int]

    async def prune(self, before: int) -> int:
        self.asked.append(before)
        return before


async def test_only_what_is_published_old_and_settled_is_let_go(tmp_path: Path) -> None:
    room = Room(tmp_path, keep=Keep(days=20 / 86400, records=10))
    room.store = Pruned(tmp_path / "store")
    room.store.asked = []
    await room.lead()
    await room.say(30)
    intent = await room.ledger.append(Entry("Promote", Part.INTENT, SUBJECT, "AllStepsPassed", "on"))
    await room.say(60)
    await room.publisher.visit()
    assert room.store.asked == [30], "not the act that is open, nor what came after it"
    await room.ledger.append(Entry("Promote", Part.OUTCOME, SUBJECT, "Done", intent=intent.index))
    await room.publisher.visit()
    assert room.ledger.head is not None
    assert room.store.asked[-1] <= room.ledger.head.index + 1 - 10
    assert room.status.first == room.store.asked[-1]
    (tmp_path / "other").mkdir()
    unpublished = await Room(tmp_path / "other", directory=False, keep=Keep(days=1 / 86400, records=1)).lead()
    await unpublished.say(50)
    await unpublished.publisher.visit()
    assert unpublished.status.first == 0


async def test_a_silent_log_shows_that_it_is_alive(tmp_path: Path) -> None:
    room = await Room(tmp_path).lead()
    heartbeat = Heartbeat(room.ledger, room.clock, 900)
    assert await heartbeat.visit() == 900
    assert room.ledger.head is not None
    assert room.ledger.head.action == "Heartbeat"
    assert 0 < await heartbeat.visit() < 900
    assert room.ledger.head.index == 0
    room.clock.time += timedelta(seconds=900)
    await heartbeat.visit()
    assert room.ledger.head.index == 1


async def test_an_old_leader_that_wakes_up_writes_nothing(tmp_path: Path) -> None:
    room = await Room(tmp_path).lead()
    old = room.ledger
    await room.say(2)
    await room.lead()
    await room.say(1)
    with pytest.raises(Fenced):
        await old.append(Entry("Seen", Part.FACT, SUBJECT))


class Crash(Exception):  # noqa: N818 - the process is gone
    pass


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), min_size=1, max_size=6))
def test_whenever_it_dies_no_two_signed_heads_contradict(
    tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[int, int]]
) -> None:
    """Each turn: so many entries, then a publication that dies at one of its calls; every head that ever left is kept."""
    import asyncio  # noqa: PLC0415

    asyncio.run(_dies(tmp_path_factory.mktemp("room"), turns))


async def _dies(root: Path, turns: list[tuple[int, int]]) -> None:
    room, heads = Room(root, witness=True), list[str]()
    for count, calls in turns:
        await room.lead()
        await room.say(count)
        left = [calls]

        def step(note: str, left: list[int] = left) -> None:
            if note:
                heads.append(note)
            left[0] -= 1
            if left[0] < 0:
                raise Crash

        dying = _Dying(room, step)
        try:
            await dying.publisher.visit()
        except Crash:
            continue
    room.log.broken = False
    await room.lead()
    await room.say(1)
    await room.publisher.visit()
    assert room.state() == ("True", "Signed")
    assert room.checked()
    tree = room.publisher._history.tree
    for note in heads:
        head = open_checkpoint(note, room.signer.keys).checkpoint
        assert head.root == tree.root(head.size)


class _Dying:
    """The room's publisher with every port watched; `step` is told what leaves and may end the process."""

    def __init__(self, room: Room, step: Callable[[str], None]) -> None:
        published, log, auditor = DirectoryRecords(room.root / "published"), room.log, room.auditor

        class Directory:
            async def tip(self) -> tuple[int, str | None]:
                step("")
                return await published.tip()

            def leaf_hashes(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
                return published.leaf_hashes()

            async def extend(self, start: int, entries: Sequence[bytes]) -> None:
                await published.extend(start, entries)
                step("")

            async def publish(self, note: str, keys: str) -> None:
                await published.publish(note, keys)
                step(note)

        class Object:
            async def read(self) -> AuditLogStatus | None:
                return await log.read()

            async def write(self, status: AuditLogStatus) -> None:
                await log.write(status)
                step(status.checkpoint)

        class Witness:
            name = auditor.name

            async def cosign(
                self, note: str, checkpoint: Checkpoint, consistency: Callable[[int], Sequence[bytes]]
            ) -> Sequence[str]:
                lines = await auditor.cosign(note, checkpoint, consistency)
                step(note)
                return lines

        where = Publishing(ORIGIN, room.signer, Object(), Directory(), [Witness()], room.policy)
        retention = Retention(room.store, room.ledger, room.clock, room.keep)
        self.publisher = Publisher(where, room.store, room.ledger, room.clock, room.figures, retention)
