"""Prometheus: which queries FEEM can read counters by, and how it reads them."""
