"""JSON as RFC 8785 (JSON Canonicalization Scheme) has it: a strict reader and a canonical writer, since a digest needs one form."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any, NoReturn

from tests.independent.verifier_faults import RejectedError

LARGEST = 2**53 - 1
"""The largest integer that every JSON reader keeps (RFC 7493 §2.2)."""
ESCAPES = {code: f"\\u{code:04x}" for code in range(0x20)} | {
    0x08: "\\b",
    0x09: "\\t",
    0x0A: "\\n",
    0x0C: "\\f",
    0x0D: "\\r",
    0x22: '\\"',
    0x5C: "\\\\",
}
Json = Any


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RejectedError(f"JSON object has the member {twice!r} twice")
    return found


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > LARGEST:
        raise RejectedError(f"JSON integer {text[:40]} is beyond 2^53 - 1")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise RejectedError(f"JSON number {text[:40]} is too large")
    return number


def _no_float(text: str) -> NoReturn:
    raise RejectedError(f"JSON number {text[:40]} is not an integer")


def _no_constant(text: str) -> NoReturn:
    raise RejectedError(f"{text} is not JSON")


def parse(data: bytes, *, floats: bool = False) -> Json:
    """Read JSON that has one meaning only: UTF-8, no duplicate members, no lone surrogates, integers below 2^53."""
    try:
        found = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float if floats else _no_float,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as problem:
        raise RejectedError("JSON is not UTF-8") from problem
    except (ValueError, RecursionError) as problem:
        raise RejectedError(f"not JSON: {problem}") from problem
    canonical(found)
    return found


def parse_canonical(data: bytes, *, floats: bool = False) -> Json:
    """Read JSON that is in its RFC 8785 form already."""
    found = parse(data, floats=floats)
    if canonical(found) != data:
        raise RejectedError("JSON is not in its canonical form (RFC 8785)")
    return found


def canonical(value: Json) -> bytes:
    """Write the RFC 8785 form: members sorted by UTF-16 code units, no spaces, shortest numbers."""
    try:
        return _text(value).encode("utf-8")
    except UnicodeEncodeError as problem:
        raise RejectedError("JSON string has a lone surrogate") from problem


def _text(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _number(value)
        case str():
            return f'"{value.translate(ESCAPES)}"'
        case list():
            return f"[{','.join(_text(item) for item in value)}]"
        case dict():
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return "{" + ",".join(f"{_text(name)}:{_text(value[name])}" for name in names) + "}"
    raise RejectedError(f"{type(value).__name__} is nothing that JSON has")


def _number(value: float) -> str:
    """Write as ECMAScript does (ECMA-262 Number::toString), from the shortest digits that read back the same."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    parts = Decimal(repr(abs(value))).normalize().as_tuple()
    digits = "".join(str(digit) for digit in parts.digits)
    point = len(digits) + int(parts.exponent)
    if len(digits) <= point <= 21:
        return f"{sign}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    power = f"e{point - 1:+d}"
    return f"{sign}{digits[0]}{'.' if len(digits) > 1 else ''}{digits[1:]}{power}"
