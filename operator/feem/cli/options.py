"""Options that all commands share, spelled as in kubectl."""

from __future__ import annotations

from typing import Annotated

import typer

Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Namespace; default: the context's.", show_default=False)
]
Context = Annotated[str | None, typer.Option("--context", help="Context of the kubeconfig.", show_default=False)]
Kubeconfig = Annotated[str | None, typer.Option("--kubeconfig", help="Path of the kubeconfig.", show_default=False)]
ReleaseName = Annotated[
    str, typer.Argument(metavar="RELEASE|SERVICE", help="A Release, or a ManagedService for its newest one.")
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why, for the audit log.", show_default=False)]
Wait = Annotated[float, typer.Option("--wait", help="Seconds to wait for FEEM's answer; 0 does not wait.")]
