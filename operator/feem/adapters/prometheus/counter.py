"""Of which raw counters does a query speak? People wrap a counter in `sum` and `rate`; FEEM reads what is inside."""

from __future__ import annotations

from collections.abc import Iterator

import promql_parser as promql

from feem.adapters.prometheus.parsing import UnusableQuery, parse, readable, selectors_in, shown
from feem.adapters.prometheus.selector import Selector

COUNTING_FUNCTIONS = ("rate", "irate", "increase")
JOINING = ("+", "or")
WRITE = 'write the selector of a counter, such as http_requests_total{code=~"5.."}'


def counters_of(query: str) -> tuple[Selector, ...]:
    """Return the selectors inside `sum`, `rate`, `irate`, `increase`, parentheses, `+` and `or`, each once.

    The wrappers say how people look at counters; FEEM reads raw samples, so it needs none of them, nor a range. Several
    selectors mean the union of what they select. Raises UnusableQuery at the first part that is none of these.
    """
    found = tuple(readable(one, WRITE) for one in unwrapped(parse(query, WRITE)))
    return tuple(dict.fromkeys(found))


def unwrapped(expression: promql.Expr) -> Iterator[promql.VectorSelector]:
    """Take the counting wrappers off; raises UnusableQuery at the first part that is none."""
    match expression:
        case promql.VectorSelector():
            yield now(expression)
        case promql.MatrixSelector():
            yield now(expression.vector_selector)
        case promql.ParenExpr():
            yield from unwrapped(expression.expr)
        case promql.AggregateExpr() if str(expression.op) == "sum":
            yield from unwrapped(expression.expr)
        case promql.Call() if expression.func.name in COUNTING_FUNCTIONS:
            yield from unwrapped(expression.args[0])
        case promql.BinaryExpr() if str(expression.op) in JOINING and joins_all(expression):
            yield from unwrapped(expression.lhs)
            yield from unwrapped(expression.rhs)
        case _:
            raise UnusableQuery("NotACounterQuery", refusal(expression))


def now(selector: promql.VectorSelector) -> promql.VectorSelector:
    """Return the selector if it looks at the present; one with an offset or an @ that time cannot hold does not, either."""
    try:
        elsewhere = selector.offset is not None or selector.at is not None
    except (ValueError, OverflowError):
        elsewhere = True
    if elsewhere:
        raise UnusableQuery(
            "NotACounterQuery",
            f"{shown(selector.prettify())} looks at another time than the release's; leave out offset and @",
        )
    return selector


def joins_all(expression: promql.BinaryExpr) -> bool:
    """Say whether `+` or `or` stands alone, without words such as `on` that leave series out or count them twice."""
    modifier = expression.modifier
    if modifier is None:
        return True
    filled = (modifier.fill_values.lhs, modifier.fill_values.rhs) if modifier.fill_values else (None, None)
    return not (modifier.return_bool or modifier.group_labels or modifier.matching) and filled == (None, None)


def refusal(expression: promql.Expr) -> str:
    """Say why a part of a query is no counter, and what to write instead."""
    place = shown(expression.prettify())
    match expression:
        case promql.BinaryExpr() if str(expression.op) == "-":
            return (
                f"{place} is a difference, which no raw counter follows: where bad events are all but the good ones, give "
                f"the good ones as spec.indicator.ratio.good, and FEEM subtracts"
            )
        case promql.BinaryExpr() if str(expression.op) == "/":
            return (
                f"{place} is a ratio, and FEEM divides by itself: give what is above the line as spec.indicator.ratio.bad "
                f"(or good), and what is below it as spec.indicator.ratio.total"
            )
        case promql.BinaryExpr() if str(expression.op) in JOINING:
            return f"{place} joins only some series: FEEM takes all that either side selects; leave out on, ignoring and the like"
        case promql.Call() if expression.func.name == "histogram_quantile":
            return (
                f"{place} is a quantile, which cannot be counted: use a latency indicator, spec.indicator.latency with the "
                f"histogram and a threshold"
            )
        case promql.SubqueryExpr():
            return f"{place} is a subquery, and FEEM reads the scraped samples: leave out the brackets with the colon; {WRITE}"
        case promql.NumberLiteral() | promql.StringLiteral() | promql.Call() if not selectors_in(expression):
            return f"{place} is not a counter: leave it out, FEEM counts zero where there is no series; {WRITE}"
        case _:
            return (
                f"{place} is not a counter: FEEM reads the raw counters and understands only sum, rate, irate, increase, "
                f"`+` and `or` around them; {WRITE}"
            )
