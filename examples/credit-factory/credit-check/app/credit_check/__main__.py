"""Start the service: `python -m credit_check`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from credit_check.server import ReportServer
from credit_check.settings import SettingError, Settings, read


def main() -> int:
    """Serve until SIGTERM or SIGINT, drain, and return 0; 2 when a setting is wrong."""
    try:
        settings = read(os.environ)
    except SettingError as error:
        print(f"credit-check cannot start: {error}", file=sys.stderr)
        return 2
    asyncio.run(serve(settings))
    return 0


async def serve(settings: Settings) -> None:
    """Serve one version until a signal, then drain."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = ReportServer(settings)
    port = await server.start()
    print(f"credit-check {settings.version} ({settings.behaviour}) on port {port}", flush=True)
    await stop.wait()
    print(f"draining for {settings.drain_seconds:g} s", flush=True)
    await server.drain()


if __name__ == "__main__":
    sys.exit(main())
