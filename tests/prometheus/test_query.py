"""Proves that a counter query is either understood or refused with its place and a remedy, and that narrowing changes nothing else."""

from __future__ import annotations

import re
import time

import promql_parser as promql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.adapters.prometheus.counter import counters_of
from feem.adapters.prometheus.parsing import UnusableQuery
from feem.adapters.prometheus.selector import Match, Selector, literally, of_pods, pod_prefix

ADDED = 'namespace="bank",pod=~"scoring-5f-.{5}"'


def narrow(query: str, *replica_sets: str) -> list[str]:
    return [str(one.narrowed(*of_pods("bank", replica_sets or ("scoring-5f",)))) for one in counters_of(query)]


@pytest.mark.parametrize(
    ("query", "selectors"),
    [
        ("x_total", [f"x_total{{{ADDED}}}"]),
        ('x_total{code=~"5..",code!="501"}', [f'x_total{{code=~"5..",code!="501",{ADDED}}}']),
        ("x_total[5m]", [f"x_total{{{ADDED}}}"]),
        ("rate(x_total[5m])", [f"x_total{{{ADDED}}}"]),
        ("irate(x_total[5m])", [f"x_total{{{ADDED}}}"]),
        ("increase(x_total[1h])", [f"x_total{{{ADDED}}}"]),
        ('sum by (pod) (rate(x_total{a="b"}[5m]))', [f'x_total{{a="b",{ADDED}}}']),
        ("sum(sum without (code) ((rate((x_total[5m])))))", [f"x_total{{{ADDED}}}"]),
        ('{__name__=~"a_total|b_total"}', [f'{{__name__=~"a_total|b_total",{ADDED}}}']),
        ('{"a.total","b"="c"}', None),
        ('{"a.total"}', [f'{{__name__="a.total",{ADDED}}}']),
        ('x_total{"my label"="c"}', [f'x_total{{"my label"="c",{ADDED}}}']),
        ('x_total # who asks? @ -1\n{a="b",}', [f'x_total{{a="b",{ADDED}}}']),
        ("job:x:sum", [f"job:x:sum{{{ADDED}}}"]),
        (r"""x_total{a='say "no"\n'}""", [rf'x_total{{a="say \"no\"\n",{ADDED}}}']),
        ('x_bucket{le="0.5"}', [f'x_bucket{{le="0.5",{ADDED}}}']),
        ("a_total + b_total", [f"a_total{{{ADDED}}}", f"b_total{{{ADDED}}}"]),
        ("a_total or b_total", [f"a_total{{{ADDED}}}", f"b_total{{{ADDED}}}"]),
        ("a_total + a_total", [f"a_total{{{ADDED}}}"]),
        (
            'sum(rate(a_total{code="500"}[5m])) + (sum(b_total) or sum by (x) (increase(c_total[1h])))',
            [f'a_total{{code="500",{ADDED}}}', f"b_total{{{ADDED}}}", f"c_total{{{ADDED}}}"],
        ),
        ("sum(rate(a_total[5m]) or rate(b_total[5m]))", [f"a_total{{{ADDED}}}", f"b_total{{{ADDED}}}"]),
    ],
)
def test_a_counter_query_is_narrowed(query: str, selectors: list[str] | None) -> None:
    found = narrow(query)
    if selectors is not None:
        assert found == selectors


@pytest.mark.parametrize(
    ("query", "reason", "quoted"),
    [
        ("", "EmptySelector", "empty"),
        ("  # nothing", "NotParseable", "no expression"),
        ("{}", "EmptySelector", "`{}`"),
        ('{a=""}', "EmptySelector", '`{a=""}`'),
        ('{code="500"}', "EmptySelector", '`{code="500"}`'),
        ('{__name__!="x"}', "EmptySelector", "every series"),
        ('x{a="b",a="c"}', "EmptySelector", '`a="b",a="c"`'),
        ("x{", "NotParseable", "`x{`"),
        ("x{a=b}", "NotParseable", "identifier 'b'"),
        ('x{a="b"}}', "NotParseable", "right brace"),
        ('x{a=~"("}', "NotParseable", "illegal regex"),
        ("rate(x)", "NotParseable", "matrix"),
        ("sum(x", "NotParseable", "parenthesis"),
        ("nonsense(x)", "NotParseable", "unknown function"),
        ('x{a="b" or c="d"}', "NotParseable", "regular expression"),
        ("a / b", "NotACounterQuery", "FEEM divides by itself"),
        ("sum(a) / sum(b)", "NotACounterQuery", "spec.indicator.ratio.total"),
        ("http-requests", "NotACounterQuery", "`http - requests` is a difference"),
        ("sum(total) - sum(good)", "NotACounterQuery", "spec.indicator.ratio.good"),
        ("sum(a) + sum(b) - sum(c)", "NotACounterQuery", "`sum(a) + sum(b) - sum(c)` is a difference"),
        ("sum(a) + avg(b)", "NotACounterQuery", "`avg(b)`"),
        ("a + on(x) b", "NotACounterQuery", "leave out on"),
        ("a or on(x) b", "NotACounterQuery", "leave out on"),
        ("a + on(x) group_left b", "NotACounterQuery", "leave out on"),
        ("a + fill(0) b", "NotACounterQuery", "leave out on"),
        ("a and b", "NotACounterQuery", "`a and b`"),
        ("a or vector(0)", "NotACounterQuery", "`vector(0)` is not a counter: leave it out"),
        ("1", "NotACounterQuery", "`1`"),
        ("sum(rate(x[5m])) * 100", "NotACounterQuery", "* 100"),
        ("-x", "NotACounterQuery", "`-x`"),
        ("avg(x)", "NotACounterQuery", "`avg(x)`"),
        ("sum(topk(3, x))", "NotACounterQuery", "`topk(3, x)`"),
        ("histogram_quantile(0.9, x_bucket)", "NotACounterQuery", "spec.indicator.latency"),
        ("rate(x[5m:1m])", "NotACounterQuery", "`x[5m:1m]` is a subquery"),
        ("rate(x[5m] offset 1h)", "NotACounterQuery", "`x offset 1h`"),
        ("x offset 99999999y", "NotACounterQuery", "offset"),
        ("x @ end()", "NotACounterQuery", "@"),
        ("x @ 1e300", "NotACounterQuery", "@"),
        ("x @ -5", "NotParseable", "before 1970"),
        ('x{pod="p"}', "LabelTwice", '`pod="p"`'),
        ('sum(rate(x{pod!~"canary.*"}[5m]))', "LabelTwice", '`pod!~"canary.*"`'),
        ('a + b{namespace="bank"}', "LabelTwice", '`namespace="bank"`'),
    ],
)
def test_a_query_that_is_none_is_quoted(query: str, reason: str, quoted: str) -> None:
    with pytest.raises(UnusableQuery, match=re.escape(quoted)) as raised:
        counters_of(query)
    assert raised.value.problem.reason == reason
    assert raised.value.problem.message == str(raised.value)


