"""What stands beside a report of a game day for whoever unpacks it."""

from __future__ import annotations

from feem.core.dossier.gameday import GameDay

_PROVEN = """
    feem audit verify THIS-FILE.zip --keys KEYS

checks all of it without a cluster. Take KEYS, one verifier key a line, from whoever runs the log `{origin}`, and not from `keys.txt` in
here: who can forge the report can forge that file. The exit code is 0 when everything is proven.

By hand, or with other tools:

1. `checkpoint` is a signed note (c2sp.org/tlog-checkpoint) over {size} entries.
2. Each `records/INDEX.json` is in the log: `proofs/INDEX.tlog-proof` (c2sp.org/tlog-proof) leads from its bytes to that checkpoint.
3. For each `runs/NAMESPACE/NAME.json` a record `ChaosRunEnded` about that run (namespace, name, uid) has as `evidence` the SHA-256 of
   the RFC 8785 form of `{{"spec": …, "status": …}}` of that file.
4. `report.json` is computed from those runs and records alone.

A log that was cut off after these runs cannot be told from this file, nor whether runs were left out. Compare with the whole log:
`feem audit verify LOG.zip --held checkpoint`.
"""
_UNPROVEN = """
It is NOT PROVEN: {why}. Nothing in here can be checked against the log.
"""


def readme_of(day: GameDay, why: str = "") -> str:
    """Return README.md; `why` says why nothing is proven, where nothing is."""
    names = "\n".join(f"- {run['metadata']['namespace']}/{run['metadata']['name']}" for run in day.documents)
    head = day.opened.checkpoint if day.opened is not None else None
    body = _PROVEN.format(origin=head.origin, size=head.size) if head is not None else _UNPROVEN.format(why=why)
    return f"""# Report of a chaos game day

`report.html` is for reading and printing, `report.json` has the same figures. The runs:

{names}
{body}
What looked secret or personal reads `[masked]`.
"""
