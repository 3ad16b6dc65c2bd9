"""Manifests of the stack: our own files, and Envoy Gateway's from the Go module that ships them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from e2e.cluster import binaries, versions
from e2e.cluster.binaries.toolchain import ensure_go
from e2e.cluster.commands import run
from e2e.cluster.context import ClusterError, Say
from e2e.cluster.images.names import IMAGES
from e2e.cluster.locks import file_lock

Manifest = dict[str, Any]
MANIFESTS = Path(__file__).parent / "manifests"
MODULE = "github.com/envoyproxy/gateway"
NAMESPACE = "envoy-gateway-system"
VALUES = {
    "crds.enabled": "false",
    "topologyInjector.enabled": "false",
    "global.images.envoyProxy.image": IMAGES["envoy"],
    "global.images.envoyProxy.pullPolicy": "IfNotPresent",
    "deployment.envoyGateway.readinessProbe.periodSeconds": "1",
    "deployment.envoyGateway.resources.requests.cpu": "10m",
    "deployment.envoyGateway.resources.requests.memory": "64Mi",
}


def own(name: str) -> list[Manifest]:
    """Read one of our own manifest files; an image written `stack/<name>` becomes the name it is published under."""
    documents: list[Manifest] = list(yaml.safe_load_all((MANIFESTS / f"{name}.yaml").read_text()))
    for document in documents:
        _name_images(document)
    return documents


def gateway_crds(cache: Path, say: Say) -> Path:
    """Give a file with the CRDs of Gateway API and Envoy Gateway, without descriptions: a third of the size."""
    return _rendered("gateway-crds", cache, say, _render_crds)


def gateway_controller(cache: Path, say: Say) -> Path:
    """Give a file with Envoy Gateway itself, rendered by helm from its own chart."""
    return _rendered("gateway-controller", cache, say, _render_controller)


def without_descriptions(value: Any, *, names_fields: bool = False) -> Any:
    """Drop every description of a schema, but no field that happens to be called so (those stand in `properties`)."""
    if isinstance(value, list):
        return [without_descriptions(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {name: part for name, part in value.items() if names_fields or name != "description"}
    inside = {name: name == "properties" and not names_fields for name in kept}
    return {name: without_descriptions(part, names_fields=inside[name]) for name, part in kept.items()}


def dump(documents: Iterable[Manifest]) -> str:
    """Write manifests as one YAML stream."""
    return yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False, width=4096)


def _rendered(name: str, cache: Path, say: Say, render: Any) -> Path:
    """Render once for each version, values and code."""
    words = [versions.ENVOY_GATEWAY_VERSION, json.dumps(VALUES), *IMAGES.values(), Path(__file__).read_text()]
    key = hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
    target = cache / "manifests" / f"{name}-{versions.ENVOY_GATEWAY_VERSION}-{key}.yaml"
    with file_lock(cache / "locks" / "manifests.lock", say, "the gateway's manifests"):
        if not target.exists():
            say(f"rendering {name} {versions.ENVOY_GATEWAY_VERSION}")
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_suffix(".partial")
            partial.write_text(dump(render(_charts(cache, say), cache, say)))
            partial.rename(target)
    return target


def _charts(cache: Path, say: Say) -> Path:
    go = ensure_go(cache, say)
    command: list[str | Path] = [go, "mod", "download", "-json", f"{MODULE}@{versions.ENVOY_GATEWAY_VERSION}"]
    found = run(command, cwd=cache, next_step="Check that Go reaches its module proxy (`go env GOPROXY`).")
    return Path(json.loads(found)["Dir"]) / "charts"


def _render_crds(charts: Path, cache: Path, say: Say) -> Iterator[Manifest]:
    del cache, say
    files = sorted((charts / "gateway-helm" / "charts" / "crds" / "crds").rglob("*.yaml"))
    if not files:
        raise ClusterError(f"{MODULE} {versions.ENVOY_GATEWAY_VERSION} ships no CRDs where they were: adapt the path")
    for file in files:
        for document in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):
            if document and document["kind"] == "CustomResourceDefinition":
                document.pop("status", None)
                yield without_descriptions(document)


def _render_controller(charts: Path, cache: Path, say: Say) -> Iterator[Manifest]:
    helm = binaries.ensure(["helm"], cache, say)["helm"]
    with tempfile.TemporaryDirectory(dir=cache, prefix=".chart-") as folder:
        chart = Path(folder) / "gateway-helm"
        shutil.copytree(charts / "gateway-helm", chart, copy_function=shutil.copyfile)
        for path in (chart, *chart.rglob("*")):  # the module cache is read-only
            path.chmod(0o755 if path.is_dir() else 0o644)
        values = (chart / "values.tmpl.yaml").read_text()
        filled = {"${GatewayImage}": IMAGES["envoy-gateway"], "${GatewayImagePullPolicy}": "IfNotPresent"}
        for placeholder, text in filled.items():
            values = values.replace(placeholder, text)
        (chart / "values.yaml").write_text(values)
        settings = [word for name, value in VALUES.items() for word in ("--set", f"{name}={value}")]
        command: list[str | Path] = [
            helm,
            "template",
            "eg",
            chart,
            f"--namespace={NAMESPACE}",
            "--skip-crds",
            *settings,
        ]
        rendered = run(command, next_step="Check the chart's values in e2e/cluster/stack/rendering.py.")
    yield from (document for document in yaml.safe_load_all(rendered) if document)


def _name_images(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _name_images(item)
    elif isinstance(value, dict):
        image = value.get("image")
        if isinstance(image, str) and image.startswith("stack/"):
            value["image"] = IMAGES[image.removeprefix("stack/")]
        for part in value.values():
            _name_images(part)
