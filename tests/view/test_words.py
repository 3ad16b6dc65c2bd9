"""Every reason that a gate can give is explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import feem.core.gates
from feem.core.gates.approvals import WHY_NOT
from feem.view.words import MEANINGS, meaning

GATES = Path(str(feem.core.gates.__file__)).parent
GIVEN = re.compile(r'(?:holds\(\s*|return False, |return \(\s*False,\s*|yield |reason = )"([A-Z]\w+)"')
PRACTICE = re.compile(r'holds\(f"\{word\}([A-Z]\w+)"')


def test_every_reason_of_a_gate_has_its_meaning() -> None:
    sources = [file.read_text(encoding="utf-8") for file in GATES.glob("*.py")]
    given = {word for source in sources for word in GIVEN.findall(source)} | set(WHY_NOT)
    assert len(given) > 40, "the pattern has to find them"
    practised = {word for source in sources for word in PRACTICE.findall(source)}
    given |= {f"{name}{word}" for name in ("Runbook", "RollbackPlan") for word in practised}
    assert not given - set(MEANINGS)


@pytest.mark.parametrize("word", ["RoleLost", "rolelost"])
def test_a_word_is_found_whatever_its_case(word: str) -> None:
    assert meaning(word) == "RoleLost: who decided does not hold the role any more."
    assert meaning("Nonsense") is None


def test_meanings_are_whole_sentences_in_the_same_form() -> None:
    for word, text in MEANINGS.items():
        assert re.fullmatch(r"[A-Z][A-Za-z]+", word)
        assert text[0].islower() or text.startswith("FEEM")
        assert not text.endswith(".")
        assert "{" not in text
