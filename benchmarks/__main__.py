"""``python -m benchmarks``: measures all stacks in turn, prints tables, writes build/bench.json."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import machine, report
from benchmarks.account import Account
from benchmarks.plan import Plan, known_stacks, make_plan
from benchmarks.rounds import Bench, Measured
from benchmarks.sentences import RESIDENTS, Pool
from benchmarks.server import ROOT, BenchmarkError, Server, get
from benchmarks.stack import Stack
from benchmarks.trial import agreed
from benchmarks.wire import Platform

console = Console()


def main(
    quick: Annotated[bool, typer.Option(help="One round of 3 s: does it work at all?")] = False,
    seconds: Annotated[
        float, typer.Option(min=0.5, max=300, help="Timed phase of a round.")
    ] = 20.0,
    rounds: Annotated[int, typer.Option(min=1, help="How often each stack has its turn.")] = 3,
    warm_up: Annotated[float, typer.Option(min=0.1, help="Seconds of load before.")] = 5.0,
    connections: Annotated[int, typer.Option(min=1, help="Kept connections.")] = 64,
    residents: Annotated[int, typer.Option(min=1, help="How many write.")] = RESIDENTS,
    drain: Annotated[float, typer.Option(help="Seconds a backlog of pushes may take.")] = 60.0,
    stack: Annotated[list[str] | None, typer.Option(help="Only this one; repeatable.")] = None,
    api_delay: Annotated[float, typer.Option(help="Milliseconds the API takes.")] = 0.0,
    checkout: Annotated[Path, typer.Option(help="Where our server's code is.")] = ROOT,
    output: Annotated[Path, typer.Option(help="Where the JSON goes.")] = ROOT / "build/bench.json",
) -> None:
    """Compare this server with what one would otherwise pick, on this machine."""
    known = known_stacks(checkout.resolve())
    chosen = [s for s in known if not stack or s.name in stack]
    if not chosen:
        raise typer.BadParameter(f"--stack is one of {', '.join(s.name for s in known)}")
    plan = make_plan(
        chosen,
        seconds=3.0 if quick else seconds,
        rounds=1 if quick else rounds,
        warm_up=1.0 if quick else warm_up,
        connections=connections,
        residents=residents,
        drain=drain,
    )
    os.sched_setaffinity(0, {plan.load_core})
    output.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=output.parent.resolve()))
    try:
        failures = _bench(plan, folder, api_delay, output)
    except BenchmarkError as error:
        failures = [str(error)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for failure in failures:
        console.print(failure, style="red", markup=False)
    raise typer.Exit(1 if failures else 0)


def _bench(plan: Plan, folder: Path, api_delay: float, output: Path) -> list[str]:
    """What went wrong, one line each; empty when the figures can be trusted."""
    about: dict[str, object] = {"at": time.strftime("%Y-%m-%d %H:%M:%S%z")}
    about |= {**machine.describe(folder), "api_delay_ms": api_delay}
    console.print(about, style="dim")
    account = Account.invented()
    failures: list[str] = []
    measured: list[Measured] = []
    with _stub(plan, folder, api_delay) as api:
        bench = Bench(
            plan, account, Platform(account), f"http://127.0.0.1:{api}", folder, Pool.from_corpus()
        )
        bench.plan = plan = _prepared(bench, failures)
        for round_ in range(plan.rounds):
            for candidate in plan.order(round_):
                if one := _measured(bench, candidate, round_, failures):
                    measured.append(one)
        measured.sort(key=lambda m: [s.name for s in plan.stacks].index(m.stack))
        about["api_calls"] = json.loads(get(api, "/counts") or b"{}")
    about["sentences"] = {"reports": len(bench.pool.reports), "others": len(bench.pool.others)}
    if measured:
        report.show(console, plan, measured)
    failures += report.errors(measured)
    found = {**report.as_json(plan, about, measured), "failures": failures}
    output.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    console.print(f"pushes taken by the API: {about['api_calls']}\nwritten: {output}", markup=False)
    return failures


def _prepared(bench: Bench, failures: list[str]) -> Plan:
    """The plan without the stacks that do not run; leaves in the pool what all agree on."""
    running: list[Stack] = []
    for stack in bench.plan.stacks:
        try:
            with console.status(f"preparing {stack.name}"):
                bench.prepare(stack)
                if stack.stores:
                    bench.pool = agreed(bench, stack)
        except BenchmarkError as error:
            failures.append(f"{stack.name}: {error}")
            continue
        running.append(stack)
        left = f"{len(bench.pool.reports)} reports, {len(bench.pool.others)} others"
        console.print(f"ready      {stack.name:<14} {left if stack.stores else ''}", style="dim")
    return replace(bench.plan, stacks=running)


def _measured(bench: Bench, stack: Stack, round_: int, failures: list[str]) -> Measured | None:
    try:
        with console.status(f"round {round_ + 1}: {stack.name}, {bench.plan.seconds:g} s"):
            one = bench.measure(stack, round_, last=round_ == bench.plan.rounds - 1)
    except BenchmarkError as error:
        failures.append(f"{stack.name}, round {round_ + 1}: {error}")
        return None
    figures = f"{one.top.rate:8,.0f} messages/s  p99 {one.top.p99:7.1f} ms"
    console.print(f"round {round_ + 1}    {stack.name:<14} {figures}", style="dim")
    return one


@contextmanager
def _stub(plan: Plan, folder: Path, delay: float) -> Iterator[int]:
    """The port of a running API that takes every push, on the load's core."""
    port, home = machine.free_port(), folder / "api"
    home.mkdir()
    argv = ["-m", "benchmarks.stub_api", str(port), str(delay)]
    server = Server(argv, {"PYTHONPATH": str(ROOT)}, home, port, plan.load_core)
    server.start("/counts")
    try:
        yield port
    finally:
        server.stop()


if __name__ == "__main__":
    typer.run(main)
