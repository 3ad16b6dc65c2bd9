"""Shows the report in a real browser: nothing is cut off, fetched or missing, and it still looks as in the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.cluster.context import ClusterError
from feem.view.report.page import render
from tests.report.browser import Picture, browse, difference, install, pages_of, picture, requests_of
from tests.report.fixture import Pack, pack

pytestmark = pytest.mark.integration
SHOWN = Path(__file__).parents[2] / "docs" / "images" / "evidence-report.png"
WIDTH, HEIGHT, WHOLE = 1200, 2750, 7400
"""Pixels: of the picture in the documentation, and more than the whole page needs."""
MARGIN = 60
ALIKE = 3.0
"""Of 255: fonts of other versions may place a letter elsewhere; another release is 7 apart."""


@pytest.fixture(scope="session", autouse=True)
def browser() -> None:
    try:
        install()
    except ClusterError as refused:
        pytest.skip(str(refused))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def page(folder: Path) -> Path:
    return written(folder / "report.html", pack())


def written(path: Path, one: Pack) -> Path:
    text = render(one.dossier, one.records, one.samples, one.checkpoint, one.verdict)
    path.write_text(text, encoding="utf-8")
    return path


def shot(page: Path, height: int, width: int = WIDTH, *flags: str) -> Picture:
    path = page.with_suffix(f".{width}x{height}.png")
    browse(page, f"--window-size={width},{height}", f"--screenshot={path}", *flags)
    return picture(path)


def test_it_still_looks_as_in_the_documentation(page: Path, folder: Path) -> None:
    """The picture is made anew by copying the one that the message names, after looking at it."""
    seen = shot(page, HEIGHT)
    assert (seen.width, seen.height) == (WIDTH, HEIGHT)
    kept = picture(SHOWN)
    assert (kept.width, kept.height) == (WIDTH, HEIGHT)
    apart = difference(seen, kept)
    assert apart < ALIKE, f"{apart:.2f} apart from {SHOWN.name}; see {page.with_suffix(f'.{WIDTH}x{HEIGHT}.png')}"
    other = shot(written(folder / "promoted.html", pack(good=True)), HEIGHT)
    assert difference(other, kept) > ALIKE


def test_nothing_is_cut_off_at_the_right_nor_at_the_end(page: Path) -> None:
    whole = shot(page, WHOLE)
    assert whole.is_blank(WIDTH - MARGIN, WIDTH)
    assert whole.is_blank(0, MARGIN)
    assert HEIGHT < whole.inked < WHOLE


@pytest.mark.parametrize("letter", ["x", "\u8bc1", "\u05d0", "\u202e"])
def test_long_words_do_not_leave_their_place(folder: Path, letter: str) -> None:
    """A pack of names that nobody can break: everything stays within the margins."""
    one = pack()
    release = {**one.dossier["release"], "name": letter * 253, "service": letter * 63, "requestedBy": letter * 500}
    dossier = {**one.dossier, "release": release, "result": {**one.dossier["result"], "reason": letter * 128}}
    for part in ("gates", "decisions", "objectives", "verdicts"):
        dossier[part] = [{name: _long(value, letter) for name, value in item.items()} for item in dossier[part]]
    records = [{name: _long(value, letter) for name, value in record.items()} for record in one.records]
    seen = shot(written(folder / f"long-{ord(letter)}.html", Pack(dossier, records, [], one.checkpoint)), WHOLE)
    assert seen.is_blank(WIDTH - MARGIN, WIDTH)
    assert seen.is_blank(0, MARGIN)


def _long(value: object, letter: str) -> object:
    return letter * 300 if isinstance(value, str) else value


def test_it_asks_nobody_for_anything(page: Path, folder: Path) -> None:
    assert requests_of(page, folder) == set()
    seen = folder / "control.html"
    seen.write_text('<img src="http://127.0.0.1:9/picture.png">', encoding="utf-8")
    assert requests_of(seen, folder) == {"http://127.0.0.1:9/picture.png"}  # such a request would have been noticed


def test_the_browser_reads_what_stands_in_it(page: Path) -> None:
    document = browse(page, "--dump-dom")
    for text in (
        "limit-scoring-7",
        "RolledBack",
        "\u5df2\u56de\u9000",
        "Approvals and decisions",
        "\u5ba1\u6279",
        "MixShifted",
        "ML-DSA-44",
    ):
        assert text in document
    assert document.rstrip().endswith("</html>")


def test_it_prints(page: Path, folder: Path) -> None:
    paper = folder / "report.pdf"
    browse(page, "--no-pdf-header-footer", f"--print-to-pdf={paper}")
    assert paper.read_bytes().startswith(b"%PDF-")
    assert 4 <= pages_of(paper) <= 8
