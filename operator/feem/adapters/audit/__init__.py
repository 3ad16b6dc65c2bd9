"""Places for the audit log outside the cluster: a directory of tiles, and a PostgreSQL database."""
