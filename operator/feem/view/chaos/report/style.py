"""How the report of a game day looks: as the evidence report does, with a few things of its own."""

from __future__ import annotations

from feem.view.report import style

_FOOT = "Release evidence report \\53d1\\5e03\\8bc1\\636e\\62a5\\544a"
_OWN_FOOT = "Chaos game day report \\6df7\\6c8c\\6f14\\7ec3\\62a5\\544a"

SCREEN = (
    style.SCREEN
    + """
.unproven{margin:18px 0 0;padding:10px 14px;border:2px solid var(--bad);color:var(--bad);font-weight:600}
svg .phase{fill:#b8c3cd}svg .phase.fault{fill:#c2570c;fill-opacity:.8}svg .phase.recovery{fill:#2b6cb0;fill-opacity:.7}
svg .phase.whole{fill:#1b7a4b;fill-opacity:.75}
.run h4{margin-top:14px}
.run .facts{margin-top:6px}
.num{white-space:nowrap;font-variant-numeric:tabular-nums}
"""
)
PAPER = (
    style.PAPER.replace(_FOOT, _OWN_FOOT)
    + "@media print{.run{break-inside:auto}.run figure,.run table{margin-top:4px}}\n"
)
