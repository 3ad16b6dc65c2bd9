"""Proves that a report of a game day verifies as it was made, and that no change of what it proves goes unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feem.core.audit.entry import canonical_bytes
from feem.core.audit.verify import Fault
from feem.core.digest import canonical
from feem.core.dossier.gameday import GameDay, files_of, verify_any
from feem.core.dossier.gameday_text import readme_of
from feem.core.dossier.pack import PackVerdict
from feem.core.dossier.selecting import about_runs
from feem.core.tlog.merkle import leaf_hash
from feem.core.tlog.proof import Proof
from feem.core.tlog.signing import open_checkpoint
from feem.core.tlog.tree import Tree
from feem.core.tlog.vkey import Key, parse_keys
from tests.view.chaos import bodies as at
from tests.view.chaos.log import SignedLog

Files = dict[str, bytes]
LOG = SignedLog(at.game_day())
KEYS: tuple[Key, ...] = parse_keys("\n".join(LOG.keys))
FREE = ("README.md", "report.html", "keys.txt", "pack.json")
"""Files that nothing signed vouches for; of pack.json, members do."""


def made(log: SignedLog = LOG) -> Files:
    runs, about = [at.read(body) for body in at.game_day()], about_runs(map(at.read, at.game_day()))
    every = [canonical_bytes(record["spec"]) for record in log.records]
    chosen = {index: data for index, data in enumerate(every) if about(json.loads(data))}
    note, tree = log.auditlog["status"]["checkpoint"], Tree(map(leaf_hash, every))
    proofs = {index: Proof(index, tree.inclusion(index), note) for index in chosen}
    keys = "\n".join(log.keys)
    day = GameDay(runs, chosen, open_checkpoint(note, parse_keys(keys)), note, keys, proofs)
    return files_of(day, "<!doctype html>", readme_of(day))


MADE = made()


def judged(files: Files, keys: tuple[Key, ...] = KEYS) -> PackVerdict:
    return verify_any(files.get, list(files), keys)


def relisted(files: Files, **about: object) -> Files:
    """With a list that fits: it is not signed, so whoever changes a file changes it too."""
    index = {**json.loads(files["pack.json"]), **about}
    index["files"] = {name: sha256(data).hexdigest() for name, data in files.items() if name != "pack.json"}
    return {**files, "pack.json": canonical(index)}


def path(name: str) -> str:
    return f"runs/lending/{name}.json"


def changed_run(files: Files, name: str, change: Callable[[dict[str, object]], None]) -> Files:
    run = json.loads(files[path(name)])
    change(run)
    return relisted({**files, path(name): canonical(run)})


def end_of(name: str) -> int:
    return next(entry.index for entry in LOG.entries if (entry.action, entry.subject.name) == ("ChaosRunEnded", name))


def names(index: int) -> tuple[str, str]:
    return f"records/{index:012d}.json", f"proofs/{index:012d}.tlog-proof"


def test_what_nobody_tampered_with_is_proven() -> None:
    found = judged(MADE)
    assert found.findings == ()
    assert found.about == "20 records of 4 chaos runs"
    assert found.opened is not None
    assert found.opened.checkpoint.origin == "feem.dev/audit/test"


def test_with_other_keys_nothing_is_proven() -> None:
    other = parse_keys("\n".join(SignedLog(at.game_day()).keys))
    assert [one.fault for one in judged(MADE, other).findings] == [Fault.PACK]
    assert not judged(MADE, ()).ok


def test_a_run_that_is_told_otherwise_is_found_and_its_end_in_the_log_named() -> None:
    def held(run: dict[str, object]) -> None:
        status = run["status"]
        assert isinstance(status, dict)
        status["during"][0]["outcome"] = "Pass"

    found = judged(changed_run(MADE, "slow-bureau-q1w2e", held))
    assert [(one.index, one.fault) for one in found.findings] == [(end_of("slow-bureau-q1w2e"), Fault.PACK)]
    assert "is not the run as it ended" in found.findings[0].message


@pytest.mark.parametrize("time", ["2026-11-24T03:15:02", None])
def test_a_time_without_its_zone_or_a_null_is_no_run(time: str | None) -> None:
    def zoneless(run: dict[str, object]) -> None:
        status = run["status"]
        assert isinstance(status, dict)
        status["injectedAt"] = time

    (found,) = judged(changed_run(MADE, "slow-bureau-q1w2e", zoneless)).findings
    assert "runs/lending/slow-bureau-q1w2e.json" in found.message
    assert (found.index, found.fault) == (None, Fault.PACK)


@pytest.mark.parametrize("part", ["spec", "status"])
def test_nothing_can_be_added_to_a_run(part: str) -> None:
    def more(run: dict[str, object]) -> None:
        inner = run[part]
        assert isinstance(inner, dict)
        inner["note"] = "all was well"

    assert not judged(changed_run(MADE, "lose-a-pod-x7k2p", more)).ok


def test_two_runs_cannot_be_exchanged() -> None:
    one, other = json.loads(MADE[path("lose-a-pod-x7k2p")]), json.loads(MADE[path("slow-bureau-q1w2e")])
    swapped = {
        path("lose-a-pod-x7k2p"): canonical({**other, "metadata": one["metadata"]}),
        path("slow-bureau-q1w2e"): canonical({**one, "metadata": other["metadata"]}),
    }
    found = judged(relisted({**MADE, **swapped}))
    assert {one.index for one in found.findings} >= {end_of("lose-a-pod-x7k2p"), end_of("slow-bureau-q1w2e")}


def test_a_run_of_the_same_name_is_another_run() -> None:
    runs = [
        {**one, "uid": "other"} for one in json.loads(MADE["pack.json"])["runs"] if one["name"] == "lose-a-pod-x7k2p"
    ]
    rest = [one for one in json.loads(MADE["pack.json"])["runs"] if one["name"] != "lose-a-pod-x7k2p"]
    body = {**json.loads(MADE[path("lose-a-pod-x7k2p")]), "metadata": runs[0]}
    found = judged(relisted({**MADE, path("lose-a-pod-x7k2p"): canonical(body)}, runs=[*rest, *runs]))
    assert "no record says how the run of runs/lending/lose-a-pod-x7k2p.json ended" in [
        one.message for one in found.findings
    ]


def test_a_run_whose_end_was_taken_out_is_not_proven() -> None:
    record, proof = names(end_of("lose-a-pod-x7k2p"))
    found = judged(relisted({name: data for name, data in MADE.items() if name not in (record, proof)}))
    assert "no record says how" in found.findings[0].message


def test_figures_are_computed_again() -> None:
    figures = json.loads(MADE["report.json"])
    figures["totals"]["longestUndoSeconds"] = 0.1
    found = judged(relisted({**MADE, "report.json": canonical(figures)}))
    assert [one.message for one in found.findings] == ["report.json is not what the runs and the records give"]


def test_a_record_that_is_changed_is_named() -> None:
    index = end_of("few-pods-e5r5o")
    record, _ = names(index)
    wire = {**json.loads(MADE[record]), "message": "nothing was left"}
    found = judged(relisted({**MADE, record: canonical_bytes(wire)}))
    assert (index, Fault.PROOF) in [(one.index, one.fault) for one in found.findings]


def test_a_record_about_something_else_is_refused_also_with_a_good_proof() -> None:
    every = [canonical_bytes(record["spec"]) for record in LOG.records]
    note = MADE["checkpoint"].decode()
    proof = Proof(0, Tree(map(leaf_hash, every)).inclusion(0), note).wire().encode()
    found = judged(relisted({**MADE, names(0)[0]: every[0], names(0)[1]: proof}))
    assert [one.index for one in found.findings] == [0]
    assert "is about Lease feem-system/feem" in found.findings[0].message


def test_a_run_that_is_left_out_leaves_its_records_behind() -> None:
    gone = path("few-pods-e5r5o")
    runs = [one for one in json.loads(MADE["pack.json"])["runs"] if one["name"] != "few-pods-e5r5o"]
    found = judged(relisted({name: data for name, data in MADE.items() if name != gone}, runs=runs))
    assert all("not about the report's runs" in one.message for one in found.findings)
    assert len(found.findings) == 6


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"proven": False}, "nothing in it is proven"),
        ({"size": 3}, "another origin or size than the checkpoint"),
        ({"origin": "other"}, "another origin or size than the checkpoint"),
        ({"runs": []}, "does not say which runs"),
        ({"runs": "all"}, "does not say which runs"),
        ({"format": "feem.dev/gameday-pack@v2"}, "is not of the format"),
    ],
)
def test_the_list_has_to_say_what_the_report_is_of(about: dict[str, object], said: str) -> None:
    found = judged(relisted(MADE, **about))
    assert said in found.findings[0].message


@pytest.mark.parametrize("name", ["report.html", "README.md", "keys.txt", "checkpoint", "report.json"])
def test_a_file_that_is_not_as_listed_or_gone_is_found(name: str) -> None:
    assert not judged({**MADE, name: MADE[name] + b" "}).ok
    left = {other: data for other, data in MADE.items() if other != name}
    assert not judged(left).ok
    assert not judged(relisted(left)).ok


def test_a_file_of_another_kind_is_refused() -> None:
    for name in ("install.sh", "runs/lending/../x.json", "samples/a.jsonl.gz"):
        assert not judged(relisted({**MADE, name: b"{}"})).ok


PROVEN = sorted(name for name in MADE if name not in FREE)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(PROVEN), st.floats(0, 0.999), st.integers(1, 255))
@example(next(name for name in PROVEN if name.startswith("runs/")), 0.03125, 1)  # in apiVersion
def test_no_byte_of_what_is_proven_can_be_changed(name: str, where: float, bits: int) -> None:
    data = bytearray(MADE[name])
    data[int(where * len(data))] ^= bits
    assert not judged(relisted({**MADE, name: bytes(data)})).ok


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"null", b'["apiVersion","kind","metadata","spec","status"]', b"\xff", b"[" * 9]
)
def test_what_is_no_run_is_refused_and_breaks_nothing(data: bytes) -> None:
    found = judged(relisted({**MADE, path("lose-a-pod-x7k2p"): data}))
    assert [one.fault for one in found.findings] == [Fault.PACK]


def test_a_digest_can_be_checked_without_feem() -> None:
    run = json.loads(MADE[path("lose-a-pod-x7k2p")])
    text = json.dumps(
        {"spec": run["spec"], "status": run["status"]}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    record = json.loads(MADE[names(end_of("lose-a-pod-x7k2p"))[0]])
    assert record["evidence"] == "sha256:" + sha256(text.encode()).hexdigest()
