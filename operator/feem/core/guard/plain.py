"""What a policy's or binding's spec says, in one form: the API server's defaults in, what means nothing out.

The defaults are those of admissionregistration.k8s.io/v1 (Kubernetes 1.30 to 1.37), which never moved within v1.
"""

from __future__ import annotations

from typing import Any

_SETS = frozenset({"apiGroups", "apiVersions", "operations", "resources", "resourceNames", "validationActions"})
"""Lists whose order means nothing."""
_MATCHES = ("matchConstraints", "matchResources")


def plain(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a spec such that two that ask for the same thing are equal; the given one is not changed."""
    found: dict[str, Any] = _filled(spec)
    if "validations" in found or "mutations" in found:
        found.setdefault("failurePolicy", "Fail")
    if "mutations" in found:
        found.setdefault("reinvocationPolicy", "Never")
    for key in _MATCHES:
        if key in found:
            found[key] = _match(found[key])
    if found.get("matchResources") == {"matchPolicy": "Equivalent"}:
        del found["matchResources"]  # a binding that matches all its policy matches, as without it
    return found


def _filled(value: Any) -> Any:
    """Leave out empty members, at every depth: an empty selector, list or sentence means the same as none.

    A label's empty value does not: it stays.
    """
    if isinstance(value, dict):
        inner = {key: each if key == "matchLabels" else _in_order(key, _filled(each)) for key, each in value.items()}
        return {key: each for key, each in inner.items() if each not in (None, "", [], {})}
    if isinstance(value, list):
        return [_filled(each) for each in value]
    return value


def _in_order(key: str, value: Any) -> Any:
    return sorted(value) if key in _SETS and isinstance(value, list) else value


def _match(match: dict[str, Any]) -> dict[str, Any]:
    rules: dict[str, Any] = {
        key: [{"scope": "*", **rule} for rule in match[key]]
        for key in ("resourceRules", "excludeResourceRules")
        if key in match
    }
    return {"matchPolicy": "Equivalent", **match, **rules}
