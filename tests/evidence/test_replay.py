"""Proves that a tape gives its verdicts again, to the bit, and that nothing on it can be changed unnoticed."""

from __future__ import annotations

import functools
import gzip
import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.api.release import ObjectiveVerdict
from feem.core.evidence import replay as module
from feem.core.evidence.replay import Unreadable, replay
from feem.core.evidence.samples import Evidence, Sample, Series, TrackSamples
from feem.core.evidence.tape import Tape
from feem.core.evidence.terms import Terms
from feem.core.evidence.trial import Trial
from tests.evidence.samples import START, Pod, fetched, gauge, latency, mix, objective, scores, terms

CANARY, STABLE = [Pod("c", bad=0.1), Pod("c2", restarts=(START + 12,))], [Pod(f"s{n}", rate=9.7) for n in range(3)]


def recorded(
    given: tuple[Terms, ...], bring: Callable[[Terms, float], Evidence], looks: list[float]
) -> tuple[bytes, tuple[ObjectiveVerdict, ...], str]:
    """What a case writes down; evidence with a problem brings no round."""
    tape, trials = Tape("r", given), [Trial(one) for one in given]
    verdicts: tuple[ObjectiveVerdict, ...] = ()
    for now in looks:
        found = []
        for number, trial in enumerate(trials):
            evidence = bring(trial.terms, now)
            if evidence.problem:
                tape.problem(number, now, evidence.problem)
            else:
                for one in trial.rounds(evidence, end=now, step=1):
                    tape.note(number, one)
                    trial.take(one)
            found.append(trial.verdict(now=now, problem=evidence.problem, queries=("up", "down")))
        verdicts = tuple(found)
    document = tape.document("RollBack", looks[-1], verdicts)
    assert document is not None
    return document, verdicts, tape.digest


@functools.cache
def usual() -> bytes:
    given = (terms(), terms(objective(alpha_share=2, minimum=10)))
    return recorded(given, lambda _, now: fetched(CANARY, STABLE, now - 60, now), [START + 5 * n for n in range(1, 8)])[
        0
    ]


def test_it_gives_the_same_verdicts_and_digest() -> None:
    given = (terms(), terms(objective("99", minimum=50), alpha=0.003, dispersion=1.7, unaccompanied=True))
    looks = [START + 5.25 * number for number in range(1, 12)]
    document, verdicts, digest = recorded(given, lambda _, now: fetched(CANARY, STABLE, now - 60, now), looks)
    found = replay(document)
    assert found.holds
    assert (found.recorded, found.recomputed) == (verdicts, verdicts)
    assert (found.recorded_digest, found.recomputed_digest) == (digest, digest)
    assert (found.release, found.decision, found.at, found.rounds) == ("r", "RollBack", looks[-1], 22)
    assert found.digests[-1] == digest
    assert found == replay(gzip.decompress(document))


def test_an_objective_without_metrics_at_the_time_is_repeated() -> None:
    def bring(given: Terms, now: float) -> Evidence:
        if (given.alpha == 0.005 and START + 10 <= now <= START + 20) or (given.alpha == 0.001 and now >= START + 25):
            return Evidence(problem="the metrics server did not answer")
        return fetched(CANARY, STABLE, now - 60, now)

    given = tuple(terms(alpha=alpha) for alpha in (0.01, 0.005, 0.001))
    document, verdicts, _ = recorded(given, bring, [START + 5 * number for number in range(1, 8)])
    assert verdicts[2].reason == "MetricsUnavailable"
    assert verdicts[1].reason != "MetricsUnavailable"
    assert replay(document).holds


numbers = (
    st.floats(0, 1e15) | st.integers(0, 10**15).map(float) | st.sampled_from([0.1, 1 / 3, 123456789012345.6, 5e-324])
)
moments = st.floats(START - 50, START + 60, allow_nan=False)
OBJECTIVES = {"ratio": objective(), "latency": latency(), "mix": mix("0"), "scores": scores(), "gauge": gauge()}
ROLES = {
    "ratio": ("bad", "total"),
    "latency": ("fast", "total"),
    "mix": ("events",),
    "scores": ("buckets",),
    "gauge": ("value",),
}


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(OBJECTIVES)), st.booleans())
def test_any_samples_are_replayed_to_the_bit(data: st.DataObject, kind: str, watch: bool) -> None:  # noqa: FBT001
    def track() -> TrackSamples:
        def one(role: str) -> Series:
            labels = {
                "pod": data.draw(st.sampled_from("pq")),
                "decision": data.draw(st.sampled_from(["a", "é\u2028", ""])),
            }
            labels["le"] = data.draw(st.sampled_from(["1", "2", "+Inf"]))
            samples = data.draw(st.lists(st.builds(Sample, moments, numbers), max_size=5))
            return Series(tuple(sorted(labels.items())), tuple(samples))

        return TrackSamples(
            {role: tuple(one(role) for _ in range(data.draw(st.integers(0, 3)))) for role in ROLES[kind]}
        )

    given = terms(OBJECTIVES[kind], watch=watch and kind in ("ratio", "latency"), dispersion=1.3)
    document, verdicts, digest = recorded(
        (given,), lambda *_: Evidence(track(), track()), [START + 7.3, START + 41.9, START + 60.1]
    )
    found = replay(document)
    assert (found.recomputed, found.recomputed_digest) == (verdicts, digest)
    assert found.holds


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    """In every line but the last, whatever it becomes; the last one states what is checked."""
    plain = gzip.decompress(usual())
    body = plain.rstrip(b"\n").rfind(b"\n")
    place = data.draw(st.integers(0, body - 1))
    change = data.draw(st.integers(1, 255))
    broken = plain[:place] + bytes([plain[place] ^ change]) + plain[place + 1 :]
    assert noticed(broken)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_changed_byte_of_the_packed_file_is_noticed(data: st.DataObject) -> None:
    packed = usual()
    place = data.draw(st.integers(10, len(packed) - 1))  # before that stands the header, with its idle time and system
    assert noticed(packed[:place] + bytes([packed[place] ^ data.draw(st.integers(1, 255))]) + packed[place + 1 :])


