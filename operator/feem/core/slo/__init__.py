"""Objectives as budgets: how fast they burn, the alerting rules that say so, and objectives written as OpenSLO."""
