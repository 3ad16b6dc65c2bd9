"""A document as it is read: every part knows its path, and what nobody asked for is told instead of dropped."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


class Unreadable(ValueError):  # noqa: N818 - the document is what is wrong
    """A document FEEM cannot use; the text names the field and says what to do."""


class Section:
    """One mapping of a document, at `path`; warnings of all its parts come together in `warnings`."""

    def __init__(self, body: Any, path: str, warnings: list[str]) -> None:
        if not isinstance(body, dict):
            raise Unreadable(f"{path.rstrip(': ')} is not a mapping; give it fields")
        self.body: dict[Any, Any] = body
        self.path, self.warnings = path, warnings
        self._parts: dict[str, list[Section]] = {}
        self._asked: set[str] = set()

    def at(self, key: str) -> str:
        """Return the path of a field; a document's own path ends in a space, and its fields need no dot."""
        return f"{self.path}{key}" if self.path.endswith(" ") else f"{self.path}.{key}"

    def value(self, key: str) -> Any:
        """Return a field, None when it is not given."""
        self._asked.add(key)
        return self.body.get(key)

    def given(self, *keys: str) -> list[str]:
        """Return which of these fields are given."""
        return [key for key in keys if self.value(key) is not None]

    def text(self, key: str, hint: str = "") -> str:
        """Return a text, empty when it is not given; with a hint it must be. Raises Unreadable."""
        value = self.value(key)
        if value is None and not hint:
            return ""
        if not isinstance(value, str) or (hint and not value.strip()):
            raise Unreadable(
                f"{self.at(key)} is {'missing' if value is None else 'not a text'}; {hint or 'write a text'}"
            )
        return value

    def number(self, key: str) -> Decimal:
        """Return a number exactly as it was written; raises Unreadable."""
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unreadable(f"{self.at(key)} is not a number; write one such as 0.999")
        number = Decimal(repr(value))
        if not number.is_finite():
            raise Unreadable(f"{self.at(key)} is not finite; write a number such as 0.999")
        return number

    def part(self, key: str, hint: str = "") -> Section | None:
        """Return a mapping, None when it is not given; with a hint it must be. Raises Unreadable."""
        value = self.value(key)
        if value is None:
            if hint:
                raise Unreadable(f"{self.at(key)} is missing; {hint}")
            return None
        return self.parts(key, [value], self.at(key))[0]

    def parts(self, key: str, values: list[Any] | None = None, path: str = "") -> list[Section]:
        """Return a list of mappings, empty when it is not given; raises Unreadable."""
        if key not in self._parts:
            values = self.value(key) or [] if values is None else values
            if not isinstance(values, list):
                raise Unreadable(f"{self.at(key)} is not a list; begin each item with a dash")
            places = [path or f"{self.at(key)}[{index}]" for index in range(len(values))]
            self._parts[key] = [
                Section(value, place, self.warnings) for value, place in zip(values, places, strict=True)
            ]
        return self._parts[key]

    def mapping(self, key: str) -> dict[Any, Any]:
        """Return a mapping as it is, empty when it is not given; raises Unreadable."""
        value = self.value(key)
        if value is not None and not isinstance(value, dict):
            raise Unreadable(f"{self.at(key)} is not a mapping; give it keys and values")
        return value or {}

    def must(self, key: str, hint: str) -> Section:
        """Return a mapping that has to be given; raises Unreadable."""
        found = self.part(key, hint)
        assert found is not None  # noqa: S101 - with a hint, part raises
        return found

    def warn(self, key: str, why: str) -> None:
        """Tell that a field is left out, if it is given."""
        if self.value(key) is not None:
            self.warnings.append(f"{self.at(key)} is left out: {why}")

    def warn_of_rest(self) -> None:
        """Tell which fields nobody asked for, in this part and in those below."""
        for key in self.body:
            if key not in self._asked:
                self.warnings.append(f"{self.at(str(key))} is left out: FEEM does not know this field")
        for below in self._parts.values():
            for part in below:
                part.warn_of_rest()
