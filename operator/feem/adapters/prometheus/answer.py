"""What a Prometheus answers, read strictly: a part of an answer is no answer."""

from __future__ import annotations

import json
from typing import Any

import requests

from feem.core.evidence.samples import Sample, Series

QUOTED_LENGTH = 300
FIRST_SERVER_ERROR = 500
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError)

Labels = tuple[tuple[str, str], ...]


class Unanswered(Exception):  # noqa: N818 - it becomes Evidence.problem
    """The server gave no whole answer; the message is a sentence for people, the outcome a word for figures."""

    def __init__(self, message: str, outcome: str = "error") -> None:
        super().__init__(message)
        self.outcome = outcome


def require_whole(response: requests.Response, server: str) -> None:
    """Raise Unanswered for a refusal, and for warnings, which mean a partial answer; the library would hide both."""
    if response.status_code != requests.codes.ok:
        raise Unanswered(f"{server} {refusal(response)}")
    if b'"warnings"' not in response.content:
        return
    body = json_of(response)
    warnings = body.get("warnings") if isinstance(body, dict) else None
    if warnings:
        said = "; ".join(map(str, warnings)) if isinstance(warnings, list) else str(warnings)
        raise Unanswered(f"{server} answered only in part, with the warning: {cut(said)}; see the server's own log")


def refusal(response: requests.Response) -> str:
    """Say how the server refused, in its words where it has some, and what to check."""
    status, body = response.status_code, json_of(response)
    said = cut(f"{body.get('errorType', 'error')}: {body.get('error')}" if isinstance(body, dict) else response.reason)
    if status in (requests.codes.bad_request, requests.codes.unprocessable_entity):
        return f"refused the query ({status}, {said}): check the objective's queries"
    if status in (requests.codes.unauthorized, requests.codes.forbidden):
        return f"did not let FEEM in ({status}, {said}): check the operator's token and what it may read"
    if status == requests.codes.not_found:
        return f"has no query API ({status}, {said}): check the address and its path"
    if status >= FIRST_SERVER_ERROR:
        return f"cannot answer now ({status}, {said}): check its health and load"
    return f"gave an answer FEEM does not understand ({status}, {said}): check the address"


def json_of(response: requests.Response) -> Any:
    """Return the body as JSON, None when it is none."""
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def series_of(result: Any, server: str) -> tuple[Series, ...]:
    """Read the matrix of an instant query with a range; raises Unanswered when it is none.

    Values are text there, `NaN` and `+Inf` included; they are kept as they came, for the audit log's digest.
    """
    try:
        return tuple(one_series(item) for item in result)
    except MALFORMED as malformed:
        raise Unanswered(
            f"{server} gave an answer that is no list of samples ({cut(repr(malformed))}): check that the address is a "
            f"Prometheus API, and that the queries select counters, not native histograms (use their _count)"
        ) from malformed


def values_of(result: Any, server: str) -> tuple[Series, ...]:
    """Read the vector or scalar of an instant query, one sample a series; raises Unanswered when it is neither."""
    try:
        if isinstance(result, list) and result and not isinstance(result[0], dict):
            return (Series((), (sample_of(result),)),)
        return tuple(one_value(item) for item in result)
    except MALFORMED as malformed:
        raise Unanswered(
            f"{server} gave an answer that is no list of values ({cut(repr(malformed))}): check that the address is a "
            f"Prometheus API, and that the query gives numbers, not native histograms"
        ) from malformed


def one_series(item: Any) -> Series:
    """Read one series; raises KeyError, TypeError, ValueError or AttributeError when it is malformed."""
    if "histograms" in item:
        raise ValueError(f"{item['metric'].get('__name__', 'a metric')} is a native histogram")
    return Series(labels_of(item), tuple(sample_of(pair) for pair in item["values"]))


def one_value(item: Any) -> Series:
    """Read one value of a vector; raises as one_series does."""
    if "histogram" in item:
        raise ValueError(f"{item['metric'].get('__name__', 'a metric')} is a native histogram")
    return Series(labels_of(item), (sample_of(item["value"]),))


def labels_of(item: Any) -> Labels:
    """Read a series' labels, sorted."""
    return tuple(sorted((str(name), str(value)) for name, value in item["metric"].items()))


def sample_of(pair: Any) -> Sample:
    """Read a pair of time and value."""
    time, value = pair
    return Sample(float(time), float(value))


def cut(text: str) -> str:
    """Quote a server's words on one line, without letting them fill a status."""
    line = " ".join(text.split())
    return line if len(line) <= QUOTED_LENGTH else line[: QUOTED_LENGTH - 1] + "…"
