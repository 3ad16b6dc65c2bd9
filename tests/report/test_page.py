"""Proves that the report shows a pack whole, fetches nothing, lets nothing of the pack act as markup, and does without any part."""

from __future__ import annotations

import copy
import html
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from feem.cli.app import app
from feem.view.report.page import render
from feem.view.report.words import LABELS
from tests.report.fixture import Pack, pack, poisoned
from tests.report.html import Reading

SECTIONS = ("timeline", "objectives", "gates", "approvals", "change", "records", "audit", "verify")
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&lt;"
HIDDEN = "\u202egnp.\u2066\u200b\x00\x1b[31m\x7f\ufeff\u00ad\U000e0041\u3164"
CJK = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module", params=[False, True], ids=["rolled back", "promoted"])
def given_pack(request: pytest.FixtureRequest) -> Pack:
    return pack(good=request.param)


def shown(one: Pack, **changes: Any) -> str:
    parts = {
        "dossier": one.dossier,
        "records": one.records,
        "samples": one.samples,
        "checkpoint": one.checkpoint,
        "verdict": one.verdict,
    }
    return render(**{**parts, **changes})


def test_the_same_pack_gives_the_same_bytes_and_is_left_as_it_was(given_pack: Pack) -> None:
    before = copy.deepcopy(given_pack)
    assert shown(given_pack) == shown(given_pack) == shown(copy.deepcopy(given_pack))
    assert given_pack == before


def test_it_is_well_formed(given_pack: Pack) -> None:
    document = shown(given_pack)
    assert document.startswith("<!doctype html>")
    assert Reading(document).problems == []


def test_it_fetches_nothing_and_runs_nothing(given_pack: Pack) -> None:
    document = shown(given_pack)
    read = Reading(document)
    assert not {tag for tag, _ in read.tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "use",
    }
    for tag, attributes in read.tags:
        assert not {
            name for name in attributes if name.startswith("on") or name in ("src", "href", "xlink:href", "srcset")
        }, tag
    assert not re.search(r"url\(|@import|@font-face|https?://|expression\(", document)
    policy = [attributes["content"] for tag, attributes in read.tags if tag == "meta" and "http-equiv" in attributes]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_every_section_and_label_is_in_both_languages(given_pack: Pack) -> None:
    document = shown(given_pack)
    assert re.findall(r'<section id="(\w+)">', document) == list(SECTIONS)
    cells = r'<t[hd][^>]*>(?:<strong>)?([A-Z][^<]* <span class="zh".*?)</t[hd]>'
    headings = re.findall(r"<h2>(.*?)</h2>", document) + re.findall(cells, document)
    headings += re.findall(r"<dt>(.*?)</dt>", document)
    assert len(headings) > 40
    assert [one for one in headings if not CJK.search(one)] == []
    assert all(CJK.search(chinese) and not CJK.search(english) for english, chinese in LABELS.values())


def test_everything_that_happened_is_in_it(given_pack: Pack) -> None:
    text = Reading(shown(given_pack)).text
    dossier = given_pack.dossier
    release = dossier["release"]
    wanted = [release[name] for name in ("uid", "digest", "requestedBy", "author", "service")]
    wanted += [given_pack.verdict, dossier["result"]["reason"], *(one["reason"] for one in dossier["decisions"])]
    wanted += [gate[name] for gate in dossier["gates"] for name in ("name", "message", "reason")]
    wanted += [verdict["message"] for verdict in dossier["verdicts"]]
    wanted += [record["message"] for record in given_pack.records]
    wanted += [effect for record in given_pack.records for effect in record["effects"]]
    wanted += [dossier["samples"][0]["sha256"], dossier["samples"][0]["digest"], "same verdicts, same digest"]
    for one in wanted:
        assert " ".join(one.split()) in text, one


def test_records_stand_in_order_with_their_index_and_time(given_pack: Pack) -> None:
    table = shown(given_pack).split('<table class="records">')[1].split("</table>")[0]
    indexes = [int(one) for one in re.findall(r'<tr><td class="right"><bdi>(\d+)</bdi>', table)]
    assert indexes == [record["index"] for record in given_pack.records]
    first = given_pack.records[0]["time"]
    assert f"{first[:10]} {first[11:23]}" in table


def test_the_checkpoint_is_shown_with_its_signers(given_pack: Pack) -> None:
    text = Reading(shown(given_pack)).text
    origin, size, root = given_pack.checkpoint.split("\n")[:3]
    for one in (origin, size, root, "Ed25519", "ML-DSA-44", "Ed25519 cosignature", "witness.example/auditor"):
        assert one in text
    assert "log 日志" in text
    assert "witness 见证方" in text


def test_the_change_is_shown_line_by_line(given_pack: Pack) -> None:
    section = shown(given_pack).split('<section id="change">')[1].split("</section>")[0]
    added, removed = (re.findall(rf'<span class="{kind}"><i>.</i>(.*)\n', section) for kind in ("added", "removed"))
    assert [one.strip().split(":")[0] for one in added] == ["value", "image", "memory"]
    assert len(removed) == 3
    assert "DRAIN_SECONDS" in section  # a line beside a change
    assert "prometheus.io/scrape" not in section  # and one far from any


