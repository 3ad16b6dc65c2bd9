"""How to reach the API server: the pod's service account, or a kubeconfig."""

from __future__ import annotations

import os

import kopf
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config import ConfigException, load_incluster_config, load_kube_config

from feem.ports import Unavailable


class ConnectionProblem(Unavailable):
    """There is no usable way to the API server; the message says what to set."""


async def load(kubeconfig: str = "") -> Configuration:
    """Return the client's configuration: from `kubeconfig`, else $KUBECONFIG, else the pod's service account, else ~/.kube/config.

    The service account's token is read again every minute, for the kubelet replaces it before it expires; credential plugins
    of a kubeconfig are asked again by calling this again. Raises ConnectionProblem.
    """
    configuration = Configuration()
    path = kubeconfig or os.environ.get("KUBECONFIG", "")
    home = os.path.expanduser("~/.kube/config")  # noqa: PTH111, ASYNC240 - only joins two strings
    try:
        if path:
            await load_kube_config(config_file=path, client_configuration=configuration, persist_config=False)
        elif "KUBERNETES_SERVICE_HOST" in os.environ:
            load_incluster_config(client_configuration=configuration)
        else:
            await load_kube_config(config_file=home, client_configuration=configuration, persist_config=False)
    except (ConfigException, OSError) as problem:
        source = path or ("the pod's service account" if "KUBERNETES_SERVICE_HOST" in os.environ else home)
        raise ConnectionProblem(
            f"no connection to the API server from {source}: {problem}; set KUBECONFIG, or run in a pod with a service account"
        ) from problem
    return configuration


async def watch_credentials(configuration: Configuration) -> kopf.ConnectionInfo:
    """Return the same connection in kopf's words, with the token as it is now."""
    header = await configuration.get_api_key_with_prefix("BearerToken", alias="authorization") or ""
    token = header.strip().rpartition(" ")[2]
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        token=token or None,
        proxy_url=configuration.proxy,
    )