@pytest.mark.parametrize("seed", range(5))
def test_a_line_that_is_lost_doubled_or_moved_is_noticed(seed: int) -> None:
    lines = gzip.decompress(usual()).splitlines(keepends=True)
    place = random.Random(seed).randrange(1, len(lines) - 2)  # noqa: S311 - a place, no secret
    lost, doubled, moved = list(lines), list(lines), list(lines)
    del lost[place]
    doubled.insert(place, lines[place])
    moved[place], moved[place + 1] = lines[place + 1], lines[place]
    for changed in (lost, doubled, moved, lines[:-1], lines[1:], lines[:place]):
        assert noticed(b"".join(changed))


def test_a_line_that_says_the_same_in_other_bytes_is_noticed() -> None:
    plain = gzip.decompress(usual())
    for old, new in ((b'"step":1', b'"step": 1'), (b"1005.0", b"1005.00"), (b"\n", b" \n")):
        assert old in plain
        assert noticed(plain.replace(old, new, 1))


@pytest.mark.parametrize("field", ["outcome", "reason", "message", "evidence", "threshold"])
def test_a_changed_verdict_is_noticed(field: str) -> None:
    lines = gzip.decompress(usual()).splitlines()
    last = json.loads(lines[-1])
    last["verdicts"][0][field] = "Pass" if field == "outcome" else "x"
    found = replay(b"\n".join([*lines[:-1], json.dumps(last).encode()]))
    assert not found.holds
    assert found.recorded_digest == found.recomputed_digest


def noticed(document: bytes) -> bool:
    try:
        return not replay(document).holds
    except Unreadable:
        return True


def with_line(number: int, line: object) -> bytes:
    lines = gzip.decompress(usual()).splitlines()
    lines[number - 1] = line if isinstance(line, bytes) else json.dumps(line).encode()
    return b"\n".join(lines)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(lambda: b"", "it is empty", id="empty"),
        pytest.param(lambda: b"{}", "fewer than two lines", id="one line"),
        pytest.param(lambda: b"hello", "line 1 is no JSON", id="a text"),
        pytest.param(lambda: b"[" * 100_000, "line 1 is no JSON", id="deep"),
        pytest.param(lambda: usual()[:-20], "cut off", id="cut off"),
        pytest.param(lambda: usual() + b"x", "something follows", id="longer"),
        pytest.param(lambda: b"\x1f\x8bnonsense", "cannot be unpacked", id="no gzip"),
        pytest.param(
            lambda: with_line(1, {"format": "feem-evidence/9"}), "line 1 does not say feem-evidence/1", id="version"
        ),
        pytest.param(lambda: with_line(4, b"{"), "line 4 is no JSON", id="torn"),
        pytest.param(lambda: with_line(4, [1]), "line 4 is no JSON object", id="a list"),
        pytest.param(lambda: with_line(5, {"objective": -1}), "line 5 is no round", id="no such objective"),
        pytest.param(lambda: with_line(5, {"objective": 7}), "line 5 is no round", id="no such objective either"),
        pytest.param(lambda: with_line(5, {"objective": 0}), "line 5 is no round", id="no samples"),
        pytest.param(
            lambda: with_line(5, {"objective": 0, "end": 1, "step": 1, "samples": [1]}),
            "line 5 is no round",
            id="a list of samples",
        ),
        pytest.param(
            lambda: with_line(5, {"objective": 0, "end": 1, "step": 1, "samples": {"99": []}}),
            "line 5 is no round",
            id="no such series",
        ),
        pytest.param(
            lambda: with_line(5, b'{"objective":0,"end":1e999,"step":1e999,"samples":{}}'),
            "line 5 is no round",
            id="infinite",
        ),
        pytest.param(lambda: with_line(16, {"decision": "x"}), "line 16", id="no decision"),
        pytest.param(
            lambda: with_line(16, {"decision": "x", "at": 1, "digest": "", "verdicts": []}),
            "0 verdicts",
            id="fewer verdicts",
        ),
    ],
)
def test_what_cannot_be_read_says_where(document: Callable[[], bytes], message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        replay(document())


def test_a_file_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    with pytest.raises(Unreadable, match="unpacks to more than 1,000 bytes"):
        replay(gzip.compress(b"{}\n" * 100_000))
