"""Measurements that print a table: what FEEM does, in figures that anybody can make again."""
