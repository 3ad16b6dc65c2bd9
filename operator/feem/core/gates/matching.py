"""Who counts where: as many places as possible get a person of their own, the first places first.

Augmenting paths, one place after the other, never take a person from a place without giving it another. So a place that was filled
stays filled when more people come, and by the complementarity of the two sides (L. S. Shapley, Complements and substitutes in the
optimal assignment problem, 1962) no further person ever empties a place. A further role of somebody who is seated may move him to an
earlier place, but no first places, however many are looked at, are then fewer filled: more approvals never hurt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence


def match(places: Sequence[str], people: Mapping[str, Sequence[str]]) -> dict[int, str]:
    """Return for each place that can be filled, by index, its person. `places` are roles; `people` who may count in each role."""
    seats: dict[int, str] = {}
    for place in range(len(places)):
        _seat(place, places, people, seats)
    return seats


def _seat(place: int, places: Sequence[str], people: Mapping[str, Sequence[str]], seats: dict[int, str]) -> None:
    """Fill one more place, moving people between places where that is needed."""
    held = {person: taken for taken, person in seats.items()}
    wanted: dict[str, int] = {}
    waiting = deque([place])
    while waiting:
        asking = waiting.popleft()
        for person in people.get(places[asking], ()):
            if person in wanted:
                continue
            wanted[person] = asking
            if person in held:
                waiting.append(held[person])
                continue
            _move(person, place, wanted, seats)
            return


def _move(person: str, place: int, wanted: Mapping[str, int], seats: dict[int, str]) -> None:
    """Give a free person to who asked, what that place had to who asked for it, and so on back to the first place."""
    while True:
        asking = wanted[person]
        before = seats.get(asking)
        seats[asking] = person
        if asking == place or before is None:
            return
        person = before
