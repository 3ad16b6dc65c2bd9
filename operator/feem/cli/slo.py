"""`feem slo …`: objectives from OpenSLO, and objectives as rules of Prometheus."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import ValidationError

from feem.adapters.prometheus.burning import roles_of
from feem.adapters.prometheus.parsing import UnusableQuery
from feem.adapters.prometheus.parts import parts_of
from feem.adapters.prometheus.selector import Selector, of_namespace
from feem.api import API_VERSION
from feem.api.objective import ServiceLevelObjective
from feem.cli.cluster import Body, connect
from feem.cli.options import Context, Kubeconfig, Namespace
from feem.cli.problem import Problem
from feem.core.slo.document import Unreadable
from feem.core.slo.openslo import read
from feem.core.slo.rules import Counter, Counters, NoBudget, groups, prometheus_rule, silent

slo = typer.Typer(
    no_args_is_help=True, help="Read objectives written as OpenSLO; write objectives as Prometheus rules."
)

OBJECTIVES = "servicelevelobjectives.feem.dev"
KIND = "ServiceLevelObjective"


class Form(StrEnum):
    """What rules are written for."""

    OPERATOR = "operator"
    PROMETHEUS = "prometheus"


@slo.command("import")
def import_openslo(
    file: Annotated[Path, typer.Argument(help="OpenSLO v1 documents, as YAML; - is standard input.")],
    namespace: Namespace = None,
) -> None:
    """Print OpenSLO v1 documents as ServiceLevelObjectives, for kubectl apply; no cluster is needed."""
    try:
        reading = read(documents(file), namespace or "")
    except Unreadable as odd:
        raise Problem(_named(file), str(odd)) from odd
    for warning in reading.warnings:
        _warn(warning)
    for body in reading.objectives:
        try:
            parts_of(objective(body).spec.indicator)
        except UnusableQuery as unusable:
            _warn(f"{body['metadata']['name']}: FEEM will not accept it before it is mended: {unusable}")
    _write(list(reading.objectives))


@slo.command("rules")
def write_rules(
    name: Annotated[str | None, typer.Argument(help="An objective; without it, all of the namespace or file.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="Manifests instead of the cluster; - is standard input.", show_default=False),
    ] = None,
    form: Annotated[
        Form,
        typer.Option("--format", help="A PrometheusRule for the Prometheus Operator, or a rule file of Prometheus."),
    ] = Form.OPERATOR,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="KEY=VALUE", help="A label of the PrometheusRule; repeatable."),
    ] = None,
    runbook_url: Annotated[str, typer.Option("--runbook-url", help="Where the alerts say what to do.")] = "",
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Print recording rules, and alerts of burn rates, for objectives that have an error budget."""
    labels = dict(_pair(text) for text in label or ())
    found = _from_file(file, namespace, name) if file else _from_cluster(name, namespace, context, kubeconfig)
    written: list[Body] = []
    for one in found:
        try:
            counters = _counters(one)
            for selector in _patterns(counters):
                _warn(
                    f"{_place(one)}: {selector}: Prometheus refuses a rate over several names at once; join them with or"
                )
            if form is Form.OPERATOR:
                written.append(prometheus_rule(one, counters, labels, runbook_url))
            else:
                written += groups(one, counters, runbook_url)
            if out := silent(one):
                _warn(f"{_place(one)}: {out}")
        except NoBudget as none:
            if len(found) == 1:
                raise Problem(_place(one), str(none)) from none
            _warn(f"{_place(one)} is left out: {none}")
        except UnusableQuery as unusable:
            raise Problem(_place(one), str(unusable), "mend the query; docs/slo.md shows each kind") from unusable
    if not written:
        raise Problem("rules", "none of these objectives has an error budget", "give one with ratio or latency")
    _write(written if form is Form.OPERATOR else [{"groups": written}])