@pytest.mark.parametrize("poison", [MARKUP, HIDDEN, MARKUP + HIDDEN])
def test_no_string_of_a_pack_is_markup_or_hidden(given_pack: Pack, poison: str) -> None:
    def inside(text: str) -> str:
        return text + poison

    document = shown(
        given_pack,
        dossier=poisoned(given_pack.dossier, inside),
        records=poisoned(given_pack.records, inside),
        checkpoint=given_pack.checkpoint + poison,
        verdict=given_pack.verdict + poison,
    )
    harmless(document)
    if HIDDEN in poison:
        assert (
            document.count("[U+202E]gnp.[U+2066][U+200B][U+0000][U+001B][31m[U+007F][U+FEFF][U+00AD][U+E0041][U+3164]")
            > 50
        )
    if MARKUP in poison:
        assert document.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 50


@pytest.mark.parametrize("poison", [MARKUP, HIDDEN, "", "x" * 5000])
def test_a_pack_of_nothing_but_nonsense_is_shown(given_pack: Pack, poison: str) -> None:
    nonsense = poisoned([given_pack.dossier, given_pack.records], lambda _: poison)
    harmless(shown(given_pack, dossier=nonsense[0], records=nonsense[1], checkpoint=poison, samples=[poison.encode()]))


def test_the_names_of_a_mix_and_of_a_tape_are_escaped(given_pack: Pack) -> None:
    """What only the samples say: categories are labels that a service chose."""
    tape = given_pack.samples[0].replace(b'"approved"', rb'"<script>\u202eapproved"')
    document = shown(given_pack, samples=[tape], dossier={})
    harmless(document)
    assert "&lt;script&gt;[U+202E]approved" in document
    assert "DIFFERENT from what was recorded" in document


def harmless(document: str) -> None:
    read = Reading(document)
    assert read.problems == []
    assert not {tag for tag, _ in read.tags} & {"script", "img"}
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]", document)


@pytest.mark.parametrize(
    "part", ["release", "result", "gates", "decisions", "objectives", "verdicts", "manifests", "samples"]
)
def test_it_does_without_any_part_of_the_dossier(given_pack: Pack, part: str) -> None:
    nonsense: tuple[Any, ...] = (None, [], {}, "?", 7)
    for value in nonsense:
        assert Reading(shown(given_pack, dossier={**given_pack.dossier, part: value})).problems == []
    without = {name: value for name, value in given_pack.dossier.items() if name != part}
    document = shown(given_pack, dossier=without)
    assert re.findall(r'<section id="(\w+)">', document) == list(SECTIONS)


def test_it_does_without_anything() -> None:
    document = render({}, [], [], "", "")
    assert Reading(document).problems == []
    for said in ("no record", "no answer of a gate", "no decision", "checkpoint cannot be read", "No objective"):
        assert said in document


def test_a_release_that_ended_before_any_traffic_says_so(given_pack: Pack) -> None:
    early = [record for record in given_pack.records if record["action"] in ("Gates", "ReleaseEnded")]
    document = shown(
        given_pack, records=early, samples=[], dossier={**given_pack.dossier, "verdicts": [], "samples": []}
    )
    assert "No canary traffic is on record." in document
    assert document.count("The pack holds no samples of it") == 4


def test_the_commands_it_names_are_those_of_the_program(given_pack: Pack) -> None:
    """Those of a group that this program does not have yet are left out; the options of all others are asked for."""
    text = html.unescape("\n".join(re.findall(r"<pre class='command'>(.*?)</pre>", shown(given_pack), re.DOTALL)))
    groups = {group.name for group in app.registered_groups}
    lines = [line.split() for line in text.split("\n") if line.startswith("feem ") and line.split()[1] in groups]
    assert {" ".join(words[1:3]) for words in lines} >= {"audit verify", "evidence replay"}
    for words in lines:
        told = CliRunner().invoke(app, [*words[1:3], "--help"], env={"COLUMNS": "200"})
        assert told.exit_code == 0
        assert all(option in told.output for option in words if option.startswith("--")), words


def test_changed_samples_are_called_different_and_broken_ones_unreadable(given_pack: Pack) -> None:
    lines = given_pack.samples[0].split(b"\n")
    changed = b"\n".join([*lines[:5], *lines[6:]])
    assert "DIFFERENT from what was recorded" in shown(given_pack, samples=[changed])
    cut = given_pack.samples[0][:-40]
    assert "cannot be read" in shown(given_pack, samples=[cut])


def test_the_watch_after_a_promotion_is_shown_beside_the_trial(given_pack: Pack) -> None:
    """One objective, two tapes: each plot is named by the decision it led to."""
    document = shown(given_pack, samples=given_pack.samples * 2)
    assert document.count("<h4>") == 8


numbers = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8)
values = st.recursive(
    numbers,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_json_in_any_place_is_shown(data: st.DataObject) -> None:
    one = pack_once()
    dossier = copy.deepcopy(one.dossier)
    part = data.draw(st.sampled_from(sorted(dossier)))
    if isinstance(dossier[part], dict) and data.draw(st.booleans()):
        dossier[part][data.draw(st.sampled_from(sorted(dossier[part])))] = data.draw(values)
    else:
        dossier[part] = data.draw(values)
    records = copy.deepcopy(one.records)
    for _ in range(3):
        record = data.draw(st.sampled_from(records))
        record[data.draw(st.sampled_from(sorted(record)))] = data.draw(values)
    harmless(shown(one, dossier=dossier, records=records, samples=[]))


_ONCE: list[Pack] = []


def pack_once() -> Pack:
    if not _ONCE:
        _ONCE.append(pack())
    return _ONCE[0]
