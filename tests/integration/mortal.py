"""The operator that kills itself, as `kill -9` would, right after the n-th write of a run: `python -m tests.integration.mortal`.

FEEM_TEST_DIE_AFTER says after which; the count begins with the first write to a ChaosRun. What it died after is its last line.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta

from feem import app
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.request import Request
from feem.core.chaos import checking
from feem.ports import Body

COUNTED = frozenset(
    {
        "chaosruns.feem.dev",
        "auditrecords.feem.dev",
        "pods",
        "deployments.apps",
        "networkpolicies.networking.k8s.io",
        "configmaps",
    }
)


def main() -> int:
    """Run the operator until it dies; the reaper need not wait as long as in earnest."""
    last, count, send = int(os.environ["FEEM_TEST_DIE_AFTER"]), 0, Client.send
    checking.GRACE = timedelta(seconds=1)

    async def counted(self: Client, request: Request) -> Body:
        nonlocal count
        answer = await send(self, request)
        ours = count > 0 or request.type.name == "chaosruns.feem.dev"
        if ours and request.method != "GET" and request.type.name in COUNTED:
            count += 1
            if count == last:
                sys.stdout.write(f"DIED AFTER {request}\n")
                sys.stdout.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        return answer

    Client.send = counted  # type: ignore[method-assign]
    return app.main()


if __name__ == "__main__":
    sys.exit(main())
