"""The API server, asked synchronously and in raw JSON, as the person who runs the command."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

from kubernetes import config
from kubernetes.client import ApiClient
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from feem.adapters.kubernetes.resources import type_of
from feem.cli.problem import NotFound, Problem, Unreachable
from feem.cli.refusal import refusal

Body = dict[str, Any]
_TIMEOUT = (5.0, 30.0)
_JSON = "application/json"


@dataclass(frozen=True)
class Person:
    """Who runs the command, as the API server knows them, and what time (UTC) it was there when it said so."""

    name: str
    groups: tuple[str, ...]
    now: datetime


class Cluster(Protocol):
    """What the commands need from the API server."""

    namespace: str

    def get(self, resource: str, namespace: str, name: str) -> Body:
        """Return one object; raises NotFound, Unreachable or Problem."""
        ...

    def list(self, resource: str, namespace: str = "", selector: str = "") -> Iterator[Body]:
        """Yield all objects of a resource (of one namespace), page by page."""
        ...

    def create(self, resource: str, namespace: str, body: Body) -> Body:
        """Create an object and return it as stored."""
        ...

    def whoami(self) -> Person:
        """Return who the API server says this person is."""
        ...


class ApiServer:
    """Implements Cluster over the kubernetes package."""

    def __init__(self, api: ApiClient, namespace: str) -> None:
        self._api = api
        self.namespace = namespace

    def get(self, resource: str, namespace: str, name: str) -> Body:
        """Return one object."""
        what = f"{type_of(resource).kind} {namespace}/{name}".replace(" /", " ")
        try:
            return self._send("GET", type_of(resource).path(namespace, name), what)
        except NotFound as missing:
            where = f" -n {namespace}" if namespace else ""
            raise NotFound(what, missing.reason, f"kubectl get {resource}{where}") from missing

    def list(self, resource: str, namespace: str = "", selector: str = "") -> Iterator[Body]:
        """Yield all objects, 500 a page."""
        what = f"{type_of(resource).plural} in {namespace}" if namespace else type_of(resource).plural
        query = [("limit", "500"), *((("labelSelector", selector),) if selector else ())]
        token = ""
        while True:
            more = [("continue", token)] if token else []
            page = self._send("GET", type_of(resource).path(namespace), what, query=[*query, *more])
            yield from page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return

    def create(self, resource: str, namespace: str, body: Body) -> Body:
        """Create an object and return it as stored."""
        kind = type_of(resource)
        complete = {"apiVersion": kind.api_version, "kind": kind.kind, **body}
        return self._send("POST", kind.path(namespace), f"{kind.kind} in {namespace}", body=complete)

    def whoami(self) -> Person:
        """Return who the API server says this person is, and its clock: expiries are measured by that one."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        review, date = self._exchange("POST", path, "SelfSubjectReview", body=body)
        user = review["status"]["userInfo"]
        return Person(str(user["username"]), tuple(user.get("groups") or ()), _moment(date))

    def _send(
        self, method: str, path: str, what: str, *, query: Sequence[tuple[str, str]] = (), body: Body | None = None
    ) -> Body:
        return self._exchange(method, path, what, query=query, body=body)[0]

    def _exchange(
        self, method: str, path: str, what: str, *, query: Sequence[tuple[str, str]] = (), body: Body | None = None
    ) -> tuple[Body, str]:
        """Return the answer and its Date header."""
        headers = {"Accept": _JSON, "Content-Type": _JSON}
        arguments = self._api.param_serialize(
            method, path, query_params=list(query), header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        try:
            response = self._api.call_api(*arguments, _request_timeout=_TIMEOUT)
            data = response.read()
        except (HTTPError, OSError) as broken:
            host = self._api.configuration.host
            cause = getattr(broken, "reason", None) or broken
            raise Unreachable(f"API server {host}", _plain(cause), "kubectl cluster-info; check --context") from broken
        if not 200 <= response.status < 300:
            raise refusal(what, response.status, data)
        answer: Body = json.loads(data)
        return answer, str(response.getheader("Date") or "")


def connect(kubeconfig: str | None, context: str | None, namespace: str | None) -> ApiServer:
    """Connect as kubectl would: --kubeconfig, else $KUBECONFIG, else ~/.kube/config, else the pod's service account."""
    try:
        if kubeconfig or _has_kubeconfig() or "KUBERNETES_SERVICE_HOST" not in os.environ:
            return _from_kubeconfig(kubeconfig, context, namespace)
        config.load_incluster_config()
        with open("/var/run/secrets/kubernetes.io/serviceaccount/namespace", encoding="utf-8") as own:  # noqa: PTH123
            return ApiServer(ApiClient(), namespace or own.read().strip())
    except (ConfigException, OSError) as problem:
        where = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
        raise Problem(
            f"kubeconfig {where}", _plain(problem), "kubectl config get-contexts; give --kubeconfig"
        ) from problem


def _from_kubeconfig(kubeconfig: str | None, context: str | None, namespace: str | None) -> ApiServer:
    contexts, active = config.list_kube_config_contexts(config_file=kubeconfig)
    chosen = next((item for item in contexts if item["name"] == context), None) if context else active
    if chosen is None:
        names = ", ".join(item["name"] for item in contexts) or "none"
        raise Problem(
            f"context {context!r}", f"not in the kubeconfig, which has {names}", "kubectl config get-contexts"
        )
    api = config.new_client_from_config(config_file=kubeconfig, context=chosen["name"], persist_config=False)
    return ApiServer(api, namespace or chosen["context"].get("namespace") or "default")


def _has_kubeconfig() -> bool:
    return bool(os.environ.get("KUBECONFIG")) or os.path.exists(os.path.expanduser("~/.kube/config"))  # noqa: PTH110, PTH111


def _moment(date: str) -> datetime:
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC).replace(microsecond=0)


def _plain(cause: object) -> str:
    """Return an exception's own words, without the connection object that urllib3 puts in front."""
    text = str(cause) or type(cause).__name__
    return re.sub(r"^(<[^>]*>|HTTPS?Connection(Pool)?\([^)]*\)): ", "", text)
