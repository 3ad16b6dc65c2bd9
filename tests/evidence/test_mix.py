"""The evidence on mixes: it is a supermartingale while the shift is tolerated, and finds a shift that is not."""

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feem.core.evidence.mix import MixShift

Block = tuple[dict[str, int], dict[str, int]]

NAMES = ("approved", "referred", "rejected")
STABLE = (0.55, 0.25, 0.20)
SURE_OF_A_HUNDREDTH = math.log(100)


def evidence_of(parts: Sequence[Block], tolerated: float = 0.02, dispersion: float = 1.0) -> MixShift:
    mix = MixShift(tolerated, dispersion)
    for canary, stable in parts:
        mix.add(canary, stable)
    return mix


def counts() -> st.SearchStrategy[dict[str, int]]:
    return st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 60), max_size=5)


def outcomes(total: int, size: int) -> Iterator[tuple[int, ...]]:
    """Every way in which `total` observations fall into `size` categories."""
    if size == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in outcomes(total - first, size - 1):
            yield (first, *rest)


def multinomial(seen: Sequence[int], mix: Sequence[float]) -> float:
    odds = float(math.factorial(sum(seen)))
    for count, share in zip(seen, mix, strict=True):
        odds *= share**count / math.factorial(count)
    return odds


def mean_factor(
    history: Sequence[Block], sizes: tuple[int, int], mixes: tuple[Sequence[float], Sequence[float]], tolerated: float
) -> float:
    """The mean, over every outcome of the next block, of how much E grows."""
    before, mean = evidence_of(history, tolerated).log_evidence, 0.0
    for own, other in itertools.product(outcomes(sizes[0], len(mixes[0])), outcomes(sizes[1], len(mixes[0]))):
        block = dict(zip("abc", own, strict=False)), dict(zip("abc", other, strict=False))
        after = evidence_of([*history, block], tolerated).log_evidence
        mean += multinomial(own, mixes[0]) * multinomial(other, mixes[1]) * math.exp(after - before)
    return mean


def test_it_starts_at_one_and_so_it_stays_over_the_first_block() -> None:
    assert MixShift(0.02).log_evidence == 0
    assert evidence_of([({"approved": 50}, {"rejected": 200})], 0.0).log_evidence == 0


HISTORIES: tuple[list[Block], ...] = (
    [({"a": 9, "b": 1, "c": 2}, {"a": 3, "b": 9, "c": 8})],
    [({"a": 1, "b": 9}, {"a": 20, "b": 10, "c": 1})],
    [({"a": 12}, {"b": 12})],
    [({"a": 6, "b": 1}, {"a": 2, "b": 8}), ({"a": 6, "c": 3}, {"a": 2, "b": 8, "c": 1})],
)


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("tolerated", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("sizes", [(1, 1), (3, 2), (1, 4)])
def test_the_mean_of_the_next_factor_is_at_most_one_within_the_tolerance(
    history: list[Block], tolerated: float, sizes: tuple[int, int]
) -> None:
    for stable in ((0.5, 0.5), (0.1, 0.9)):
        for shift in (0.0, tolerated, -tolerated):
            canary = (stable[0] + shift, stable[1] - shift)
            if min(canary) >= 0:
                assert mean_factor(history, sizes, (canary, stable), tolerated) <= 1 + 1e-9
    for three in ((0.3, 0.3, 0.4), (0.8, 0.15, 0.05)):
        for out, into in itertools.permutations(range(3), 2):
            moved = list(three)
            moved[out] -= min(tolerated, three[out])
            moved[into] += min(tolerated, three[out])
            assert mean_factor(history, sizes, (moved, three), tolerated) <= 1 + 1e-9


def test_the_mean_over_two_blocks_is_at_most_one() -> None:
    """The estimates come from the first block, whose outcome the second block's factor must not be able to exploit."""
    for tolerated, canary, stable in (
        (0.0, (0.3, 0.7), (0.3, 0.7)),
        (0.2, (0.5, 0.5), (0.3, 0.7)),
        (0.2, (0.0, 1.0), (0.2, 0.8)),
    ):
        mean = 0.0
        for own, other in itertools.product(outcomes(3, 2), outcomes(3, 2)):
            first = dict(zip("ab", own, strict=True)), dict(zip("ab", other, strict=True))
            odds = multinomial(own, canary) * multinomial(other, stable)
            mean += odds * mean_factor([first], (2, 2), (canary, stable), tolerated)
        assert mean <= 1 + 1e-9


def test_a_shift_beyond_the_tolerance_has_a_mean_above_one() -> None:
    """So that the tests above can fail."""
    history: list[Block] = [({"a": 9, "b": 1}, {"a": 3, "b": 9})]
    assert mean_factor(history, (3, 3), ((0.9, 0.1), (0.3, 0.7)), 0.05) > 1.5


@given(counts(), counts(), st.floats(0, 1))
def test_a_block_with_an_idle_track_changes_nothing(
    one: dict[str, int], other: dict[str, int], tolerated: float
) -> None:
    history: list[Block] = [({"a": 9, "b": 1}, {"a": 3, "b": 9})] * 4
    before = evidence_of(history, tolerated).log_evidence
    assert evidence_of([*history, (one, {})], tolerated).log_evidence == before
    assert evidence_of([*history, ({"a": 0}, other)], tolerated).log_evidence == before


@settings(deadline=None)
@given(st.lists(st.tuples(counts(), counts()), max_size=8), st.floats(0, 1), st.floats(1, 9))
def test_evidence_and_shift_are_numbers_whatever_is_added(
    parts: list[Block], tolerated: float, dispersion: float
) -> None:
    mix = evidence_of(parts, tolerated, dispersion)
    assert math.isfinite(mix.log_evidence)
    assert 0 <= mix.shift <= 1 + 1e-12


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(counts(), counts()), max_size=8))
def test_the_same_blocks_give_the_same_evidence_to_the_bit_in_whatever_order_the_categories_come(
    parts: list[Block],
) -> None:
    turned = [({k: one[k] for k in reversed(one)}, {k: other[k] for k in reversed(other)}) for one, other in parts]
    assert evidence_of(turned).log_evidence == evidence_of(parts).log_evidence


