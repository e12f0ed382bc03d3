"""Statistics of the samples, and how they are shown: Markdown for bench/results.md, a picture in SVG."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from math import inf, isfinite
from statistics import median

from bench.load import KINDS, Sample

P99_CONNECTIONS = 32  # also those of the greeting's rate
RATE_CONNECTIONS = 64  # of requests that wait for the database


@dataclass
class Results:
    """All that a run has measured. The lists belong to peers, by name."""

    samples: list[Sample] = field(default_factory=list)
    rates_of_starts: dict[str, list[float]] = field(default_factory=dict)  # greeting, requests per second
    seconds_to_start: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, list[float]] = field(default_factory=dict)  # MB, idle after the load
    slow_clients: dict[str, list[float]] = field(default_factory=dict)  # p99 with slow clients, divided by that without

    def of(self, peer: str, kind: str, connections: int) -> list[Sample]:
        """The samples of one peer and kind of request."""
        return [
            sample
            for sample in self.samples
            if (sample.peer, sample.kind, sample.connections) == (peer, kind, connections)
        ]

    def typical(self, figure: str, peer: str, kind: str, connections: int) -> float:
        """The median of a figure: 'rate', 'p99' or 'cpu'."""
        return float(median(getattr(sample, figure) for sample in self.of(peer, kind, connections)))


@dataclass(frozen=True)
class Goal:
    """A figure, and what it should be."""

    name: str
    value: float
    limit: float
    unit: str = "times"
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is as it should be."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def connections_for_rate(kind: str) -> int:
    """How many connections a kind's requests per second are measured with."""
    return P99_CONNECTIONS if kind == "greeting" else RATE_CONNECTIONS


def worst_start(rates: list[float]) -> float:
    """The lowest rate in relation to the median; 0 where most starts served nothing."""
    return min(rates) / median(rates) if median(rates) else 0.0


def goals(results: Results) -> list[Goal]:
    """The figures of the service that have a goal."""

    def ratio(figure: str, peer: str, kind: str, connections: int) -> float:
        theirs = results.typical(figure, peer, kind, connections)
        return results.typical(figure, "ours", kind, connections) / theirs if theirs else inf  # it answered nothing

    found = []
    for peer, limit in (("express", 1.0), ("fastapi", 1.5), ("flask-sync", 2.5), ("flask-dev", 2.5)):
        value = ratio("rate", peer, "greeting", P99_CONNECTIONS)
        found.append(Goal(f"greeting, requests/s, against {peer}", value, limit, at_least=True))
    found.append(
        Goal(
            "greeting, the worst start against the median",
            worst_start(results.rates_of_starts["ours"]),
            0.85,
            at_least=True,
        )
    )
    for kind in ("list", "read", "create"):
        for peer, limit in (("express", 1.2), ("flask-sync", 3.0)):
            value = ratio("rate", peer, kind, RATE_CONNECTIONS)
            found.append(Goal(f"{kind}, requests/s, against {peer}", value, limit, at_least=True))
    for figure, name, limit in (("cpu", "processor time", 1.0), ("p99", "p99", 1.2)):
        for kind in KINDS:
            value = ratio(figure, "express", kind, P99_CONNECTIONS)
            found.append(Goal(f"{kind}, {name}, against express", value, limit))
    found.append(
        Goal("greeting, p99 beside 200 slow clients, against without", median(results.slow_clients["ours"]), 2.0)
    )
    found.append(Goal("start to first 200, one process", median(results.seconds_to_start["ours"]), 0.7, "s"))
    found.append(Goal("memory, idle", median(results.memory["ours"]), 90, "MB"))
    return found


def markdown(results: Results, about: Iterable[str]) -> str:
    """The results as a page.

    Args:
        results: what was measured.
        about: lines on when, where and how.
    """
    parts = ["# Results", "`scripts/bench` writes this file.", "\n".join(f"- {line}" for line in about), "## Goals"]
    parts.append(_table(["figure of ours", "goal", "measured", ""], [_goal(goal) for goal in goals(results)]))
    peers = list(dict.fromkeys(sample.peer for sample in results.samples))
    for kind in KINDS:
        parts += [f"## {kind.capitalize()}", _table(_columns(kind), [_row(results, peer, kind) for peer in peers])]
    parts += ["## Starts, memory, slow clients", _others(results)]
    return "\n\n".join(parts) + "\n"


def _goal(goal: Goal) -> list[str]:
    sign = "≥" if goal.at_least else "≤"
    return [
        goal.name,
        f"{sign} {goal.limit:g} {goal.unit}",
        f"{_number(goal.value)} {goal.unit}",
        "met" if goal.met else "missed",
    ]


def _columns(kind: str) -> list[str]:
    rate = f"requests/s, {connections_for_rate(kind)} connections"
    return [
        "",
        rate,
        "least to most",
        f"p99, ms, {P99_CONNECTIONS} connections",
        "processor time, s per 1,000",
        "errors",
    ]


def _row(results: Results, peer: str, kind: str) -> list[str]:
    rate, p99 = results.of(peer, kind, connections_for_rate(kind)), results.of(peer, kind, P99_CONNECTIONS)
    rates = [sample.rate for sample in rate]
    return [
        peer,
        _number(median(rates)),
        f"{_number(min(rates))} to {_number(max(rates))}",
        _number(median(sample.p99 for sample in p99)),
        _number(median(sample.cpu for sample in p99)),
        str(sum(sample.errors for sample in {*rate, *p99})),
    ]


def _others(results: Results) -> str:
    columns = {
        "greeting, worst start against the median": {
            peer: [worst_start(rates)] for peer, rates in results.rates_of_starts.items()
        },
        "first 200 after, s, one process": results.seconds_to_start,
        "memory, MB, idle after the load": results.memory,
        "greeting, p99 beside 200 slow clients, times that without": results.slow_clients,
    }
    peers = dict.fromkeys(peer for column in columns.values() for peer in column)
    rows = [
        [peer, *(_number(median(column[peer])) if peer in column else "-" for column in columns.values())]
        for peer in peers
    ]
    return _table(["", *columns], rows)


def _number(value: float) -> str:
    if not isfinite(value):
        return "no answer"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def picture(results: Results) -> str:
    """The requests per second of each kind and peer, as an SVG with one bar per median."""
    width, bar, left, top = 720, 16, 170, 24
    peers = list(dict.fromkeys(sample.peer for sample in results.samples))
    parts, y = [], 0
    for kind in KINDS:
        connections = connections_for_rate(kind)
        rates = {peer: results.typical("rate", peer, kind, connections) for peer in peers}
        most = max(rates.values()) or 1
        parts.append(_text(0, y + top - 6, f"{kind}: requests/s, {connections} connections", "bold"))
        y += top
        for peer, rate in rates.items():
            length, colour = rate / most * (width - left - 70), "#1a7f5a" if peer.startswith("ours") else "#8a94a3"
            parts.append(_text(0, y + bar - 4, peer))
            parts.append(f'<rect x="{left}" y="{y + 2}" width="{length:.1f}" height="{bar - 4}" fill="{colour}"/>')
            parts.append(_text(round(left + length + 6), y + bar - 4, _number(rate)))
            y += bar
    style = "text{font:12px system-ui,sans-serif;fill:#4b5563}@media(prefers-color-scheme:dark){text{fill:#c9d1d9}}"
    start = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y + 4}" role="img">'
    title = "<title>Requests per second, by kind of request and server</title>"
    return "\n".join([start, title, f"<style>{style}</style>", *parts, "</svg>"]) + "\n"


def _text(x: int, y: int, text: str, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" font-weight="{weight}">{escape(text)}</text>'
