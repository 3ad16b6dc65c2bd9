"""What all gates of one release look at, with what is derived from it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from feem.api.release import ComplianceFacts, Release
from feem.api.window import ChangeWindow
from feem.core.gates.binding import binding_of, facts_of
from feem.core.gates.facts import GateFacts
from feem.core.gates.moments import utc
from feem.core.windows.scope import applies


@dataclass(frozen=True)
class Case:
    """The facts; what an approval has to name; what the annotations say; the windows whose scope has the service."""

    facts: GateFacts
    binding: str
    said: Mapping[str, str]
    windows: tuple[ChangeWindow, ...]

    @property
    def now(self) -> datetime:
        """The present moment, UTC."""
        return utc(self.facts.now)

    @property
    def release(self) -> Release:
        """The release that is asked about."""
        return self.facts.release

    @property
    def compliance(self) -> ComplianceFacts | None:
        """What was frozen of the service for the gates."""
        return self.release.spec.compliance

    @property
    def requested_at(self) -> datetime:
        """When the release was requested; one that is not stored yet is requested now."""
        created = self.release.metadata.creation_timestamp
        return utc(created) if created is not None else self.now

    @property
    def takers(self) -> frozenset[str]:
        """Who may not allow the change: who asked for it, and who wrote it."""
        return frozenset((self.release.spec.requested_by, self.release.spec.author)) - {""}

    @property
    def where(self) -> str:
        """The release as kubectl takes it, e.g. `scoring-4 -n lending`."""
        return f"{self.release.metadata.name} -n {self.release.metadata.namespace}"

    @property
    def again(self) -> str:
        """How to have the change requested anew: what was frozen does not change any more."""
        commands = (f'kubectl feem {verb} {self.where} --reason "…"' for verb in ("abort", "retry"))
        return "then have the change requested anew: " + ", then ".join(commands)

    def annotate(self, name: str, value: str) -> str:
        """How to say what an annotation ought to say, before or after the change was held."""
        return (
            f"kubectl annotate rel {self.where} --overwrite {name}={value} (next time: an annotation of the Deployment)"
        )


def case_of(facts: GateFacts) -> Case:
    """Derive what all gates need."""
    return Case(
        facts=facts,
        binding=binding_of(facts.release, facts.profile),
        said=facts_of(facts.release, facts.profile),
        windows=tuple(window for window in facts.windows if applies(window, facts.service)),
    )
