"""A process under measurement: started on its core, waited for, stopped."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import machine

ROOT = Path(__file__).parent.parent


class BenchmarkError(Exception):
    """The benchmark cannot go on; the message says why, with the end of the server's log."""


class Server:
    """``start`` returns when ``ready`` answers 200; ``ready_after`` is how long that took."""

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        port: int,
        core: int,
    ) -> None:
        self._argv, self._folder, self.port, self.core = argv, folder, port, core
        self._environment = {**os.environ, **environment}
        self._log = folder / "server.log"
        self.ready_after = 0.0

    def start(self, ready: str, patience: float = 60.0) -> None:
        began = time.perf_counter()
        with self._log.open("wb") as log, machine.pinned(self.core):
            self._process = subprocess.Popen(
                [sys.executable, *self._argv],
                env=self._environment,
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        try:
            while not get(self.port, ready):
                if self._process.poll() is not None:
                    raise BenchmarkError(f"{self.name} ended at once:\n{self.tail()}")
                if time.perf_counter() - began > patience:
                    raise BenchmarkError(f"{self.name} is not ready:\n{self.tail()}")
                time.sleep(0.01)
        except BaseException:
            self.stop()
            raise
        self.ready_after = time.perf_counter() - began

    @property
    def name(self) -> str:
        return " ".join(self._argv)

    @property
    def pid(self) -> int:
        return self._process.pid

    def usage(self) -> machine.Usage:
        """BenchmarkError when it has ended meanwhile."""
        if self._process.poll() is not None:
            raise BenchmarkError(f"{self.name} ended:\n{self.tail()}")
        return machine.Usage.of(self.pid, self.core)

    def stop(self, patience: float = 20.0) -> None:
        self._process.terminate()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def tail(self) -> str:
        """The last lines it wrote."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])


def get(port: int, path: str) -> bytes | None:
    """The body of a GET when it is answered 200, else None."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if response.status == 200 else None


def run(argv: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
    """A preparing command, to its end; BenchmarkError with its output when it fails."""
    done = subprocess.run(
        [sys.executable, *argv],
        env={**os.environ, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        raise BenchmarkError(f"{' '.join(argv)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
