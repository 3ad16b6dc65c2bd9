"""Ticket systems that a change's ticket is looked up in."""

from feem.adapters.tickets.access import Access
from feem.adapters.tickets.systems import TicketSystems

__all__ = ["Access", "TicketSystems"]
