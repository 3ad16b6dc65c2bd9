"""Reads users' PromQL with a real parser: of which raw counter does a query speak, and if of none, what is wrong."""

from __future__ import annotations

import re

import promql_parser as promql

from feem.adapters.prometheus.selector import NAME_LABEL, NAMESPACE_LABEL, POD_LABEL, Match, Selector, of_pods
from feem.ports import QueryProblem

OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
"""By name: the parser's own constants cannot be keys."""
COUNTING_FUNCTIONS = ("rate", "increase")
QUOTED_LENGTH = 200
SAID = re.compile(r"""\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`""", re.DOTALL)
SIGNS = re.compile(r"[-+*/%^(<>]|==|!=|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
MOST_SIGNS = 100
"""No query for one counter has more; the parser takes time with the square of them and more, for seconds in the end."""
WRITE = 'write the selector of a counter, such as http_requests_total{code=~"5.."}'


class UnusableQuery(ValueError):  # noqa: N818 - the query is what is wrong
    """A query FEEM cannot read a counter by."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.problem = QueryProblem(reason, message)


def check(query: str) -> QueryProblem | None:
    """Say what is wrong with a counter query, or nothing when FEEM can use it."""
    try:
        selector_of(query)
    except UnusableQuery as unusable:
        return unusable.problem
    return None


def narrow(query: str, namespace: str, *replica_sets: str) -> str:
    """Return the query's selector, narrowed to the pods of these ReplicaSets; raises UnusableQuery."""
    return str(of_pods(selector_of(query), namespace, replica_sets))


def selector_of(query: str) -> Selector:
    """Return the one selector inside `sum`, `rate` and `increase`, however they are nested; raises UnusableQuery.

    These wrappers say how people look at a counter; FEEM reads its raw samples, so it needs none of them, nor a range.
    """
    expression = parse(query)
    found = selectors_in(expression)
    if len(found) > 1:
        names = " and ".join(shown(one.prettify()) for one in found[:3]) + (" and more" if len(found) > 3 else "")
        raise UnusableQuery(
            "TwoSelectors",
            f"{shown(query)} speaks of {len(found)} selectors, {names}; FEEM follows one counter a query: {WRITE}; "
            f'several metrics fit in one as {{__name__=~"a_total|b_total"}}',
        )
    selector = unwrap(expression)
    if looks_elsewhere(selector):
        raise UnusableQuery(
            "NotACounterQuery",
            f"{shown(selector.prettify())} looks at another time than the release's; leave out offset and @",
        )
    return readable(selector)


def parse(query: str) -> promql.Expr:
    """Parse PromQL; raises UnusableQuery with the parser's own words."""
    if not query.strip():
        raise UnusableQuery("EmptySelector", f"the query is empty; {WRITE}")
    if len(SIGNS.findall(SAID.sub("", query))) > MOST_SIGNS:
        raise UnusableQuery("NotACounterQuery", f"{shown(query)} is no counter but a long computation; {WRITE}")
    try:
        return promql.parse(query)
    except ValueError as refused:
        if "non-empty matcher" in str(refused):
            raise UnusableQuery(
                "EmptySelector", f"{shown(query)} has a selector that would take every series; {WRITE}"
            ) from refused
        raise UnusableQuery("NotParseable", f"{shown(query)} is not PromQL: {refused}; {WRITE}") from refused


def selectors_in(expression: promql.Expr) -> list[promql.VectorSelector]:
    """Return every selector of a query, with or without a range, as written from left to right."""
    found: list[promql.VectorSelector] = []

    def note(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)

    promql.walk(expression, pre_visit=note)
    return found


def looks_elsewhere(selector: promql.VectorSelector) -> bool:
    """Say whether a selector has an offset or an @; one beyond what Python's time can hold is one, too."""
    try:
        return selector.offset is not None or selector.at is not None
    except (ValueError, OverflowError):
        return True


def unwrap(expression: promql.Expr) -> promql.VectorSelector:
    """Take the counting wrappers off; raises UnusableQuery at the first part that is none."""
    while True:
        match expression:
            case promql.VectorSelector():
                return expression
            case promql.MatrixSelector():
                return expression.vector_selector
            case promql.ParenExpr():
                expression = expression.expr
            case promql.AggregateExpr() if str(expression.op) == "sum":
                expression = expression.expr
            case promql.Call() if expression.func.name in COUNTING_FUNCTIONS:
                expression = expression.args[0]
            case _:
                raise UnusableQuery(
                    "NotACounterQuery",
                    f"{shown(expression.prettify())} is not a counter: FEEM reads the raw counter and understands only "
                    f"sum, rate and increase around it; {WRITE}",
                )


def readable(selector: promql.VectorSelector) -> Selector:
    """Return the selector in FEEM's own form; raises UnusableQuery when it cannot be narrowed to pods."""
    if selector.matchers.or_matchers:
        raise UnusableQuery(
            "NotParseable",
            'Prometheus knows no `or` between label matchers; write a regular expression, as code=~"a|b"',
        )
    matches = tuple(Match(one.name, OPERATORS[str(one.op)], one.value) for one in selector.matchers.matchers)
    for one in matches:
        if one.label in (NAMESPACE_LABEL, POD_LABEL):
            raise UnusableQuery(
                "LabelTwice",
                f"{shown(str(one))} must be left out: FEEM itself adds `{NAMESPACE_LABEL}` and `{POD_LABEL}`, to tell the "
                f"canary's pods from stable's",
            )
    if not selector.name and not any(one.label == NAME_LABEL and one.operator in ("=", "=~") for one in matches):
        raise UnusableQuery("EmptySelector", f"{shown(selector.prettify())} names no metric; {WRITE}")
    refuse_contradiction(matches)
    return Selector(selector.name or "", matches)


def refuse_contradiction(matches: tuple[Match, ...]) -> None:
    """Raise UnusableQuery when a label is to have two values at once."""
    demanded: dict[str, Match] = {}
    for one in matches:
        if one.operator != "=":
            continue
        other = demanded.setdefault(one.label, one)
        if other.value != one.value:
            raise UnusableQuery(
                "EmptySelector", f"{shown(f'{other},{one}')} can never be true together, so no series matches; drop one"
            )


def shown(query: str) -> str:
    """Quote a query in a message, without filling it."""
    text = " ".join(query.split())
    return f"`{text if len(text) <= QUOTED_LENGTH else text[: QUOTED_LENGTH - 1] + '…'}`"
