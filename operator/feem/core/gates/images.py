"""Images come from where they may, and cannot change under their name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from feem.api.gate import ImagesGate, Need
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.case import Case

DOCKER = "docker.io"
_DOCKER_NAMES = ("index.docker.io", "registry-1.docker.io")
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?|\[[0-9a-fA-F:]+\](?::[0-9]+)?"
_SEGMENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"(?:(?P<host>{_HOST})/)?(?P<path>{_SEGMENT}(?:/{_SEGMENT})*)")
_REFERENCE = re.compile(
    r"(?P<name>[^@]*?)(?P<tag>:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?"
)


@dataclass(frozen=True)
class Image:
    """Where an image comes from, e.g. `docker.io/library/nginx`, and whether a digest names it."""

    repository: str
    by_digest: bool


def ask(gate: ImagesGate, case: Case) -> Answer:
    """Hold while a container's image breaks the gate's rules; all of them are named."""
    images = case.release.spec.images
    if not images:
        return holds("NoImages", "the release names no images; " + case.again, "images unknown")
    faults = [
        (container.name, container.image, word, text)
        for container in images
        for word, text in _faults(container.image, gate)
    ]
    if not faults:
        return passes("ImagesAllowed", "every image comes from where it may and is named as it has to be")
    said = "; ".join(f"container {name}: {image} {text}" for name, image, _, text in faults)
    return holds(
        faults[0][2],
        f"{said}; name each image as the gate asks in the Deployment, which requests the change anew",
        "images: " + ", ".join(dict.fromkeys(name for name, *_ in faults)),
    )


def _faults(text: str, gate: ImagesGate) -> Iterator[tuple[str, str]]:
    image = parse(text)
    if image is None:
        yield "ImageMalformed", "is no image name that FEEM can read"
        return
    if gate.digests is Need.REQUIRED and not image.by_digest:
        yield "ImageNotByDigest", "is not named by digest: write name@sha256:…"
    if gate.registries and not _comes_from(image.repository, gate.registries):
        yield "RegistryNotAllowed", f"is not from {' or '.join(gate.registries)}"


def parse(text: str) -> Image | None:
    """Read an image name as container runtimes do (distribution's reference grammar, with Docker's short names); None: it is none."""
    reference = _REFERENCE.fullmatch(text)
    name = _NAME.fullmatch(reference["name"]) if reference is not None else None
    if reference is None or name is None:
        return None
    host, path = name["host"] or "", name["path"]
    if host and not _is_registry(host):
        if not re.fullmatch(_SEGMENT, host):
            return None
        host, path = "", f"{host}/{path}"
    host = _host(host or DOCKER)
    if host == DOCKER and "/" not in path:
        path = f"library/{path}"
    return Image(f"{host}/{path}", reference["digest"] is not None)


def _is_registry(segment: str) -> bool:
    return "." in segment or ":" in segment or segment == "localhost" or segment != segment.lower()


def _host(host: str) -> str:
    """Hosts are the same whatever the case of their letters, and Docker's registry has more names than one."""
    lower = host.lower()
    return DOCKER if lower in _DOCKER_NAMES else lower


def _comes_from(repository: str, registries: Sequence[str]) -> bool:
    return any(f"{repository}/".startswith(f"{_prefix(entry)}/") for entry in registries)


def _prefix(entry: str) -> str:
    """Return what repositories begin with; an entry that names no registry is meant to be Docker's, as in an image name."""
    host, slash, path = entry.strip().strip("/").partition("/")
    if not _is_registry(host):
        return f"{DOCKER}/{host}{slash}{path}"
    return f"{_host(host)}{slash}{path}"
