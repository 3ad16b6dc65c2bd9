"""The port `Metrics`: raw counter samples of both tracks, in two queries an objective."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from feem.adapters.prometheus import query
from feem.adapters.prometheus.answer import Unanswered
from feem.adapters.prometheus.connection import Connection
from feem.adapters.prometheus.selector import POD_LABEL, pod_prefix
from feem.core.evidence.samples import Evidence, SampleRequest, Series, TrackSamples
from feem.ports import QueryProblem

LOOKBACK = 60.0
"""Seconds before the start for which samples are asked too, so that there is one to count from."""
NOTHING = TrackSamples((), ())

Observe = Callable[[str], None]
"""Called once for each query sent: ok, empty, timeout or error."""
Asked = tuple[str, float]
"""A query and its moment."""


class PrometheusMetrics:
    """Asks one Prometheus (or what speaks its API), in threads because prometheus-api-client is synchronous.

    At most `concurrency` queries run at once; a query that is already under way is not sent twice. `timeout` (seconds)
    holds for each query once it is sent, and twice it for waiting and answer together. `ca_file` and `token_file` are
    for servers behind TLS and bearer tokens. Raises ValueError for a URL that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 4.0,
        observe: Observe | None = None,
        concurrency: int = 8,
        ca_file: Path | None = None,
        token_file: Path | None = None,
    ) -> None:
        self._connection = Connection(url, timeout=timeout, pool=concurrency, ca_file=ca_file, token_file=token_file)
        self._patience = 2 * timeout
        self._observe = observe or (lambda _outcome: None)
        self._threads = ThreadPoolExecutor(concurrency, "prometheus")
        self._under_way: dict[Asked, asyncio.Task[tuple[Series, ...]]] = {}

    def check(self, query_text: str) -> QueryProblem | None:
        """Say what is wrong with a counter query, without asking the server."""
        return query.check(query_text)

    async def samples(self, request: SampleRequest) -> Evidence:
        """Fetch raw counter samples of both tracks, from a minute before `start` to `end`.

        The total is asked first: what is scraped in between, only the bad counters have, and the verdict leaves out
        what the total does not have. The other way round a bad event could be missed.
        """
        sets = tuple(name for name in (request.canary_replica_set, request.stable_replica_set) if name)
        if len({pod_prefix(name) for name in sets}) < len(sets) or not sets:
            return Evidence(NOTHING, NOTHING, indistinct(request))
        try:
            total_query, bad_query = (
                f"{query.narrow(text, request.namespace, *sets)}[{seconds(request)}s]"
                for text in (request.total, request.bad)
            )
            total = await self._once((total_query, request.end))
            bad = await self._once((bad_query, request.end))
        except (query.UnusableQuery, Unanswered) as problem:
            return Evidence(NOTHING, NOTHING, str(problem))
        canary, stable = (
            TrackSamples(bad=of_replica_set(name, sets, bad), total=of_replica_set(name, sets, total))
            for name in (request.canary_replica_set, request.stable_replica_set)
        )
        return Evidence(canary, stable)

    def close(self) -> None:
        """Give threads and connections back; queries that wait are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._connection.close()

    async def _once(self, asked: Asked) -> tuple[Series, ...]:
        """Ask, or join who is asking the same; that one asker is cancelled does not harm the others."""
        task = self._under_way.get(asked)
        if task is None:
            task = asyncio.create_task(self._ask(asked))
            self._under_way[asked] = task
            task.add_done_callback(lambda done: self._finish(asked, done))
        return await asyncio.shield(task)

    async def _ask(self, asked: Asked) -> tuple[Series, ...]:
        """Ask in a thread; raises Unanswered. A query whose turn does not come in time is not sent any more."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._patience):
                found = await loop.run_in_executor(self._threads, self._connection.ask, *asked)
        except Unanswered as problem:
            self._observe(problem.outcome)
            raise
        except TimeoutError:
            self._observe("timeout")
            raise self._connection.late() from None
        self._observe("ok" if found else "empty")
        return found

    def _finish(self, asked: Asked, done: asyncio.Task[tuple[Series, ...]]) -> None:
        self._under_way.pop(asked, None)
        if not done.cancelled():
            done.exception()  # whoever asked may be gone; looking at it keeps asyncio from reporting it as forgotten


def seconds(request: SampleRequest) -> int:
    """Return the range to ask for, in whole seconds."""
    return math.ceil(max(0.0, request.end - request.start) + LOOKBACK)


def of_replica_set(name: str, sets: tuple[str, ...], series: tuple[Series, ...]) -> tuple[Series, ...]:
    """Pick the series of one ReplicaSet's pods, in the order of their labels; the longest fitting name has a pod."""
    others = [pod_prefix(other) for other in sets if other != name and len(pod_prefix(other)) > len(pod_prefix(name))]

    def belongs(pod: str) -> bool:
        return pod.startswith(pod_prefix(name)) and not any(pod.startswith(other) for other in others)

    if not name:
        return ()
    return tuple(
        sorted((one for one in series if belongs(dict(one.labels).get(POD_LABEL, ""))), key=lambda s: s.labels)
    )


def indistinct(request: SampleRequest) -> str:
    """Say why the tracks' pods cannot be told apart."""
    return (
        f"the pods of the ReplicaSets {request.canary_replica_set!r} (canary) and {request.stable_replica_set!r} (stable) "
        f"cannot be told apart by their names: give the Deployment a name of at most 40 characters"
    )
