"""The independent verifier against published vectors, against definitions, and against logs that are as they should be."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from tests.independent import verifier_json, verifier_notes
from tests.independent.sampledocuments import Published, sample
from tests.independent.samplelog import Signer, chain, consistency, inclusion, publish, tree_hash, vkey
from tests.independent.samplerecords import ORIGIN, records
from tests.independent.verifier import judge, main
from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_merkle import EMPTY, consistent, included, leaf_hash, root_of
from tests.independent.verifier_records import Walk
from tests.independent.verifier_tiles import path_of, widths

LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""The inputs of Certificate Transparency's reference tests and the roots over the first 0 to 8 of them (testonly/constants.go)."""
EXHAUSTIVE = 64
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def hashes() -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(EXHAUSTIVE)]


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_roots_published_with_certificate_transparency(size: int) -> None:
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES[:size]]
    assert root_of(leaves).hex() == ROOTS[size]
    assert tree_hash(leaves).hex() == ROOTS[size]


def test_proofs_published_with_certificate_transparency() -> None:
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]
    path = (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    )
    assert included(leaves[5], 5, 8, [bytes.fromhex(found) for found in path], bytes.fromhex(ROOTS[8]))
    grown = (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    )
    proof = [bytes.fromhex(found) for found in grown]
    assert consistent(6, 8, bytes.fromhex(ROOTS[6]), bytes.fromhex(ROOTS[8]), proof)


def test_every_inclusion_proof_to_size_64(hashes: Sequence[bytes]) -> None:
    for size in range(1, EXHAUSTIVE + 1):
        root = tree_hash(hashes[:size])
        for index in range(size):
            proof = inclusion(index, hashes[:size])
            assert included(hashes[index], index, size, proof, root)
            assert not included(hashes[index], index, size, [*proof, EMPTY], root)
            assert not proof or not included(hashes[index], index, size, proof[:-1], root)
            assert size == 1 or not included(hashes[index], (index + 1) % size, size, proof, root)


def test_every_consistency_proof_to_size_64(hashes: Sequence[bytes]) -> None:
    roots = [tree_hash(hashes[:size]) for size in range(EXHAUSTIVE + 1)]
    for second in range(1, EXHAUSTIVE + 1):
        for first in range(1, second + 1):
            proof = consistency(first, hashes[:second])
            assert consistent(first, second, roots[first], roots[second], proof)
            assert not consistent(first, second, roots[first - 1], roots[second], proof)
            assert not consistent(first, second, roots[first], roots[second], [*proof, EMPTY])
            assert not proof or not consistent(first, second, roots[first], roots[second], proof[:-1])


def test_rfc_8785_example() -> None:
    """Read the example of RFC 8785 §3.2.2 and write it as §3.2.3 does."""
    given = (
        '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],'
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}'
    )
    wanted = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert verifier_json.canonical(verifier_json.parse(given.encode(), floats=True)) == wanted.encode()


def test_rfc_8785_sorting() -> None:
    """Names are sorted by UTF-16 code units, as in RFC 8785 §3.2.3: an emoji stands before a Hebrew presentation form."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    found = verifier_json.parse(verifier_json.canonical(dict.fromkeys(names, 0)))
    assert list(found) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a":9007199254740992}', "beyond"),
        (b'{"a":' + b"9" * 5000 + b"}", "beyond"),
        (b'{"a":1.0}', "not an integer"),
        (b'"\\ud800"', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b'"\xff"', "UTF-8"),
        (b"NaN", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'"\n"', "not JSON"),
        (b"{} {}", "not JSON"),
    ],
)
def test_json_with_more_than_one_meaning_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(RejectedError, match=told):
        verifier_json.parse(data)


def test_example_of_tlog_cosignature_has_the_key_ids_it_says() -> None:
    """The key id of an Ed25519 witness in C2SP's example is the first four bytes before its signature."""
    signature = "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    note = f"{text}\n\u2014 example.com/behind-the-sofa {signature}\n".encode()
    found, signatures = verifier_notes.parse_note(note)
    assert found == text
    assert verifier_notes.parse_checkpoint(found).size == 20852163
    assert [(one.name, one.key_id.hex(), len(one.blob)) for one in signatures] == [
        ("example.com/behind-the-sofa", "033de0ae", 64)
    ]


@pytest.mark.parametrize("index", [0, 999, 1000, 1234067])
def test_paths_of_tiles(index: int) -> None:
    wanted = {0: "000", 999: "999", 1000: "x001/000", 1234067: "x001/x234/067"}[index]
    assert path_of(3, index) == f"tile/3/{wanted}"
    assert path_of(None, index, 7) == f"tile/entries/{wanted}.p/7"


def test_tiles_of_seventy_thousand() -> None:
    """The example in C2SP tlog-tiles."""
    found = [list(widths(70_000, level)) for level in range(4)]
    assert [(len(tiles), tiles[-1][1] if tiles else 0) for tiles in found] == [(274, 112), (2, 17), (1, 1), (0, 0)]


@pytest.mark.parametrize("kind", ["directory", "bundle"])
def test_accepts_a_log(published: Published, kind: str) -> None:
    path = published.directory if kind == "directory" else published.bundle
    assert str(judge(kind, path, published.keys, held=published.held.read_bytes())) == f"ok 600 entries of {ORIGIN}"


