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
"""Share of runs that may be on the other side of the beginning or the end of a time."""
MIB = 1024 * 1024


@dataclass(frozen=True)
class Act:
    """A time in which some experiments came each minute: what it took, how many times came and how many of them were missed."""

    coming: int
    spent: Spent
    times: int
    missed: int
    causes: Counter[str]
    late: Sequence[float]

    @property
    def made(self) -> int:
        """Runs that were made."""
        return self.spent.requests["create", "chaosruns"]

    @property
    def accounted(self) -> bool:
        """Whether each time became a run or is on record as missed; some are on the other side of the beginning or the end."""
        return abs(self.made + self.missed - self.times) <= max(3, LOST * self.times)


@dataclass(frozen=True)
class Run:
    """Everything one run found."""

    experiments: int
    empty: Spent
    idle: Spent
    settling: Spent
    busy: Act
    flood: Act
    memory: dict[str, Usage]
    """By what the operator had to do until then."""


def sections(run: Run) -> list[Section]:
    """Return the parts of the report in their order."""
    return [idle(run), busy(run), flood(run), memory(run)]


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
            "firstLook": {
                **_plain(run.settling),
                "requestsEach": round(run.settling.requests.total() / run.experiments, 2),
            },
        },
    )


def busy(run: Run) -> Section:
    """What one run costs that is due and refused."""
    act = run.busy
    made, spent = max(act.made, 1), act.spent
    cpu, server = _each_cpu(run, act)
    rows = [(f"{verb} {resource}", f"{count / made:.2f}") for (verb, resource), count in spent.requests.most_common()]
    each = spent.requests.total() / made
    return Section(
        "busy",
        f"What a run costs that is due and refused: {act.coming} of {run.experiments} experiments come each minute, spread by jitter",
        notes=(
            *_notes(act),
            f"A run takes {cpu:.1f} ms of the operator's CPU and {server:.1f} ms of the API server's.",
            f"{spent.failed} of {spent.requests.total()} requests were not granted.",
        ),
        columns=("request", "a run"),
        rows=(*rows, ("all", f"{each:.2f}")),
        checks=(
            Check(f"a run takes at most {MOST_REQUESTS:.0f} requests", f"{each:.1f}", each <= MOST_REQUESTS),
            _all_accounted(act),
            Check("none was missed", f"{act.missed}", act.missed == 0),
        ),
        figures=_figures(run, act),
    )


def flood(run: Run) -> Section:
    """What becomes of more runs than can be made."""
    act = run.flood
    return Section(
        "flood",
        f"When all {act.coming} come each minute",
        notes=(*_notes(act), f"The operator takes {act.spent.share * 100:.0f}% of a CPU meanwhile."),
        checks=(_all_accounted(act),),
        figures=_figures(run, act),
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


def _notes(act: Act) -> tuple[str, ...]:
    made, seconds, late = act.made, act.spent.seconds, act.late
    said = ", ".join(f"{count} {cause}" for cause, count in act.causes.most_common())
    p50, p95 = (percentile(late, share) if late else 0.0 for share in (0.5, 0.95))
    return (
        f"{made} runs in {seconds:.0f} s, {made / seconds:.1f} a second, {act.missed} missed. Those still kept: {said or 'none'}.",
        f"They were made {p50:.0f} s after their time and jitter at the median, {p95:.0f} s at p95.",
    )


def _all_accounted(act: Act) -> Check:
    figure = f"{act.made} runs and {act.missed} missed of {act.times}"
    return Check("each time of the schedules became a run, or is on record as missed", figure, act.accounted)


def _figures(run: Run, act: Act) -> dict[str, object]:
    cpu, server = _each_cpu(run, act)
    late = {"p50": percentile(act.late, 0.5), "p95": percentile(act.late, 0.95)} if act.late else {}
    return {
        "comingEachMinute": act.coming,
        "runs": act.made,
        "times": act.times,
        "missed": act.missed,
        "requestsEach": round(act.spent.requests.total() / max(act.made, 1), 3),
        "cpuMsEach": round(cpu, 3),
        "apiServerCpuMsEach": round(server, 3),
        "lateSeconds": late,
        "causes": dict(act.causes),
        **_plain(act.spent),
    }


def _each_cpu(run: Run, act: Act) -> tuple[float, float]:
    """Return the milliseconds of CPU of one run, the operator's and the API server's, without what they take by themselves."""
    spent, made = act.spent, max(act.made, 1)
    own = spent.cpu - run.idle.share * spent.seconds
    server = spent.server_cpu - run.idle.server_cpu / run.idle.seconds * spent.seconds
    return own * 1000 / made, server * 1000 / made


def _plain(spent: Spent) -> dict[str, object]:
    return {
        "seconds": round(spent.seconds, 1),
        "requestsASecond": round(spent.rate, 3),
        "cpuSeconds": round(spent.cpu, 3),
        "apiServerCpuSeconds": round(spent.server_cpu, 3),
        "requests": {f"{verb} {resource}": count for (verb, resource), count in spent.requests.most_common()},
        "notGranted": spent.failed,
    }
