"""Proves that a bucket's edge is found however a client library writes it, and that a histogram may be named either way."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.adapters.prometheus.histogram import buckets_of, edges, fast, spellings, without_edge
from feem.adapters.prometheus.parsing import UnusableQuery
from feem.adapters.prometheus.selector import Selector


@pytest.mark.parametrize(
    ("query", "selectors"),
    [
        ("h_seconds", ["h_seconds_bucket"]),
        ("h_seconds_bucket", ["h_seconds_bucket"]),
        ('sum by (le) (rate(h_seconds_bucket{path="/d"}[5m]))', ['h_seconds_bucket{path="/d"}']),
        ('{"h.seconds"}', ['{__name__="h.seconds_bucket"}']),
        ('{__name__=~"(a|b)_bucket"}', ['{__name__=~"(a|b)_bucket"}']),
        ("a + b_bucket + a_bucket", ["a_bucket", "b_bucket"]),
    ],
)
def test_a_histogram_may_be_named_either_way(query: str, selectors: list[str]) -> None:
    assert list(map(str, buckets_of(query))) == selectors


@pytest.mark.parametrize(
    ("query", "reason", "words"),
    [
        ('h_bucket{le="0.3"}', "LabelTwice", '`le="0.3"` must be left out'),
        ('a + h{le!=""}', "LabelTwice", '`le!=""`'),
        ('{__name__=~"a|b"}', "NotACounterQuery", "_bucket"),
        ("histogram_quantile(0.9, h_bucket)", "NotACounterQuery", "a threshold"),
    ],
)
def test_a_histogram_that_is_none_is_quoted(query: str, reason: str, words: str) -> None:
    with pytest.raises(UnusableQuery) as raised:
        buckets_of(query)
    assert words in str(raised.value)
    assert raised.value.problem.reason == reason


@pytest.mark.parametrize(
    ("threshold", "written"),
    [
        ("0.3", ["0.3", ".3", "0.30", "3e-01", "3E-1", "3.0E-1"]),
        ("0.30", ["0.3"]),
        ("1", ["1", "1.0", "1.00", "1e0", "1.0e+00"]),
        ("1.0", ["1"]),
        ("10", ["10", "10.0", "1e+01", "1.0E1"]),
        ("2.5", ["2.5", "2.50", "2.5e+00", "2.5E0"]),
        ("0.0005", ["0.0005", "5e-04", "5.0E-4", "5e-4"]),
        ("10000", ["10000", "10000.0", "1e+04", "1.0E4", "1e4"]),
        ("12500", ["12500", "1.25e+04", "1.25E4", "12500.0"]),
        ("0", ["0", "0.0"]),
    ],
)
def test_an_edge_is_found_however_it_is_written(threshold: str, written: list[str]) -> None:
    pattern = edges(threshold).value
    for text in [*written, "+Inf"]:
        assert re.fullmatch(pattern, text), text
    assert not re.fullmatch(fast(threshold).value, "+Inf")


edge_values = st.decimals(min_value=Decimal("0.000001"), max_value=99999, places=6)


@given(edge_values, edge_values)
def test_only_equal_numbers_fit(threshold: Decimal, other: Decimal) -> None:
    for text in (f"{other:f}", repr(float(other)), f"{other:e}"):
        assert (re.fullmatch(spellings(threshold), text) is not None) == (threshold == other), text
    for text in (f"{threshold:f}", repr(float(threshold)), f"{threshold.normalize():e}", f"{threshold:.12e}"):
        assert re.fullmatch(spellings(threshold), text), text


def test_the_edges_there_are_are_named() -> None:
    said = without_edge(Selector("h_bucket", ()), "0.3", ["+Inf", "0.5", "0.25", "1.0", "1", "odd"])
    assert "`h_bucket` has no bucket that ends at 0.3; its edges are 0.25, 0.5, 1: give one of them" in said
    assert "none but +Inf" in without_edge(Selector("h_bucket", ()), "0.3", ["+Inf"])
    assert "and more" in without_edge(Selector("h_bucket", ()), "0.3", map(str, range(30)))
