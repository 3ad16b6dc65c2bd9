"""What the environment decides: which version this is, how it behaves, and where the bureau is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

Behaviour = Literal["resilient", "trusting"]
BEHAVIOURS: tuple[Behaviour, ...] = ("resilient", "trusting")


class SettingError(ValueError):
    """Names the environment variable that cannot be used, what it holds and what it may hold."""


@dataclass(frozen=True)
class Settings:
    """One process's settings; times in seconds. The trusting behaviour has no use for the bureau's times."""

    version: str = "1.0"
    behaviour: Behaviour = "resilient"
    bureau_host: str = "bureau"
    bureau_port: int = 80
    bureau_seconds: float = 0.15
    record_seconds: float = 900.0
    stretch_rounds: int = 12_000
    drain_seconds: float = 4.0
    address: str = ""  # every interface
    port: int = 8080
    pod: str = "unknown"


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings, so that a typing error stops the pod at its start and not a client later.

    Raises SettingError for an unknown behaviour, a bureau without a host, or a number outside its bounds.
    """
    behaviour = environment.get("BEHAVIOUR", "resilient")
    if behaviour not in BEHAVIOURS:
        raise SettingError(f"BEHAVIOUR={behaviour!r}: must be one of {', '.join(BEHAVIOURS)}")
    host, port = _bureau(environment.get("BUREAU_URL", "http://bureau"))
    return Settings(
        version=environment.get("VERSION", "1.0"),
        behaviour=behaviour,
        bureau_host=host,
        bureau_port=port,
        bureau_seconds=_number(environment, "BUREAU_SECONDS", 0.15, 60),
        record_seconds=_number(environment, "RECORD_SECONDS", 900, 86_400),
        stretch_rounds=int(_number(environment, "STRETCH_ROUNDS", 12_000, 1_000_000, lowest=1)),
        drain_seconds=_number(environment, "DRAIN_SECONDS", 4.0, 600),
        address=environment.get("ADDRESS", ""),
        port=int(_number(environment, "PORT", 8080, 65_535)),
        pod=environment.get("HOSTNAME", "unknown"),
    )


def _bureau(text: str) -> tuple[str, int]:
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port or 80
    except ValueError:
        host, port = None, 0
    if not host or url.scheme != "http" or url.path.strip("/") or url.query:
        raise SettingError(f"BUREAU_URL={text!r}: must be http://HOST or http://HOST:PORT")
    return host, port


def _number(environment: Mapping[str, str], name: str, default: float, highest: float, *, lowest: float = 0.0) -> float:
    text = environment.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = lowest - 1
    if not lowest <= value <= highest:
        raise SettingError(f"{name}={text!r}: must be a number in {lowest:g}..{highest:g}")
    return value
