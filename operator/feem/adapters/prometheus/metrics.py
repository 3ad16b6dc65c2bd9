"""The port `Metrics` over prometheus-api-client: raw counter samples of both tracks, two queries an objective."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from prometheus_api_client import PrometheusApiClientException, PrometheusConnect
from urllib3.util.retry import Retry

from feem.adapters.prometheus import query
from feem.adapters.prometheus.selector import pod_prefix
from feem.core.evidence.samples import Evidence, Sample, SampleRequest, Series, TrackSamples
from feem.ports import QueryProblem

LOOKBACK = 60.0
"""Seconds before the start for which samples are asked too, so that there is one to count from."""
THREADS = 8
QUOTED = 300
POD = "pod"

Observe = Callable[[str], None]
"""Called for each query: ok, empty, timeout or error."""
Matrix = list[dict[str, Any]]


class Unanswered(Exception):  # noqa: N818 - it becomes Evidence.problem
    """The server gave no whole answer; the message is a sentence for people."""


class PrometheusMetrics:
    """Queries run in threads, because the library is synchronous; the same query under way is asked once.

    `timeout` is in seconds and holds for each query. Errors become `Evidence.problem`.
    """

    def __init__(self, url: str, *, timeout: float = 4.0, observe: Observe | None = None) -> None:
        session = requests.Session()
        session.hooks["response"] = [_refuse_partial]
        self._url, self._timeout = url.rstrip("/"), timeout
        self._prometheus = PrometheusConnect(self._url, session=session, retry=Retry(total=0), method="POST")
        self._observe: Observe = observe or (lambda _outcome: None)
        self._threads = ThreadPoolExecutor(THREADS, "prometheus")
        self._under_way: dict[tuple[str, float], asyncio.Future[Matrix]] = {}

    def check(self, query_text: str) -> QueryProblem | None:
        """Say what is wrong with a counter query, without asking the server."""
        return query.check(query_text)

    async def samples(self, request: SampleRequest) -> Evidence:
        """Fetch raw counter samples of both tracks, from a minute before `start` to `end`."""
        sets = (request.canary_replica_set, request.stable_replica_set)
        span = math.ceil(request.end - request.start + LOOKBACK)
        try:
            texts = [
                f"{query.narrow(text, request.namespace, *sets)}[{span}s]" for text in (request.bad, request.total)
            ]
            bad, total = await asyncio.gather(*(self._ask(text, request.end) for text in texts))
        except query.UnusableQuery as unusable:
            return Evidence(_NOTHING, _NOTHING, str(unusable))
        except Unanswered as problem:
            return Evidence(_NOTHING, _NOTHING, str(problem))
        canary, stable = (TrackSamples(_of(name, bad), _of(name, total)) for name in sets)
        return Evidence(canary, stable)

    async def _ask(self, text: str, at: float) -> Matrix:
        key = text, at
        if key not in self._under_way:
            loop = asyncio.get_running_loop()
            asking = loop.run_in_executor(self._threads, self._ask_now, text, at)
            self._under_way[key] = asking
            asking.add_done_callback(lambda _done: self._under_way.pop(key, None))
        try:
            found = await asyncio.wait_for(asyncio.shield(self._under_way[key]), self._timeout + 1)
        except TimeoutError:
            self._observe("timeout")
            raise Unanswered(f"Prometheus at {self._url} did not answer within {self._timeout:g} s") from None
        except Unanswered as problem:
            self._observe("timeout" if "within" in str(problem) else "error")
            raise
        self._observe("ok" if found else "empty")
        return found

    def _ask_now(self, text: str, at: float) -> Matrix:
        """Run in a thread. The server is told to give up when we do."""
        parameters = {"time": repr(at), "timeout": f"{self._timeout:g}s"}
        try:
            found = self._prometheus.custom_query(text, params=parameters, timeout=self._timeout)
        except requests.Timeout:
            raise Unanswered(f"Prometheus at {self._url} did not answer within {self._timeout:g} s") from None
        except requests.RequestException as problem:
            raise Unanswered(
                f"Prometheus at {self._url} cannot be reached ({type(problem).__name__}): check FEEM_PROMETHEUS_URL and the server"
            ) from None
        except PrometheusApiClientException as problem:
            raise Unanswered(f"Prometheus at {self._url} refused a query: {str(problem)[:QUOTED]}") from None
        except (KeyError, TypeError, ValueError) as problem:
            raise Unanswered(f"Prometheus at {self._url} gave an answer that is none: {problem!r}"[:QUOTED]) from None
        if not isinstance(found, list) or any(not isinstance(series.get("values"), list) for series in found):
            raise Unanswered(f"Prometheus at {self._url} gave an answer without samples; is it a Prometheus?")
        return found


_NOTHING = TrackSamples((), ())


def _refuse_partial(response: requests.Response, *_: Any, **__: Any) -> None:
    """An answer with warnings may be partial, and the library would drop the warnings."""
    try:
        answer = response.json()
    except ValueError:
        return
    warnings = answer.get("warnings") if isinstance(answer, dict) else None
    if warnings:
        raise Unanswered(f"Prometheus answered only in part: {'; '.join(map(str, warnings))[:QUOTED]}")


def _of(replica_set: str, matrix: Matrix) -> tuple[Series, ...]:
    """Pick the series of one ReplicaSet's pods, in the order of their labels."""
    prefix = pod_prefix(replica_set)
    found = [
        Series(
            tuple(sorted(series["metric"].items())),
            tuple(Sample(float(at), float(value)) for at, value in series["values"]),
        )
        for series in matrix
        if str(series["metric"].get(POD, "")).startswith(prefix)
    ]
    return tuple(sorted(found, key=lambda series: series.labels))
