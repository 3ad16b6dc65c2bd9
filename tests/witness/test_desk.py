"""The protocol's answers, one by one (c2sp.org/tlog-witness)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from feem.adapters.audit.keys import LogSigner, SigningKey, generate_seed
from feem.adapters.audit.witness_desk import SIZE_TYPE, WitnessDesk, logs_of
from feem.adapters.audit.witness_request import submission_body
from feem.adapters.audit.witness_state import CONFLICTS, REFUSED, StateError
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.merkle import EMPTY_ROOT
from feem.core.tlog.note import Note, parse_lines, parse_note
from feem.core.tlog.signing import open_checkpoint, time_of, verify_signature
from feem.core.tlog.vkey import Algorithm
from tests.witness.growing import BOTH, NAME, ORIGIN, Clock, Log, desk, signer


@pytest.fixture
def log() -> Log:
    return Log(20)


@pytest.fixture
def at_ten(tmp_path: Path, log: Log) -> WitnessDesk:
    witness = desk(tmp_path, log)
    assert witness.submit(log.body(0, 10)).status == 200
    return witness


def held(witness: WitnessDesk, origin: str = ORIGIN) -> int:
    return witness.state.heads[origin].checkpoint.size


def test_it_cosigns_with_both_kinds_of_keys(tmp_path: Path, log: Log) -> None:
    witness = desk(tmp_path, log)
    answer = witness.submit(log.body(0))
    assert answer.status == 200
    keys = [key.key for key in witness.state.keys]
    assert [key.algorithm for key in keys] == [Algorithm.COSIGN_ED25519, Algorithm.ML_DSA_44]
    lines = parse_lines(answer.body)
    for key, line in zip(keys, lines, strict=True):
        assert verify_signature(key, log.checkpoint(), line)
        assert time_of(key, line) == 1_750_000_000
    opened = open_checkpoint(log.note() + answer.body, (*log.signer.keys, *keys))
    assert set(opened.witnesses) == set(keys)


def test_it_follows_a_growing_log(tmp_path: Path) -> None:
    log = Log()
    witness, old = desk(tmp_path, log), 0
    for size in (0, 0, 1, 1, 2, 3, 7, 8, 64, 100, 257):
        log.grow(size - log.tree.size)
        assert witness.submit(log.body(old)).status == 200, size
        old = size
    assert held(witness) == 257


def test_two_logs_do_not_mix(tmp_path: Path, log: Log) -> None:
    other = Log(3, origin="feem.dev/audit/other")
    witness = desk(tmp_path, log, other)
    assert witness.submit(log.body(0)).status == 200
    assert witness.submit(other.body(0)).status == 200
    assert (held(witness), held(witness, other.origin)) == (20, 3)


def test_the_same_head_again_is_cosigned_again(at_ten: WitnessDesk, log: Log) -> None:
    assert at_ten.submit(log.body(10, 10)).status == 200


def test_a_wrong_old_size_is_told_the_right_one(at_ten: WitnessDesk, log: Log) -> None:
    for old in (0, 5, 11, 20):
        answer = at_ten.submit(log.body(old, 20))
        assert (answer.status, answer.body, answer.content_type) == (409, "10\n", SIZE_TYPE)
    assert held(at_ten) == 10


def test_nothing_held_is_zero(tmp_path: Path, log: Log) -> None:
    answer = desk(tmp_path, log).submit(log.body(10))
    assert (answer.status, answer.body, answer.content_type) == (409, "0\n", SIZE_TYPE)


def test_an_older_head_is_refused(at_ten: WitnessDesk, log: Log) -> None:
    assert at_ten.submit(log.body(5, 9)).status == 409
    assert at_ten.submit(log.body(9, 9)).status == 409
    assert at_ten.submit(log.body(10, 9)).status == 400  # the old size is larger than the checkpoint's
    assert held(at_ten) == 10


@pytest.mark.parametrize("old", [0, 5, 10])
def test_another_root_of_the_same_size_is_kept_as_proof(at_ten: WitnessDesk, log: Log, old: int) -> None:
    fork = log.fork(5, 10)
    with capture_logs() as told:
        answer = at_ten.submit(fork.body(old))
    assert (answer.status, answer.body, answer.content_type) == (409, "10\n", SIZE_TYPE)
    (loud,) = [line for line in told if line["log_level"] == "critical"]
    assert (loud["origin"], loud["size"], loud["shown"]) == (ORIGIN, 10, fork.checkpoint().root.hex())
    (kept,) = (at_ten.state.folder / CONFLICTS).glob("*.note")
    proof = open_checkpoint(kept.read_text(), log.signer.keys)
    assert proof.checkpoint == fork.checkpoint()
    assert len(proof.log) == 2
    assert at_ten.submit(log.body(10, 20)).status == 200  # the log it vouched for goes on
    (other,) = (at_ten.state.folder / CONFLICTS).glob("*.held")  # and still both heads of the one size are there
    assert open_checkpoint(other.read_text(), log.signer.keys).checkpoint == log.checkpoint(10)


def test_each_conflict_is_kept_once(at_ten: WitnessDesk, log: Log) -> None:
    for story in ("a", "b", "a"):
        at_ten.submit(log.fork(5, 10, story).body(10))
    assert at_ten.state.count(CONFLICTS, ORIGIN) == 2


def test_a_fork_that_grew_is_refused(at_ten: WitnessDesk, log: Log) -> None:
    fork = log.fork(9, 30)
    with capture_logs() as told:
        assert at_ten.submit(fork.body(10)).status == 422
    assert [line["held_size"] for line in told if line["log_level"] == "error"] == [10]
    assert at_ten.state.count(REFUSED, ORIGIN) == 1
    assert held(at_ten) == 10


def _cut(proof: list[bytes]) -> list[bytes]:
    return proof[:-1]


def _longer(proof: list[bytes]) -> list[bytes]:
    return [*proof, bytes(32)]


def _turned(proof: list[bytes]) -> list[bytes]:
    return proof[::-1]


def _changed(proof: list[bytes]) -> list[bytes]:
    return [*proof[:-1], bytes(32)]


def _none(_proof: list[bytes]) -> list[bytes]:
    return []


@pytest.mark.parametrize("spoil", [_cut, _longer, _turned, _changed, _none])
def test_a_wrong_proof_is_refused_and_the_right_one_still_helps(
    at_ten: WitnessDesk, log: Log, spoil: Callable[[list[bytes]], list[bytes]]
) -> None:
    proof = list(log.tree.consistency(10, 20))
    assert at_ten.submit(submission_body(10, spoil(proof), log.note())).status == 422
    assert held(at_ten) == 10
    assert at_ten.state.count(REFUSED, ORIGIN) == 1
    assert at_ten.submit(log.body(10)).status == 200
    assert at_ten.state.count(REFUSED, ORIGIN) == 0  # it was somebody's wrong proof, not the log's other history


def test_a_proof_from_nothing_has_to_be_empty(tmp_path: Path, log: Log) -> None:
    witness = desk(tmp_path, log)
    assert witness.submit(submission_body(0, [bytes(32)], log.note())).status == 422
    assert witness.submit(submission_body(0, [], log.note())).status == 200
    assert witness.submit(submission_body(20, [bytes(32)], log.note())).status == 422


def test_an_empty_tree_has_one_root(tmp_path: Path) -> None:
    log = Log()
    witness, odd = desk(tmp_path, log), Checkpoint(ORIGIN, 0, bytes(32))
    note = Note(odd.text(), tuple(log.signer.sign(odd, 1))).wire()
    assert log.checkpoint().root == EMPTY_ROOT
    assert witness.submit(submission_body(0, [], note)).status == 409
    assert witness.submit(log.body(0)).status == 200


def test_an_unknown_log_is_not_found(at_ten: WitnessDesk) -> None:
    assert at_ten.submit(Log(10, origin="feem.dev/audit/elsewhere").body(0)).status == 404


def test_a_foreign_signature_is_forbidden(at_ten: WitnessDesk) -> None:
    assert at_ten.submit(Log(20, signer()).body(0)).status == 403
    assert at_ten.state.count(CONFLICTS, ORIGIN) == 0


@pytest.mark.parametrize("kept", [0, 1])
def test_a_head_without_one_kind_of_signature_is_forbidden(at_ten: WitnessDesk, log: Log, kept: int) -> None:
    note = parse_note(log.note())
    stripped = Note(note.text, (note.signatures[kept],)).wire()
    assert at_ten.submit(submission_body(10, log.tree.consistency(10), stripped)).status == 403


def test_a_wrong_signature_beside_right_ones_is_forbidden(at_ten: WitnessDesk, log: Log) -> None:
    right, wrong = parse_note(log.note(20)), parse_note(log.note(19))
    mixed = Note(right.text, (right.signatures[0], wrong.signatures[1])).wire()
    assert at_ten.submit(submission_body(10, log.tree.consistency(10), mixed)).status == 403
    twice = Note(right.text, (*right.signatures, right.signatures[0])).wire()
    assert at_ten.submit(submission_body(10, log.tree.consistency(10), twice)).status == 403


def test_signatures_by_unknown_keys_are_ignored_and_not_kept(at_ten: WitnessDesk, log: Log) -> None:
    note = parse_note(log.note())
    same_name = SigningKey(ORIGIN, Algorithm.ED25519, generate_seed()).sign(log.checkpoint(), 1)
    someone = SigningKey("example.com/someone", Algorithm.ML_DSA_44, generate_seed()).sign(log.checkpoint(), 1)
    body = submission_body(10, log.tree.consistency(10), Note(note.text, (same_name, *note.signatures, someone)).wire())
    assert at_ten.submit(body).status == 200
    kept = parse_note(at_ten.state.heads[ORIGIN].note).signatures
    assert [one.name for one in kept] == [ORIGIN, ORIGIN, NAME, NAME]


def test_after_a_rotation_either_key_of_a_kind_is_enough(tmp_path: Path) -> None:
    keys = [SigningKey(ORIGIN, algorithm, generate_seed()) for algorithm in (*BOTH, *BOTH)]
    old, both, new = LogSigner(keys[2:]), LogSigner(keys), LogSigner(keys[:2])
    witness = desk(tmp_path, keys=logs_of(both.keys))
    for step, signing in enumerate((old, both, new)):
        assert witness.submit(Log(5 + step, signing).body(5 + step - 1 if step else 0)).status == 200


@pytest.mark.parametrize("algorithm", [Algorithm.ED25519, Algorithm.ML_DSA_44])
def test_a_log_with_one_kind_of_key_is_watched_too(tmp_path: Path, algorithm: Algorithm) -> None:
    log = Log(4, signer(algorithms=[algorithm]))
    assert desk(tmp_path, log).submit(log.body(0)).status == 200


LOG = Log(20)
NOTE = LOG.note()
LINES = NOTE.split("\n")
HASH = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 10",
        b"\n\n" + NOTE.encode(),
        NOTE.encode(),
        b"old 10\n" + NOTE.encode(),  # no empty line: the checkpoint's first lines pass for a proof
        f"old\n\n{NOTE}".encode(),
        f"old \n\n{NOTE}".encode(),
        f"Old 10\n\n{NOTE}".encode(),
        f"old  10\n\n{NOTE}".encode(),
        f"old 010\n\n{NOTE}".encode(),
        f"old +10\n\n{NOTE}".encode(),
        f"old -1\n\n{NOTE}".encode(),
        f"old 1e1\n\n{NOTE}".encode(),
        f"old \u0661\u0660\n\n{NOTE}".encode(),
        f"old 10 \n\n{NOTE}".encode(),
        f"old 10\r\n\n{NOTE}".encode(),
        f"old {10**30}\n\n{NOTE}".encode(),
        f"old 21\n\n{NOTE}".encode(),  # larger than the checkpoint
        f"old 10\nnot base64!\n\n{NOTE}".encode(),
        f"old 10\n{HASH[:-1]}\n\n{NOTE}".encode(),
        f"old 10\n {HASH}\n\n{NOTE}".encode(),
        f"old 10\n{base64.b64encode(bytes(31)).decode()}\n\n{NOTE}".encode(),
        f"old 10\n{base64.b64encode(bytes(33)).decode()}\n\n{NOTE}".encode(),
        f"old 10\n{HASH[:-2]}B=\n\n{NOTE}".encode(),  # bits left over: not the one right spelling
        ("old 10\n" + f"{HASH}\n" * 64 + f"\n{NOTE}").encode(),
        f"old 10\n\n{NOTE}".encode()[:-1],
        f"old 10\n\n{NOTE}".encode() + b"\xff\n",
        f"old 10\n\n{NOTE}\n".encode(),
        f"old 10\n\n{NOTE}junk\n".encode(),
        f"old 10\n\n{NOTE}".encode().replace(b"\n20\n", b"\n020\n"),
        f"old 10\n\n{NOTE}".encode().replace(b"\n20\n", b"\n20\nan extension\n"),
        f"old 10\n\n{NOTE}".encode().replace(b"\n20\n", b"\n20\t\n"),
        f"old 10\n\n{LINES[0]}\n{LINES[1]}\n{LINES[2]}\n".encode(),  # no signatures
        f"old 10\n\n{LINES[0]}\n{LINES[1]}\n\n{LINES[4]}\n".encode(),  # no root
        f"old 10\n\n{LINES[0]}\n{LINES[1]}\n{base64.b64encode(bytes(20)).decode()}\n\n{LINES[4]}\n".encode(),
        f"old 10\n\n{NOTE}{f'{LINES[4]}{chr(10)}' * 64}".encode(),  # more than 64 signatures
    ],
)
def test_a_malformed_body_is_a_bad_request(tmp_path: Path, body: bytes) -> None:
    witness = desk(tmp_path, LOG)
    assert witness.submit(LOG.body(0, 10)).status == 200
    assert witness.submit(body).status == 400
    assert held(witness) == 10
    assert witness.submit(LOG.body(10)).status == 200  # the same request in its right form


def test_63_proof_lines_are_read(at_ten: WitnessDesk, log: Log) -> None:
    assert at_ten.submit(submission_body(10, [bytes(32)] * 63, log.note())).status == 422
    assert at_ten.submit(submission_body(10, [bytes(32)] * 64, log.note())).status == 400


def test_times_never_go_back(tmp_path: Path, log: Log) -> None:
    clock = Clock(2_000.0)
    witness = desk(tmp_path, log, clock=clock)
    ed25519 = witness.state.keys[0].key

    def times(body: bytes) -> int | None:
        return time_of(ed25519, parse_lines(witness.submit(body).body)[0])

    assert times(log.body(0, 5)) == 2_000
    clock.now = 1_000.0
    with capture_logs() as told:
        assert times(log.body(5, 9)) == 2_000
    assert told[0]["log_level"] == "warning"
    clock.now = 3_000.0
    assert times(log.body(9)) == 3_000


def test_a_witness_is_no_log_that_it_watches(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot have the name"):
        desk(tmp_path, Log(origin=NAME))
    with pytest.raises(StateError, match="255 bytes"):
        desk(
            tmp_path / "long",
            Log(origin="x" * 256, keys=LogSigner([SigningKey("x" * 256, Algorithm.ED25519, generate_seed())])),
        )


def test_witnesses_in_a_published_list_are_no_logs() -> None:
    log, seed = Log(), generate_seed()
    others = [SigningKey("w.example", kind, seed).key for kind in (Algorithm.COSIGN_ED25519, Algorithm.ML_DSA_44)]
    assert logs_of([*others, *log.signer.keys, *log.signer.keys]) == {ORIGIN: tuple(log.signer.keys)}
