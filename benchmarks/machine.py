"""The machine: cores, what a process uses, and how long the disk takes. Linux only."""

from __future__ import annotations

import os
import platform
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def cores() -> tuple[int, int]:
    """(core of the server, core of the load); the same one where there is no second."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[-1], usable[0]


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """What is started inside runs on ``core`` alone, with all its threads and children."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds of a process and of its core up to an instant."""

    at: float
    process: float
    core: float

    @classmethod
    def of(cls, pid: int, core: int) -> Usage:
        return cls(time.perf_counter(), _process_seconds(pid), _core_seconds(core))

    def since(self, earlier: Usage) -> tuple[float, float]:
        """(share of the core the process used, share others used meanwhile): 0 to 1."""
        wall = self.at - earlier.at
        own = (self.process - earlier.process) / wall
        return own, max(0.0, (self.core - earlier.core) / wall - own)


def memory(pid: int) -> tuple[float, float]:
    """(resident now, highest ever) in MB."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]


def sync_ms(folder: Path, times: int = 50) -> float:
    """How long one durable write of 4 KiB takes there, on average."""
    path = folder / "sync"
    with path.open("wb", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(times):
            file.write(b"\0" * 4096)
            os.fdatasync(file.fileno())
        took = time.perf_counter() - began
    path.unlink()
    return took / times * 1000


def loop_ms(times: int = 1_000_000) -> float:
    """How long a bare loop takes: tells a slow or throttled core from a quick one."""
    began = time.perf_counter()
    for _ in range(times):
        pass
    return (time.perf_counter() - began) * 1000


def describe(folder: Path) -> dict[str, object]:
    """What a reader must know to compare the figures with others."""
    models = (
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    return {
        "cpu": next(models, platform.machine()),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2),
        "loop_ms": round(loop_ms(), 1),
        "sync_ms": round(sync_ms(folder), 3),
    }


def _process_seconds(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICK


def _core_seconds(core: int) -> float:
    """Busy time in processes; interrupts are left out, and what the hypervisor took is in."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _, _, _, _, steal = map(int, line.split()[1:9])
            return (user + nice + system + steal) / _TICK
    return 0.0
