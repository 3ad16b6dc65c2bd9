"""The buckets of classic histograms, whose edges every client library writes in its own way."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from math import inf, isnan, nan

from feem.adapters.prometheus.counter import counters_of
from feem.adapters.prometheus.parsing import UnusableQuery, shown
from feem.adapters.prometheus.selector import NAME_LABEL, Match, Selector, literally

EDGE_LABEL = "le"
BUCKET = "_bucket"
MOST_EDGES_SAID = 20


def buckets_of(query: str) -> tuple[Selector, ...]:
    """Return the selectors of a histogram's buckets, given by the base name or by that of the bucket series.

    Raises UnusableQuery as counters do, and when a bucket is picked: FEEM itself adds the edges it needs.
    """
    return tuple(dict.fromkeys(map(bucket_selector, counters_of(query))))


def bucket_selector(selector: Selector) -> Selector:
    """Return one histogram's bucket selector; raises UnusableQuery."""
    for one in selector.matches:
        if one.label == EDGE_LABEL:
            raise UnusableQuery(
                "LabelTwice",
                f"{shown(str(one))} must be left out: FEEM itself adds `{EDGE_LABEL}`, to pick the buckets",
            )
    if selector.metric:
        return Selector(bucket_name(selector.metric), selector.matches)
    return Selector("", tuple(map(bucket_match, selector.matches)))


def bucket_match(match: Match) -> Match:
    """Return a matcher of the name with the buckets' ending, and any other one as it is; raises UnusableQuery."""
    if match.label != NAME_LABEL or match.value.endswith(BUCKET):
        return match
    if match.operator == "=":
        return Match(NAME_LABEL, "=", bucket_name(match.value))
    raise UnusableQuery(
        "NotACounterQuery",
        f"{shown(str(match))} picks no buckets: let the pattern end in {BUCKET}, or name one histogram",
    )


def bucket_name(metric: str) -> str:
    """Return the name of a histogram's bucket series."""
    return metric if metric.endswith(BUCKET) else metric + BUCKET


def edges(threshold: str) -> Match:
    """Match the bucket that ends at a threshold (a decimal), however its edge is written, and the one without an end.

    Go writes 0.5, 1, 1e+06, Python 1.0 and 1e+06, Java 1.0E7, and Prometheus 3 makes 1.0 of 1.
    """
    return Match(EDGE_LABEL, "=~", f"{spellings(Decimal(threshold))}|{literally('+Inf')}")


def fast(threshold: str) -> Match:
    """Match only the bucket that ends at a threshold."""
    return Match(EDGE_LABEL, "=~", spellings(Decimal(threshold)))


EVERYTHING = Match(EDGE_LABEL, "=", "+Inf")
"""The bucket without an end, in which every event is."""


def spellings(number: Decimal) -> str:
    """Return a regular expression (RE2) of the ways to write a number that is not negative."""
    whole, _, fraction = f"{number:f}".partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    plain = rf"{whole or '0?'}\.{fraction}0*" if fraction else rf"{whole or '0'}(\.0*)?"
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return plain
    power = number.adjusted()
    mantissa, rest = digits[0], digits[1:].rstrip("0")
    scientific = rf"{mantissa}\.{rest}0*" if rest else rf"{mantissa}(\.0*)?"
    return rf"{plain}|{scientific}[eE]{'-' if power < 0 else '[+]?'}0*{abs(power)}"


def edge_of(text: str) -> float:
    """Return a bucket's edge as a number, NaN when it is none."""
    try:
        return float(text)
    except ValueError:
        return nan


def without_edge(selector: Selector, threshold: str, found: Iterable[str]) -> str:
    """Say that no bucket ends at the threshold, which edges there are (as their label says), and what to do."""
    known = sorted({edge for edge in map(edge_of, found) if not isnan(edge) and edge != inf})
    said = ", ".join(f"{edge:g}" for edge in known[:MOST_EDGES_SAID]) + (
        " and more" if len(known) > MOST_EDGES_SAID else ""
    )
    return (
        f"{shown(str(selector))} has no bucket that ends at {threshold}; its edges are {said or 'none but +Inf'}: give one of "
        f"them as spec.indicator.latency.threshold, or have the application make a bucket that ends at {threshold}"
    )
