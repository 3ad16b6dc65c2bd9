"""Texts from outside, made harmless and honest: markup is escaped, and characters that nobody can see are spelled out."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that are not drawn, or that change how their neighbours are: controls, bidi marks, lone surrogates."""
BLANK = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and symbols that are drawn as nothing."""
MOST_MARKS = 2
"""Combining marks that may follow one letter; more of them climb over the lines around."""
LONGEST = 4_096
"""Characters of one text that are shown; no field of a record is longer."""


def visible(text: str) -> str:
    """Return a text in which every character that cannot be seen is written as `[U+202E]`; plain text, not yet escaped."""
    shown, marks = [], 0
    for letter in text[:LONGEST]:
        kind = unicodedata.category(letter)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        unseen = kind in UNSEEN or letter in BLANK or marks > MOST_MARKS
        shown.append(f"[U+{ord(letter):04X}]" if unseen else letter)
    return "".join(shown) + ("…" if len(text) > LONGEST else "")


def plain(value: Any) -> str:
    """Return a value escaped for HTML text, attributes and SVG."""
    return html.escape(visible(as_text(value)), quote=True)


def said(value: Any) -> str:
    """Return a value for a sentence: escaped, and kept apart from its neighbours whatever its direction of writing is."""
    text = plain(value)
    return f"<bdi>{text}</bdi>" if text else ""


def account(value: Any) -> str:
    """Return a user name that is broken after its colons, where it is too long for its column."""
    return said(value).replace(":", ":<wbr>")


def code(value: Any) -> str:
    """Return a name, digest or command, escaped, in the fixed-width face."""
    text = plain(value)
    return f"<code><bdi>{text}</bdi></code>" if text else ""


def as_text(value: Any) -> str:
    """Return what a JSON value says; None says nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def text_of(found: Any, *path: str) -> str:
    """Return the text at a path of names, empty where there is none."""
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return "" if isinstance(found, (Mapping, list, tuple)) else as_text(found)


def mapping_of(found: Any, name: str) -> Mapping[str, Any]:
    """Return the object under a name, empty where there is none."""
    inner = found.get(name) if isinstance(found, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def items_of(found: Any, name: str) -> list[Mapping[str, Any]]:
    """Return the objects listed under a name, none where there is no such list."""
    inner = found.get(name) if isinstance(found, Mapping) else None
    return [one for one in inner if isinstance(one, Mapping)] if isinstance(inner, (list, tuple)) else []


def number_of(found: Any, name: str) -> int | None:
    """Return the whole number under a name; numbers beyond 2**53 come as decimal strings, and are read as well."""
    value = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def seconds_of(time: str) -> float | None:
    """Return a moment written in RFC 3339 as Unix seconds, None when it is none."""
    try:
        read = datetime.fromisoformat(time)
    except ValueError:
        return None
    return read.timestamp() if read.tzinfo is not None else read.replace(tzinfo=UTC).timestamp()


def moment(time: str, *, fraction: bool = False) -> str:
    """Return a moment as auditors read it, `2026-11-23 21:37:04` in UTC, escaped; what is no moment is shown as it is."""
    seconds = seconds_of(time)
    if seconds is None:
        return said(time)
    at = datetime.fromtimestamp(seconds, UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S") + (f".{at.microsecond // 1000:03d}" if fraction else "")


def clock(seconds: float) -> str:
    """Return the time of day of Unix seconds, `21:37:04` in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")


def short(digest: str) -> str:
    """Return the beginning of a digest, enough to find it by: `sha256:0123456789ab…`."""
    head, _, rest = digest.partition(":")
    return f"{head}:{rest[:12]}…" if len(rest) > 13 else digest
