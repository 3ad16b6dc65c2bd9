"""Links lead somewhere, decision records are numbered, commands and files that pages name exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from feem.api import KINDS, VERSION
from feem.cli.app import app
from tests.docs.pages import ROOT, Page, page, pages

ADRS = sorted((ROOT / "docs/adr").glob("[0-9]*.md"))
HALF_A_PAGE = 420
"""Words."""


def named(one: Page) -> str:
    return one.name


@pytest.mark.parametrize("one", pages(), ids=named)
def test_links_inside_the_repository_lead_to_a_file_and_a_heading(one: Page) -> None:
    for link in one.links:
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), f"{one.name} links {link}: use https"
            continue
        target, _, anchor = link.partition("#")
        path = (one.path.parent / target).resolve() if target else one.path
        assert path.exists(), f"{one.name} links {link}, which does not exist"
        if anchor:
            assert anchor in page(str(path.relative_to(ROOT))).anchors, f"{one.name} links {link}: no such heading"


def test_decision_records_are_numbered_without_gaps_and_listed() -> None:
    numbers = [int(path.name[:4]) for path in ADRS]
    assert numbers == list(range(1, len(ADRS) + 1))
    index = page("docs/adr/README.md")
    assert [link for link in index.links if re.match(r"[0-9]{4}-", link)] == [path.name for path in ADRS]


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.name)
def test_a_decision_record_says_context_decision_and_consequences_on_half_a_page(path: Path) -> None:
    assert re.fullmatch(r"[0-9]{4}-[a-z0-9-]+\.md", path.name)
    one = page(str(path.relative_to(ROOT)))
    title, *sections = one.headings
    assert title.startswith(f"{path.name[:4]}. ")
    assert sections[:3] == ["Context", "Decision", "Consequences"]
    assert len(one.text.split()) <= HALF_A_PAGE


@pytest.mark.parametrize("one", pages(), ids=named)
def test_every_make_target_that_a_page_names_exists(one: Page) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shell = "\n".join(one.blocks("sh"))
    wanted = re.findall(r"^make ([a-z0-9-]+)", shell, re.MULTILINE)
    wanted += [span.split()[1] for span in one.spans if re.match(r"make [a-z]", span)]
    assert set(wanted) <= targets, f"{one.name} names {sorted(set(wanted) - targets)}"


@pytest.mark.parametrize("one", pages(), ids=named)
def test_every_feem_command_that_a_page_names_exists(one: Page) -> None:
    said = "\n".join([*one.blocks("sh"), *one.blocks("console"), *one.spans])
    for line in re.findall(r"(?:^|\$ |\$\()(?:kubectl )?feem ([a-z][^\n#|]*)", said, re.MULTILINE):
        words = line.split()
        found: Any = get_command(app)
        while words and isinstance(found, TyperGroup) and re.fullmatch(r"[a-z]+(-[a-z]+)*", words[0]):
            assert words[0] in found.commands, f"{one.name} names feem {line}"
            found = found.commands[words.pop(0)]
        options = {option for parameter in found.params for option in parameter.opts} | {"--help"}
        given = {word.partition("=")[0] for word in words if re.match(r"--[a-z]", word)}
        assert given <= options, f"{one.name} gives {sorted(given - options)} to feem {line}"


@pytest.mark.parametrize("one", pages(), ids=named)
def test_every_file_that_a_page_names_exists(one: Page) -> None:
    roots = (ROOT, ROOT / "operator/feem", ROOT / "operator")
    for span in one.spans:
        if not re.fullmatch(r"\.?[\w.-]*(/[\w.-]+)*(/|\.(py|yaml|md|json|toml|txt))", span):
            continue
        assert any((root / span).exists() for root in roots), f"{one.name} names {span}, which does not exist"


@pytest.mark.parametrize("one", pages(), ids=named)
def test_manifests_in_pages_fit_the_api(one: Page) -> None:
    kinds = {kind.definition.kind: kind for kind in KINDS}
    for block in one.blocks("yaml"):
        for body in yaml.safe_load_all(block):
            if isinstance(body, dict) and body.get("apiVersion") == f"feem.dev/{VERSION}":
                kinds[body["kind"]].read(body)


@pytest.mark.parametrize("one", pages(), ids=named)
def test_a_quoted_file_is_quoted_as_it_is(one: Page) -> None:
    for name, block in re.findall(r"<!-- from (\S+) -->\n```\w+\n(.*?)^```$", one.text, re.MULTILINE | re.DOTALL):
        assert block in (ROOT / name).read_text(encoding="utf-8"), f"{one.name} quotes {name} as it no longer is"
