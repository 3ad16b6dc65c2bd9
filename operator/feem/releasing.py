"""What a leading operator runs for releases: services with their releases, what they refer to, and the guard around them."""

from __future__ import annotations

from feem.controllers.acceptance import AcceptanceController
from feem.controllers.closer import Closer
from feem.controllers.decision import DecisionController
from feem.controllers.door import Door
from feem.controllers.examiner import Examiner
from feem.controllers.gather import Gatherer
from feem.controllers.guarding import GuardController, GuardWatch
from feem.controllers.judge import Judge
from feem.controllers.profile import ProfileController
from feem.controllers.release import ReleaseController
from feem.controllers.routing import DECISION, GUARD, PLAN, PROFILE, SERVICE, WINDOW
from feem.controllers.sealing import Sealer
from feem.controllers.service import ServiceController
from feem.controllers.window import WindowController
from feem.ports import Ledger
from feem.runtime.loop import Key, Reconcile, by_name
from feem.world import World


def controllers_of(world: World, ledger: Ledger, door: Door, interval: float) -> dict[str, Reconcile]:
    """Wire the controllers of releases, which look at canaries every `interval` seconds; returns them by kind of key."""
    cluster, clock, notes = world.cluster, world.clock, world.notes
    watch = GuardWatch(cluster, world.policies)
    gatherer = Gatherer(cluster, clock, interval, watch)
    examiner = Examiner(cluster, clock, gatherer, authority=world.authority, tickets=world.tickets)
    releases = ReleaseController(
        cluster,
        ledger,
        notes,
        world.measurements,
        clock,
        gatherer=gatherer,
        judge=Judge(world.metrics, world.measurements, clock, interval),
        door=door,
        archive=world.archive,
        examiner=examiner,
        sealer=Sealer(cluster, world.origin, world.signer),
    )
    closer = Closer(cluster, ledger, notes, clock, examiner)
    services = ServiceController(cluster, ledger, notes, gatherer, releases, door, closer)
    profiles, windows = ProfileController(cluster, ledger, clock), WindowController(cluster, ledger, notes, clock)
    guard = GuardController(ledger, watch)

    async def profile(key: Key) -> None:
        await profiles.reconcile(key.name)

    async def window(key: Key) -> float | None:
        return await windows.reconcile(key.name)

    async def guarded(_: Key) -> None:
        await guard.reconcile()

    return {
        SERVICE: by_name(services.reconcile),
        PLAN: by_name(AcceptanceController(cluster, clock).reconcile),
        DECISION: by_name(DecisionController(cluster, ledger, clock, gatherer, examiner).reconcile),
        PROFILE: profile,
        WINDOW: window,
        GUARD: guarded,
    }
