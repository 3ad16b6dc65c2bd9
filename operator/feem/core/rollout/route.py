"""Reading an HTTPRoute: which share of a Service's requests its backends send to the canary, and whose mark it carries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

PREFIX = "feem.dev/"
TRAFFIC = "feem.dev/traffic"
RESTORE = "feem.dev/restore"
INTENT = "feem.dev/intent"


class Observed(NamedTuple):
    """What a route does now: percent to the canary (the highest, if rules differ), its mark, whether canary backends are on it."""

    weight: int
    mark: str | None
    canary_refs_present: bool


def weight_of(ref: dict[str, Any]) -> int:
    """Return a backend's weight; absent means 1 (Gateway API, HTTPBackendRef)."""
    weight = ref.get("weight")
    return 1 if weight is None else int(weight)


def is_backend(ref: dict[str, Any], namespace: str, service: str) -> bool:
    """Whether a backendRef points to this Service of the route's own namespace."""
    return (
        ref.get("name") == service
        and (ref.get("kind") or "Service") == "Service"
        and not ref.get("group")
        and (ref.get("namespace") or namespace) == namespace
    )


def routes_to(route: dict[str, Any], service: str) -> bool:
    """Whether any rule of the route has the Service among its backends."""
    namespace = str(route["metadata"].get("namespace") or "")
    return any(
        is_backend(ref, namespace, service)
        for rule in (route.get("spec") or {}).get("rules") or ()
        for ref in rule.get("backendRefs") or ()
    )


def observed(route: dict[str, Any], service: str, canary_service: str) -> Observed:
    """Return the canary's weight in percent, the mark (None when there is none), and whether canary backends are present."""
    annotations = route["metadata"].get("annotations") or {}
    pairs = list(_pairs(route, service, canary_service))
    weight = max((share for _, share in pairs if share is not None), default=0)
    return Observed(weight, annotations.get(TRAFFIC), any(has_canary for has_canary, _ in pairs))


def touched(route: dict[str, Any], service: str, canary_service: str) -> bool:
    """Whether anything of FEEM's is on the route: canary backends or annotations."""
    annotations = route["metadata"].get("annotations") or {}
    return (
        any(key.startswith(PREFIX) for key in annotations)
        or observed(route, service, canary_service).canary_refs_present
    )


def agrees(route: dict[str, Any], service: str, canary_service: str) -> bool:
    """Whether all backends of the Service split their requests alike, so that one weight describes the route."""
    pairs = list(_pairs(route, service, canary_service))
    shares = {share for _, share in pairs if share is not None}
    return len(shares) <= 1 and len({has_canary for has_canary, _ in pairs}) <= 1


def _pairs(route: dict[str, Any], service: str, canary_service: str) -> Iterator[tuple[bool, int | None]]:
    """For each rule with the Service or its canary: whether canary backends are there, and their share in percent.

    The share is None where neither gets requests. It is rounded to a whole percent, but never to 0 or 100 while both get some.
    """
    namespace = str(route["metadata"].get("namespace") or "")
    for rule in (route.get("spec") or {}).get("rules") or ():
        refs = rule.get("backendRefs") or ()
        stable = [weight_of(ref) for ref in refs if is_backend(ref, namespace, service)]
        canary = [weight_of(ref) for ref in refs if is_backend(ref, namespace, canary_service)]
        if not stable and not canary:
            continue
        total, part = sum(stable) + sum(canary), sum(canary)
        if total == 0:
            yield bool(canary), None
        elif 0 < part < total:
            yield bool(canary), min(99, max(1, round(100 * part / total)))
        else:
            yield bool(canary), 100 if part else 0
