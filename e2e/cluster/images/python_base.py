"""A Python base image from Debian packages, under the name Dockerfiles use, for machines without a registry."""

from __future__ import annotations

import importlib.util
import marshal
import re
import zipfile
from typing import TYPE_CHECKING

from e2e.cluster.images import debian
from e2e.cluster.images.archive import Entry, Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MAGIC_OF_3_11 = (3495).to_bytes(2, "little") + b"\r\n"
UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552: bound to the source's hash, which is not checked again
PACKAGES = (
    "python3.11-minimal",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libc6",
    "libgcc-s1",
    "libstdc++6",
    "libexpat1",
    "zlib1g",
    "libssl3",
    "libffi8",
    "libbz2-1.0",
    "liblzma5",
    "libuuid1",
    "libsqlite3-0",
    "busybox-static",
    "netbase",
    "ca-certificates",
)
UNWANTED = (
    r"^usr/share/(doc|man|locale|lintian|bug|python3|applications|pixmaps|menu)/|/gconv/|/EXTERNALLY-MANAGED$"
    r"|^usr/lib/python3\.11/(test|idlelib|tkinter|lib2to3|ensurepip|turtledemo|pydoc_data|distutils/command/.*\.exe)"
)
APPLETS = """
    awk basename cat chmod chown cp cut date df dirname du echo env expr false find grep gunzip gzip head hostname id
    install ip kill ln ls mkdir mktemp mv nslookup od ping printf ps pwd readlink realpath rm rmdir sed seq sh sleep
    sort stat tail tar tee test touch tr true uname uniq vi wc wget which whoami xargs
"""
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
    "nonroot:x:65532:65532:nonroot:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\nnonroot:x:65532:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
SITE = "usr/local/lib/python3.11/dist-packages"
PIP = b"#!/usr/local/bin/python3\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"


def compose(name: str, inputs: Mapping[str, Path]) -> Image:
    """Put the base image together from the packages' files and pip's wheel."""
    files = [entry for package in PACKAGES for entry in debian.entries(inputs[package], drop=UNWANTED)]
    files += [*debian.merged_links(), *accounts(), *_certificates(files), *_commands(), *_pip(inputs["pip"])]
    files += list(_compiled(files))
    return Image(
        name=name,
        layers=(tuple(files),),
        command=("python3",),
        environment=("PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"),
    )


def accounts() -> Iterator[Entry]:
    """Yield the files and folders that any process expects of a root file system."""
    for path, text in ACCOUNTS.items():
        yield Entry(path, text.encode())
    yield Entry("tmp", mode=0o1777)
    yield Entry("root", mode=0o700)
    for path in ("proc", "sys", "dev", "run", "var/tmp", "app"):
        yield Entry(path, mode=0o755)


def _commands() -> Iterator[Entry]:
    for applet in APPLETS.split():
        yield Entry(f"usr/bin/{applet}", link="busybox")
    for name in ("python", "python3", "python3.11"):
        yield Entry(f"usr/local/bin/{name}", link="/usr/bin/python3.11")
    yield Entry("usr/bin/python3", link="python3.11")
    for name in ("pip", "pip3"):
        yield Entry(f"usr/local/bin/{name}", PIP, mode=0o755)


def _certificates(files: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the bundle that the package's own script would write when it is installed."""
    chosen = sorted((entry for entry in files if entry.path.endswith(".crt")), key=lambda entry: entry.path)
    bundle = b"".join(entry.content for entry in chosen if isinstance(entry.content, bytes))
    yield Entry("etc/ssl/certs/ca-certificates.crt", bundle)
    yield Entry("usr/lib/ssl/cert.pem", link="/etc/ssl/certs/ca-certificates.crt")


def _pip(wheel: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not name.endswith("/") and not name.endswith(".exe"):
                yield Entry(f"{SITE}/{name}", archive.read(name))


def _compiled(files: Iterable[Entry]) -> Iterator[Entry]:
    """Yield byte code for the standard library and pip, since a read-only root never keeps what Python compiles.

    It carries no times. Nothing is yielded when this interpreter's byte
    code is not that of the image's Python: the image then only starts slower.
    """
    if importlib.util.MAGIC_NUMBER != MAGIC_OF_3_11:
        return
    for entry in files:
        match = re.fullmatch(r"(.*/)([^/]+)\.py", entry.path)
        if match and isinstance(entry.content, bytes):
            code = compile(entry.content, f"/{entry.path}", "exec", dont_inherit=True)
            head = MAGIC_OF_3_11 + UNCHECKED_HASH + importlib.util.source_hash(entry.content)
            yield Entry(f"{match[1]}__pycache__/{match[2]}.cpython-311.pyc", head + marshal.dumps(code))
