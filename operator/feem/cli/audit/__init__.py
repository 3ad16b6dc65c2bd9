"""`feem audit …`: read, prove, export, verify and witness the audit log."""

from __future__ import annotations

import typer

from feem.cli.audit.export import export_log
from feem.cli.audit.keygen import keygen
from feem.cli.audit.listing import list_log, show_entry
from feem.cli.audit.prove import prove_entry
from feem.cli.audit.sample import sample
from feem.cli.audit.verify import verify_log
from feem.cli.audit.witness import witness

audit = typer.Typer(no_args_is_help=True, help="Read, prove, export and verify the audit log.")
audit.command("list")(list_log)
audit.command("show")(show_entry)
audit.command("verify")(verify_log)
audit.command("prove")(prove_entry)
audit.command("export")(export_log)
audit.command("keygen")(keygen)
audit.command("sample")(sample)
audit.command("witness")(witness)
