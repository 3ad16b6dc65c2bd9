"""Bring manifests to a cluster and wait, with a line now and then that says what is still missing."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from e2e.cluster import binaries
from e2e.cluster.commands import run
from e2e.cluster.context import Cluster, ClusterError, Say
from e2e.cluster.stack.rendering import Manifest, dump

HEARTBEAT = 10.0  # seconds between two lines while waiting


class Applier:
    """Talks to one cluster through kubectl, as its administrator."""

    def __init__(self, cluster: Cluster, say: Say) -> None:
        self._say = say
        kubectl = binaries.ensure(["kubectl"], cluster.cache, say)["kubectl"]
        self._command: list[str | Path] = [kubectl, f"--kubeconfig={cluster.kubeconfig}"]

    def apply(self, manifests: Path | Iterable[Manifest]) -> None:
        """Apply a file or objects on the server's side: repeating it changes nothing."""
        given = None if isinstance(manifests, Path) else dump(manifests)
        source = manifests if isinstance(manifests, Path) else "-"
        arguments = ["apply", "--server-side", "--force-conflicts", "--field-manager=feem-e2e", "-f", source]
        run([*self._command, *arguments], stdin=given, next_step="Look at the API server's log.", timeout=120)

    def wait(self, what: str, arguments: list[str], seconds: float = 180.0) -> None:
        """Repeat a `kubectl` waiting command until it succeeds; `{slice}` in it becomes one turn's time-out.

        Raises ClusterError with the last reason and the pods of the namespace when the time is over.
        """
        began = time.monotonic()
        while True:
            left = seconds - (time.monotonic() - began)
            turn = max(1, min(HEARTBEAT, left))
            command = [*self._command, *(word.replace("{slice}", f"{turn:.0f}s") for word in arguments)]
            try:
                run(command, next_step="", timeout=turn + 30)
            except ClusterError as error:
                waited = time.monotonic() - began
                if waited >= seconds:
                    raise ClusterError(f"{what} is not ready after {waited:.0f} s: {error}{self._pods()}") from error
                self._say(f"waiting for {what}: {waited:.0f} s")
                time.sleep(0.2)  # a refusal comes at once, a time-out does not
            else:
                return

    def rollout(self, namespace: str, deployment: str) -> None:
        """Wait until a Deployment has all its pods ready."""
        words = ["rollout", "status", f"deployment/{deployment}", f"--namespace={namespace}", "--timeout={slice}"]
        self.wait(f"{namespace}/{deployment}", words)

    def condition(self, condition: str, *objects: str, namespace: str = "default") -> None:
        """Wait until objects (`kind/name`) have a condition."""
        words = ["wait", f"--for=condition={condition}", f"--namespace={namespace}", "--timeout={slice}", *objects]
        self.wait(f"{condition} of {', '.join(objects)}", words)

    def _pods(self) -> str:
        try:
            listed = run([*self._command, "get", "pods", "-A", "-o", "wide"], next_step="", timeout=30)
        except ClusterError as error:
            return f"\nand its pods cannot be listed: {error}"
        unready = [line for line in listed.splitlines() if " Running " not in line and " Completed " not in line]
        return "\npods that do not run:\n" + "\n".join(unready)
