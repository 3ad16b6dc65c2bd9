"""Proves that a query is written back as it was read, and that every selector in it is narrowed exactly once."""

from __future__ import annotations

import promql_parser as promql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.adapters.prometheus.gauge import WRITE, gauge, gauge_selectors, written
from feem.adapters.prometheus.parsing import UnusableQuery, selectors_in
from feem.adapters.prometheus.selector import of_pods

PODS = of_pods("bank", ("scoring-canary-7c",))

QUERIES = [
    "a",
    'a{b="c",d!="e",f=~"g.*",h!~"i|j"}',
    '{__name__="a",b="c"}',
    '{"a.b.c","my label"="x"}',
    '{__name__=~"a|b"}',
    "a + b",
    "a - b",
    "a * b / c % d",
    "a ^ b ^ c",
    "a + b * c ^ d",
    "(a + b) * c",
    "-a",
    "--a",
    "-a ^ 2",
    "-(a + b) * c",
    "a * -b",
    "2 ^ -a ^ b",
    "a - -1",
    "(-1) ^ a",
    "a atan2 b",
    "a > 1",
    "a > bool 1",
    "a == bool on (x) b",
    "a != bool ignoring (x, y) group_left (z) b",
    "a >= on () b",
    "a <= ignoring () b",
    "a + on (x) group_left b",
    "a + on (x) group_right (y, z) b",
    'a + on ("my label", x) b',
    "a + on (x) fill (0) b",
    "a + fill_left (1) fill_right (-2) b",
    "a and b or c unless d",
    "a and on (x) b",
    "a or ignoring (x) b",
    "a unless on () b",
    "sum(a)",
    "sum by () (a)",
    "sum by (x, y) (a)",
    "sum without (x) (a)",
    "sum without () (a)",
    'sum by ("my label") (a)',
    "sum(a) by (x)",
    "topk(3, a)",
    "bottomk by (x) (2, a + b)",
    "quantile without (x) (0.9, a)",
    'count_values("version", a)',
    "topk(scalar(b), a)",
    "limitk(2, a)",
    "limit_ratio(-0.5, a)",
    "group(a) / count(b)",
    "max by (x) (avg by (x, y) (stddev by (x, y, z) (a)))",
    "rate(a[5m])",
    "irate(a[1h30m])",
    "increase(a[90s] offset 1h)",
    "delta(a[5m] @ 1609746000.123)",
    "rate(a[5m] @ start() offset -1w)",
    "a offset 5m",
    "a offset -1d2h",
    "a @ 0",
    "a @ end() offset 1ms",
    "a offset 1h @ start()",
    "max_over_time(a[5m:])",
    "max_over_time(a[5m:30s])",
    "max_over_time((a - b)[1h:1m] offset 30m)",
    "min_over_time(rate(a[1m])[1h:5m] @ end())",
    "quantile_over_time(0.95, sum(rate(a[5m]))[1h:] offset -5m @ 100.5)",
    "avg_over_time(max_over_time(a[5m:1m])[1h:5m])",
    "histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m])))",
    'label_replace(a, "x", "$1", "y", "(.*)-\\\\d+")',
    'label_join(a, \'x\', `-`, "y", "z")',
    "absent(a)",
    "absent_over_time(a[5m])",
    "clamp_max(a, 5)",
    "clamp(a, -1, 1e10)",
    "round(a, 0.001)",
    "time() - a",
    "hour(a) + day_of_week()",
    "a * 1e-7 + 0x1F - 5m",
    "a > Inf or a < -Inf or a == NaN",
    "a + 123456789012345678901234567890",
    "vector(1) * a",
    "scalar(sum(a)) + 1",
    "predict_linear(a[1h], 4 * 3600)",
    "double_exponential_smoothing(a[5m], 0.1, 0.2)",
    'sort_by_label(a, "x")',
    "info(a)",
    "timestamp(a) - time()",
    r"""a{b="say \"no\"\n\ttab \\ é ☃"}""",
    "sum(rate(a[5m])) / ignoring (x) group_left sum by (x) (rate(b[5m] offset 5m)) > bool 0.5",
    "max(a{x='1'}) or (max(b) and on () vector(1) > bool 0)",
    "sum:a:rate5m + on:b",
]


def parsed(query: str) -> promql.Expr:
    return promql.parse(query)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_written_as_it_was_read(query: str) -> None:
    tree = parsed(query)
    assert parsed(written(tree, query)).prettify() == tree.prettify()


@pytest.mark.parametrize("query", QUERIES)
def test_every_selector_is_narrowed_once(query: str) -> None:
    narrowed_once(query)


