"""Write container images as docker-archives, without any container tool and the same bytes for the same input."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CHUNK = 1 << 20
DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Entry:
    """One file, symbolic link or (with neither content nor link) directory of an image; `path` has no leading slash."""

    path: str
    content: bytes | Path | None = None
    link: str | None = None
    mode: int = 0o644

    def size(self) -> int:
        """Give the size of the content in bytes."""
        if isinstance(self.content, Path):
            return self.content.stat().st_size
        return len(self.content or b"")


@dataclass(frozen=True)
class Image:
    """What an image is: its full name with tag, its files in layers from the lowest up, and how it starts."""

    name: str
    layers: tuple[tuple[Entry, ...], ...]
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = (DEFAULT_PATH,)
    user: str = ""
    labels: dict[str, str] = field(default_factory=dict)


def architecture() -> str:
    """Give this machine's architecture in the registry's spelling; raises KeyError's plain cousin for others."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise ValueError(f"{machine}: images are made for {' and '.join(ARCHITECTURES)} only; use the kind backend")
    return ARCHITECTURES[machine]


def digest(path: Path) -> str:
    """Give the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(image: Image, target: Path) -> Path:
    """Write `image` to `target` under a temporary name first, so that a killed build leaves no half archive."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-") as folder:
        scratch = Path(folder)
        layers = [write_layer(entries, scratch / f"{number}.tar") for number, entries in enumerate(image.layers)]
        config = _json(_config(image, [name for name, _ in layers]))
        config_name = f"{hashlib.sha256(config).hexdigest()}.json"
        blobs = [f"{name}.tar" for name, _ in layers]
        manifest = _json([{"Config": config_name, "RepoTags": [image.name], "Layers": blobs}])
        archive = scratch / "archive.tar"
        with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
            _add(tar, Entry("manifest.json", manifest))
            _add(tar, Entry(config_name, config))
            for name, path in dict(layers).items():
                _add(tar, Entry(f"{name}.tar", path))
        archive.rename(target)
    return target


def write_layer(entries: Iterable[Entry], target: Path) -> tuple[str, Path]:
    """Write one layer, sorted, owned by root, without times, parents included; return its digest and path.

    Of two entries with one path the later wins.
    """
    chosen = {entry.path.strip("/"): entry for entry in entries}
    for path in list(chosen):
        for parent in list(PurePosixPath(path).parents)[:-1]:
            chosen.setdefault(str(parent), Entry(str(parent), mode=0o755))
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(chosen):
            _add(tar, chosen[path])
    return digest(target), target


def read_names(archive: Path) -> tuple[str, ...]:
    """Give the names with tags that a docker-archive holds."""
    return tuple(_read_json(archive, "manifest.json")[0]["RepoTags"] or ())


def read_config(archive: Path) -> Any:
    """Give the configuration of the image in a docker-archive, as JSON."""
    return _read_json(archive, _read_json(archive, "manifest.json")[0]["Config"])


def _read_json(archive: Path, name: str) -> Any:
    with tarfile.open(archive) as tar:
        file = tar.extractfile(name)
        if file is None:
            raise ValueError(f"{archive}: {name} is no file; delete the archive and run again")
        return json.load(file)


def tree(folder: Path, prefix: str) -> Iterator[Entry]:
    """Give all files below `folder` as entries below `prefix`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            yield Entry(f"{prefix}/{path.relative_to(folder)}", path, mode=mode)


def _config(image: Image, layers: list[str]) -> dict[str, Any]:
    process: dict[str, Any] = {"Env": list(image.environment)}
    chosen = {"Entrypoint": image.entrypoint, "Cmd": image.command, "User": image.user, "Labels": image.labels}
    process |= {name: value for name, value in chosen.items() if value}
    return {
        "architecture": architecture(),
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": process,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{name}" for name in layers]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "feem e2e.cluster.images"} for _ in layers],
    }


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    info = tarfile.TarInfo(entry.path.strip("/"))
    info.mode = entry.mode
    if entry.link is not None:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, entry.link, 0o777
        tar.addfile(info)
    elif entry.content is None:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    else:
        info.size = entry.size()
        with entry.content.open("rb") if isinstance(entry.content, Path) else io.BytesIO(entry.content) as file:
            tar.addfile(info, file)


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
