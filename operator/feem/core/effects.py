"""Every write that goes through the one door."""

from __future__ import annotations

from feem.core.chaos.acts import InjectFault, UndoFault
from feem.core.chaos.effects import RunEffect
from feem.core.rollout.effects import Effect

AnyEffect = Effect | RunEffect | InjectFault | UndoFault
"""Of releases, of experiments, and of their runs; `str(effect)` says each in one line for the audit log."""
