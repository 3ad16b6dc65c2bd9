"""The API server that the integration tests use."""

from tests.integration.conftest import as_user, cluster

__all__ = ["as_user", "cluster"]
