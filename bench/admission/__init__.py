"""What FEEM's admission policies add to the requests of people and controllers, on a real API server."""