def test_estimates_within_the_tolerance_bet_nothing() -> None:
    parts: list[Block] = [({"a": 51, "b": 49}, {"a": 100, "b": 100}), ({"a": 90, "b": 10}, {"a": 10, "b": 90})]
    assert evidence_of(parts, 0.05).log_evidence == 0
    assert evidence_of(parts, 0.0).log_evidence != 0


def test_estimates_just_beyond_the_tolerance_bet_something() -> None:
    parts: list[Block] = [({"a": 5700, "b": 4300}, {"a": 5000, "b": 5000}), ({"a": 70, "b": 30}, {"a": 50, "b": 50})]
    assert evidence_of(parts, 0.06).log_evidence > 0


def test_everything_is_tolerated_where_the_tolerance_is_one() -> None:
    assert evidence_of([({"a": 50}, {"b": 50})] * 20, 1.0).log_evidence == 0


def test_a_category_that_only_the_canary_has_is_found_though_it_comes_late() -> None:
    usual: Block = ({"a": 11, "b": 9}, {"a": 44, "b": 36})
    odd: Block = ({"a": 11, "b": 5, "error": 4}, {"a": 44, "b": 36})
    mix = evidence_of([usual] * 5)
    assert mix.log_evidence < SURE_OF_A_HUNDREDTH
    for _ in range(15):
        mix.add(*odd)
    assert mix.log_evidence > SURE_OF_A_HUNDREDTH


def test_the_shift_is_the_total_variation_of_all_that_was_seen() -> None:
    mix = evidence_of([({"a": 4, "b": 1}, {"a": 20}), ({"a": 3, "c": 2}, {"b": 10, "c": 10})])
    assert mix.shift == pytest.approx(0.5 * (abs(0.7 - 0.5) + abs(0.1 - 0.25) + abs(0.2 - 0.25)))
    assert evidence_of([({"a": 4}, {})]).shift == 0


def test_a_dispersion_divides_the_logarithm_of_each_bet() -> None:
    parts: list[Block] = [({"a": 90, "b": 10}, {"a": 50, "b": 50})] * 6
    plain, tempered = evidence_of(parts), evidence_of(parts, dispersion=4.0)
    bets = [math.exp(log / 4) for log in plain._logs]
    assert tempered.log_evidence == pytest.approx(math.log(sum(bets) / len(bets)))
    assert 0 < tempered.log_evidence < plain.log_evidence


def draw(rng: random.Random, total: int, mix: Sequence[float]) -> Mapping[str, int]:
    chosen = rng.choices(NAMES, mix, k=total)
    return {name: chosen.count(name) for name in NAMES}


def seconds_to_find(rng: random.Random, canary: Sequence[float], block: tuple[int, int], blocks: int = 720) -> float:
    mix = MixShift(0.02)
    for at in range(1, blocks + 1):
        mix.add(draw(rng, block[0], canary), draw(rng, block[1], STABLE))
        if mix.log_evidence >= SURE_OF_A_HUNDREDTH:
            return at * 5
    return math.inf


@pytest.mark.parametrize(("block", "at_most"), [((20, 80), 75), ((2, 8), 720)])
def test_a_canary_that_approves_too_many_is_found_in_time(block: tuple[int, int], at_most: float) -> None:
    rng = random.Random(4)  # noqa: S311 (a seeded simulation)
    found = sorted(seconds_to_find(rng, (0.70, 0.15, 0.15), block) for _ in range(101))
    assert found[50] <= at_most


@pytest.mark.parametrize("canary", [STABLE, (0.569, 0.24, 0.191)])
def test_a_tolerated_shift_is_hardly_ever_found(canary: Sequence[float]) -> None:
    rng = random.Random(5)  # noqa: S311 (a seeded simulation)
    assert sum(seconds_to_find(rng, canary, (20, 80), blocks=360) < math.inf for _ in range(50)) <= 1


def test_impossible_values_are_refused_with_what_to_do() -> None:
    for tolerated in (-0.01, 1.01, math.nan):
        with pytest.raises(ValueError, match="share from 0 to 1"):
            MixShift(tolerated)
    with pytest.raises(ValueError, match="dispersion"):
        MixShift(0.02, 0.5)
    with pytest.raises(ValueError, match=r"canary's counts .* reset"):
        MixShift(0.02).add({"a": -1, "b": 3}, {"a": 1})
