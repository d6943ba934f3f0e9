"""The figures as tables for people and as JSON for programs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.load import Result
from benchmarks.plan import OURS, Plan
from benchmarks.rounds import Measured

_COLUMNS: Mapping[str, tuple[str, Callable[[Measured], float]]] = {
    "messages_per_s": ("messages/s", lambda m: m.top.rate),
    "messages_per_cpu_s": ("per CPU second", lambda m: m.per_cpu_second),
    "p50_ms": ("p50 ms", lambda m: m.top.p50),
    "p99_ms": ("p99 ms", lambda m: m.top.p99),
    "memory_mb": ("memory MB", lambda m: m.memory),
    "ready_s": ("start to ready s", lambda m: m.ready_after),
    "cpu_percent": ("CPU of its core %", lambda m: m.cpu * 100),
    "tickets_percent": ("tickets %", lambda m: 100 * m.at_end.tickets / max(1, m.acknowledged)),
}
# Beyond this the generator or a stranger on the core shapes the figures.
_BUSY = 0.9
_STRANGERS = 0.05


def summary(measured: Sequence[Measured]) -> dict[str, Any]:
    """Median, least and most of every figure over the rounds, by stack, and ours against each."""
    stacks = list(dict.fromkeys(m.stack for m in measured))
    figures = {
        stack: {
            key: _spread(figure(m) for m in measured if m.stack == stack)
            for key, (_, figure) in _COLUMNS.items()
        }
        for stack in stacks
    }
    return {
        "stacks": figures,
        "ratios": _ratios(measured, lambda m: m.top.rate),
        "cpu_ratios": _ratios(measured, lambda m: m.per_cpu_second),
    }


def _ratios(
    measured: Sequence[Measured], figure: Callable[[Measured], float]
) -> dict[str, dict[str, float]]:
    """Ours divided by each other stack's in the same round, over the rounds both had."""
    ours = {m.round: figure(m) for m in measured if m.stack == OURS}
    found: dict[str, list[float]] = {}
    for m in measured:
        if m.stack != OURS and m.round in ours and figure(m):
            found.setdefault(m.stack, []).append(ours[m.round] / figure(m))
    return {stack: _spread(ratios) for stack, ratios in found.items()}


def as_json(plan: Plan, about: Mapping[str, Any], measured: Sequence[Measured]) -> dict[str, Any]:
    return {
        "about": {
            **about,
            "seconds": plan.seconds,
            "rounds": plan.rounds,
            "warm_up": plan.warm_up,
            "connections": plan.connections,
            "residents": plan.residents,
            "cores": {"server": plan.server_core, "load": plan.load_core},
        },
        **summary(measured),
        "half_rate": next((_result(m.half) for m in measured if m.half), None),
        "runs": [_run(m) for m in measured],
        "errors": errors(measured),
    }


def show(console: Console, plan: Plan, measured: Sequence[Measured]) -> None:
    """The tables, then what else is worth knowing in a line each."""
    found = summary(measured)
    table = Table(
        title=f"median and range of {plan.rounds} × {plan.seconds:g} s,"
        f" {plan.connections} connections"
    )
    table.add_column("")
    for stack in found["stacks"]:
        table.add_column(stack, justify="right", no_wrap=True)
    for key, (heading, _) in _COLUMNS.items():
        table.add_row(heading, *(_cell(figures[key]) for figures in found["stacks"].values()))
    for key, heading in (
        ("ratios", "this server × messages/s"),
        ("cpu_ratios", "this server × per CPU second"),
    ):
        if found[key]:
            spreads = (found[key].get(stack) for stack in found["stacks"])
            table.add_row(heading, *(_cell(s, 2) if s else "" for s in spreads))
    console.print(table)
    for stack in plan.stacks:
        console.print(f"{stack.name:<14} {stack.title}", style="dim", soft_wrap=True)
    for line in (*_ours(measured), *_doubts(plan, measured)):
        console.print(line, soft_wrap=True)


def errors(measured: Iterable[Measured]) -> list[str]:
    """One line each error of each run, then the end of that server's log."""
    return [
        line
        for m in measured
        if m.errors
        for line in (
            *(f"{m.stack}, round {m.round + 1}: {n} × {what}" for what, n in m.errors.items()),
            *([m.log] if m.log else []),
        )
    ]


def _ours(measured: Iterable[Measured]) -> Iterable[str]:
    for m in measured:
        if m.stack != OURS:
            continue
        yield (
            f"round {m.round + 1}: {m.at_end.backlog} pushes left at the end,"
            f" {m.at_end.outbox.get('sent', 0)} sent;"
            f" after {m.drained_in:.1f} s more: {dict(m.after_drain.outbox)}"
        )
        if m.half:
            yield (
                f"at half the rate ({m.half.rate:.0f}/s): p50 {m.half.p50:.1f} ms,"
                f" p99 {m.half.p99:.1f} ms, slowest {m.half.slowest:.0f} ms,"
                f" {m.half_backlog} pushes left"
            )


def _doubts(plan: Plan, measured: Iterable[Measured]) -> Iterable[str]:
    if plan.server_core == plan.load_core:
        yield "[yellow]only one core: server and load share it[/yellow]"
    for m in measured:
        where = f"{m.stack}, round {m.round + 1}"
        if m.top.generator_cpu > _BUSY:
            yield f"[yellow]{where}: the load's core was full, the rate may be the load's[/yellow]"
        if m.others_cpu > _STRANGERS:
            yield f"[yellow]{where}: others used {m.others_cpu:.0%} of the server's core[/yellow]"
        if m.top.silent:
            yield f"{where}: {m.top.silent} of {m.top.answered} answered without a reply"


def _spread(values: Iterable[float]) -> dict[str, float]:
    found = sorted(values)
    if not found:
        return {"median": 0.0, "min": 0.0, "max": 0.0}
    return {
        "median": round(statistics.median(found), 3),
        "min": round(found[0], 3),
        "max": round(found[-1], 3),
    }


def _cell(spread: Mapping[str, float], digits: int | None = None) -> str:
    places = digits if digits is not None else (1 if spread["median"] < 100 else 0)
    low, middle, high = (f"{spread[key]:,.{places}f}" for key in ("min", "median", "max"))
    return middle if low == high else f"{middle}\n[dim]{low}–{high}[/dim]"


def _run(m: Measured) -> dict[str, Any]:
    return {
        "stack": m.stack,
        "round": m.round + 1,
        **{key: round(figure(m), 3) for key, (_, figure) in _COLUMNS.items()},
        "memory_peak_mb": round(m.memory_peak, 1),
        "others_cpu_percent": round(m.others_cpu * 100, 1),
        "acknowledged": m.acknowledged,
        "top": _result(m.top),
        "at_end": {**asdict(m.at_end), "backlog": m.at_end.backlog},
        "after_drain": {**asdict(m.after_drain), "backlog": m.after_drain.backlog},
        "drained_in_s": round(m.drained_in, 2),
        "half_backlog": m.half_backlog if m.half else None,
        "errors": dict(m.errors),
    }


def _result(result: Result | None) -> dict[str, Any] | None:
    if result is None:
        return None
    return {
        "messages_per_s": round(result.rate, 1),
        "p50_ms": round(result.p50, 3),
        "p99_ms": round(result.p99, 3),
        "slowest_ms": round(result.slowest, 3),
        "answered": result.answered,
        "seconds": round(result.seconds, 3),
        "generator_cpu_percent": round(result.generator_cpu * 100, 1),
        "silent": result.silent,
    }
