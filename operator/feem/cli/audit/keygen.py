"""`feem audit keygen`: keys for a log, as a Secret to be given to the chart."""

from __future__ import annotations

import base64
import sys
from typing import Annotated

import typer
import yaml

from feem.adapters.audit.keys import FILES, SigningKey, generate_seed


def keygen(
    origin: Annotated[str, typer.Option("--origin", help="The log's name, as in the chart's audit.origin.")],
    name: Annotated[str, typer.Option("--name", help="The Secret.")] = "feem-audit-key",
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="The operator's namespace.")] = "feem-system",
) -> None:
    """Print a Secret with new keys, for `kubectl create -f -`; the public halves go to standard error.

    Nothing is kept: whoever can read the Secret can sign in the log's name.
    """
    seeds = {file: generate_seed() for file in FILES}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "immutable": True,
        "data": {file: base64.b64encode(seed).decode() for file, seed in seeds.items()},
    }
    yaml.safe_dump(secret, sys.stdout, sort_keys=False)
    for file, seed in seeds.items():
        typer.echo(SigningKey(origin, FILES[file], seed).key.vkey(), err=True)
