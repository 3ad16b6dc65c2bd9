"""Proves that the same rounds always give the same bytes and digest."""

from __future__ import annotations

import gzip
import hashlib
import json
import random

import pytest

from feem.core.evidence import tape as module
from feem.core.evidence.rounds import Round
from feem.core.evidence.samples import TrackSamples
from feem.core.evidence.tape import Reader, Tape, terms_line, terms_of
from feem.core.evidence.trial import Trial
from tests.evidence.samples import START, Pod, fetched, gauge, mix, objective, series, terms

CANARY, STABLE = [Pod("c", bad=0.1), Pod("c2")], [Pod(f"s{n}") for n in range(4)]
TERMS = (terms(objective()), terms(objective(alpha_share=2)))


def written(chance: random.Random | None = None) -> Tape:
    tape, trial = Tape("r", TERMS), Trial(TERMS[0])
    for number in range(1, 6):
        end = START + 5 * number
        for one in trial.rounds(fetched(CANARY, STABLE, end - 60, end), end=end, step=1):
            kept = one
            if chance is not None:
                mixed = [
                    TrackSamples(
                        {
                            role: tuple(chance.sample(several, len(several)))
                            for role, several in reversed([*track.series.items()])
                        }
                    )
                    for track in (one.canary, one.stable)
                ]
                kept = Round(one.end, one.step, *mixed)
            tape.note(0, kept)
            tape.note(1, kept)
            trial.take(one)
    return tape


def lines(tape: Tape) -> list[bytes]:
    document = tape.document("Promote", START + 30, ())
    assert document is not None
    return gzip.decompress(document).splitlines(keepends=True)


def test_the_same_rounds_give_the_same_bytes_in_any_order_of_pods() -> None:
    plain = written()
    for seed in range(5):
        other = written(random.Random(seed))  # noqa: S311 - an order, no secret
        assert other.digest == plain.digest
        assert other.document("Promote", 1.5, ()) == plain.document("Promote", 1.5, ())


def test_the_digest_is_a_chain_over_all_lines_but_the_decision() -> None:
    tape, chain = written(), b""
    for line in lines(tape)[:-1]:
        chain = hashlib.sha256(chain + line).digest()
    assert tape.digest == f"sha256:{chain.hex()}"
    assert json.loads(lines(tape)[-1]) == {
        "decision": "Promote",
        "at": START + 30,
        "digest": tape.digest,
        "verdicts": [],
    }


def test_a_series_is_declared_once_and_numbered_after_that() -> None:
    read = [json.loads(line) for line in lines(written())[1:-1]]
    declared = [line["series"] for line in read if "series" in line]
    assert len(declared) == 2
    assert len(declared[0]) == 1 + 2 + 4  # the canary's errors, and everybody's total
    assert all(set(line["samples"]) <= set(declared[0]) for line in read)


def test_a_document_does_not_end_the_tape() -> None:
    tape = written()
    before = tape.document("Hold", 1.0, ())
    tape.note(0, Round(START + 30, 1, TrackSamples(), TrackSamples()))
    assert before != tape.document("Hold", 1.0, ())
    assert len(lines(tape)) == 2 + 10 + 1


def test_a_problem_is_written_once_until_it_is_over() -> None:
    tape = written()
    digests = []
    for said in ("down", "down", "slow"):
        tape.problem(0, START + 40, said)
        digests.append(tape.digest)
    assert digests[0] == digests[1] != digests[2]
    tape.note(0, Round(START + 45, 1, TrackSamples(), TrackSamples()))
    tape.problem(0, START + 50, "slow")
    assert [json.loads(line).get("problem") for line in lines(tape)[-5:-1]] == ["down", "slow", None, "slow"]


def test_a_tape_that_is_too_long_keeps_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written().digest
    monkeypatch.setattr(module, "MOST_BYTES", 500)
    tape = written()
    assert tape.document("Promote", 1.0, ()) is None
    assert tape.digest == whole


@pytest.mark.parametrize("given", [objective(), mix(), gauge()])
def test_terms_and_rounds_are_read_back(given: object) -> None:
    made = terms(given, dispersion=1.25, history="5 events", unaccompanied=True, watch=True)  # type: ignore[arg-type]
    assert terms_of(json.loads(json.dumps(terms_line(made)))) == made
    values = [(1000.123456789012, 0.1), (1005.999999999999, 123456789012345.0), (1010.0, 1e-300), (1011.5, 2.0**53 + 2)]
    one = Round(1010.3, 2, TrackSamples({"total": (series(values),)}), TrackSamples())
    tape = Tape("r", (made,))
    tape.note(0, one)
    assert Reader().round(json.loads(lines(tape)[1])) == one
