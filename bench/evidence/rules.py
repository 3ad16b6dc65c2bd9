"""The rules that other tools come with: a fixed threshold on the last minute, looked at once a minute."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.evidence.traffic import MINUTE, Tracks

Times = npt.NDArray[np.float64]
"""Seconds until the rollback of each run, infinite where there is none."""

ARGO_LIMIT = 0.01
FLAGGER_SUCCESS = 0.99
FLAGGER_THRESHOLD = 5


def argo(tracks: Tracks) -> Times:
    """Fail at the first minute in which more than 1% of the canary's requests are bad (`failureLimit: 0`).

    A minute without requests gives no verdict.
    """
    canary = tracks.by_minute()
    return when(canary.canary_bad > ARGO_LIMIT * canary.canary_total, failures=1)


def flagger(tracks: Tracks) -> Times:
    """Fail at the fifth minute, in total, in which less than 99% of the canary's requests succeed (`threshold: 5`).

    A minute without requests counts as passed; the tool itself would count it as failed.
    """
    canary = tracks.by_minute()
    good = canary.canary_total - canary.canary_bad
    return when(good < FLAGGER_SUCCESS * canary.canary_total, failures=FLAGGER_THRESHOLD)


def when(failed: npt.NDArray[np.bool_], failures: int) -> Times:
    """Return the seconds after which each run (a row of minutes) has failed so many times in all."""
    enough: npt.NDArray[np.bool_] = np.cumsum(failed, axis=1) >= failures
    first = np.argmax(enough, axis=1)
    return np.where(enough.any(axis=1), (first + 1.0) * MINUTE, np.inf)
