"""Experiments on the whole stack: real pods, gateway, Prometheus and traffic, the operator and the reaper as pods."""
