"""Audit records as the API server lists them, in a file or from the cluster: read, put in order, and told about."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from feem.cli.cluster import Body
from feem.cli.problem import Problem
from feem.core.audit.verify import Report


def read_file(file: Path) -> list[Body]:
    """Read what `feem audit export`, or `kubectl get auditrecords -o json`, wrote."""
    next_step = "feem audit export --file FILE writes one"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as missing:
        raise Problem(f"file {file}", str(missing.strerror), next_step) from missing
    except ValueError as broken:
        raise Problem(f"file {file}", f"it is not JSON: {broken}", next_step) from broken
    items = data.get("items") if isinstance(data, dict) else None
    if not isinstance(items, list) or not all(_is_record(item) for item in items):
        raise Problem(f"file {file}", "it is not a list of audit records", next_step)
    return items


def in_order(records: Iterable[Body]) -> list[tuple[str, Any]]:
    """Return (name, spec) by name, which is the order of the log."""
    return sorted(((item["metadata"]["name"], item.get("spec")) for item in records), key=lambda pair: pair[0])


def told(report: Report, where: str) -> str:
    """Say what was verified, or which entry is the first bad one."""
    if not report.entries:
        return f"The audit log in {where} is empty."
    last = report.first + report.entries - 1
    lines = [f"{report.entries} audit entries read from {where}, from {report.first} on."]
    if report.ok:
        lines = [f"Verified {report.entries} audit entries in {where}: {report.first} to {last}."]
        lines.append("Each entry is as it was written and follows the one before; no act has two outcomes.")
    else:
        bad = report.first_bad
        lines.append(f"DAMAGED, first at entry {bad.index if bad else '?'}:")
        lines += [f"  {finding.index}: {finding.fault}: {finding.message}" for finding in report.findings[:20]]
        if len(report.findings) > 20:
            lines.append(f"  … and {len(report.findings) - 20} more")
    if report.open_intents:
        shown = ", ".join(str(index) for index in report.open_intents[:10])
        lines.append(f"Acts without an outcome yet: {len(report.open_intents)} ({shown}).")
    lines += [f"Note: {remark}." for remark in report.remarks]
    lines.append(f"Head: {report.head}  (compare it with one noted elsewhere: a cut-off end shows nowhere else)")
    return "\n".join(lines)


def _is_record(item: Any) -> bool:
    return isinstance(item, dict) and isinstance((item.get("metadata") or {}).get("name"), str)
