"""The command line `feem`, also `kubectl feem`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; an expected failure is one message on standard error and exit code 2."""
    from feem.cli.app import app  # noqa: PLC0415 - `import feem.cli` stays cheap
    from feem.cli.problem import Problem  # noqa: PLC0415

    try:
        app()
    except Problem as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(problem.exit_code)
    except BrokenPipeError:  # `feem get | head`
        sys.stderr.close()
        sys.exit(0)
