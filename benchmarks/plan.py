"""What is measured and how long, in one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.sentences import RESIDENTS
from benchmarks.server import ROOT
from benchmarks.stack import Stack
from benchmarks.tongxin import Tongxin

OURS = "tongxin"


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds are of the timed phase; ``drain`` is how long a backlog may take to empty."""

    stacks: Sequence[Stack]
    seconds: float = 20.0
    rounds: int = 3
    warm_up: float = 5.0
    connections: int = 64
    residents: int = RESIDENTS
    drain: float = 60.0
    server_core: int = 1
    load_core: int = 0

    def order(self, round_: int) -> list[Stack]:
        """Each round begins with another stack, so that none always follows the same one."""
        start = round_ % len(self.stacks)
        return [*self.stacks[start:], *self.stacks[:start]]


def known_stacks(root: Path = ROOT) -> tuple[Stack, ...]:
    """All that can be compared, ours last; ``root`` is the checkout of ours."""
    return (
        Stack("echo_wechatpy", "wechatpy + FastAPI async def: echo, stores nothing"),
        Stack("echo_werobot", "WeRoBot + tornado: echo, stores nothing"),
        Stack(
            "usual",
            "wechatpy + FastAPI def + scikit-learn + SQLModel: one transaction a message",
            database="usual.db",
        ),
        Tongxin(OURS, "this server: everything stored and delivered", "tongxin.db", root=root),
    )


def make_plan(stacks: Sequence[Stack], **wanted: float) -> Plan:
    server, load = machine.cores()
    return Plan(stacks, server_core=server, load_core=load, **wanted)  # type: ignore[arg-type]
