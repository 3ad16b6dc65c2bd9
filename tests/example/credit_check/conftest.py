"""The examples are no installed packages: their folders are put on the path here."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

FACTORY = Path(__file__).parents[3] / "examples" / "credit-factory"
sys.path[:0] = [str(FACTORY / "credit-check"), str(FACTORY / "credit-check" / "app"), str(FACTORY / "bureau" / "app")]

from tests.example.credit_check.world import World  # noqa: E402 - it imports what the path was made for


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """One bureau that does as it is told, and the servers that ask it; all of it ends with the test."""
    async with World() as found:
        yield found
