"""The Kubernetes API: one client, a local copy fed by kopf, and the ports that stand on them."""
