"""Quantities of Kubernetes, compared by value: the API server writes 1000m as 1, and 1024Mi as 1Gi."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_FORM = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:([eE][+-]?[0-9]+)|(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi))?")
_FACTORS = {
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTP", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTP", start=1)},
}


def amount(text: Any) -> Decimal | None:
    """Return a quantity's value (cores, bytes), None for what is none."""
    found = _FORM.fullmatch(str(text)) if isinstance(text, str | int) and not isinstance(text, bool) else None
    if found is None:
        return None
    number, exponent, unit = found.groups()
    return Decimal(f"{number}{exponent or ''}") * (_FACTORS[unit] if unit else 1)


def just_below(kind: str, value: Decimal) -> str:
    """Return the next smaller quantity: of `cpu` a millicore less, of `memory` a byte."""
    return f"{int(value * 1000) - 1}m" if kind == "cpu" else str(int(value) - 1)


def same(path: str, one: Any, other: Any) -> bool:
    """Whether two values at a JSON pointer mean the same."""
    if one == other:
        return True
    known = amount(one) if "/resources/" in path else None
    return known is not None and known == amount(other)
