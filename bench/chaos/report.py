"""What the run says: the tables, the promises and the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.admission.figures import percentile
from bench.chaos.process import Spent, Usage
from bench.evidence.section import Check, Section

MEMORY_LIMIT = 384 * 1024 * 1024
"""What the chart allows the operator."""
MOST_REQUESTS, MOST_ADDED, MOST_SHARE = 20.0, 0.05, 0.01
LOST = 0.02
"""Share of runs that may fall to the other side of the beginning and the end of the time."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Run:
    """Everything one run found."""

    experiments: int
    empty: Spent
    idle: Spent
    settling: Spent
    busy: Spent
    memory: dict[str, Usage]
    """By what the operator had to do until then."""
    due: int
    missed: int
    causes: Counter[str]
    late: Sequence[float]

    @property
    def made(self) -> int:
        """Runs that were made in the busy time."""
        return self.busy.requests["create", "chaosruns"]


def sections(run: Run) -> list[Section]:
    """Return the parts of the report in their order."""
    return [idle(run), busy(run), memory(run)]


def idle(run: Run) -> Section:
    """What experiments cost while none is due."""
    added, share = run.idle.rate - run.empty.rate, run.idle.share - run.empty.share
    rows = (
        _row("no experiment", run.empty),
        _row(f"{run.experiments} experiments, none due", run.idle),
    )
    return Section(
        "idle",
        f"What {run.experiments} experiments with schedules cost while none of them is due",
        notes=(
            "Requests are the operator's own, watches apart: it renews its Lease. CPU is the operator's, and the API server's.",
        ),
        columns=("", "seconds", "requests a second", "CPU", "API server's CPU"),
        rows=rows,
        checks=(
            Check("they add no requests", f"{added:+.3f} a second", added <= MOST_ADDED),
            Check("they take less than 1% of a CPU", f"{share * 100:+.2f}%", share <= MOST_SHARE),
        ),
        figures={
            "withoutExperiments": _plain(run.empty),
            "withExperiments": _plain(run.idle),
            "firstLook": {**_plain(run.settling), "requestsEach": round(_each(run.settling, run.experiments), 2)},
        },
    )


def busy(run: Run) -> Section:
    """What one run costs that is due and refused."""
    made, spent = max(run.made, 1), run.busy
    each, accounted = _each(spent, made), run.made + run.missed
    cpu, server = ((one - of_idle * spent.seconds) * 1000 / made for one, of_idle in _beyond_idle(run))
    rows = [(f"{verb} {resource}", f"{count / made:.2f}") for (verb, resource), count in spent.requests.most_common()]
    late = sorted(run.late)
    said = ", ".join(f"{count} {cause}" for cause, count in run.causes.most_common())
    return Section(
        "busy",
        f"What a run costs that is due and refused: {run.experiments} experiments, each every minute, spread by jitter",
        notes=(
            f"{run.made} runs in {spent.seconds:.0f} s, {run.made / spent.seconds:.1f} a second. Those still kept: {said}.",
            f"A run takes {cpu:.1f} ms of the operator's CPU and {server:.1f} ms of the API server's.",
            f"{spent.failed} of {spent.requests.total()} requests were not granted.",
            f"They were made {percentile(late, 0.5):.0f} s after their time and jitter at the median, {percentile(late, 0.95):.0f} s at p95"
            if late
            else "no run is kept",
        ),
        columns=("request", "a run"),
        rows=(*rows, ("all", f"{each:.2f}")),
        checks=(
            Check(f"a run takes at most {MOST_REQUESTS:.0f} requests", f"{each:.1f}", each <= MOST_REQUESTS),
            Check(
                "every time of the schedules became a run, or is on record as missed",
                f"{run.made} runs and {run.missed} missed of {run.due}",
                abs(accounted - run.due) <= LOST * run.due,
            ),
            Check("none was missed", f"{run.missed}", run.missed == 0),
        ),
        figures={
            "runs": run.made,
            "due": run.due,
            "missed": run.missed,
            "requestsEach": round(each, 3),
            "cpuMsEach": round(cpu, 3),
            "apiServerCpuMsEach": round(server, 3),
            "lateSeconds": {"p50": percentile(late, 0.5), "p95": percentile(late, 0.95)} if late else {},
            "causes": dict(run.causes),
            **_plain(spent),
        },
    )


def memory(run: Run) -> Section:
    """How much memory the operator takes."""
    peak = max(usage.peak for usage in run.memory.values())
    return Section(
        "memory",
        "The operator's memory (MiB)",
        columns=("after", "resident", "peak"),
        rows=tuple(
            (name, f"{usage.memory / MIB:.0f}", f"{usage.peak / MIB:.0f}") for name, usage in run.memory.items()
        ),
        checks=(
            Check(
                "it stays within what the chart allows",
                f"{peak / MIB:.0f} of {MEMORY_LIMIT // MIB}",
                peak <= MEMORY_LIMIT,
            ),
        ),
        figures={name: {"resident": usage.memory, "peak": usage.peak} for name, usage in run.memory.items()},
    )


def _row(name: str, spent: Spent) -> tuple[str, ...]:
    return (
        name,
        f"{spent.seconds:.0f}",
        f"{spent.rate:.2f}",
        f"{spent.share * 100:.2f}%",
        f"{spent.server_cpu / spent.seconds * 100:.1f}%",
    )


def _beyond_idle(run: Run) -> tuple[tuple[float, float], tuple[float, float]]:
    """The CPU seconds of the busy time, and what a second takes when nothing is due."""
    idle_server = run.idle.server_cpu / run.idle.seconds
    return (run.busy.cpu, run.idle.share), (run.busy.server_cpu, idle_server)


def _each(spent: Spent, count: int) -> float:
    return spent.requests.total() / max(count, 1)


def _plain(spent: Spent) -> dict[str, object]:
    return {
        "seconds": round(spent.seconds, 1),
        "requestsASecond": round(spent.rate, 3),
        "cpuSeconds": round(spent.cpu, 3),
        "apiServerCpuSeconds": round(spent.server_cpu, 3),
        "requests": {f"{verb} {resource}": count for (verb, resource), count in spent.requests.most_common()},
        "notGranted": spent.failed,
    }
