"""Any PromQL that gives one value: every selector in it is narrowed to one track's pods."""

from __future__ import annotations

import promql_parser as promql

from feem.adapters.prometheus.parsing import UnusableQuery, parse, readable, selectors_in, shown
from feem.adapters.prometheus.render import render
from feem.adapters.prometheus.selector import Match, Selector

WRITE = "write a query that gives one value, such as max(review_queue_depth)"


def gauge_selectors(query: str) -> tuple[Selector, ...]:
    """Return every selector of a gauge's query, each once; raises UnusableQuery when the query cannot be used."""
    expression = parse(query, WRITE)
    found = tuple(readable(one, WRITE) for one in selectors_in(expression))
    if not found:
        raise UnusableQuery(
            "EmptySelector", f"{shown(query)} speaks of no series, so it says nothing of the canary; {WRITE}"
        )
    if gives_no_values(expression):
        raise UnusableQuery(
            "NotOneValue",
            f"{shown(query)} gives a stretch of time or a text and not a value; {WRITE}, or last_over_time(…)",
        )
    written(expression, query)
    return tuple(dict.fromkeys(found))


def gauge(query: str, *matches: Match) -> str:
    """Return the query with these matchers added to every selector; raises UnusableQuery."""
    gauge_selectors(query)
    return written(parse(query, WRITE), query, *matches)


def written(expression: promql.Expr, query: str, *matches: Match) -> str:
    """Write the narrowed query; raises UnusableQuery when it looks further than time can be counted."""
    try:
        return render(expression, lambda selector: readable(selector, WRITE).narrowed(*matches))
    except UnusableQuery:
        raise
    except (ValueError, OverflowError) as unwritable:
        raise UnusableQuery(
            "NotParseable", f"{shown(query)} cannot be narrowed to the canary's pods: {unwritable}; {WRITE}"
        ) from unwritable


def gives_no_values(expression: promql.Expr) -> bool:
    """Say whether a query's result is a range of samples or a string, of which no value can be compared."""
    while isinstance(expression, promql.ParenExpr):
        expression = expression.expr
    if isinstance(expression, promql.Call):
        return str(expression.func.return_type).rpartition(".")[2] in ("Matrix", "String")
    return isinstance(expression, promql.MatrixSelector | promql.SubqueryExpr | promql.StringLiteral)
