"""A careful connection to one Prometheus: one try, one deadline, a bounded pool, and plain words when it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from prometheus_api_client import PrometheusApiClientException, PrometheusConnect
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from feem.adapters.prometheus.answer import Unanswered, require_whole

MOST_SERIES = 10_000
"""What the server may return at most; it says so in a warning when there is more."""


class TokenFile(AuthBase):
    """A bearer token, read for each request: the kubelet renews the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign one request; raises OSError when the file cannot be read."""
        request.headers["Authorization"] = f"Bearer {self._path.read_text().strip()}"
        return request


class Connection:
    """Blocking queries, safe to use from several threads.

    `timeout` in seconds holds for connecting and for each wait for bytes, and is given to the server as well, so that
    it stops working on what nobody waits for. Nothing is retried: the next evaluation asks anew. Proxies and .netrc of
    the environment are not followed.
    """

    def __init__(
        self, url: str, *, timeout: float, pool: int, ca_file: Path | None = None, token_file: Path | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(
                f"{url!r} is not the address of a Prometheus: write it as http://prometheus.monitoring.svc:9090"
            )
        url = url.rstrip("/")
        self.server = f"Prometheus at {parts.netloc.rpartition('@')[2]}"
        self._timeout = timeout
        session = requests.Session()
        session.trust_env = False
        session.verify = str(ca_file) if ca_file else True
        session.auth = TokenFile(token_file) if token_file else None
        session.hooks["response"] = [lambda response, **_: require_whole(response, self.server)]
        self._prometheus = PrometheusConnect(url, session=session)
        # after the library's own adapter, which would retry three times with pauses
        session.mount(url, HTTPAdapter(pool_connections=1, pool_maxsize=pool, max_retries=0, pool_block=True))

    def ask(self, query: str, at: float | None) -> Any:
        """Run an instant query at a moment (Unix seconds), or at the server's now; raises Unanswered.

        Returns the result as it came: a list of series, or a scalar's pair of time and text.
        """
        parameters = {"timeout": f"{self._timeout:g}s", "limit": str(MOST_SERIES)}
        if at is not None:
            parameters = {"time": f"{at:.3f}", **parameters}
        try:
            return self._prometheus.custom_query(query, params=parameters, timeout=self._timeout)
        except requests.Timeout as late:
            raise self.late() from late
        except requests.exceptions.SSLError as distrusted:
            raise Unanswered(
                f"{self.server} is not trusted ({reason_of(distrusted)}): check the certificate and the CA file"
            ) from distrusted
        except requests.exceptions.JSONDecodeError as malformed:
            raise Unanswered(f"{self.server} did not answer in JSON: check that the address is a Prometheus API") from (
                malformed
            )
        except (requests.RequestException, HTTPError) as unreachable:
            raise Unanswered(
                f"{self.server} cannot be reached ({reason_of(unreachable)}): check its address, that it runs, and "
                f"that network policies let the operator through"
            ) from unreachable
        except OSError as unreadable:
            raise Unanswered(f"FEEM cannot read the token or CA file for {self.server}: {unreadable}") from unreadable
        except (PrometheusApiClientException, KeyError, TypeError) as malformed:
            raise Unanswered(
                f"{self.server} answered without a result: check that the address is a Prometheus API"
            ) from (malformed)

    def late(self) -> Unanswered:
        """Return what to say when the server takes too long."""
        return Unanswered(
            f"{self.server} did not answer within {self._timeout:g} s: check its load, and that network policies let "
            f"the operator through",
            "timeout",
        )

    def close(self) -> None:
        """Give the pooled connections back."""
        self._prometheus.close()


def reason_of(problem: Exception) -> str:
    """Return the innermost error's words: `Connection refused` says more than the layers around it."""
    cause: BaseException = problem
    while True:
        inner = getattr(cause, "reason", None) or cause.__cause__ or cause.__context__
        if not isinstance(inner, BaseException):
            break
        cause = inner
    said = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return " ".join(str(said).split())[:200]
