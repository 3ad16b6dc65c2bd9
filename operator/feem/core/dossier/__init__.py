"""What is kept of an ended release so that it can be proven: its dossier, a signed attestation of its gates, and the pack of both."""
