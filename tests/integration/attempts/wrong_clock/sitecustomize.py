"""Gives a Python process a wrong clock: imported at its start because this folder is on PYTHONPATH, in tests only.

`time.time` and `datetime.now` are what the operator tells the time by; timers run by another clock, which stays as it is.
"""

from __future__ import annotations

import ctypes
import gc
import os
import time
from datetime import datetime, tzinfo

AHEAD = float(os.environ.get("FEEM_TEST_CLOCK_AHEAD", "0"))
_true = time.time


def _wrong() -> float:
    return _true() + AHEAD


def _now(cls: type[datetime], tz: tzinfo | None = None) -> datetime:
    return cls.fromtimestamp(_wrong(), tz)


if AHEAD:
    time.time = _wrong
    # the type is C's: its methods cannot be assigned, and a subclass in its place would not be the type that pydantic knows
    members = gc.get_referents(datetime.__dict__)[0]
    members["now"] = classmethod(_now)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime))
