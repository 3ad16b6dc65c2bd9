"""What the environment decides: which version this is and how it behaves."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Behaviour = Literal["good", "slow", "inverted", "late", "failing"]
BEHAVIOURS: tuple[Behaviour, ...] = ("good", "slow", "inverted", "late", "failing")
ERROR_PERCENT: dict[Behaviour, float] = {"failing": 5.0, "late": 40.0}  # unless the environment says otherwise


class SettingError(ValueError):
    """Names the environment variable that cannot be used, what it holds and what it may hold."""


@dataclass(frozen=True)
class Settings:
    """One process's settings; delay in milliseconds, error share in percent, drain in seconds."""

    version: str = "1.0"
    behaviour: Behaviour = "good"
    error_percent: float = 5.0
    delay_ms: float = 300.0
    drain_seconds: float = 4.0
    address: str = ""  # every interface
    port: int = 8080
    pod: str = "unknown"

    def fails(self, application_id: str, *, turned: bool = False) -> bool:
        """Tell whether this version breaks on this application: by digest, so that a repeat meets the same fault.

        The late one breaks only after it was told to turn bad.
        """
        if self.behaviour != "failing" and not (self.behaviour == "late" and turned):
            return False
        digest = hashlib.blake2b(application_id.encode(), digest_size=8).digest()
        return int.from_bytes(digest) / 2**64 * 100 < self.error_percent

    def linger(self) -> None:
        """Hold the answer back where this version is the slow one, as a slow dependency would."""
        if self.behaviour == "slow":
            time.sleep(self.delay_ms / 1000)


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings, so that a typing error stops the pod at its start and not a client later.

    Raises SettingError for an unknown behaviour or a number outside its bounds.
    """
    behaviour = environment.get("BEHAVIOUR", "good")
    if behaviour not in BEHAVIOURS:
        raise SettingError(f"BEHAVIOUR={behaviour!r}: must be one of {', '.join(BEHAVIOURS)}")
    return Settings(
        version=environment.get("VERSION", "1.0"),
        behaviour=behaviour,
        error_percent=_number(environment, "ERROR_PERCENT", ERROR_PERCENT.get(behaviour, 5.0), 100),
        delay_ms=_number(environment, "DELAY_MS", 300.0, 60_000),
        drain_seconds=_number(environment, "DRAIN_SECONDS", 4.0, 600),
        address=environment.get("ADDRESS", ""),
        port=int(_number(environment, "PORT", 8080, 65_535)),
        pod=environment.get("HOSTNAME", "unknown"),
    )


def _number(environment: Mapping[str, str], name: str, default: float, highest: float) -> float:
    text = environment.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1
    if not 0 <= value <= highest:
        raise SettingError(f"{name}={text!r}: must be a number in 0..{highest:g}")
    return value
