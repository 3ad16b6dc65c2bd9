"""Drawing: the few shapes the report needs, as SVG text. Every text that comes in is escaped already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LETTER = 6.1
"""The width of a Latin letter at 11 pixels, a little generous: texts are placed without measuring them."""
CJK = 11.2
"""The width of a Chinese one."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Area:
    """A rectangle of a drawing, in its pixels."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


def number(value: float) -> str:
    """Write a coordinate, always the same way: at most one decimal."""
    return f"{value:.1f}".removesuffix(".0").replace("-0.0", "0")


def svg(width: float, height: float, title: str, parts: Iterable[str]) -> str:
    """Return a whole drawing; `title` says what it shows to those who cannot see it."""
    return (
        f'<svg viewBox="0 0 {number(width)} {number(height)}" role="img" aria-label="{title}">'
        f"<title>{title}</title>{''.join(parts)}</svg>"
    )


def line(start: Point, end: Point, kind: str) -> str:
    """Draw a straight line."""
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{kind}" x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}"/>'


def path(points: Sequence[Point], kind: str, *, closed: bool = False) -> str:
    """Draw a line through points, or fill what it encloses; nothing without two of them."""
    if len(points) < 2:
        return ""
    drawn = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f'<path class="{kind}" d="{drawn}{"Z" if closed else ""}"/>'


def rectangle(area: Area, kind: str, radius: float = 0) -> str:
    """Draw a filled rectangle."""
    corner = f' rx="{number(radius)}"' if radius else ""
    return (
        f'<rect class="{kind}" x="{number(area.left)}" y="{number(area.top)}" '
        f'width="{number(max(0, area.width))}" height="{number(max(0, area.height))}"{corner}/>'
    )


def circle(at: Point, radius: float, kind: str) -> str:
    """Draw a disc."""
    return f'<circle class="{kind}" cx="{number(at[0])}" cy="{number(at[1])}" r="{number(radius)}"/>'


def words(at: Point, text: str, kind: str = "", anchor: str = "start") -> str:
    """Write a text; `anchor` is start, middle or end."""
    named = f' class="{kind}"' if kind else ""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text{named} x="{number(at[0])}" y="{number(at[1])}"{side}>{text}</text>'


def clipped(area: Area, parts: Iterable[str]) -> str:
    """Draw parts so that nothing of them is seen outside the area; coordinates stay those of the whole drawing."""
    box = f"{number(area.left)} {number(area.top)} {number(area.width)} {number(area.height)}"
    return (
        f'<svg x="{number(area.left)}" y="{number(area.top)}" width="{number(area.width)}" '
        f'height="{number(area.height)}" viewBox="{box}">{"".join(parts)}</svg>'
    )


def length(text: str) -> float:
    """Return about how wide a text of 11 pixels is."""
    return sum(CJK if ord(letter) > 0x2E7F else LETTER for letter in text)


def legend(left: float, top: float, entries: Sequence[tuple[str, str]]) -> str:
    """Draw a row of samples of lines, each with its name: pairs of class and text."""
    parts = []
    for kind, text in entries:
        parts += [line((left, top - 4), (left + 20, top - 4), kind), words((left + 25, top), text, "legend")]
        left += 25 + length(text) + 18
    return "".join(parts)
