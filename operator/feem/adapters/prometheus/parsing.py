"""Reads users' PromQL with a real parser, and says in words what cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import promql_parser as promql

from feem.adapters.prometheus.selector import NAME_LABEL, NAMESPACE_LABEL, POD_LABEL, Match, Selector
from feem.ports import QueryProblem

Read = TypeVar("Read")
OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
"""By name: the parser's own constants cannot be keys."""
QUOTED_LENGTH = 200
SAID = re.compile(r"""\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`|\#[^\n]*""", re.DOTALL)
SIGNS = re.compile(r"[-+*/%^(<>]|==|!=|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
MOST_SIGNS = 100
"""No indicator has more; the parser takes time with the square of them and more, for seconds in the end."""
BEFORE_1970 = re.compile(r"@\s*-")
"""The parser's Python side breaks on such a moment."""


class UnusableQuery(ValueError):  # noqa: N818 - the query is what is wrong
    """A query FEEM cannot measure by."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.problem = QueryProblem(reason, message)


def parse(query: str, write: str) -> promql.Expr:
    """Parse PromQL; raises UnusableQuery with the parser's own words and with what to write instead."""
    if not query.strip():
        raise UnusableQuery("EmptySelector", f"the query is empty; {write}")
    unquoted = SAID.sub("", query)
    if len(SIGNS.findall(unquoted)) > MOST_SIGNS:
        raise UnusableQuery("NotParseable", f"{shown(query)} is too long a computation; {write}")
    if BEFORE_1970.search(unquoted):
        raise UnusableQuery("NotParseable", f"{shown(query)} looks at a moment before 1970; {write}")
    try:
        return promql.parse(query)
    except ValueError as refused:
        if "non-empty matcher" in str(refused):
            raise UnusableQuery(
                "EmptySelector", f"{shown(query)} has a selector that would take every series; {write}"
            ) from refused
        raise UnusableQuery("NotParseable", f"{shown(query)} is not PromQL: {refused}; {write}") from refused


def selectors_in(expression: promql.Expr) -> tuple[promql.VectorSelector, ...]:
    """Return every selector of a query, with or without a range, as written from left to right."""
    found: list[promql.VectorSelector] = []

    def note(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            found.append(node)

    promql.walk(expression, pre_visit=note)
    return tuple(found)


def readable(selector: promql.VectorSelector, write: str) -> Selector:
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
        raise UnusableQuery("EmptySelector", f"{shown(selector.prettify())} names no metric; {write}")
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


def reading(field: str, read: Callable[[str], Read], query: str) -> Read:
    """Read the query of one field of an indicator; what is wrong with it begins with the field's path."""
    try:
        return read(query)
    except UnusableQuery as unusable:
        problem = unusable.problem
        raise UnusableQuery(problem.reason, f"spec.indicator.{field}: {problem.message}") from unusable


def shown(query: str) -> str:
    """Quote a query in a message, without filling it."""
    text = " ".join(query.split())
    return f"`{text if len(text) <= QUOTED_LENGTH else text[: QUOTED_LENGTH - 1] + '…'}`"
