"""The log stays one chain with one outcome an intent, whatever answers are lost and whoever else writes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.adapters.kubernetes.records import KubernetesRecords
from feem.api.audit import AuditSpec, Part, Subject
from feem.core.audit.record import name_of
from feem.core.audit.verify import Report, verify
from feem.ports import Entry, Fenced, Unavailable
from feem.runtime.ledger import RecordLedger, lowest_free_epoch
from tests.adapters.fake import Accident, FakeClient

RECORDS = "auditrecords.feem.dev"
SUBJECT = Subject(kind="Release", namespace="lending", name="scoring-2", uid="u")
OTHER = Subject(kind="Release", namespace="lending", name="limits-7", uid="v")


class TickingClock:
    def __init__(self) -> None:
        self._now = datetime(2026, 3, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now


async def opened(fake: FakeClient, epoch: int = 0) -> RecordLedger:
    return await RecordLedger.open(KubernetesRecords(fake.client), TickingClock(), epoch=epoch, actor="feem")


def intent(action: str = "SetWeight", subject: Subject = SUBJECT) -> Entry:
    return Entry(action, Part.INTENT, subject, "Step", "to 10%", ("set weight 10",))


def outcome(of: AuditSpec, reason: str = "Done") -> Entry:
    return Entry(of.action, Part.OUTCOME, of.subject, reason, intent=of.index)


def fact() -> Entry:
    return Entry("Seen", Part.FACT, SUBJECT)


async def report(fake: FakeClient) -> Report:
    return verify([each async for each in KubernetesRecords(fake.client).entries()])


class LosesAnswers:
    """The next write takes effect, but its answer never comes."""

    def __init__(self, fake: FakeClient, times: int = 1) -> None:
        self.left = times
        fake.after = self

    async def __call__(self, verb: str, name: str) -> None:
        if verb == "create" and self.left:
            self.left -= 1
            raise Unavailable(name)


async def test_entries_are_chained_and_the_log_is_whole() -> None:
    fake = FakeClient()
    ledger = await opened(fake)
    assert ledger.head is None
    first = await ledger.append(intent())
    await ledger.append(outcome(first))
    await ledger.append(fact())
    found = await report(fake)
    assert found.ok
    assert (found.entries, found.open_intents) == (3, ())
    assert (RECORDS, "", name_of(2)) in fake.objects


async def test_the_operator_acts_unless_somebody_else_is_named() -> None:
    ledger = await opened(FakeClient())
    assert (await ledger.append(fact())).actor == "feem"
    named = await ledger.append(Entry("Abort", Part.FACT, SUBJECT, actor="ann@bank.example"))
    assert named.actor == "ann@bank.example"


async def test_open_intents_by_subject_oldest_first() -> None:
    ledger = await opened(FakeClient())
    first, second = await ledger.append(intent("StartCanary")), await ledger.append(intent())
    other = await ledger.append(intent(subject=OTHER))
    assert list(ledger.open_intents(SUBJECT)) == [first, second]
    await ledger.append(outcome(first))
    assert list(ledger.open_intents(SUBJECT)) == [second]
    assert list(ledger.open_intents(OTHER)) == [other]


async def test_a_new_ledger_finds_head_and_open_intents() -> None:
    fake = FakeClient()
    old = await opened(fake)
    left = await old.append(intent())
    for _ in range(30):
        await old.append(outcome(await old.append(intent(subject=OTHER))))
    head = old.head
    fake.requests.clear()
    new = await opened(fake, 1)
    assert new.head == head
    assert list(new.open_intents(SUBJECT)) == [left]
    assert list(new.open_intents(OTHER)) == []
    assert not [request for request in fake.requests if request[0] == "list"][1:]


async def test_opening_a_settled_log_takes_few_requests() -> None:
    fake = FakeClient()
    ledger = await opened(fake)
    for _ in range(200):
        await ledger.append(outcome(await ledger.append(intent())))
    fake.requests.clear()
    await opened(fake, 1)
    assert len(fake.requests) <= 20


@pytest.mark.parametrize("honest", [True, False])
async def test_a_log_whose_beginning_was_pruned(*, honest: bool) -> None:
    fake = FakeClient()
    ledger = await opened(fake)
    for _ in range(20):
        await ledger.append(outcome(await ledger.append(intent())))
    for index in range(11):
        del fake.objects[RECORDS, "", name_of(index)]
    fake.honest_count = honest
    new = await opened(fake, 1)
    assert new.head == ledger.head
    await new.append(fact())
    assert (await report(fake)).ok


@pytest.mark.parametrize("holes", [{5}, {5, 9}, {3, 4, 5, 6, 7, 8}, {0, 5}])
async def test_a_hole_is_not_taken_for_the_end(holes: set[int]) -> None:
    fake = FakeClient()
    ledger = await opened(fake)
    for _ in range(12):
        await ledger.append(fact())
    for index in holes:
        del fake.objects[RECORDS, "", name_of(index)]
    new = await opened(fake, 1)
    assert new.head == ledger.head
    assert (await new.append(fact())).index == 12


async def test_without_its_note_the_log_is_read_from_the_start() -> None:
    fake = FakeClient()
    ledger = await opened(fake)
    left = await ledger.append(intent())
    for _ in range(5):
        await ledger.append(fact())
    for body in fake.objects.values():
        body["metadata"].pop("annotations")
    assert list((await opened(fake, 1)).open_intents(SUBJECT)) == [left]


async def test_an_intent_whose_answer_was_lost_is_found_not_repeated() -> None:
    fake = FakeClient()
    ledger = await opened(fake)
    LosesAnswers(fake)
    with pytest.raises(Unavailable):
        await ledger.append(intent())
    again = await ledger.append(intent())
    assert again.index == 0
    assert len(fake.objects) == 1
    assert list(ledger.open_intents(SUBJECT)) == [again]


async def test_an_outcome_whose_answer_was_lost_is_found_not_repeated() -> None:
    fake = FakeClient()
    ledger = await opened(fake)
    first = await ledger.append(intent())
    LosesAnswers(fake)
    with pytest.raises(Unavailable):
        await ledger.append(outcome(first))
    assert list(ledger.open_intents(SUBJECT)) == [first]
    await ledger.append(outcome(first, "Recovered"))
    found = await report(fake)
    assert found.ok
    assert found.entries == 2
    assert list(ledger.open_intents(SUBJECT)) == []


async def test_a_lost_answer_does_not_hide_what_comes_next() -> None:
    fake = FakeClient()
    ledger = await opened(fake)
    LosesAnswers(fake)
    with pytest.raises(Unavailable):
        await ledger.append(intent())
    second = await ledger.append(intent(subject=OTHER))
    assert second.index == 1
    assert [each.index for each in ledger.open_intents(SUBJECT)] == [0]
    assert (await report(fake)).ok


async def test_a_write_that_arrives_late_is_recognised() -> None:
    """The first attempt times out, the API server serves it only after a second one was sent."""
    fake = FakeClient()
    ledger = await opened(fake)

    async def slow(verb: str, name: str) -> None:
        if verb == "create":
            fake.before = arrives
            raise Unavailable(name)

    async def arrives(verb: str, name: str) -> None:
        if verb == "create":
            late = next(iter(ledger._doubtful.values()))
            fake.objects[RECORDS, "", name] = {"metadata": {"name": name}, "spec": late.wire()}

    fake.before = slow
    with pytest.raises(Unavailable):
        await ledger.append(intent())
    written = await ledger.append(intent())
    assert written.index == 0
    assert len(fake.objects) == 1
    fake.objects.clear()


async def test_appends_from_many_tasks_are_one_chain() -> None:
    fake = FakeClient()
    ledger = await opened(fake)

    async def yields(_verb: str, _name: str) -> None:
        await asyncio.sleep(0)

    fake.before = fake.after = yields
    written = await asyncio.gather(*(ledger.append(intent()) for _ in range(40)))
    assert sorted(entry.index for entry in written) == list(range(40))
    assert (await report(fake)).ok


async def test_a_later_epoch_ends_an_earlier_one() -> None:
    fake = FakeClient()
    old = await opened(fake, 1)
    await old.append(intent())
    new = await opened(fake, 2)
    await new.append(fact())
    with pytest.raises(Fenced, match="epoch 2"):
        await old.append(fact())
    with pytest.raises(Fenced):
        await opened(fake, 1)
    assert (await report(fake)).ok


async def test_what_an_old_leader_still_wrote_is_taken_in() -> None:
    fake = FakeClient()
    old = await opened(fake, 1)
    new = await opened(fake, 2)
    left = await old.append(intent())
    mine = await new.append(fact())
    assert (mine.index, mine.previous) == (1, left.digest)
    assert list(new.open_intents(SUBJECT)) == [left]
    assert (await report(fake)).ok


async def test_an_outcome_of_an_old_leader_is_not_followed_by_a_second_one() -> None:
    """It was written after the new leader had read which intents are open."""
    fake = FakeClient()
    old = await opened(fake, 1)
    left = await old.append(intent())
    new = await opened(fake, 2)
    assert list(new.open_intents(SUBJECT)) == [left]
    done = await old.append(outcome(left, "Done"))
    await old.append(fact())
    assert await new.append(outcome(left, "Abandoned")) == done
    assert list(new.open_intents(SUBJECT)) == []
    assert (await new.append(intent())).index == 3
    found = await report(fake)
    assert found.ok, found.findings


async def test_an_intent_left_open_is_settled_behind_what_an_old_leader_still_wrote() -> None:
    fake = FakeClient()
    old = await opened(fake, 1)
    left = await old.append(intent())
    new = await opened(fake, 2)
    await old.append(fact())
    ended = await new.append(outcome(left, "Abandoned"))
    assert (ended.index, ended.reason, ended.epoch) == (2, "Abandoned", 2)
    assert (await report(fake)).ok


async def test_only_entries_of_this_epoch_are_counted() -> None:
    fake = FakeClient()
    old = await opened(fake, 1)
    left = await old.append(intent())
    counted: list[AuditSpec] = []
    new = await RecordLedger.open(
        KubernetesRecords(fake.client),
        TickingClock(),
        epoch=2,
        actor="feem",
        appended=lambda record, _seconds: counted.append(record),
    )
    await old.append(outcome(left))
    await new.append(outcome(left))
    mine = await new.append(fact())
    assert counted == [mine]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["one", "two", "lead"]), st.booleans()), max_size=40))
def test_two_leaders_whatever_their_turns_write_one_log(turns: list[tuple[str, bool]]) -> None:
    """Each settles what it believes to be open, or announces something; a fenced one opens a later epoch."""

    async def run() -> None:
        fake, epoch = FakeClient(), 1
        ledgers = {"one": await opened(fake, 0), "two": await opened(fake, 1)}
        for turn, settle in turns:
            who = "one" if turn == "lead" else turn
            waiting = list(ledgers[who].open_intents(SUBJECT))
            fenced = turn == "lead"
            try:
                if not fenced:
                    await ledgers[who].append(outcome(waiting[0], who) if settle and waiting else intent())
            except Fenced:
                fenced = True
            if fenced:
                epoch += 1
                ledgers[who] = await opened(fake, epoch)
        found = await report(fake)
        assert found.ok, found.findings

    asyncio.run(run())


async def test_two_writers_of_one_epoch_are_one_too_many() -> None:
    fake = FakeClient()
    one, two = await opened(fake, 1), await opened(fake, 1)
    await one.append(fact())
    with pytest.raises(Fenced, match="our epoch"):
        await two.append(intent())


async def test_an_outcome_of_nothing_is_a_bug() -> None:
    ledger = await opened(FakeClient())
    with pytest.raises(ValueError, match="no open intent"):
        await ledger.append(Entry("SetWeight", Part.OUTCOME, SUBJECT, "Done", intent=3))


async def test_the_lowest_free_epoch() -> None:
    fake = FakeClient()
    assert await lowest_free_epoch(KubernetesRecords(fake.client)) == 0
    await (await opened(fake, 6)).append(fact())
    assert await lowest_free_epoch(KubernetesRecords(fake.client)) == 7


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["ok", "lost", "refused", "new leader"]), max_size=25), st.data())
def test_whatever_goes_wrong_the_log_is_whole(fates: list[str], data: st.DataObject) -> None:
    async def run() -> None:
        fake, epoch = FakeClient(), 0
        ledger = await opened(fake, epoch)
        for fate in fates:
            if fate == "new leader":
                epoch += 1
                ledger = await opened(fake, epoch)
                continue
            waiting = list(ledger.open_intents(SUBJECT))
            settle = bool(waiting) and data.draw(st.booleans())
            entry = outcome(waiting[0]) if settle else intent()
            fake.before, fake.after = accidents(fate)
            try:
                await ledger.append(entry)
            except Unavailable:
                if data.draw(st.booleans()):
                    fake.before, fake.after = accidents("ok")
                    await ledger.append(entry)
        fake.before, fake.after = accidents("ok")
        found = await report(fake)
        assert found.ok, found.findings
        last = await opened(fake, epoch + 1)
        assert [each.index for each in last.open_intents(SUBJECT)] == list(found.open_intents)

    asyncio.run(run())


def accidents(fate: str) -> tuple[Accident, Accident]:
    async def fails(verb: str, name: str) -> None:
        if verb == "create":
            raise Unavailable(name)

    async def works(_verb: str, _name: str) -> None:
        return None

    return (fails, works) if fate == "refused" else (works, fails) if fate == "lost" else (works, works)
