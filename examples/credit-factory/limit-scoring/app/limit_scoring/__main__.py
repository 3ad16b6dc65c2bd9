"""Start the service: `python -m limit_scoring`."""

from __future__ import annotations

import os
import signal
import sys
import threading

from limit_scoring.server import ScoringServer
from limit_scoring.settings import SettingError, read


def main() -> int:
    """Serve until SIGTERM or SIGINT, drain, and return 0; 2 when a setting is wrong.

    SIGUSR1 turns the late version bad, as a fault does that shows only days after a release.
    """
    try:
        settings = read(os.environ)
    except SettingError as error:
        print(f"limit-scoring cannot start: {error}", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = ScoringServer(settings)
    signal.signal(signal.SIGUSR1, lambda *_: server.turned.set())
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="accept")
    serving.start()
    print(f"limit-scoring {settings.version} ({settings.behaviour}) on port {server.server_port}", flush=True)
    stop.wait()
    print(f"draining for {settings.drain_seconds:g} s", flush=True)
    server.drain()
    serving.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
