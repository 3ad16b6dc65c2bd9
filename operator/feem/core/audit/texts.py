"""What may stand in an entry: names that are what they look like, and sentences without secrets or people's data.

Names (of actors and objects) are refused when they could be read as another name. Sentences are kept, with control characters
shown and with what looks like a credential or personal data masked: an entry can never be taken back.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable

LOOKING_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"})
"""Scripts with letters that look like those of another one of them."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
MASK = "[masked]"


class Unrecordable(ValueError):  # noqa: N818 - it is an answer to whoever wants it recorded
    """A name that no entry may carry; `reason` is one word for programs, the text a sentence for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def checked_name(what: str, name: str) -> str:
    """Return a name as it is. Raises Unrecordable when it has characters that cannot be seen or that look like others."""
    for letter in name:
        if unicodedata.category(letter) in _HIDDEN:
            raise Unrecordable(
                "UnsafeName", f"{what} {shown(name)!r} has the character U+{ord(letter):04X}, which cannot be seen"
            )
    if unicodedata.normalize("NFKC", name) != name:
        raise Unrecordable(
            "UnsafeName",
            f"{what} {name!r} has characters that are variants of others: it could be taken for another name",
        )
    scripts = {script for letter in name if letter.isalpha() and (script := _script(letter)) in LOOKING_ALIKE}
    if len(scripts) > 1:
        words = " and ".join(sorted(script.capitalize() for script in scripts))
        raise Unrecordable("UnsafeName", f"{what} {name!r} mixes {words} letters: it could be taken for another name")
    return name


def sentence(text: str) -> str:
    """Return a sentence as it may stand in an entry: characters that cannot be seen are shown, secrets and people's data masked."""
    return masked(shown(text))


def shown(text: str) -> str:
    """Write characters that cannot be seen, or that turn the direction of writing, as escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(letter) if unicodedata.category(letter) in _HIDDEN else letter for letter in text)


def masked(text: str) -> str:
    """Replace what looks like a credential, an identity number, a phone or card number, or an e-mail address."""
    for pattern, really in _PATTERNS:
        text = pattern.sub(functools.partial(_replaced, really=really), text)
    return text


def _replaced(found: re.Match[str], really: Callable[[str], bool]) -> str:
    if MASK[1:] in found["secret"] or not really(found["secret"]):
        return found[0]
    start, end = found.span("secret")
    at = found.start()
    return found[0][: start - at] + MASK + found[0][end - at :]


def _escaped(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if ord(letter) <= 0xFFFF else f"\\U{ord(letter):08x}"


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").split(" ")[0]


def _always(_: str) -> bool:
    return True


def _card(digits: str) -> bool:
    """Luhn's check digit, ISO/IEC 7812-1."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def _identity_number(text: str) -> bool:
    """The check character of China's identity numbers, GB 11643-1999."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit) for weight, digit in zip(weights, text[:17], strict=True))
    return "10X98765432"[total % 11] == text[17].upper()


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (
        re.compile(
            r"(?P<secret>-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$))", re.DOTALL
        ),
        _always,
    ),
    (re.compile(r"(?P<secret>\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?)"), _always),
    (re.compile(r"\b(?i:bearer|basic)\s+(?P<secret>[\w.~+/-]{8,}=*)"), _always),
    (
        re.compile(r"\b(?i:\w*(?:password|passwd|secret|token|api_?key|access_?key))\W{1,3}(?P<secret>[^\s,;\"']{6,})"),
        _always,
    ),
    (re.compile(r"\b(?P<secret>(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,})\b"), _always),
    (
        re.compile(r"(?<![0-9A-Za-z])(?P<secret>[1-9]\d{5}(?:18|19|20)\d{2}[01]\d[0-3]\d{4}[\dXx])(?![0-9A-Za-z])"),
        _identity_number,
    ),
    (re.compile(r"(?<![0-9A-Za-z.])(?P<secret>\d{13,19})(?![0-9A-Za-z])"), _card),
    (re.compile(r"(?<![0-9A-Za-z.])(?:\+?86[ -]?)?(?P<secret>1[3-9]\d{9})(?![0-9A-Za-z])"), _always),
    (re.compile(r"(?P<secret>[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)"), _always),
)
