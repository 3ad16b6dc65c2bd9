"""Which entries of the log are about a release: its own, those of decisions about it, and its service's that name it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def about(dossier: Mapping[str, Any]) -> Callable[[int, Mapping[str, Any]], bool]:
    """Return a test for entries, to be asked in the order of the log: outcomes belong to the intents before them."""
    release = dossier["release"]
    place, name, uid = release["namespace"], release["name"], release["uid"]
    decisions = {decision["name"] for decision in dossier["decisions"]}
    announced: set[int] = set()

    def mine(index: int, entry: Mapping[str, Any]) -> bool:
        subject = entry["subject"]
        if subject["namespace"] != place:
            return False
        if subject["kind"] == "Release":
            return bool(subject["name"] == name and subject["uid"] == uid)
        if subject["kind"] == "Decision":
            return subject["name"] in decisions
        if subject["kind"] != "ManagedService" or subject["name"] != release["service"]:
            return False
        if entry.get("intent") in announced:
            return True
        names = f"create Release {place}/{name}" in entry["effects"] or entry["evidence"] == release["digest"]
        if names and entry["part"] == "Intent":
            announced.add(index)
        return names

    return mine
