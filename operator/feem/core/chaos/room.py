"""Whether a request that a fault lowered still has room below its limit: somebody may have set another one meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from feem.core.chaos.edit import ABSENT, Body, Field
from feem.core.chaos.pointer import value_at
from feem.core.chaos.quantity import amount, same

_REQUESTS, _LIMITS = "/resources/requests/", "/resources/limits/"


def too_low_a_limit(body: Body, item: Field, fields: Sequence[Field]) -> str:
    """Return the limit that leaves no room for the old value of a request, empty when it can go back.

    The API server refuses a request above its limit, and with it everything else in that write. `fields` are all that the
    fault replaced: a limit that is still the fault's goes back together with the request.
    """
    wanted = amount(item.before) if _REQUESTS in item.path else None
    if wanted is None:
        return ""
    path = item.path.replace(_REQUESTS, _LIMITS)
    limit = value_at(body, path)
    for other in fields:
        if other.path == path and same(path, limit, other.after):
            limit = other.before
    known = amount(limit) if limit != ABSENT else None
    return str(limit) if known is not None and known < wanted else ""
