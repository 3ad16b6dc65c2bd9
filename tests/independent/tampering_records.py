"""Tampering by somebody who has the log's keys: every hash and signature is right, what the records say cannot be."""

from __future__ import annotations

from pathlib import Path

from tests.independent.samplelog import publish
from tests.independent.tampering_kinds import (
    Context,
    entries,
    last,
    middle,
    records,
    replace,
    reseal,
    size_of,
    tampering,
)


@tampering("two outcomes of one intent", "directory", keys=True)
def two_outcomes(path: Path, context: Context) -> int | None:
    found = records(path)
    place = last(found, "Outcome")
    earlier = last(found, "Outcome", place)
    return reseal(path, context, place, intent=found[earlier]["intent"])


@tampering("outcome of a fact", "directory", keys=True)
def outcome_of_fact(path: Path, context: Context) -> int | None:
    found = records(path)
    place = last(found, "Outcome")
    return reseal(path, context, place, intent=last(found, "Fact", place))


@tampering("outcome of an intent that comes later", "directory", keys=True)
def outcome_of_later(path: Path, context: Context) -> int | None:
    found = records(path)
    place = last(found, "Outcome", last(found, "Intent"))
    return reseal(path, context, place, intent=last(found, "Intent"))


@tampering("outcome of itself", "directory", keys=True)
def outcome_of_itself(path: Path, context: Context) -> int | None:
    place = last(records(path), "Outcome")
    return reseal(path, context, place, intent=place)


@tampering("outcome that names no intent", "directory", keys=True)
def outcome_of_nothing(path: Path, context: Context) -> int | None:
    place = last(records(path), "Fact")
    return reseal(path, context, place, part="Outcome")


@tampering("fact that names an intent", "directory", keys=True)
def fact_with_intent(path: Path, context: Context) -> int | None:
    found = records(path)
    place = last(found, "Fact")
    return reseal(path, context, place, intent=last(found, "Intent", place))


@tampering("part of a record that there is not", "directory", keys=True)
def unknown_part(path: Path, context: Context) -> int | None:
    return reseal(path, context, last(records(path), "Fact"), part="Rumour")


@tampering("epoch falls", "directory", keys=True)
def epoch_falls(path: Path, context: Context) -> int | None:
    place = size_of(path) - 1
    return reseal(path, context, place, epoch=records(path)[place - 1]["epoch"] - 1)


@tampering("previous chain broken", "directory", keys=True)
def chain_broken(path: Path, context: Context) -> int | None:
    return reseal(path, context, middle(path), previous=f"sha256:{'0' * 64}")


@tampering("first entry has a previous one", "directory", keys=True)
def before_the_first(path: Path, context: Context) -> int | None:
    return reseal(path, context, 0, previous=f"sha256:{'0' * 64}")


@tampering("index is not the place", "directory", keys=True)
def wrong_index(path: Path, context: Context) -> int | None:
    place = middle(path)
    return reseal(path, context, place, index=place + 1)


@tampering("entry replayed at the end, signed with the log's keys", "directory", keys=True)
def replayed_signed(path: Path, context: Context) -> int | None:
    found = entries(path)
    publish(path, [*found, found[middle(path)]], context.signer)
    return len(found)


@tampering("entry taken out, signed with the log's keys", "directory", keys=True)
def removed_signed(path: Path, context: Context) -> int | None:
    found = entries(path)
    place = middle(path)
    publish(path, [*found[:place], *found[place + 1 :]], context.signer)
    return place


@tampering("record changed, its digest left", "directory", keys=True)
def digest_left(path: Path, context: Context) -> int | None:
    place = middle(path)
    entry = entries(path)[place].replace(b'"message":"', b'"message":"not ', 1)
    return replace(path, context, place, entry)


@tampering("record changed with a fresh digest, those after it left", "directory", keys=True)
def digest_renewed(path: Path, context: Context) -> int | None:
    place = middle(path)
    reseal(path, context, place, message="all gates passed")
    return place + 1


@tampering("duplicate JSON keys in an entry", "directory", keys=True)
def duplicate_keys(path: Path, context: Context) -> int | None:
    place = middle(path)
    entry = entries(path)[place].replace(b'{"action":', b'{"action":"Promote","action":', 1)
    return replace(path, context, place, entry)


@tampering("duplicate JSON keys within an entry's subject", "directory", keys=True)
def duplicate_subject(path: Path, context: Context) -> int | None:
    place = middle(path)
    entry = entries(path)[place].replace(b'"subject":{', b'"subject":{"kind":"Secret",', 1)
    return replace(path, context, place, entry)


@tampering("spaces in an entry's JSON", "directory", keys=True)
def spaces(path: Path, context: Context) -> int | None:
    place = middle(path)
    return replace(path, context, place, entries(path)[place].replace(b",", b", ", 1))


@tampering("members of an entry in another order", "directory", keys=True)
def other_order(path: Path, context: Context) -> int | None:
    place = middle(path)
    entry = entries(path)[place]
    first, _, rest = entry[1:].partition(b",")
    return replace(path, context, place, b"{" + rest[:-1] + b"," + first + b"}")


@tampering("letter of an entry escaped where RFC 8785 has it plain", "directory", keys=True)
def escaped(path: Path, context: Context) -> int | None:
    place = middle(path)
    return replace(path, context, place, entries(path)[place].replace(b'"action":"', b'"\\u0061ction":"', 1))


@tampering("byte order mark before an entry", "directory", keys=True)
def byte_order_mark(path: Path, context: Context) -> int | None:
    place = middle(path)
    return replace(path, context, place, b"\xef\xbb\xbf" + entries(path)[place])


@tampering("lone surrogate in an entry", "directory", keys=True)
def lone_surrogate(path: Path, context: Context) -> int | None:
    place = middle(path)
    return replace(path, context, place, entries(path)[place].replace(b'"message":"', b'"message":"\\ud800', 1))


@tampering("bytes that are not UTF-8 in an entry", "directory", keys=True)
def not_utf8(path: Path, context: Context) -> int | None:
    place = middle(path)
    return replace(path, context, place, entries(path)[place].replace(b'"message":"', b'"message":"\xc0\xaf', 1))


@tampering("integer beyond 2^53 in an entry", "directory", keys=True)
def large_integer(path: Path, context: Context) -> int | None:
    return reseal(path, context, middle(path), epoch=2**53 + 1)


@tampering("number with a fraction in an entry", "directory", keys=True)
def fraction(path: Path, context: Context) -> int | None:
    return reseal(path, context, middle(path), epoch=1000.5)


@tampering("negative epoch", "directory", keys=True)
def negative(path: Path, context: Context) -> int | None:
    return reseal(path, context, 0, epoch=-1)


@tampering("text where a number belongs", "directory", keys=True)
def text_for_number(path: Path, context: Context) -> int | None:
    place = middle(path)
    return reseal(path, context, place, epoch=str(records(path)[place]["epoch"]))


@tampering("member that records do not have", "directory", keys=True)
def unknown_member(path: Path, context: Context) -> int | None:
    return reseal(path, context, middle(path), approvedBy="risk-officer")


@tampering("empty entry", "directory", keys=True)
def empty_entry(path: Path, context: Context) -> int | None:
    return replace(path, context, middle(path), b"")
