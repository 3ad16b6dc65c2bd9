"""Reads objectives written as OpenSLO v1, so that nobody writes a thing twice.

Source: the OpenSLO specification, apiVersion openslo/v1, kinds SLO, SLI and DataSource.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from feem.api.base import API_VERSION, LABEL_PATTERN
from feem.core.slo.document import Section, Unreadable
from feem.core.slo.measure import measure

OPENSLO = "openslo/v1"
PREFIX = "openslo.feem.dev"
LEFT_OUT = {
    "AlertPolicy": "FEEM alerts by its own policy of burn rates, see `kubectl feem slo rules`",
    "AlertCondition": "FEEM alerts by its own policy of burn rates, see `kubectl feem slo rules`",
    "AlertNotificationTarget": "whom alerts reach is Alertmanager's configuration",
    "Service": "an objective keeps its service's name as an annotation",
}
DAYS = {"d": Decimal(1), "w": Decimal(7), "h": Decimal(1) / 24, "m": Decimal(1) / 1440}
VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?")
"""A Kubernetes label's value."""
MOST_DESCRIPTION = 1024


@dataclass(frozen=True)
class Reading:
    """ServiceLevelObjective objects, ready to be applied, and what of the documents is not in them."""

    objectives: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]


@dataclass
class _Bundle:
    """The documents by kind and name."""

    warnings: list[str]
    slos: list[Section] = field(default_factory=list)
    indicators: dict[str, Section] = field(default_factory=dict)
    sources: dict[str, Section] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)


def read(documents: Sequence[Any], namespace: str = "") -> Reading:
    """Turn OpenSLO v1 documents into ServiceLevelObjectives; raises Unreadable, which names the field and what to do."""
    bundle = _sorted(documents)
    if not bundle.slos:
        raise Unreadable("there is no document of kind SLO; give one, with the SLIs it refers to in the same file")
    objectives = [one for slo in bundle.slos for one in _objectives(slo, bundle, namespace)]
    _refuse_namesakes(objectives)
    for section in bundle.slos:
        section.warn_of_rest()
    for name, section in bundle.indicators.items():
        if name in bundle.used:
            section.warn_of_rest()
        else:
            bundle.warnings.append(f"SLI {name} is left out: no SLO refers to it")
    return Reading(tuple(objectives), tuple(bundle.warnings))


def _sorted(documents: Sequence[Any]) -> _Bundle:
    bundle = _Bundle([])
    for number, document in enumerate(documents, 1):
        if document is None:
            continue
        section = Section(document, f"document {number}: ", bundle.warnings)
        version = section.value("apiVersion")
        if version != OPENSLO:
            raise Unreadable(f"{section.path}apiVersion is {version!r}; FEEM reads {OPENSLO}, convert it first")
        kind, metadata = section.text("kind", "one of SLO, SLI, DataSource"), section.must("metadata", "give it a name")
        name = metadata.text("name", "give it a name")
        section.path, metadata.path = f"{kind} {name}: ", f"{kind} {name}: metadata"
        if kind == "SLO":
            bundle.slos.append(section)
        elif kind == "SLI":
            bundle.indicators[name] = section
        elif kind == "DataSource":
            bundle.sources[name] = section
            bundle.warnings.append(f"DataSource {name} is left out: FEEM asks the Prometheus of its own settings")
        elif kind in LEFT_OUT:
            bundle.warnings.append(f"{kind} {name} is left out: {LEFT_OUT[kind]}")
        else:
            raise Unreadable(f"{section.path}OpenSLO has no kind {kind!r}; use SLO, SLI or DataSource")
    return bundle


def _objectives(slo: Section, bundle: _Bundle, namespace: str) -> list[dict[str, Any]]:
    """Return one object for each entry of an SLO's objectives."""
    spec = slo.must("spec", "give the SLO its indicator and objectives")
    metadata, sli_metadata, sli = slo.must("metadata", ""), *_sli(spec, bundle)
    _occurrences(spec)
    days = _window_days(spec)
    spec.warn("alertPolicies", LEFT_OUT["AlertPolicy"])
    entries = spec.parts("objectives")
    if not entries:
        raise Unreadable(f"{spec.at('objectives')} is missing; give one with a target")
    notes = {"service": spec.text("service"), "display-name": metadata.text("displayName")}
    notes["indicator"] = sli_metadata.text("name") if sli_metadata else ""
    described = _description(spec.text("description") or sli.text("description") or metadata.text("displayName"), spec)
    made: dict[str, dict[str, Any]] = {}
    for number, entry in enumerate(entries, 1):
        title = entry.text("displayName")
        name = _name(metadata, title, number if len(entries) > 1 else 0, made)
        entry.warn("timeSliceTarget", "it belongs to another budgetingMethod")
        entry.warn("timeSliceWindow", "it belongs to another budgetingMethod")
        place = {"name": name, **({"namespace": namespace} if namespace else {})}
        made[name] = {
            "apiVersion": API_VERSION,
            "kind": "ServiceLevelObjective",
            "metadata": {**place, **_marks(metadata, {**notes, "objective": title})},
            "spec": {
                **({"description": described} if described else {}),
                "category": "Technical",
                **measure(sli, entry, bundle.sources),
                "windowDays": days,
            },
        }
    return list(made.values())


