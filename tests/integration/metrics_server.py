"""A stand-in for Prometheus on loopback: counters that grow by the clock, for whatever metrics and pods a query names."""

from __future__ import annotations

import json
import math
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import promql_parser as promql

SCRAPE = 2.0
"""Seconds between two samples."""
EDGES = {"0.1": 0.5, "0.3": 1.0, "1": 1.0, "+Inf": 1.0}
"""Of the fast events, how many are in the buckets of a histogram; the slow ones are in the last two."""
SERVICE = "service-0"
"""The ReplicaSet that queries without pods see: it stands for a whole service."""

Labels = dict[str, str]
Shares = Mapping[str, float]
Vector = list[tuple[Labels, float]]
COMPUTE: Mapping[str, Callable[[list[float]], float]] = {
    "sum": math.fsum,
    "min": min,
    "max": max,
    "avg": statistics.fmean,
    "count": len,
    "group": lambda _values: 1.0,
}


@dataclass(frozen=True)
class Mix:
    """A counter with a label for categories, and which share of the events each has on a canary and elsewhere."""

    label: str
    canary: Shares
    stable: Shares


@dataclass(frozen=True)
class Weather:
    """How things are for a while: events a second and pod, and what of the canary's is bad or slow."""

    rate: float = 200.0
    bad: float = 0.0
    slow: float = 0.0
    service_bad: float = 0.0
    mixes: Mapping[str, Mix] = field(default_factory=dict)

    def shares(self, metric: str, replica_set: str) -> Iterator[tuple[Labels, float]]:
        """Yield the series a pod has of a metric, and the share of its events in each."""
        canary = "-canary-" in replica_set
        if metric in self.mixes:
            mix = self.mixes[metric]
            for category, share in (mix.canary if canary else mix.stable).items():
                yield {mix.label: category}, share
        elif metric.endswith("_bucket"):
            slow = self.slow if canary else 0.0
            for edge, share in EDGES.items():
                yield {"le": edge}, (1 - slow) * share + (slow if edge in ("1", "+Inf") else 0.0)
        else:
            bad = self.bad if canary else self.service_bad if replica_set == SERVICE else 0.0
            yield {"code": "200"}, 1 - bad
            yield {"code": "500"}, bad