def test_accepts_a_pack_a_report_and_a_proof(published: Published) -> None:
    assert str(judge("pack", published.pack, published.keys)) == f"ok 11 records of {ORIGIN}, 600 entries"
    told = f"ok 30 records about 3 chaos runs of {ORIGIN}, 600 entries"
    assert str(judge("report", published.report, published.keys)) == told
    assert str(judge("proof", published.proof, published.keys)) == f"ok entry 375 of {ORIGIN}, 600 entries"


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 513])
def test_accepts_logs_at_the_edges_of_tiles(tmp_path: Path, size: int) -> None:
    signer = Signer.generate(ORIGIN)
    entries = chain(records(size, {}))
    publish(tmp_path, entries, signer)
    for kept in {0, size // 2, size}:
        held = signer.checkpoint(entries[:kept])
        assert judge("directory", tmp_path, signer.keys(), held=held).ok


@pytest.mark.parametrize("size", [24, 255, 256, 257])
def test_accepts_samples_of_any_size(tmp_path: Path, size: int) -> None:
    """Also where the last release's place is a chaos run's."""
    found = sample(tmp_path, size)
    assert judge("directory", found.directory, found.keys, held=found.held.read_bytes()).ok
    assert judge("pack", found.pack, found.keys).ok
    assert judge("report", found.report, found.keys).ok


def test_an_ed25519_key_alone_is_enough(published: Published) -> None:
    assert published.signer is not None
    assert judge("directory", published.directory, vkey(published.signer.plain)).ok
    verdict = judge("directory", published.directory, vkey(published.signer.quantum))
    assert (verdict.ok, verdict.index) == (False, None)


def test_former_keys_stay_good(published: Published) -> None:
    """After a rotation both generations are known, and one signature of each algorithm is enough."""
    former = Signer.generate(ORIGIN)
    assert judge("directory", published.directory, published.keys + former.keys()).ok


@pytest.mark.parametrize(
    "wrong",
    [
        lambda key: key.replace("+", "-", 1),
        lambda key: key[:-4] + "AAA=",
        lambda key: f"{key}\n{key}",
        lambda key: key.replace(ORIGIN, "bank.example/feem/other"),
        lambda key: key[: key.index("+") + 10],
    ],
)
def test_keys_that_are_no_keys(published: Published, wrong: object) -> None:
    assert published.signer is not None
    assert callable(wrong)
    assert not judge("directory", published.directory, wrong(vkey(published.signer.plain))).ok


def test_command_line(published: Published, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(published.keys, encoding="utf-8")
    held = ["--held", str(published.held)]
    assert main(["directory", str(published.directory), "--keys", str(keys), *held]) == 0
    assert main(["proof", str(published.proof), "--entry", str(published.entry), "--keys", str(keys)]) == 0
    assert main(["pack", str(published.pack)]) == 0
    assert main(["report", str(published.report), "--keys", str(keys)]) == 0
    told = capsys.readouterr()
    assert [line.split(" ")[0] for line in told.out.splitlines()] == ["ok"] * 4
    assert "compare them" in told.err
    assert main(["directory", str(tmp_path), "--keys", str(keys)]) == 1
    assert capsys.readouterr().out == "BAD - checkpoint is missing\n"
    assert main(["report", str(published.pack)]) == 1
    assert capsys.readouterr().out.startswith("BAD - pack.json is not a feem.dev/gameday-pack@v1 ")


def test_runs_as_a_program_without_feem(published: Published) -> None:
    """A Python that has only `cryptography` beside its own library is enough: FEEM's modules are not loaded."""
    code = (
        "import sys; from pathlib import Path; from tests.independent.verifier import judge;"
        "found = judge('bundle', Path(sys.argv[1])); print(found);"
        "sys.exit(any(name == 'feem' or name.startswith('feem.') for name in sys.modules))"
    )
    command = [sys.executable, "-c", code, str(published.bundle)]
    run = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, f"ok 600 entries of {ORIGIN}\n"), run.stderr


@pytest.mark.parametrize("path", sorted(HERE.glob("verifier*.py")), ids=lambda path: path.name)
def test_shares_no_code_with_feem(path: Path) -> None:
    """It would have FEEM's mistakes, too: only the standard library, `cryptography` and its own parts are imported."""
    own = {f"tests.independent.{found.stem}" for found in HERE.glob("verifier*.py")}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            root = name.split(".")[0]
            assert name in own or root in sys.stdlib_module_names or root == "cryptography", (
                f"{path.name} imports {name}"
            )
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path.name} imports relatively"
        called = node.func if isinstance(node, ast.Call) else None
        assert not (isinstance(called, ast.Name) and called.id in ("__import__", "eval", "exec")), path.name


def test_digests_of_entries_are_what_the_format_says(published: Published) -> None:
    data = published.entry.read_bytes()
    record = verifier_json.parse_canonical(data)
    digest = record.pop("digest")
    assert digest == f"sha256:{sha256(verifier_json.canonical(record)).hexdigest()}"


def test_the_example_of_the_format_is_an_entry() -> None:
    page = (HERE.parents[1] / "docs" / "audit-format.md").read_text(encoding="utf-8")
    entry = page.split("```json\n", 1)[1].split("\n", 1)[0].encode()
    assert Walk().step(0, entry).action == "Heartbeat"
    assert f"{len(entry)} bytes" in page
    assert f"`{leaf_hash(entry).hex()}`" in page
