"""A headless browser of Debian's, and what its pictures show: read without any library."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from e2e.cluster.commands import which
from e2e.cluster.packages import require

FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
LATIN = Path("/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
ITS_OWN = ("google.com", "googleapis.com", "gvt1.com")
"""Whom the browser itself would like to ask, whatever page it shows; here it finds nobody."""
SECONDS = 120


def install() -> None:
    """Install browser and fonts where they are missing; raises ClusterError with the command where that is not allowed."""
    wanted = [] if which("chromium") else ["chromium"]
    wanted += [] if FONT.is_file() else ["fonts-wqy-microhei"]
    wanted += [] if LATIN.is_file() else ["fonts-liberation"]
    require(wanted, print)


def browse(page: Path, *flags: str) -> str:
    """Show a page in a browser that knows nothing yet; returns what it prints."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = ["chromium", *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS)
        return done.stdout


def requests_of(page: Path, folder: Path) -> set[str]:
    """Show a page and return the addresses it asked for, whether or not there was an answer."""
    log = folder / f"{page.stem}.netlog.json"
    browse(page, f"--log-net-log={log}", f"--screenshot={folder / 'unused.png'}")
    found = json.loads(_whole(log.read_text(encoding="utf-8")))
    asked = {event["params"]["url"] for event in found["events"] if "url" in event.get("params", {})}
    return {url for url in asked if not (urlsplit(url).hostname or "").endswith(ITS_OWN)}


def _whole(log: str) -> str:
    """Return a log that is closed, also where the browser did not have the time to do it."""
    return log if log.rstrip().endswith("}") else log.rstrip().rstrip(",") + "]}"


@dataclass(frozen=True)
class Picture:
    """Pixels, row by row, `depth` bytes each, red first."""

    width: int
    height: int
    depth: int
    rows: tuple[bytes, ...]

    def grey(self, block: int) -> list[list[float]]:
        """The picture in squares of `block` pixels: how bright the green of each is on average, from 0 to 255."""
        found = []
        for top in range(0, self.height - block + 1, block):
            lines = [row[1 :: self.depth] for row in self.rows[top : top + block]]
            found.append(
                [
                    sum(sum(line[left : left + block]) for line in lines) / block**2
                    for left in range(0, self.width - block + 1, block)
                ]
            )
        return found

    def is_blank(self, left: int, right: int) -> bool:
        """Whether all pixels of these columns are white."""
        white = b"\xff" * (right - left) * self.depth
        return all(row[left * self.depth : right * self.depth] == white for row in self.rows)

    @property
    def inked(self) -> int:
        """How many rows there are until the last one that is not blank."""
        white = b"\xff" * self.width * self.depth
        return max((number for number, row in enumerate(self.rows, start=1) if row != white), default=0)


def difference(one: Picture, other: Picture, block: int = 24) -> float:
    """How much two pictures differ in the brightness of their squares, on average, from 0 to 255."""
    pairs = [
        abs(mine - theirs)
        for row, its in zip(one.grey(block), other.grey(block), strict=False)
        for mine, theirs in zip(row, its, strict=False)
    ]
    return sum(pairs) / len(pairs)


def picture(path: Path) -> Picture:
    """Read a PNG as browsers write it: 8 bits a channel, not interlaced; raises ValueError for any other."""
    data = path.read_bytes()
    width, height, bits, kind, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if bits != 8 or kind not in (2, 6) or interlaced:
        raise ValueError(f"{path} is no PNG of 8 bits a channel")
    packed, at = bytearray(), 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += length + 12
    depth = 3 if kind == 2 else 4
    return Picture(width, height, depth, tuple(_rows(zlib.decompress(packed), width * depth, depth)))


def _rows(raw: bytes, length: int, depth: int) -> list[bytes]:
    rows, above = list[bytes](), bytes(length)
    for at in range(0, len(raw), length + 1):
        above = _unfiltered(raw[at], bytearray(raw[at + 1 : at + 1 + length]), above, depth)
        rows.append(above)
    return rows


def _unfiltered(kind: int, row: bytearray, above: bytes, depth: int) -> bytes:
    """Undo the filter of one row (PNG, section 9.2)."""
    if kind == 1:
        for at in range(depth, len(row)):
            row[at] = (row[at] + row[at - depth]) & 255
    elif kind == 2:
        return bytes([(own + up) & 255 for own, up in zip(row, above, strict=True)])
    elif kind == 3:
        for at in range(len(row)):
            left = row[at - depth] if at >= depth else 0
            row[at] = (row[at] + (left + above[at]) // 2) & 255
    elif kind == 4:
        for at in range(len(row)):
            left, corner = (row[at - depth], above[at - depth]) if at >= depth else (0, 0)
            row[at] = (row[at] + _paeth(left, above[at], corner)) & 255
    return bytes(row)


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    apart = abs(estimate - left), abs(estimate - up), abs(estimate - corner)
    if apart[0] <= apart[1] and apart[0] <= apart[2]:
        return left
    return up if apart[1] <= apart[2] else corner


def pages_of(pdf: Path) -> int:
    """How many pages a PDF of the browser's has."""
    return len(re.findall(rb"/Type /Page\b(?!s)", pdf.read_bytes()))
