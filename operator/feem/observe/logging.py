"""Log lines: one JSON object each on standard output, from FEEM, kopf and every library alike."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")

_QUIET = ("kopf.objects", "aiohttp.access", "asyncio", "urllib3")
"""Loggers that tell each event they handle: below WARNING they only speak when the level is DEBUG."""


def configure(level: str = "INFO", *, stream: TextIO | None = None, json: bool | None = None) -> None:
    """Route structlog and the standard library's loggers through one formatter.

    `level` is one of LEVELS; raises ValueError for another word. `json=None`: JSON unless the stream is a terminal.
    Calling it again replaces the earlier configuration.
    """
    level = level.upper()
    if level not in LEVELS:
        raise ValueError(f"log level {level!r} is not one of {', '.join(LEVELS)}: set FEEM_LOG_LEVEL to one of these")
    out = stream if stream is not None else sys.stdout
    as_json = json if json is not None else not out.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.UnicodeDecoder(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _kopf_object],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(as_json=as_json)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(level if level == "DEBUG" else max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose lines carry this name, e.g. `feem.runtime`; bind keys with `.bind(namespace=…)`."""
    bound: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return bound


def _renderers(*, as_json: bool) -> list[Processor]:
    if not as_json:
        return [structlog.dev.ConsoleRenderer()]
    # without local variables: they can hold tokens and request bodies
    traces = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=20)
    return [
        structlog.processors.ExceptionRenderer(traces),
        _known_keys_first,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _known_keys_first(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    known = {key: event.pop(key) for key in ("timestamp", "level", "event", "logger") if key in event}
    return {**known, **event}


def _kopf_object(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take over the object that kopf attaches to its records, under the keys that FEEM's own lines use."""
    record = event.get("_record")
    reference = getattr(record, "k8s_ref", None)
    if isinstance(reference, dict):
        for key in ("kind", "namespace", "name"):
            if reference.get(key):
                event.setdefault(key, reference[key])
    return event
