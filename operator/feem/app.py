"""The operator process: adapters bound to ports, leadership, health."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from pydantic import ValidationError

from feem import leading
from feem.adapters.kubernetes.archive import KubernetesArchive
from feem.adapters.kubernetes.authority import KubernetesAuthority, has_mutating_policies
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.cluster import KubernetesCluster
from feem.adapters.kubernetes.informer import Informer
from feem.adapters.kubernetes.lease import Election, LeaseTimes
from feem.adapters.kubernetes.notes import KubernetesNotes
from feem.adapters.kubernetes.scene import KubernetesFaults
from feem.adapters.kubernetes.store import Store
from feem.adapters.policies import PackagedPolicies
from feem.adapters.prometheus.metrics import PrometheusMetrics
from feem.adapters.tickets import Access, TicketSystems
from feem.auditing import auditing_of, check_settings, records_of
from feem.controllers.chaos.neighbours import Allowed
from feem.controllers.chaos.routing import EXPERIMENT, chaos_targets
from feem.controllers.leadership import Term
from feem.controllers.routing import DECISION, GUARD, OBJECTIVE, PLAN, PROFILE, SERVICE, WINDOW, targets
from feem.observe.http import ObservationServer
from feem.observe.logging import configure
from feem.observe.metrics import OperatorMetrics
from feem.ports import Body, Fenced, Records, Unavailable
from feem.runtime.clock import SystemClock
from feem.runtime.ledger import RecordLedger, lowest_free_epoch
from feem.runtime.loop import Key
from feem.runtime.queue import Queue
from feem.settings import Settings
from feem.world import Chaos, World

log = structlog.get_logger("feem.app")

FIRST_KEYS = {
    "servicelevelobjectives.feem.dev": OBJECTIVE,
    "greyreleaseplans.feem.dev": PLAN,
    "complianceprofiles.feem.dev": PROFILE,
    "changewindows.feem.dev": WINDOW,
    "managedservices.feem.dev": SERVICE,
    "chaosexperiments.feem.dev": EXPERIMENT,
    "decisions.feem.dev": DECISION,
}
"""What a new leader looks at first, in this order."""


def main() -> int:
    """Run the operator until it is told to stop; returns the exit code."""
    try:
        settings = Settings()
        configure(settings.log_level)
        check_settings(settings)
        ticket_systems(settings).close()  # a wrong address is said now, not when the first ticket is looked up
    except (ValidationError, ValueError) as problem:
        print(f"feem operator: the environment is not right: {problem}")  # noqa: T201 - there is no log without settings
        return 2
    return asyncio.run(_until_stopped(settings))


async def _until_stopped(settings: Settings) -> int:
    loop, operating = asyncio.get_running_loop(), asyncio.create_task(operate(settings))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, operating.cancel)
    try:
        await operating
    except asyncio.CancelledError:
        log.info("stopped")
        return 0
    except Fenced as problem:
        log.warning("another operator leads; starting over", problem=str(problem))
        return 3
    except Unavailable as problem:
        log.error("the API server cannot be reached", problem=str(problem))  # noqa: TRY400 - the sentence says it all
        return 1
    return 0


async def operate(settings: Settings) -> None:
    """Run one operator: watch always, act while leading."""
    figures, clock = OperatorMetrics(), SystemClock()
    identity = settings.identity or socket.gethostname()
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(await Client.connect(settings.kubeconfig, observe=figures.api_request))
        store, queue = Store(), Queue[Key]()
        cluster, notes = KubernetesCluster(client, store), KubernetesNotes(client, instance=identity)
        stack.push_async_callback(notes.drain)
        metrics = _metrics(settings, figures)
        stack.callback(metrics.close)
        figures.watch_queue(lambda: float(len(queue)), lambda: queue.oldest_seconds)
        records = await stack.enter_async_context(records_of(settings, client))
        auditing = auditing_of(settings, client, records)
        publishing = auditing.publishing
        election = _election(settings, client, records, figures, identity)

        def changed(resource: str, body: Body, deleted: bool) -> None:  # noqa: FBT001 - the informer's signature
            del deleted
            if election.leads:
                for target in (*targets(cluster, resource, body), *chaos_targets(cluster, resource, body)):
                    queue.add(Key(*target))

        informer, watching = Informer(client, store, changed), asyncio.Event()
        server = ObservationServer(figures.registry, port=settings.http_port)
        server.add_live("informer", lambda: informer.problem or None)
        server.add_ready("informer", lambda: None if watching.is_set() else "the first listing is not complete yet")
        await server.start()
        stack.push_async_callback(server.stop)
        await stack.enter_async_context(informer)
        await _synced(informer)
        watching.set()
        tickets = ticket_systems(settings)
        stack.callback(tickets.close)
        mutating = await _has_mutating(settings, client)
        world = World(
            cluster,
            metrics,
            notes,
            KubernetesArchive(client),
            clock,
            figures,
            KubernetesAuthority(client),
            tickets,
            PackagedPolicies(settings.service_account_username, mutating=mutating),
            Chaos(KubernetesFaults(client), metrics, _allowed(settings)),
            publishing.signer if publishing is not None else None,
            publishing.origin if publishing is not None else "",
        )
        await election.run(_term(settings, world, queue, auditing, election))


def _metrics(settings: Settings, figures: OperatorMetrics) -> PrometheusMetrics:
    ca_file, token_file = settings.prometheus_ca_file, settings.prometheus_token_file
    return PrometheusMetrics(
        settings.prometheus_url,
        timeout=settings.query_timeout_seconds,
        observe=figures.query,
        ca_file=Path(ca_file) if ca_file else None,
        token_file=Path(token_file) if token_file else None,
    )


def ticket_systems(settings: Settings) -> TicketSystems:
    """Return the ticket systems that the settings name. Raises ValueError for an address that cannot be one."""

    def access(name: str, setting: str, url: str, user: str, files: tuple[str, str]) -> Access | None:
        token, authorities = (Path(file) if file else None for file in files)
        wait = settings.ticket_timeout_seconds
        return Access(name, setting, url, user, token, authorities, wait) if url else None

    s = settings
    jira = access("Jira", "tickets.jira", s.jira_url, s.jira_user, (s.jira_token_file, s.jira_ca_file))
    files = s.ticket_webhook_token_file, s.ticket_webhook_ca_file
    return TicketSystems(jira, access("the ticket webhook", "tickets.webhook", s.ticket_webhook_url, "", files))


async def _has_mutating(settings: Settings, client: Client) -> bool:
    """Whether the policies that pause and stamp have to be there."""
    if settings.hold_policy == "Auto":
        return await has_mutating_policies(client)
    return settings.hold_policy == "Always"


def _election(
    settings: Settings, client: Client, records: Records, figures: OperatorMetrics, identity: str
) -> Election:
    seconds = settings.lease_seconds
    return Election(
        client,
        namespace=settings.namespace,
        name=settings.lease_name,
        identity=identity,
        times=LeaseTimes(seconds, seconds * 2 / 3, seconds * 2 / 15),
        floor=lambda: lowest_free_epoch(records),
        changed=figures.leading,
    )


def _term(
    settings: Settings, world: World, queue: Queue[Key], auditing: leading.Auditing, election: Election
) -> Callable[[int], Awaitable[None]]:
    """Return what to do while leading: everything is looked at once, then as events come."""

    async def term(epoch: int) -> None:
        ledger = await RecordLedger.open(
            auditing.records,
            world.clock,
            epoch=epoch,
            actor=settings.service_account_username,
            appended=lambda record, seconds: world.measurements.audit_appended(record.index, seconds),
        )
        if ledger.head is not None:
            world.measurements.audit_head(ledger.head.index)
        log.info("leading", epoch=epoch, audit_index=ledger.head.index if ledger.head else None)
        for resource, kind in FIRST_KEYS.items():
            for body in world.cluster.list(resource):
                queue.add(Key(kind, body["metadata"].get("namespace", ""), body["metadata"]["name"]))
        for body in world.cluster.list("chaosruns.feem.dev"):
            for target in chaos_targets(world.cluster, "chaosruns.feem.dev", body):
                queue.add(Key(*target))
        queue.add(Key(GUARD, "", "policies"))
        term_of = Term(settings.namespace, settings.lease_name, epoch, election.identity, election.predecessor)
        await leading.lead(world, ledger, queue, _pace(settings), auditing, term_of)

    return term


def _allowed(settings: Settings) -> Allowed:
    names = frozenset(name for name in settings.chaos_namespaces.split(",") if name)
    return Allowed(names, settings.namespace)


def _pace(settings: Settings) -> leading.Pace:
    return leading.Pace(
        settings.interval_seconds, settings.budget_interval_seconds, settings.workers, settings.chaos_workers
    )


async def _synced(informer: Informer) -> None:
    waiting = asyncio.create_task(informer.synced())
    while not (await asyncio.wait({waiting}, timeout=10))[0]:
        log.info("waiting for the first listing of the cluster", problem=informer.problem or None)
