from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from feem.observe import logging as feem_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_time_level_event_and_bound_keys_in_that_order() -> None:
    out = io.StringIO()
    feem_logging.configure("INFO", stream=out)
    feem_logging.logger("feem.test").bind(namespace="lending").info("weight written", weight=10)

    (line,) = lines(out)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line["event"] == "weight written"
    assert line["level"] == "info"
    assert (line["namespace"], line["weight"]) == ("lending", 10)
    assert line["timestamp"].endswith("Z")


def test_the_standard_library_and_kopf_speak_the_same_json() -> None:
    out = io.StringIO()
    feem_logging.configure("INFO", stream=out)
    logging.getLogger("some.library").warning("slow: %s s", 3)
    reference = {"kind": "Release", "namespace": "lending", "name": "limit-scoring-4"}
    logging.getLogger("kopf.objects").warning("handler failed", extra={"k8s_ref": reference})

    library, kopf = lines(out)
    assert (library["event"], library["logger"], library["level"]) == ("slow: 3 s", "some.library", "warning")
    assert (kopf["kind"], kopf["namespace"], kopf["name"]) == ("Release", "lending", "limit-scoring-4")


def test_kopf_tells_each_event_only_on_debug() -> None:
    out = io.StringIO()
    feem_logging.configure("INFO", stream=out)
    logging.getLogger("kopf.objects").info("handler succeeded")
    assert lines(out) == []
    feem_logging.configure("DEBUG", stream=out)
    logging.getLogger("kopf.objects").debug("handler succeeded")
    assert [line["event"] for line in lines(out)] == ["handler succeeded"]


def test_an_exception_is_part_of_the_line_without_local_variables() -> None:
    out = io.StringIO()
    feem_logging.configure("INFO", stream=out)
    secret = "s3cr3t-token"  # noqa: S105 - what must not be printed
    try:
        int(f"x{len(secret)}")
    except ValueError:
        feem_logging.logger("feem.test").exception("reconcile failed")

    (line,) = lines(out)
    assert line["exception"][0]["exc_type"] == "ValueError"
    assert secret not in out.getvalue()


def test_a_terminal_gets_readable_lines() -> None:
    out = io.StringIO()
    feem_logging.configure("INFO", stream=out, json=False)
    feem_logging.logger("feem.test").info("weight written", weight=10)
    assert "weight written" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_an_unknown_level_is_named_with_the_next_step() -> None:
    with pytest.raises(ValueError, match=r"'LOUD' is not one of .* set FEEM_LOG_LEVEL"):
        feem_logging.configure("loud")
