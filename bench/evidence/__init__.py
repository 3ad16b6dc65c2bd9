"""How soon and how surely a worse canary is known: FEEM beside the usual rules, on the same simulated traffic."""
