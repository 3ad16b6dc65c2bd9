"""Notes, keys, checkpoints, proofs and policies: published examples, round trips, and every malformed form refused."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from feem.adapters.audit.keys import SigningKey, generate_seed
from feem.core.tlog.checkpoint import Checkpoint, parse_checkpoint
from feem.core.tlog.note import Note, NoteError, Signature, parse_lines, parse_note
from feem.core.tlog.policy import parse_policy
from feem.core.tlog.proof import parse_proof
from feem.core.tlog.signing import CheckpointError, Opened, message, open_checkpoint, verify_raw
from feem.core.tlog.vkey import Algorithm, Key, parse_keys, parse_vkey

SUM = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
"""The public key of Go's checksum database."""
COSIGNATURE = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
WITNESS_LINE = f"\u2014 witness.example.com/w1 {COSIGNATURE}"
"""The cosignature in the text of c2sp.org/tlog-cosignature; its public key is not published there."""
ORIGIN = "example.com/behind-the-sofa"
HEAD = Checkpoint(ORIGIN, 20852163, base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="))


def key(kind: Algorithm = Algorithm.ED25519, name: str = ORIGIN) -> SigningKey:
    return SigningKey(name, kind, generate_seed())


def signed(*signers: SigningKey, head: Checkpoint = HEAD) -> str:
    return Note(head.text(), tuple(each.sign(head, 1_700_000_000) for each in signers)).wire()


def test_a_known_public_key_has_its_known_id() -> None:
    found = parse_vkey(SUM)
    assert (found.name, found.algorithm, found.key_id.hex()) == ("sum.golang.org", Algorithm.ED25519, "033de0ae")
    assert found.vkey() == SUM


def test_the_published_cosignature_has_a_time() -> None:
    (line,) = parse_lines(WITNESS_LINE + "\n")
    assert line.key_id.hex() == "8d66cf3f"
    assert int.from_bytes(line.blob[:8], "big") == 1679315147
    assert len(line.blob) == 8 + 64


def test_what_ed25519_signs() -> None:
    signer = key()
    assert message(signer.key, HEAD, 5) == HEAD.text().encode()
    witness = key(Algorithm.COSIGN_ED25519, "witness.example.com/w1")
    text = f"cosignature/v1\ntime 1679315147\n{ORIGIN}\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert message(witness.key, HEAD, 1679315147) == text.encode()


def test_what_ml_dsa_44_signs_byte_by_byte() -> None:
    witness = key(Algorithm.ML_DSA_44, "w.example")
    data = message(witness.key, HEAD, 0x0102030405060708)
    parts = (
        b"subtree/v1\n\x00",
        b"\x09w.example",
        bytes(range(1, 9)),
        bytes([len(ORIGIN)]) + ORIGIN.encode(),
        bytes(8),
        (20852163).to_bytes(8, "big"),
        HEAD.root,
    )
    assert data == b"".join(parts)


def test_a_signature_of_rfc_8032() -> None:
    """Section 7.1, TEST 2."""
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    raw = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    known = Key("test", Algorithm.ED25519, public)
    assert verify_raw(known, b"\x72", raw)
    assert not verify_raw(known, b"\x73", raw)


@pytest.mark.parametrize("kind", [Algorithm.ED25519, Algorithm.ML_DSA_44])
def test_every_changed_byte_of_a_signature_is_noticed(kind: Algorithm) -> None:
    signer, first = key(kind), key()
    good = signer.sign(HEAD, 9)
    assert open_checkpoint(signed(first, signer), [first.key, signer.key]).checkpoint == HEAD
    for place in range(0, len(good.blob), 1 if kind is Algorithm.ED25519 else 37):
        blob = good.blob[:place] + bytes([good.blob[place] ^ 1]) + good.blob[place + 1 :]
        note = Note(HEAD.text(), (first.sign(HEAD, 9), Signature(ORIGIN, signer.key.key_id, blob))).wire()
        with pytest.raises(CheckpointError, match="is wrong"):
            open_checkpoint(note, [first.key, signer.key])


def refused(note: str, *known: Key) -> str:
    with pytest.raises(CheckpointError) as problem:
        open_checkpoint(note, known)
    return str(problem.value)


def test_whose_signatures_are_needed() -> None:
    plain, hybrid, stranger = key(), key(Algorithm.ML_DSA_44), key()
    both = [plain.key, hybrid.key]
    opened: Opened = open_checkpoint(signed(plain, hybrid, stranger), both)
    assert (opened.log, opened.unknown) == (tuple(both), 1)
    assert "no ML-DSA-44 signature" in refused(signed(plain), *both)
    assert "no ED25519 signature" in refused(signed(hybrid), *both)
    assert "no Ed25519 key" in refused(signed(hybrid), hybrid.key)
    assert "no ED25519 signature" in refused(signed(stranger), plain.key)
    assert "two signatures" in refused(signed(plain, plain), plain.key)
    assert open_checkpoint(signed(plain), [plain.key]).log == (plain.key,)
    assert "no Ed25519 key of the log" in refused(signed(plain), key(name="other.example").key)
    rotated = key()
    assert open_checkpoint(signed(rotated), [plain.key, rotated.key]).log == (rotated.key,)


def test_a_witness_is_no_log_and_a_log_no_witness() -> None:
    plain, witness = key(), key(Algorithm.COSIGN_ED25519, "w.example")
    assert open_checkpoint(signed(plain, witness), [plain.key, witness.key]).witnesses == (witness.key,)
    impostor = key(Algorithm.COSIGN_ED25519)
    assert open_checkpoint(signed(plain, impostor), [plain.key, impostor.key]).witnesses == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace("20852163", "020852163"),
        lambda note: note.replace("20852163", "-1"),
        lambda note: note.replace("20852163", "٣"),
        lambda note: note.replace("\n\n", "\nextension\n\n", 1),
        lambda note: note.replace(
            "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J="
        ),
        lambda note: note.replace("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "CsUY"),
        lambda note: note.rstrip("\n"),
        lambda note: note.replace("\u2014", "-"),
        lambda note: note + "\n",
        lambda note: note.replace("\n\n", "\n", 1),
        lambda note: note.replace(ORIGIN, "", 1),
        lambda note: note.replace(ORIGIN, ORIGIN + "\t", 1),
        lambda note: note + note.rpartition("\n\n")[2] * 64,
    ],
)
def test_a_malformed_checkpoint_is_refused(change: Callable[[str], str]) -> None:
    signer = key()
    note = signed(signer)
    assert change(note) != note
    refused(change(note), signer.key)


