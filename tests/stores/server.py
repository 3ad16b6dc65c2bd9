"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by a Unix socket, run without privileges."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from e2e.cluster import packages

ROLE = "feem"
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "30",
    "shared_buffers": "16MB",
    "min_wal_size": "32MB",
    "max_wal_size": "64MB",
    "logging_collector": "off",
}


@dataclass
class Server:
    """A running server. `user` is whom it runs as; None: ourselves."""

    root: Path
    programs: Path
    user: str | None
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.root / "data"

    def dsn(self, database: str = "postgres", **more: str) -> str:
        return psycopg.conninfo.make_conninfo(host=str(self.root), user=ROLE, dbname=database, **more)

    def run(self, program: str, *arguments: str) -> bytes:
        """Run one of PostgreSQL's programs; returns what it prints."""
        command = [str(self.programs / program), *arguments]
        done = subprocess.run(command, capture_output=True, user=self.user, cwd=self.root, check=False, timeout=120)
        assert done.returncode == 0, f"{program}: {done.stderr.decode()}"
        return done.stdout

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {"unix_socket_directories": str(self.root), **_SETTINGS}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.data), *options],
                stdout=log,
                stderr=log,
                user=self.user,
                cwd=self.root,
                start_new_session=True,
            )
        self.wait()

    def wait(self, seconds: float = 60) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(self.dsn(), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.root / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self, by: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT hangs up on everybody, SIGQUIT is a crash."""
        if self.process is not None:
            self.process.send_signal(by)
            self.process.wait(60)
            self.process = None

    def do(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Execute one statement, as the owner of everything."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(statement))
            return cursor.fetchall() if cursor.description else []

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)


def started() -> Server:
    """Make a server; installs Debian's package when there is none."""
    programs = _programs()
    if programs is None:
        packages.require(["postgresql"], print)
        programs = _programs()
    assert programs is not None, "there is no initdb in /usr/lib/postgresql/*/bin: install Debian's package postgresql"
    root = Path(tempfile.mkdtemp(prefix="feem-postgres-"))
    server = Server(root, programs, _user())
    if server.user is not None:
        shutil.chown(root, server.user)
    server.run(
        "initdb", "--pgdata", str(server.data), "--username", ROLE, "--auth=trust", "--encoding=UTF8", "--no-sync"
    )
    server.start()
    return server


def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in versions), key=lambda path: float(path.parent.name), default=None)


def _user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)
