"""Writes a parsed query back as PromQL, with every selector in it narrowed: the tree is changed, never the text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import timedelta

import promql_parser as promql

from feem.adapters.prometheus.selector import PLAIN_LABEL, Selector, quoted

EXACT = 2**53
"""Whole numbers below it are whole in a float, too."""
Narrow = Callable[[promql.VectorSelector], Selector]
"""Says what to write for a selector; its offset and @ are written after it."""


def render(expression: promql.Expr, narrow: Narrow) -> str:
    """Write a query; raises ValueError or OverflowError for a time that is too far away to be held.

    The tree keeps its writer's parentheses, so none are added and every operator binds as it did.
    """
    match expression:
        case promql.ParenExpr():
            return f"({render(expression.expr, narrow)})"
        case promql.UnaryExpr():
            return f"-{render(expression.expr, narrow)}"
        case promql.BinaryExpr():
            middle = f"{expression.op}{modifier(expression.modifier)}"
            return f"{render(expression.lhs, narrow)} {middle} {render(expression.rhs, narrow)}"
        case promql.AggregateExpr():
            return aggregation(expression, narrow)
        case promql.Call():
            return f"{expression.func.name}({', '.join(render(one, narrow) for one in expression.args)})"
        case promql.StringLiteral():
            return quoted(expression.val)
        case promql.NumberLiteral():
            return number(expression.val)
        case _:
            return selection(expression, narrow)


def selection(expression: promql.Expr, narrow: Narrow) -> str:
    """Write what reads series: a selector, with a range or without, or a subquery."""
    match expression:
        case promql.VectorSelector():
            return f"{narrow(expression)}{moment(expression)}"
        case promql.MatrixSelector():
            inner = expression.vector_selector
            return f"{narrow(inner)}[{duration(expression.range)}]{moment(inner)}"
        case promql.SubqueryExpr() if expression.range is not None:
            step = "" if expression.step is None else duration(expression.step)
            return f"{render(expression.expr, narrow)}[{duration(expression.range)}:{step}]{moment(expression)}"
        case _:
            raise ValueError(f"FEEM does not know how to write a {type(expression).__name__}")


def aggregation(expression: promql.AggregateExpr, narrow: Narrow) -> str:
    """Write an aggregation with its labels and its parameter."""
    kept = expression.modifier
    grouping = f" {word(kept.type)} ({labels(kept.labels)}) " if kept is not None else ""
    inner = [expression.expr] if expression.param is None else [expression.param, expression.expr]
    return f"{expression.op}{grouping}({', '.join(render(one, narrow) for one in inner)})"


def modifier(words: promql.BinModifier | None) -> str:
    """Write what stands between an operator and its right side: bool, on, group_left, fill."""
    if words is None:
        return ""
    said = " bool" if words.return_bool else ""
    if words.matching is not None:
        side = "on" if word(words.matching.type) == "include" else "ignoring"
        said += f" {side} ({labels(words.matching.labels)})"
    many = {"manytoone": "group_left", "onetomany": "group_right"}.get(word(words.card))
    if many is not None:
        said += f" {many} ({labels(words.group_labels or [])})"
    return said + fill(words.fill_values)


def fill(values: promql.VectorMatchFillValues | None) -> str:
    """Write the values that stand in for a side without a match."""
    if values is None:
        return ""
    left, right = values.lhs, values.rhs
    if left is not None and left == right:
        return f" fill ({number(left)})"
    return "".join(
        f" {name} ({number(value)})"
        for name, value in (("fill_left", left), ("fill_right", right))
        if value is not None
    )


def moment(node: promql.VectorSelector | promql.SubqueryExpr) -> str:
    """Write the @ and the offset of a selector or subquery."""
    at, offset = node.at, node.offset
    said = ""
    if at is not None:
        said += f" @ {word(at.type)}()" if at.at is None else f" @ {at.at.timestamp():.3f}"
    if offset is not None:
        said += f" offset {'-' if offset < timedelta() else ''}{duration(abs(offset))}"
    return said


def duration(span: timedelta) -> str:
    """Write a duration, to the millisecond."""
    return str(promql.display_duration(span))


def number(value: float) -> str:
    """Write a number so that it is read as the same one."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and 0 < abs(value) < EXACT else repr(value)


def labels(names: Sequence[str]) -> str:
    """Write a list of label names, those in quotes that are no plain words."""
    return ", ".join(name if PLAIN_LABEL.fullmatch(name) else quoted(name) for name in names)


def word(constant: object) -> str:
    """Return the name of one of the parser's constants; they cannot be compared in a `match`."""
    return str(constant).rpartition(".")[2].lower()