@given(st.text(max_size=200))
def test_arbitrary_text_is_refused_and_nothing_else(text: str) -> None:
    for parse in (parse_note, parse_checkpoint, parse_vkey, parse_keys, parse_proof, parse_policy, parse_lines):
        try:
            parse(text)
        except NoteError:
            continue


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**63 - 1), st.sampled_from(["a", "b.example/log", "日志"]))
def test_checkpoints_and_keys_go_round(data: bytes, size: int, name: str) -> None:
    head = Checkpoint(name, size, data)
    assert parse_checkpoint(head.text()) == head
    public = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(data).digest()).public_key().public_bytes_raw()
    made = Key(name, Algorithm.ED25519, public)
    assert parse_vkey(made.vkey()) == made


def witness(name: str) -> tuple[SigningKey, str]:
    made = key(Algorithm.COSIGN_ED25519, f"{name}.example")
    return made, f"witness {name} {made.key.vkey()} http://{name}.example"


def test_quorums() -> None:
    log, made = key(), {name: witness(name) for name in "abcd"}
    lines = [f"log {log.key.vkey()}", *(line for _, line in made.values())]
    groups = ["group two 2 a b c", "group any any d", "group both all two any", "quorum both"]
    policy = parse_policy("\n".join(["# comment", "", *lines, *groups]))
    for names, enough in (("abd", True), ("abcd", True), ("ab", False), ("ad", False), ("d", False), ("", False)):
        note = signed(log, *(made[name][0] for name in names))
        assert policy.satisfied(open_checkpoint(note, policy.keys)) is enough, names
    none = parse_policy(f"log {log.key.vkey()}\nquorum none\n")
    assert none.satisfied(open_checkpoint(signed(log), none.keys))
    assert policy.witnesses["a"].url == "http://a.example"


@pytest.mark.parametrize(
    "lines",
    [
        ["{w}"],
        ["{w}", "quorum other"],
        ["{w}", "quorum a", "quorum a"],
        ["{w}", "{w}", "quorum a"],
        ["{w}", "group g 2 a", "quorum g"],
        ["{w}", "group g 0 a", "quorum g"],
        ["{w}", "group g some a", "quorum g"],
        ["{w}", "group g any a a", "quorum g"],
        ["{w}", "group a any a", "quorum a"],
        ["{w}", "group g any later", "quorum g"],
        ["{w}", "group none any a", "quorum none"],
        ["{w}", "group g any", "quorum a"],
        ["quorum a", "{w}"],
        ["nonsense", "quorum none"],
        ["witness a b", "quorum none"],
    ],
)
def test_a_wrong_policy_is_refused(lines: list[str]) -> None:
    _, line = witness("a")
    with pytest.raises(NoteError):
        parse_policy("\n".join(each.format(w=line) for each in lines))
