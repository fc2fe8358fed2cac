"""What the benchmarks share: seconds and peak memory of a process with its children."""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Measured:
    """Wall seconds, highest resident memory of the process with all its children (GiB), and what it printed."""

    seconds: float
    peak_gib: float
    output: str


def measure(command: list[str], environment: dict[str, str]) -> Measured:
    """Run a command; raises SystemExit with its output where it fails. Memory is sampled ten times a second."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peak = _Peak(process.pid)
    output, _ = process.communicate()
    if process.returncode != 0:
        raise SystemExit(output)
    return Measured(time.perf_counter() - started, peak.highest / 2**30, output)


class _Peak:
    def __init__(self, pid: int) -> None:
        self.process = psutil.Process(pid)
        self.highest = 0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        try:
            while self.process.status() != psutil.STATUS_ZOMBIE:
                processes = [self.process, *self.process.children(recursive=True)]
                self.highest = max(self.highest, sum(_resident(process) for process in processes))
                time.sleep(0.1)
        except psutil.NoSuchProcess:
            return


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