def narrowed_once(query: str) -> None:
    before = selectors_in(parsed(query))
    after = selectors_in(parsed(written(parsed(query), query, *PODS)))
    assert len(after) == len(before)
    added = [(one.label, one.value) for one in PODS]
    for old, new in zip(before, after, strict=True):
        pairs = [(one.name, one.value) for one in new.matchers.matchers]
        assert pairs == [(one.name, one.value) for one in old.matchers.matchers] + added
        assert (new.name, str(new.offset), str(new.at and new.at.at)) == (
            old.name,
            str(old.offset),
            str(old.at and old.at.at),
        )


NAMES = ("a", "b_total", "x:y", "m{{c='d'}}", 'm{{e=~"f|g",h!=""}}', "{{'u.v'}}")
DURATIONS = ("5m", "1h30m", "90s", "250ms", "1w")
MOMENTS = ("", " offset 5m", " offset -1h", " @ end()", " @ 12.5 offset 1d", " @ start()")
NUMBERS = ("1", "0.5", "1e-9", "Inf", "NaN", "0x10", "1e22")
JOINS = (
    *("+", "- on (x)", "* ignoring (x, y)", "/ on () group_left ()", "% ignoring (x) group_right (y)", "^", "atan2"),
    *("== bool", "> bool on (x) group_left (y)", "<=", "!= fill (0)", "and", "or on (x)", "unless ignoring ()"),
)
SHAPES = (
    *(
        "({one})",
        "-{one}",
        "sum ({one})",
        "max by (x) ({one})",
        "avg without (x, y) ({one})",
        "group without () ({one})",
    ),
    *("topk(3, {one})", 'count_values by (x) ("v", {one})', "quantile(scalar({one}), {other})"),
    *("abs({one})", "sort_desc({one})", "timestamp({one})", 'label_replace({one}, "x", "$1", "y", "(.*)")'),
    *("{one} {join} {other}", "{one} {join} {other}", "{number} + {one}", "{one} ^ {number}", "{number} > bool {one}"),
    *("rate({name}[{span}]{moment})", "avg_over_time(({one})[{span}:]{moment})", "rate(({one})[{span}:30s]{moment})"),
)


@st.composite
def queries(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    return draw(st.sampled_from(SHAPES)).format(
        one=draw(inner),
        other=draw(inner),
        join=draw(st.sampled_from(JOINS)),
        number=draw(st.sampled_from(NUMBERS)),
        name=draw(st.sampled_from(NAMES)).format(),
        span=draw(st.sampled_from(DURATIONS)),
        moment=draw(st.sampled_from(MOMENTS)),
    )


instant = st.builds(lambda name, moment: name.format() + moment, st.sampled_from(NAMES), st.sampled_from(MOMENTS))


@given(st.recursive(instant, queries, max_leaves=12))
def test_any_tree_is_written_as_it_was_read(query: str) -> None:
    tree = parsed(query)
    assert parsed(written(tree, query)).prettify() == tree.prettify()
    narrowed_once(query)


def test_a_gauge_is_narrowed_to_one_track() -> None:
    pods = 'namespace="bank",pod=~"scoring-canary-7c-.{5}"'
    assert gauge('max(depth{q="a"}) / on () group_left max(limit offset 5m) > bool 0.5', *PODS) == (
        f'max(depth{{q="a",{pods}}}) / on () group_left () max(limit{{{pods}}} offset 5m) > bool 0.5'
    )


@pytest.mark.parametrize(
    ("query", "reason", "words"),
    [
        ("", "EmptySelector", "the query is empty"),
        ("max(x", "NotParseable", "parenthesis"),
        ("time()", "EmptySelector", "speaks of no series"),
        ("vector(1)", "EmptySelector", "`vector(1)`"),
        ("x[5m]", "NotOneValue", "`x[5m]` gives a stretch of time"),
        ("(x[5m:1m])", "NotOneValue", "stretch of time"),
        ('max(x{pod="p"})', "LabelTwice", '`pod="p"`'),
        ('sum(a) + max_over_time(sum(b{namespace=~"n"})[5m:])', "LabelTwice", '`namespace=~"n"`'),
        ('a + {code="500"}', "EmptySelector", '`{code="500"}` names no metric'),
        ("max(x offset 99999999y)", "NotParseable", "cannot be narrowed"),
        ("max(x @ 1e300)", "NotParseable", "cannot be narrowed"),
        ("max_over_time(x[5m:99999999y])", "NotParseable", "cannot be narrowed"),
        ("x @ - 5", "NotParseable", "before 1970"),
        ("+".join(["x"] * 200), "NotParseable", "too long a computation"),
    ],
)
def test_a_gauge_that_cannot_be_split_is_quoted(query: str, reason: str, words: str) -> None:
    with pytest.raises(UnusableQuery) as raised:
        gauge(query, *PODS)
    assert words in str(raised.value)
    assert raised.value.problem.reason == reason
    with pytest.raises(UnusableQuery):
        gauge_selectors(query)


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    try:
        narrowed = gauge(text, *PODS)
    except UnusableQuery:
        return
    promql.parse(narrowed)
    assert WRITE not in narrowed