@pytest.mark.parametrize(
    "query",
    ["+".join(["x"] * 2000), " and ".join(["x"] * 500), "-" * 4000 + "x", "(" * 2000 + "x" + ")" * 2000, "(" * 4096],
)
def test_an_endless_query_is_refused_before_it_is_parsed(query: str) -> None:
    begun = time.monotonic()
    with pytest.raises(UnusableQuery, match="too long a computation") as raised:
        counters_of(query)
    assert len(str(raised.value)) < 1000
    assert time.monotonic() - begun < 1


def test_signs_in_label_values_make_no_computation() -> None:
    assert counters_of(f'x_total{{path=~"{"(a|b)+/" * 200}"}}')


def test_both_tracks_fit_in_one_selector() -> None:
    narrowed = narrow("x", "scoring-canary-7c", "scoring-5f")
    assert narrowed == ['x{namespace="bank",pod=~"scoring-canary-7c-.{5}|scoring-5f-.{5}"}']


def test_names_are_no_patterns_and_no_beginnings() -> None:
    assert narrow("x", "a.b-5f") == [r'x{namespace="bank",pod=~"a\\.b-5f-.{5}"}']
    pattern = of_pods("bank", ("a.b-5f",))[1].value
    assert re.fullmatch(pattern, "a.b-5f-x9k2p")
    assert not re.fullmatch(pattern, "aXb-5f-x9k2p")
    assert not re.fullmatch(pattern, "a.b-5f-canary-x9k2p")


def test_long_replica_set_names_are_cut_as_kubernetes_cuts_them() -> None:
    assert pod_prefix("s" * 52 + "-5f6d7") == "s" * 52 + "-5f6d"[:6] + "7"
    assert pod_prefix("s" * 60) == "s" * 58
    assert pod_prefix("short-5f") == "short-5f-"


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    try:
        found = narrow(text)
    except UnusableQuery:
        return
    for selector in found:
        promql.parse(selector)


labels = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(
    lambda label: label not in ("__name__", "pod", "namespace")
)
odd = st.text(st.characters(codec="utf-8"), max_size=12) | st.text("\"'`\\\n\r\t\x00\x7f{}=~,é☃", max_size=12)
plain_matches = st.builds(Match, labels, st.sampled_from(["=", "!="]), odd)
regex_matches = st.builds(Match, labels, st.sampled_from(["=~", "!~"]), odd.map(literally))
metrics = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True).map("m_".__add__)


@given(metrics, st.lists(plain_matches | regex_matches, max_size=4))
def test_what_is_written_is_read_the_same(metric: str, matches: list[Match]) -> None:
    """Quotes, backslashes, newlines, control characters and letters of any script survive."""
    written = str(Selector(metric, tuple(matches)).narrowed(*of_pods("bank", ("scoring-5f",))))
    parsed, ranged = promql.parse(written), promql.parse(f"{written}[75s]")
    assert isinstance(parsed, promql.VectorSelector)
    assert isinstance(ranged, promql.MatrixSelector)
    operators = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
    read = [Match(one.name, operators[str(one.op)], one.value) for one in parsed.matchers.matchers]
    assert parsed.name == metric
    assert read == [*matches, Match("namespace", "=", "bank"), Match("pod", "=~", "scoring-5f-.{5}")]
    assert ranged.range.total_seconds() == 75
