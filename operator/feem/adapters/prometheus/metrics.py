"""The port `Metrics`, answered by one Prometheus or what speaks its API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from feem.adapters.prometheus.asking import Asker, Observe
from feem.adapters.prometheus.burning import burn_of
from feem.adapters.prometheus.connection import Connection
from feem.adapters.prometheus.existence import missing
from feem.adapters.prometheus.parsing import UnusableQuery
from feem.adapters.prometheus.parts import parts_of
from feem.adapters.prometheus.probe import value_of
from feem.adapters.prometheus.tracks import evidence_of
from feem.api.objective import Indicator
from feem.core.chaos.snapshot import Reading
from feem.core.evidence.samples import Evidence, SampleRequest
from feem.ports import Burn, QueryProblem


class PrometheusMetrics:
    """Asks one Prometheus; `observe` is called once for each query sent: ok, empty, timeout or error.

    At most `concurrency` queries run at once; a query that is already under way is not sent twice. `timeout` (seconds)
    holds for each query once it is sent, and twice it for waiting and answer together. `ca_file` and `token_file` are
    for servers behind TLS and bearer tokens. Raises ValueError for a URL that is none; nothing else here raises.
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
        connection = Connection(url, timeout=timeout, pool=concurrency, ca_file=ca_file, token_file=token_file)
        self._asker = Asker(
            connection, concurrency=concurrency, patience=2 * timeout, observe=observe or (lambda _outcome: None)
        )

    def check(self, indicator: Indicator) -> QueryProblem | None:
        """Say what is wrong with an indicator's queries, without asking the server; the message begins with the field."""
        try:
            parts_of(indicator)
        except UnusableQuery as unusable:
            return unusable.problem
        return None

    async def samples(self, request: SampleRequest) -> Evidence:
        """Fetch raw samples of both tracks, later than `start` and until `end`."""
        return await evidence_of(self._asker, request)

    async def burn(self, indicator: Indicator, namespace: str, windows: Sequence[str]) -> Burn:
        """Count the bad and all events of a ratio or latency in windows such as `5m` that end now, with one query."""
        return await burn_of(self._asker, indicator, namespace, windows)

    async def exists(self, indicator: Indicator, namespace: str) -> QueryProblem | None:
        """Say which of an indicator's queries finds nothing now (`NoSeries`), or `MetricsUnavailable`."""
        return await missing(self._asker, indicator, namespace)

    async def value(self, query: str) -> Reading:
        """Return what a query gives now: 0 where it finds nothing."""
        return await value_of(self._asker, query)

    def close(self) -> None:
        """Give threads and connections back; queries that wait are dropped."""
        self._asker.close()
