"""A service under experiments in memory: one second a tick, the real controllers and adapters over a simulated API server."""
