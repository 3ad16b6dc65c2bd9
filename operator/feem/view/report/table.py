"""Tables that keep their columns on screen and on paper; the head is repeated on each page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LONG = 86
"""Characters of HTML beyond which a fact needs more than one column: a SHA-256 digest does, a UID does not."""


@dataclass(frozen=True)
class Column:
    """A column: its title as HTML, its width as CSS (empty: what is left), and where its cells stand."""

    title: str
    width: str = ""
    align: str = ""


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], kind: str) -> str:
    """Return a table of cells that are HTML already."""
    widths = "".join(f'<col style="width:{one.width}">' if one.width else "<col>" for one in columns)
    head = "".join(f"<th{_aligned(one)}>{one.title}</th>" for one in columns)
    body = "".join(
        "<tr>"
        + "".join(f"<td{_aligned(column)}>{cell}</td>" for column, cell in zip(columns, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<table class="{kind}"><colgroup>{widths}</colgroup><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return pairs of label and value, both HTML; a pair without a value is left out, a long value takes two columns."""
    listed = "".join(
        f"<div{' class=wide' if len(value) > LONG else ''}><dt>{name}</dt><dd>{value}</dd></div>"
        for name, value in pairs
        if value
    )
    return f'<dl class="facts">{listed}</dl>'


def _aligned(column: Column) -> str:
    return f' class="{column.align}"' if column.align else ""
