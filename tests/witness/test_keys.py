"""Private keys: what they sign is what the RFC and C2SP say, and files that are no keys are named."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from feem.adapters.audit.keys import FILES, LogSigner, SigningKey, generate_seed, load_log_keys
from feem.core.dossier.attestation import pre_authentication
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.note import parse_note
from feem.core.tlog.signing import message, time_of, verify_raw, verify_signature
from feem.core.tlog.vkey import Algorithm, parse_vkey
from tests.witness.growing import NAME, ORIGIN

# RFC 8032 section 7.1, tests 1 to 3: seed, public key, message, signature
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]

# the key that Go's checksum database has published since 2019
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

# c2sp.org/tlog-cosignature, the note at its beginning
EXAMPLE = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""


@pytest.mark.parametrize(("seed", "public", "data", "signature"), RFC_8032)
def test_ed25519_is_that_of_rfc_8032(seed: str, public: str, data: str, signature: str) -> None:
    key = SigningKey(ORIGIN, Algorithm.ED25519, bytes.fromhex(seed))
    assert key.key.public.hex() == public
    assert key.sign_bytes(bytes.fromhex(data)).hex() == signature
    assert verify_raw(key.key, bytes.fromhex(data), bytes.fromhex(signature))


def test_a_key_id_is_that_of_the_checksum_database() -> None:
    key = parse_vkey(SUMDB)
    assert (key.name, key.algorithm, key.key_id.hex()) == ("sum.golang.org", Algorithm.ED25519, "033de0ae")
    assert hashlib.sha256(b"sum.golang.org\n\x01" + key.public).hexdigest()[:8] == "033de0ae"
    assert key.vkey() == SUMDB


def test_the_published_cosignature_has_the_form_and_the_time_it_says() -> None:
    log, witness = parse_note(EXAMPLE).signatures
    assert (log.key_id.hex(), len(log.blob)) == ("033de0ae", 64)
    assert (witness.name, witness.key_id.hex(), len(witness.blob)) == ("witness.example.com/w1", "8d66cf3f", 8 + 64)
    some = SigningKey("witness.example.com/w1", Algorithm.COSIGN_ED25519, generate_seed()).key
    assert time_of(some, witness) == 1679315147  # the time in the text's example of a signed message


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_what_a_key_signs_verifies_and_says_when(algorithm: Algorithm) -> None:
    key, checkpoint = SigningKey(NAME, algorithm, generate_seed()), Checkpoint(ORIGIN, 7, bytes(32))
    signature = key.sign(checkpoint, 1_750_000_000)
    assert verify_signature(key.key, checkpoint, signature)
    assert time_of(key.key, signature) == (None if algorithm is Algorithm.ED25519 else 1_750_000_000)
    assert not verify_signature(key.key, Checkpoint(ORIGIN, 8, bytes(32)), signature)
    other = SigningKey(NAME, algorithm, generate_seed())
    assert not verify_signature(other.key, checkpoint, signature)
    assert parse_vkey(key.key.vkey()) == key.key


def test_an_ed25519_cosignature_is_over_time_and_text() -> None:
    key = SigningKey(NAME, Algorithm.COSIGN_ED25519, generate_seed())
    checkpoint = Checkpoint("example.com/behind-the-sofa", 20852163, base64.b64decode(EXAMPLE.split("\n")[2]))
    expected = "cosignature/v1\ntime 1679315147\n" + EXAMPLE.partition("\n\n")[0] + "\n"
    assert message(key.key, checkpoint, 1679315147).decode() == expected
    raw = key.sign(checkpoint, 1679315147).blob
    assert raw[:8] == (1679315147).to_bytes(8, "big")
    assert verify_raw(key.key, expected.encode(), raw[8:])


def test_an_ml_dsa_signature_is_over_the_structure_of_the_text() -> None:
    key, root = SigningKey(NAME, Algorithm.ML_DSA_44, generate_seed()), bytes(range(32))
    signed = (
        b"subtree/v1\n\0"
        + bytes([len(NAME)]) + NAME.encode()
        + (12).to_bytes(8, "big")
        + bytes([len(ORIGIN)]) + ORIGIN.encode()
        + bytes(8)
        + (300).to_bytes(8, "big")
        + root
    )  # fmt: skip
    blob = key.sign(Checkpoint(ORIGIN, 300, root), 12).blob
    assert len(blob) == 8 + 2420
    assert verify_raw(key.key, signed, blob[8:])


def test_a_seed_shows_in_no_text() -> None:
    key = SigningKey(ORIGIN, Algorithm.ED25519, b"a" * 32)
    assert "a" * 32 not in repr(key) + str(key) + str(vars(key).keys())


def write(folder: Path, **seeds: bytes) -> None:
    for name, data in seeds.items():
        (folder / f"{name.replace('_', '-')}.seed").write_bytes(data)


def test_keys_are_read_raw_and_as_base64_current_ones_first(tmp_path: Path) -> None:
    seeds = [generate_seed() for _ in range(3)]
    write(tmp_path, ed25519=seeds[0], ml_dsa_44=base64.b64encode(seeds[1]) + b"\n", previous_ed25519=seeds[2])
    keys = load_log_keys(tmp_path, ORIGIN)
    assert [key.algorithm for key in keys] == [Algorithm.ED25519, Algorithm.ML_DSA_44, Algorithm.ED25519]
    assert [key.seed for key in keys] == seeds
    checkpoint, signer = Checkpoint(ORIGIN, 1, bytes(32)), LogSigner(keys)
    assert all(
        verify_signature(key, checkpoint, one) for key, one in zip(signer.keys, signer.sign(checkpoint, 5), strict=True)
    )


def test_an_envelope_is_signed_by_the_current_ed25519_key(tmp_path: Path) -> None:
    write(tmp_path, ed25519=generate_seed(), ml_dsa_44=generate_seed(), previous_ed25519=generate_seed())
    signer = LogSigner(load_log_keys(tmp_path, ORIGIN))
    envelope = signer.sign_dsse("application/vnd.in-toto+json", b'{"a":1}')
    assert envelope["payload"] == base64.b64encode(b'{"a":1}').decode()
    (one,) = envelope["signatures"]  # type: ignore[misc]  # a JSON object
    assert one["keyid"] == signer.keys[0].key_id.hex()  # type: ignore[has-type]
    signed = pre_authentication("application/vnd.in-toto+json", b'{"a":1}')
    assert signed == b'DSSEv1 28 application/vnd.in-toto+json 7 {"a":1}'
    assert verify_raw(signer.keys[0], signed, base64.b64decode(one["sig"]))  # type: ignore[has-type]


@pytest.mark.parametrize("missing", list(FILES))
def test_a_missing_key_is_named(tmp_path: Path, missing: str) -> None:
    for name in FILES:
        (tmp_path / name).write_bytes(generate_seed())
    (tmp_path / missing).unlink()
    with pytest.raises(ValueError, match=f"{missing} is missing.*keygen"):
        load_log_keys(tmp_path, ORIGIN)


@pytest.mark.parametrize(
    "data", [b"", b"short", b"x" * 31, b"x" * 33, b"x" * 64, base64.b64encode(b"y" * 31), b"\xff" * 44]
)
def test_a_file_that_is_no_key_is_named_and_not_quoted(tmp_path: Path, data: bytes) -> None:
    write(tmp_path, ed25519=data, ml_dsa_44=generate_seed())
    with pytest.raises(ValueError, match=r"ed25519\.seed is no key") as told:
        load_log_keys(tmp_path, ORIGIN)
    assert len(data) < 5 or data.decode("latin-1") not in str(told.value)


def test_a_previous_key_that_is_the_current_one_is_refused(tmp_path: Path) -> None:
    seed = generate_seed()
    write(tmp_path, ed25519=seed, ml_dsa_44=generate_seed(), previous_ed25519=seed)
    with pytest.raises(ValueError, match="remove the file"):
        load_log_keys(tmp_path, ORIGIN)
