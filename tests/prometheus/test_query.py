"""Proves that a query is either understood or refused with its place and a remedy, and that narrowing changes nothing else."""

from __future__ import annotations

import re
import time

import promql_parser as promql
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.adapters.prometheus.query import check, narrow, selector_of
from feem.adapters.prometheus.selector import SPECIAL_IN_REGEX, Match, Selector, of_pods, pod_prefix

ADDED = 'namespace="bank",pod=~"scoring-5f-.*"'


@pytest.mark.parametrize(
    ("query", "selector"),
    [
        ("x_total", f"x_total{{{ADDED}}}"),
        ('x_total{code=~"5..",code!="501"}', f'x_total{{code=~"5..",code!="501",{ADDED}}}'),
        ("x_total[5m]", f"x_total{{{ADDED}}}"),
        ("rate(x_total[5m])", f"x_total{{{ADDED}}}"),
        ("increase(x_total[1h])", f"x_total{{{ADDED}}}"),
        ('sum by (pod) (rate(x_total{a="b"}[5m]))', f'x_total{{a="b",{ADDED}}}'),
        ("sum(sum without (code) ((rate((x_total[5m])))))", f"x_total{{{ADDED}}}"),
        ('{__name__=~"a_total|b_total"}', f'{{__name__=~"a_total|b_total",{ADDED}}}'),
        ('{"a.total","b"="c"}', None),
        ('{"a.total"}', f'{{__name__="a.total",{ADDED}}}'),
        ('x_total{"my label"="c"}', f'x_total{{"my label"="c",{ADDED}}}'),
        ('x_total # who asks?\n{a="b",}', f'x_total{{a="b",{ADDED}}}'),
        ("job:x:sum", f"job:x:sum{{{ADDED}}}"),
        (r"""x_total{a='say "no"\n'}""", rf'x_total{{a="say \"no\"\n",{ADDED}}}'),
        ('x_bucket{le="0.5"}', f'x_bucket{{le="0.5",{ADDED}}}'),
    ],
)
def test_a_counter_query_is_narrowed(query: str, selector: str | None) -> None:
    assert check(query) is None
    if selector is not None:
        assert narrow(query, "bank", "scoring-5f") == selector


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
        ("a / b", "TwoSelectors", "`a` and `b`"),
        ("http-requests", "TwoSelectors", "`http` and `requests`"),
        ("sum(a) + sum(rate(b[5m])) + c + d", "TwoSelectors", "4 selectors"),
        ("1", "NotACounterQuery", "`1`"),
        ("sum(rate(x[5m])) * 100", "NotACounterQuery", "* 100"),
        ("-x", "NotACounterQuery", "`-x`"),
        ("avg(x)", "NotACounterQuery", "`avg(x)`"),
        ("sum(topk(3, x))", "NotACounterQuery", "`topk(3, x)`"),
        ("histogram_quantile(0.9, x_bucket)", "NotACounterQuery", "histogram_quantile"),
        ("rate(x[5m:1m])", "NotACounterQuery", "`x[5m:1m]`"),
        ("rate(x[5m] offset 1h)", "NotACounterQuery", "`x offset 1h`"),
        ("x offset 99999999y", "NotACounterQuery", "offset"),
        ("x @ end()", "NotACounterQuery", "@"),
        ('x{pod="p"}', "LabelTwice", '`pod="p"`'),
        ('sum(rate(x{pod!~"canary.*"}[5m]))', "LabelTwice", '`pod!~"canary.*"`'),
        ('x{namespace="bank"}', "LabelTwice", '`namespace="bank"`'),
    ],
)
def test_a_query_that_is_none_is_quoted(query: str, reason: str, quoted: str) -> None:
    problem = check(query)
    assert problem is not None
    assert problem.reason == reason
    assert quoted in problem.message
    with pytest.raises(ValueError, match=re.escape(problem.message)):
        narrow(query, "bank", "scoring-5f")


@pytest.mark.parametrize(
    "query",
    ["+".join(["x"] * 2000), " and ".join(["x"] * 500), "-" * 4000 + "x", "(" * 2000 + "x" + ")" * 2000, "(" * 4096],
)
def test_an_endless_query_is_refused_before_it_is_parsed(query: str) -> None:
    begun = time.monotonic()
    problem = check(query)
    assert problem is not None
    assert "long computation" in problem.message
    assert len(problem.message) < 1000
    assert time.monotonic() - begun < 1


def test_signs_in_label_values_make_no_computation() -> None:
    assert check(f'x_total{{path=~"{"(a|b)+/" * 200}"}}') is None


def test_both_tracks_fit_in_one_selector() -> None:
    narrowed = narrow("x", "bank", "scoring-canary-7c", "scoring-5f")
    assert narrowed == 'x{namespace="bank",pod=~"scoring-canary-7c-.*|scoring-5f-.*"}'


def test_names_are_no_patterns() -> None:
    assert narrow("x", "bank", "a.b-5f") == r'x{namespace="bank",pod=~"a\\.b-5f-.*"}'
    pattern = selector_of(narrow("x", "bank", "a.b-5f").replace("namespace", "n").replace("pod", "p")).matches[1].value
    assert re.fullmatch(pattern, "a.b-5f-x9k2p")
    assert not re.fullmatch(pattern, "aXb-5f-x9k2p")


def test_long_replica_set_names_are_cut_as_kubernetes_cuts_them() -> None:
    assert pod_prefix("s" * 52 + "-5f6d7") == "s" * 52 + "-5f6d"[:6] + "7"
    assert pod_prefix("s" * 60) == "s" * 58
    assert pod_prefix("short-5f") == "short-5f-"


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    problem = check(text)
    if problem is None:
        promql.parse(narrow(text, "bank", "scoring-5f"))
    else:
        assert problem.message


labels = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(
    lambda label: label not in ("__name__", "pod", "namespace")
)
odd = st.text(st.characters(codec="utf-8"), max_size=12) | st.text("\"'`\\\n\r\t\x00\x7f{}=~,é☃", max_size=12)
plain_matches = st.builds(Match, labels, st.sampled_from(["=", "!="]), odd)
regex_matches = st.builds(
    Match, labels, st.sampled_from(["=~", "!~"]), odd.map(lambda text: SPECIAL_IN_REGEX.sub(r"\\\g<0>", text))
)
metrics = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True).map("m_".__add__)


@given(metrics, st.lists(plain_matches | regex_matches, max_size=4))
def test_what_is_written_is_read_the_same(metric: str, matches: list[Match]) -> None:
    """Quotes, backslashes, newlines, control characters and letters of any script survive."""
    written = str(of_pods(Selector(metric, tuple(matches)), "bank", ("scoring-5f",)))
    parsed, ranged = promql.parse(written), promql.parse(f"{written}[75s]")
    assert isinstance(parsed, promql.VectorSelector)
    assert isinstance(ranged, promql.MatrixSelector)
    operators = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
    read = [Match(one.name, operators[str(one.op)], one.value) for one in parsed.matchers.matchers]
    assert parsed.name == metric
    assert read == [*matches, Match("namespace", "=", "bank"), Match("pod", "=~", "scoring-5f-.*")]
    assert ranged.range.total_seconds() == 75
