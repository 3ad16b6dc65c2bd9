"""How to reach a ticket system: its address, who FEEM is to it, whom to trust, how long to wait."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from feem.adapters.tickets.problem import Unanswered

PLACE = "{ticket}"
"""Stands in a webhook's address where the ticket goes."""
_TOKEN = re.compile(r"[!-~]{1,4096}")
"""What can stand in a header: anything else is a file with more than a token in it."""


@dataclass(frozen=True)
class Access:
    """`name` is what people call the system; `setting` the chart's values it is set by, e.g. `tickets.jira`.

    `timeout` in seconds holds for the whole look-up. With `user` the token is its password, else it is a bearer token; with
    no file none is sent. Raises ValueError for an address that cannot be one.
    """

    name: str
    setting: str
    url: str
    user: str = ""
    token_file: Path | None = None
    ca_file: Path | None = None
    timeout: float = 5.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "{" in parts.netloc:
            raise ValueError(f"{self.setting}.url is not an address: write it as https://tickets.bank.example")
        if parts.username is not None or parts.password is not None:
            raise ValueError(f"{self.setting}.url has a password in it: put it into the Secret of {self.setting}.token")
        if not self.user.isascii() or ":" in self.user:
            raise ValueError(f"{self.setting}.user {self.user!r} cannot be sent: only ASCII without a colon can")
        if self.user and self.token_file is None:
            raise ValueError(f"{self.setting}.user needs its password or API token: set {self.setting}.token.secret")

    @property
    def system(self) -> str:
        """What problems call it: its name and where it is, without path or query, in which there may be secrets."""
        return f"{self.name} at {urlsplit(self.url).netloc}"

    def token(self) -> str:
        """Return the token as it is in its file now, empty without a file; raises Unanswered, which never quotes it."""
        if self.token_file is None:
            return ""
        place = f"the Secret of {self.setting}.token"
        try:
            token = self.token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as unreadable:
            why = getattr(unreadable, "strerror", None) or "it is not text"
            raise Unanswered(f"FEEM cannot read its token for {self.system} ({why}): check {place}") from None
        if not _TOKEN.fullmatch(token):
            raise Unanswered(f"FEEM's token for {self.system} is empty or more than one word of ASCII: check {place}")
        return token


def is_name(ticket: str) -> bool:
    """Whether any ticket can be called so. A segment of dots would change a URL's path even when it is quoted."""
    return bool(ticket.strip()) and ticket.strip() not in (".", "..")