class MetricsServer:
    """`bad_share` of the canary's events are bad, none of stable's; with `silent` there is no answer but 503.

    `weather` may be changed at any time, and counts from then on. `gauges` hold the canary's and the others' value.
    """

    def __init__(self) -> None:
        self.silent = False
        self.gauges: dict[str, tuple[float, float]] = {}
        self._weather: list[tuple[float, Weather]] = [(time.time() - 3600, Weather())]
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self, {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def close(self) -> None:
        self._http.shutdown()

    def begin_anew(self) -> None:
        """Forget all weathers: the past was fair."""
        self._weather = [(time.time() - 3600, Weather())]

    @property
    def weather(self) -> Weather:
        return self._weather[-1][1]

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self._weather = [*self._weather, (time.time(), weather)]

    @property
    def bad_share(self) -> float:
        return self.weather.bad

    @bad_share.setter
    def bad_share(self, share: float) -> None:
        self.weather = replace(self.weather, bad=share)

    def answer(self, handler: BaseHTTPRequestHandler, parameters: dict[str, str]) -> None:
        if self.silent:
            handler.send_error(503)
            return
        status, body = 200, {"status": "success", "data": {}}
        try:
            body["data"] = self._data(
                promql.parse(parameters.get("query", "")), float(parameters.get("time", time.time()))
            )
        except ValueError as refused:
            status, body = 422, {"status": "error", "errorType": "execution", "error": str(refused)}
        text = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def _data(self, query: promql.Expr, at: float) -> dict[str, Any]:
        if isinstance(query, promql.MatrixSelector):
            span = query.range.total_seconds()
            times = [index * SCRAPE for index in range(int((at - span) / SCRAPE) + 1, int(at / SCRAPE) + 1)]
            series = list(self._series(query.vector_selector))
            found = [{"metric": one, "values": [[at, str(self._value(one, at))] for at in times]} for one in series]
            return {"resultType": "matrix", "result": found if times else []}
        vector = self._vector(query, at)
        return {"resultType": "vector", "result": [{"metric": one, "value": [at, str(value)]} for one, value in vector]}

    def _vector(self, query: promql.Expr, at: float) -> Vector:
        """Evaluate what FEEM asks and simple gauges; raises ValueError for the rest of PromQL."""
        match query:
            case promql.VectorSelector():
                return [(one, self._value(one, at)) for one in self._series(query)]
            case promql.ParenExpr():
                return self._vector(query.expr, at)
            case promql.AggregateExpr():
                return aggregated(query, self._vector(query.expr, at))
            case promql.BinaryExpr() if str(query.op) == "or":
                left = self._vector(query.lhs, at)
                return left + [pair for pair in self._vector(query.rhs, at) if pair[0] not in [one for one, _ in left]]
            case promql.Call() if query.func.name == "label_replace":
                label, value = query.args[1].val, query.args[2].val
                return [({**one, label: value}, number) for one, number in self._vector(query.args[0], at)]
            case promql.Call() if query.func.name in ("increase", "rate"):
                return self._grown(query, at)
            case _:
                raise ValueError(f"the stand-in does not compute {query.prettify()}")

    def _grown(self, call: promql.Call, at: float) -> Vector:
        """Return how much counters grew, a range long or a second."""
        span = call.args[0].range.total_seconds()
        over = span if call.func.name == "rate" else 1.0
        series = [
            (one, self._value(one, at) - self._value(one, at - span))
            for one in self._series(call.args[0].vector_selector)
        ]
        return [({name: text for name, text in one.items() if name != "__name__"}, gain / over) for one, gain in series]

    def _series(self, selector: promql.VectorSelector) -> Iterator[Labels]:
        """Yield the series a selector fits; a label it demands and FEEM's example services do not have is there."""
        matchers = [(one.name, str(one.op).rpartition(".")[2], one.value) for one in selector.matchers.matchers]
        demanded = {name: value for name, operator, value in matchers if operator == "Equal"}
        metric = selector.name or demanded["__name__"]
        pods = next((value for name, operator, value in matchers if (name, operator) == ("pod", "Re")), SERVICE)
        for replica_set in re.split(r"\|", pods):
            name = replica_set.removesuffix("-.{5}").replace("\\", "")
            shares = [({}, 1.0)] if metric in self.gauges else self.weather.shares(metric, name)
            for own, _share in shares:
                labels = {**demanded, "__name__": metric, "pod": f"{name}-aaaaa", "job": "stand-in", **own}
                if all(fits(labels.get(label, ""), operator, value) for label, operator, value in matchers):
                    yield labels

    def _value(self, series: Labels, at: float) -> float:
        """Return a gauge's value, or what a counter has counted up to a moment, through all weathers."""
        metric, replica_set = series["__name__"], series["pod"].removesuffix("-aaaaa")
        if metric in self.gauges:
            return self.gauges[metric]["-canary-" not in replica_set]
        ends = [since for since, _ in self._weather[1:]] + [at]
        total = 0.0
        for (since, weather), end in zip(self._weather, ends, strict=True):
            share = sum(share for own, share in weather.shares(metric, replica_set) if own.items() <= series.items())
            total += max(0.0, min(end, at) - since) * weather.rate * share
        return total


def fits(text: str, operator: str, value: str) -> bool:
    """Say whether a label's value fits a matcher."""
    equal = text == value if operator in ("Equal", "NotEqual") else re.fullmatch(value, text) is not None
    return equal == (operator in ("Equal", "Re"))


def aggregated(query: promql.AggregateExpr, vector: Vector) -> Vector:
    """Aggregate by labels; raises ValueError for what is not sum, min, max, avg, count or group."""
    compute = COMPUTE.get(str(query.op))
    if compute is None:
        raise ValueError(f"the stand-in does not compute {query.op}")
    kept = query.modifier.labels if query.modifier is not None else []
    groups: dict[tuple[tuple[str, str], ...], list[float]] = {}
    for labels, value in vector:
        groups.setdefault(tuple((name, labels[name]) for name in kept if name in labels), []).append(value)
    return [(dict(labels), float(compute(values))) for labels, values in groups.items()]