def _sli(spec: Section, bundle: _Bundle) -> tuple[Section | None, Section]:
    """Return the metadata and the spec of the indicator, inline or referred to."""
    given = spec.given("indicator", "indicatorRef")
    if len(given) != 1:
        raise Unreadable(
            f"{spec.path} has {' and '.join(given) or 'no indicator'}; give exactly one of indicator and indicatorRef"
        )
    if given == ["indicator"]:
        inline = spec.must("indicator", "")
        if sli_metadata := inline.part("metadata"):
            sli_metadata.given("name", "displayName")
        return sli_metadata, inline.must("spec", "give it ratioMetric or thresholdMetric")
    name = spec.text("indicatorRef", "name an SLI")
    if name not in bundle.indicators:
        raise Unreadable(f"{spec.at('indicatorRef')}: there is no SLI {name!r} here; give it in the same file")
    bundle.used.add(name)
    found = bundle.indicators[name]
    metadata = found.must("metadata", "")
    metadata.given("displayName")
    return metadata, found.must("spec", "give it ratioMetric or thresholdMetric")


def _occurrences(spec: Section) -> None:
    method = spec.text("budgetingMethod")
    if not method:
        spec.warnings.append(
            f"{spec.at('budgetingMethod')} is missing, though OpenSLO requires it: taken as Occurrences"
        )
    elif method != "Occurrences":
        raise Unreadable(
            f"{spec.at('budgetingMethod')} is {method!r}; FEEM counts events, not slices of time: use Occurrences, "
            f"with a target that fits it"
        )


def _window_days(spec: Section) -> int:
    found = spec.parts("timeWindow")
    if not found:
        spec.warnings.append(f"{spec.at('timeWindow')} is missing: 30 days are taken")
        return 30
    if len(found) > 1:
        raise Unreadable(f"{spec.at('timeWindow')} has {len(found)} windows; give one")
    window = found[0]
    if window.value("calendar") is not None or window.value("isRolling") is False:
        raise Unreadable(
            f"{window.path} follows the calendar; FEEM's windows roll: give a duration such as 30d, and isRolling: true"
        )
    duration = window.text("duration", "write one such as 30d or 4w")
    match = re.fullmatch(r"([1-9][0-9]{0,8})([a-zA-Z])", duration)
    days = Decimal(match[1]) * DAYS[match[2]] if match and match[2] in DAYS else Decimal(0)
    rounded = days.quantize(Decimal("1e-9"))
    if rounded != int(rounded) or not 1 <= rounded <= 90:
        raise Unreadable(f"{window.at('duration')} {duration!r} is not 1 to 90 whole days; write one such as 30d or 4w")
    return int(rounded)


def _marks(metadata: Section, notes: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return labels and annotations; what Kubernetes does not take as a label becomes an annotation."""
    labels: dict[str, str] = {}
    annotations = {f"{PREFIX}/{key}": text for key, text in notes.items() if text}
    for key, value in metadata.mapping("labels").items():
        texts = [_text(one) for one in value] if isinstance(value, list) else [_text(value)]
        if len(texts) == 1 and VALUE.fullmatch(texts[0]) and not isinstance(value, list):
            labels[str(key)] = texts[0]
        else:
            annotations[f"label.{PREFIX}/{key}"] = ", ".join(texts)
    for key, value in metadata.mapping("annotations").items():
        annotations[str(key)] = _text(value)
    return {key: marks for key, marks in (("labels", labels), ("annotations", annotations)) if marks}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _description(text: str, spec: Section) -> str:
    if len(text) <= MOST_DESCRIPTION:
        return text
    spec.warnings.append(f"{spec.at('description')} is cut to {MOST_DESCRIPTION} characters")
    return text[: MOST_DESCRIPTION - 1] + "…"


def _name(metadata: Section, title: str, number: int, taken: Container[str]) -> str:
    """Return the SLO's name; of several objectives with the display name, or the number where that does not do."""
    name = base = metadata.text("name")
    if number:
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        name = f"{base}-{slug}"
        if not slug or len(name) > 63 or name in taken:
            name = f"{base}-{number}"
    if not re.fullmatch(LABEL_PATTERN, name) or len(name) > 63:
        raise Unreadable(
            f"{metadata.at('name')}: {name!r} is no Kubernetes name; use at most 63 lower-case letters, digits and dashes"
        )
    return name


def _refuse_namesakes(objectives: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for name in (one["metadata"]["name"] for one in objectives):
        if name in seen:
            raise Unreadable(f"two objectives would be named {name!r}; give their SLOs other names")
        seen.add(name)