def documents(file: Path) -> list[Any]:
    """Read all documents of a YAML file; raises Problem."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        return list(yaml.safe_load_all(text))
    except OSError as missing:
        raise Problem(_named(file), str(missing.strerror), "give a file, or - for standard input") from missing
    except (yaml.YAMLError, UnicodeDecodeError) as broken:
        raise Problem(_named(file), f"it is not YAML: {' '.join(str(broken).split())}") from broken


def objective(body: Body) -> ServiceLevelObjective:
    """Read an objective; raises Problem that names the field."""
    try:
        return ServiceLevelObjective.read(body)
    except ValidationError as odd:
        first = odd.errors()[0]
        metadata = body.get("metadata")
        name = metadata.get("name", "") if isinstance(metadata, dict) else ""
        where = ".".join(str(part) for part in first["loc"])
        raise Problem(f"{KIND} {name}".strip(), f"{where}: {first['msg']}", "mend this field") from odd


def _from_cluster(
    name: str | None, namespace: str | None, context: str | None, kubeconfig: str | None
) -> list[ServiceLevelObjective]:
    cluster = connect(kubeconfig, context, namespace)
    if name:
        return [objective(cluster.get(OBJECTIVES, cluster.namespace, name))]
    found = [objective(body) for body in cluster.list(OBJECTIVES, cluster.namespace)]
    if not found:
        raise Problem(f"namespace {cluster.namespace}", "it has no ServiceLevelObjective", "kubectl get slo -A")
    return sorted(found, key=lambda one: one.metadata.name)


def _from_file(file: Path, namespace: str | None, name: str | None) -> list[ServiceLevelObjective]:
    bodies = [
        body for body in _items(documents(file)) if (body.get("apiVersion"), body.get("kind")) == (API_VERSION, KIND)
    ]
    found = [_placed(objective(body), namespace) for body in bodies]
    if name:
        found = [one for one in found if one.metadata.name == name]
    if not found:
        said = f"it has no {KIND}{f' {name}' if name else ''}"
        raise Problem(_named(file), said, "OpenSLO is read by: feem slo import FILE")
    return found


def _items(bodies: list[Any]) -> Iterator[Body]:
    """Yield objects, those of lists one by one."""
    for body in bodies:
        if not isinstance(body, dict):
            continue
        if body.get("kind") == "List":
            yield from _items(body.get("items") or [])
        else:
            yield body


def _placed(one: ServiceLevelObjective, namespace: str | None) -> ServiceLevelObjective:
    """The rules count a namespace's events, so an objective needs one; raises Problem."""
    own = one.metadata.namespace
    if own and namespace and own != namespace:
        raise Problem(_place(one), f"its namespace is not {namespace}", "leave out -n")
    if not own and not namespace:
        raise Problem(f"{KIND} {one.metadata.name}", "it names no namespace", "give one with -n")
    return one.model_copy(update={"metadata": one.metadata.model_copy(update={"namespace": own or namespace})})


def _counters(one: ServiceLevelObjective) -> Counters:
    """Return an objective's selectors, narrowed by the parser to its namespace; raises UnusableQuery, NoBudget."""
    indicator = one.spec.indicator
    if indicator.ratio is None and indicator.latency is None:
        return Counters(())
    roles = roles_of(indicator, of_namespace(one.metadata.namespace))
    return Counters(**{role: tuple(map(_counter, selectors)) for role, selectors in roles.items()})


def _counter(selector: Selector) -> Counter:
    return Counter(str(selector), str(selector.name))


def _patterns(counters: Counters) -> list[str]:
    """Return the selectors that give the metric's name as a pattern."""
    every = (*counters.total, *counters.bad, *counters.good)
    return [one.selector for one in every if one.metric.startswith("__name__=~")]


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise Problem(f"--label {text}", "it has no key and value", "write it as --label release=prometheus")
    return key, value


def _write(bodies: list[Body]) -> None:
    typer.echo(
        yaml.dump_all(bodies, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True, explicit_start=True),
        nl=False,
    )


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as people would, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - it is the base's signature
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _place(one: ServiceLevelObjective) -> str:
    return f"{KIND} {one.metadata.namespace}/{one.metadata.name}"


def _named(file: Path) -> str:
    return "standard input" if str(file) == "-" else f"file {file}"


def _warn(text: str) -> None:
    typer.echo(f"warning: {text}", err=True)
