"""Writing an HTTPRoute: the canary beside each backend of the Service, and everything as its owner wrote it afterwards."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from feem.core.rollout.route import INTENT, PREFIX, RESTORE, TRAFFIC, is_backend, weight_of
from feem.ports import Body

MAX_WEIGHT = 1_000_000
"""The highest weight Gateway API allows (HTTPBackendRef.weight)."""

Original = dict[int, dict[int, int | None]]
"""Weights as the owner wrote them, None where absent: by rule, by position among the rule's backends without canaries."""


def set_weight(route: Body, service: str, canary_service: str, weight: int, mark: str, intent: int) -> Body:
    """Return the route with `weight` percent of the Service's share on the canary, whatever it had before."""
    result = restore(route, service, canary_service)
    namespace = str(result["metadata"].get("namespace") or "")
    original: list[tuple[int, int, int | None]] = []
    for at, rule in enumerate(_rules(result)):
        refs = rule.get("backendRefs") or []
        if not any(is_backend(ref, namespace, service) for ref in refs):
            continue
        original += [(at, position, ref.get("weight")) for position, ref in enumerate(refs)]
        rule["backendRefs"] = _split(refs, namespace, service, canary_service, weight)
    annotations = result["metadata"].setdefault("annotations", {})
    annotations[TRAFFIC], annotations[INTENT] = mark, str(intent)
    annotations[RESTORE] = json.dumps(original, separators=(",", ":"))
    return result


def restore(route: Body, service: str, canary_service: str) -> Body:
    """Return the route without canary backends and FEEM's annotations, its owner's weights put back.

    Only rules that still carry a canary are touched: in the others the owner has written anew. Where the noted weights do not
    fit a rule any more, its weights are computed back from those it has.
    """
    result = copy.deepcopy(route)
    metadata = result["metadata"]
    namespace = str(metadata.get("namespace") or "")
    noted = _noted((metadata.get("annotations") or {}).get(RESTORE))
    for at, rule in enumerate(_rules(result)):
        refs = rule.get("backendRefs") or []
        if any(is_backend(ref, namespace, canary_service) for ref in refs):
            rule["backendRefs"] = _join(refs, namespace, service, canary_service, noted.get(at, {}))
    if "annotations" in metadata:
        kept = {key: value for key, value in metadata["annotations"].items() if not key.startswith(PREFIX)}
        metadata["annotations"] = kept
        if not kept:
            del metadata["annotations"]
    return result


def same(one: Body, other: Body) -> bool:
    """Whether two routes say the same apart from the intent they were written under."""
    return _said(one) == _said(other)


def _said(route: Body) -> tuple[Any, dict[str, str]]:
    annotations = route["metadata"].get("annotations") or {}
    return route.get("spec"), {key: value for key, value in annotations.items() if key != INTENT}


def _rules(route: Body) -> list[dict[str, Any]]:
    return (route.get("spec") or {}).get("rules") or []


def _split(refs: Sequence[Body], namespace: str, service: str, canary_service: str, weight: int) -> list[Body]:
    """Put the canary behind each backend of the Service; the other backends keep their share."""
    factor, result = 100, list[Body]()
    alone = len(refs) == 1
    for ref in refs:
        own = min(weight_of(ref), 1) if alone else weight_of(ref)
        if is_backend(ref, namespace, service):
            result.append({**ref, "weight": own * (factor - weight)})
            result.append({**copy.deepcopy(ref), "name": canary_service, "weight": own * weight})
        else:
            result.append({**ref, "weight": own * factor})
    return _bounded(result)


def _bounded(refs: list[Body]) -> list[Body]:
    """Scale weights down to what Gateway API allows, keeping a trace of every backend that had any."""
    highest = max(ref["weight"] for ref in refs)
    if highest <= MAX_WEIGHT:
        return refs
    return [{**ref, "weight": max(1, ref["weight"] * MAX_WEIGHT // highest) if ref["weight"] else 0} for ref in refs]


def _join(
    refs: Sequence[Body], namespace: str, service: str, canary_service: str, noted: dict[int, int | None]
) -> list[Body]:
    """Take the canaries out of one rule and give the others their weights back."""
    kept, shares = list[Body](), list[int]()
    for ref in refs:
        if not is_backend(ref, namespace, canary_service):
            kept.append(ref)
            shares.append(weight_of(ref))
        elif kept and is_backend(kept[-1], namespace, service):
            shares[-1] += weight_of(ref)
    if _fits(noted, shares):
        return [_weighed(ref, noted[position]) for position, ref in enumerate(kept)]
    if len(kept) == 1:
        return [_weighed(kept[0], None if shares[0] else 0)]
    exact = all(share % 100 == 0 for share in shares)
    return [_weighed(ref, share // 100 if exact else share) for ref, share in zip(kept, shares, strict=True)]


def _fits(noted: dict[int, int | None], shares: Sequence[int]) -> bool:
    """Whether a rule still has the shares that `_split` made from the noted weights, so that nobody else wrote it since."""
    if set(noted) != set(range(len(shares))):
        return False
    own = [1 if noted[position] is None else noted[position] or 0 for position in range(len(shares))]
    made = [100 * (min(weight, 1) if len(own) == 1 else weight) for weight in own]
    return max(made) > MAX_WEIGHT or made == list(shares)


def _weighed(ref: Body, weight: int | None) -> Body:
    bare = {key: value for key, value in ref.items() if key != "weight"}
    return bare if weight is None else {**bare, "weight": weight}


def _noted(text: str | None) -> Original:
    """Read the annotation with the owner's weights; what is not ours to read counts as absent."""
    result: Original = {}
    try:
        entries = json.loads(text or "[]")
        for rule, position, weight in entries:
            result.setdefault(int(rule), {})[int(position)] = None if weight is None else int(weight)
    except (ValueError, TypeError):
        return {}
    return result
