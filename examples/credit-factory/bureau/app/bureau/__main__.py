"""Start the bureau: `python -m bureau`."""

from __future__ import annotations

import os
import signal
import sys
import threading

from bureau.server import BureauServer


def main() -> int:
    """Serve until SIGTERM or SIGINT and for DRAIN_SECONDS more, since its clients learn of its end later than it does."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = BureauServer(os.environ.get("ADDRESS", ""), int(os.environ.get("PORT", "8080")))
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="accept")
    serving.start()
    print(f"bureau on port {server.server_port}", flush=True)
    stop.wait()
    threading.Event().wait(float(os.environ.get("DRAIN_SECONDS", "3")))
    server.shutdown()
    serving.join()
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
