"""Which entries of the log are about a release: its own, those of decisions about it, and its service's that name it; and about runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from feem.api.run import ChaosRun


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


def about_runs(runs: Iterable[ChaosRun]) -> Callable[[Mapping[str, Any]], bool]:
    """Return a test for entries: those about one of these chaos runs, by its UID, and about their experiments."""
    found = tuple(runs)
    mine = {(run.metadata.namespace, run.metadata.name, run.metadata.uid) for run in found}
    experiments = {(run.metadata.namespace, run.spec.experiment) for run in found}

    def about(entry: Mapping[str, Any]) -> bool:
        subject = entry["subject"]
        place, name = subject["namespace"], subject["name"]
        if subject["kind"] == "ChaosRun":
            return (place, name, subject["uid"]) in mine
        return subject["kind"] == "ChaosExperiment" and (place, name) in experiments

    return about
