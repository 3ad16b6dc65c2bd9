"""What may stand in an entry: names that are what they look like, no secrets, nobody's data, and never too much."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from feem.api.audit import Part, Subject
from feem.core.audit.entry import canonical_bytes, entry_bytes
from feem.core.audit.record import Statement, next_record
from feem.core.audit.texts import MASK, Unrecordable, checked_name, masked, sentence, shown
from feem.core.digest import canonical, digest_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SUBJECT = Subject(kind="Release", namespace="lending", name="limit-scoring-7", uid="u")
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhcHBsaWNhbnQifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"

PRIVATE = {
    "a JWT": JWT,
    "a bearer token": "s3cr3t-t0ken-of-the-pipeline",
    "a password": "correct-horse-battery",
    "an access key": "AKIA" + "IOSFODNN7EXAMPLE",
    "an identity number": "11010519491231002X",
    "a mobile number": "13800138000",
    "a card number": "6222020200112233456"[:15] + "2",
    "an e-mail address": "applicant@mail.example",
}


def luhn(digits: str) -> str:
    """The digits with the check digit that makes them a card number."""
    for check in "0123456789":
        total = sum(
            (int(d) * (1 + p % 2)) - 9 * (int(d) * (1 + p % 2) > 9) for p, d in enumerate(reversed(digits + check))
        )
        if total % 10 == 0:
            return digits + check
    raise AssertionError


PRIVATE["a card number"] = luhn("622202020011223")


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a JWT", "the query was refused: token {} has expired"),
        ("a bearer token", "401 for Authorization: Bearer {}"),
        ("a password", "cannot connect with password={} to the database"),
        ("a password", 'env DATABASE_PASSWORD: "{}" is not valid'),
        ("an access key", "key {} may not read the bucket"),
        ("an identity number", "applicant {} was refused by mistake"),
        ("a mobile number", "call the applicant under +86 {} before"),
        ("a card number", "card {} was charged"),
        ("an e-mail address", "write to {} about it"),
    ],
)
def test_secrets_and_peoples_data_are_masked(what: str, text: str) -> None:
    told = masked(text.format(PRIVATE[what]))
    assert PRIVATE[what] not in told
    assert told == text.format(MASK)


@pytest.mark.parametrize(
    "text",
    [
        "objective limit-scoring-answers failed in step 2/3 at 50%: 1.02% bad (31 of 3,041)",
        f"template {digest_of('x')} is held",
        "entry 1700000000000 of 2026-11-24T02:28:15.123456Z, uid 5c1d8f0e-7b7a-4f7e-9a52-0d3a6a1c9b11",
        "110105194912310021 has another check character",
        "system:serviceaccount:feem-system:feem approved as risk",
        "feem.example/limit-scoring:1.7.0@sha256:" + "1380013800" * 6 + "1380",
        "审批通过 灰度 10%",
    ],
)
def test_what_is_neither_stays(text: str) -> None:
    assert sentence(text) == text


def test_a_private_key_is_masked_whole() -> None:
    begin, end = "-----BEGIN " + "PRIVATE KEY-----", "-----END " + "PRIVATE KEY-----"
    assert masked(f"mounted {begin}\nMC4CAQAwBQYDK2Vw\n{end} here") == f"mounted {MASK} here"


@given(st.text(max_size=300))
def test_masking_twice_changes_nothing(text: str) -> None:
    once = sentence(text)
    assert sentence(once) == once
    assert shown(once) == once


@pytest.mark.parametrize(
    "name",
    [
        "risk-\u043efficer",
        "\u0440isk-officer",
        "risk-offic\u03b5r",
        "risk\u200bofficer",
        "risk-officer\u202e",
        "risk\nofficer",
        "risk\x00officer",
        "\uff52isk-officer",
        "risk-o\ufb03cer",
        "risk\u00adofficer",
    ],
)
def test_names_that_could_be_taken_for_others_are_refused(name: str) -> None:
    with pytest.raises(Unrecordable) as refusal:
        checked_name("the actor", name)
    assert refusal.value.reason == "UnsafeName"
    with pytest.raises(Unrecordable):
        next_record(None, Statement("Decision", Part.FACT, SUBJECT, name), NOW, 0)


@pytest.mark.parametrize(
    "name",
    [
        "risk-officer",
        "oidc:张三",
        "Müller",
        "\u0440\u0438\u0441\u043a",
        "system:serviceaccount:a:b",
        "anna@bank.example",
    ],
)
def test_honest_names_of_any_script_are_kept(name: str) -> None:
    assert checked_name("the actor", name) == name
    assert next_record(None, Statement("Decision", Part.FACT, SUBJECT, name), NOW, 0).actor == name


def test_control_characters_in_sentences_are_shown() -> None:
    record = next_record(None, Statement("Seen", Part.FACT, SUBJECT, "feem", message="a\x07b\u202ec\ud800d"), NOW, 0)
    assert record.message == "a\\u0007b\\u202ec\\ud800d"


def test_seventy_kilobytes_become_a_digest() -> None:
    effects = tuple(f"{number}" + "\U0001f7e5" * 505 for number in range(32))
    said = Statement("Seen", Part.FACT, SUBJECT, "feem", message="\U0001f7e6" * 4096, effects=effects)
    assert len(json.dumps(effects, ensure_ascii=False).encode()) > 64_000
    record = next_record(None, said, NOW, 0)
    assert len(entry_bytes(record)) <= 65_535
    assert len(record.effects) == 1
    assert digest_of(list(effects)) in record.effects[0]
    assert record.message == said.message


def test_integers_beyond_two_to_the_53_are_strings() -> None:
    assert (
        canonical({"a": 2**53, "b": [-(2**60)], "c": 5})
        == b'{"a":"9007199254740992","b":["-1152921504606846976"],"c":5}'
    )
    assert digest_of(2**53) != digest_of(2**53 + 1)
    assert digest_of(7) == digest_of(7)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(JSON)
def test_the_quick_writer_is_rfc_8785(value: Any) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)
