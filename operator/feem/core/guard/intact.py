"""Whether the admission policies of the cluster still are what FEEM ships."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from feem.core.digest import digest_of
from feem.core.guard.differences import differences
from feem.core.guard.plain import plain

Body = dict[str, Any]
REMEDY = "put it back as shipped: helm upgrade FEEM's chart, or kubectl apply -f policies/"
"""The next step after any sentence of `weaker`."""


def weaker(shipped: Sequence[Body], live: Callable[[str, str], Body | None]) -> tuple[str, ...]:
    """Return a sentence for each policy or binding that is missing or lets through what the shipped one does not.

    `live` returns the cluster's object of a kind and name. What others add that only denies more, and bindings of other names,
    are no weakening; nor is what the API server fills in.
    """
    return tuple(sentence for body in shipped for sentence in _object(body, live))


def identity(bodies: Iterable[Body]) -> str:
    """Return a digest that changes with every edit, deletion or making anew of one of the objects, seen or not while it happened.

    The API server raises `generation` at each change of a spec, also of one that is undone before anybody looks.
    """
    return digest_of(
        sorted(
            [
                body["kind"],
                body["metadata"]["name"],
                body["metadata"].get("uid") or "",
                body["metadata"].get("generation") or 0,
            ]
            for body in bodies
        )
    )


def _object(shipped: Body, live: Callable[[str, str], Body | None]) -> Iterator[str]:
    kind, name = shipped["kind"], shipped["metadata"]["name"]
    found = live(kind, name)
    if found is None:
        yield f"{kind} {name} is missing"
    elif clauses := list(differences(plain(shipped["spec"]), plain(found.get("spec") or {}))):
        yield f"{kind} {name}: {'; '.join(clauses)}"
