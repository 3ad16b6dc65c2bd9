"""FEEM: governed grey releases for Kubernetes, held by admission, judged on evidence, proven by an audit log."""

__version__ = "0.1.0"
