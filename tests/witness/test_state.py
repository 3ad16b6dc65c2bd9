"""What a witness keeps: once, whole, for itself alone."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from feem.adapters.audit.keys import generate_seed
from feem.adapters.audit.witness_state import HEADS, StateError, WitnessState
from feem.core.tlog.vkey import Algorithm, parse_keys
from tests.witness.growing import NAME, ORIGIN, Log, desk


def test_a_first_start_makes_keys_that_nobody_else_can_read(tmp_path: Path) -> None:
    state = WitnessState(tmp_path / "a" / "b", NAME)
    folder = state.folder
    for file in ("ed25519.seed", "ml-dsa-44.seed"):
        assert len((folder / file).read_bytes()) == 32
        assert stat.S_IMODE((folder / file).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    keys = parse_keys((folder / "keys.txt").read_text())
    assert [key.algorithm for key in keys] == [Algorithm.COSIGN_ED25519, Algorithm.ML_DSA_44]
    assert {key.name for key in keys} == {NAME}
    state.close()


def test_a_restart_keeps_keys_and_heads(tmp_path: Path) -> None:
    log = Log(20)
    first = desk(tmp_path, log)
    assert first.submit(log.body(0, 10)).status == 200
    keys, head = [key.key for key in first.state.keys], first.state.heads[ORIGIN]
    first.state.close()
    second = desk(tmp_path, log)
    assert [key.key for key in second.state.keys] == keys
    assert second.state.heads == {ORIGIN: head}
    assert second.submit(log.fork(5, 15).body(10)).status == 422
    assert second.submit(log.fork(5, 10).body(0)).status == 409
    assert second.submit(log.body(10)).status == 200


def test_two_witnesses_cannot_share_a_folder(tmp_path: Path) -> None:
    first = WitnessState(tmp_path, NAME)
    with pytest.raises(StateError, match="is running"):
        WitnessState(tmp_path, NAME)
    first.close()
    first.close()
    WitnessState(tmp_path, NAME).close()


def test_a_refused_folder_is_not_held(tmp_path: Path) -> None:
    WitnessState(tmp_path, NAME).close()
    for _ in range(2):
        with pytest.raises(StateError, match="not this witness'"):
            WitnessState(tmp_path, "another.example/name")
    WitnessState(tmp_path, NAME).close()


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "x" * 256])
def test_a_name_that_no_key_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StateError, match="cannot be a witness' name"):
        WitnessState(tmp_path, name)


def test_lost_and_exchanged_seeds_are_noticed(tmp_path: Path) -> None:
    WitnessState(tmp_path, NAME).close()
    (tmp_path / "ed25519.seed").write_bytes(generate_seed())
    with pytest.raises(StateError, match="not this witness'"):
        WitnessState(tmp_path, NAME)
    (tmp_path / "ed25519.seed").write_bytes(b"torn")
    with pytest.raises(StateError, match="no key"):
        WitnessState(tmp_path, NAME)
    for file in ("ed25519.seed", "ml-dsa-44.seed"):
        (tmp_path / file).unlink()
    with pytest.raises(StateError, match="no keys"):
        WitnessState(tmp_path, NAME)


def test_one_seed_of_ones_own_is_enough_and_the_other_can_come_later(tmp_path: Path) -> None:
    (tmp_path / "ed25519.seed").write_bytes(generate_seed())
    log = Log(3)
    witness = desk(tmp_path, log)
    assert witness.submit(log.body(0)).body.count("\n") == 1
    witness.state.close()
    (tmp_path / "ml-dsa-44.seed").write_bytes(generate_seed())
    witness = desk(tmp_path, log)
    assert witness.submit(log.body(3)).body.count("\n") == 2


def test_a_damaged_head_stops_the_witness(tmp_path: Path) -> None:
    log = Log(20)
    witness = desk(tmp_path, log)
    witness.submit(log.body(0, 10))
    witness.state.close()
    (file,) = (tmp_path / HEADS).glob("*.note")
    whole = file.read_text()
    for text in ("", whole[:100], whole.replace("\n10\n", "\n9\n"), log.note(), whole[:-20] + "\n"):
        file.write_text(text)
        with pytest.raises(StateError, match="damaged"):
            WitnessState(tmp_path, NAME)
    file.write_text(whole)
    WitnessState(tmp_path, NAME).close()
    file.rename(file.with_name("0.note"))
    with pytest.raises(StateError, match="another name"):
        WitnessState(tmp_path, NAME)


def test_what_a_crash_left_half_written_is_no_harm(tmp_path: Path) -> None:
    log = Log(20)
    witness = desk(tmp_path, log)
    witness.submit(log.body(0, 10))
    witness.state.close()
    (tmp_path / HEADS / ".new").write_bytes(log.note().encode()[:50])
    (tmp_path / ".new").write_bytes(b"half")
    again = desk(tmp_path, log)
    assert again.state.heads[ORIGIN].checkpoint.size == 10
    assert again.submit(log.body(10)).status == 200
