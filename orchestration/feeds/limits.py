"""How much a delivery may cost: size, memory, time, lines, columns, members of an archive.

Numbers and how a process binds itself to them. Ordinary files stay far below all of them: a verdict must not depend on
the machine. What is looked for before a parser runs is in guards.py, who runs under these limits in reading_room.py.
"""

from __future__ import annotations

import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000
GB = 1_000_000_000

MAX_FILE_BYTES = 4 * GB
"""Above it a file is not archived, only its hash is. (What a feed allows, `max_size_mb`, is far less.)"""
FREE_DISK_BYTES = 1 * GB
"""What must stay free on the disk after archiving a file."""
MAX_LINE_BYTES = 1 * MB
MAX_COLUMNS = 2_000
"""The widest agreed file has a few hundred; a spreadsheet can have 16,384."""
MAX_HEADER_LETTERS = 1_000
"""A header is told in findings and stands beside every figure."""
MAX_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 1 * GB
MAX_RATIO = 200
"""Unpacked to packed. Spreadsheets reach 10 to 50; counts only above RATIO_MATTERS_FROM."""
RATIO_MATTERS_FROM = 50 * MB

MEMORY_GB = 4.0
MEMORY_PER_BYTE = 8
"""A reader holds a file as bytes, text, columns and typed columns at once."""
SECONDS = 60.0
SECONDS_PER_MB = 1.0
MOST_SECONDS = 600.0


@dataclass(frozen=True)
class Allowance:
    """What reading one delivery may take: bytes of memory, CPU seconds, seconds on the clock."""

    memory: int
    cpu_seconds: int
    wall_seconds: float


def allowance(size: int) -> Allowance:
    """For a file of `size` bytes. The bases can be set: IPSO_READ_MEMORY (GB), IPSO_READ_SECONDS."""
    base_memory = float(os.environ.get("IPSO_READ_MEMORY", MEMORY_GB))
    base_seconds = float(os.environ.get("IPSO_READ_SECONDS", SECONDS))
    seconds = min(base_seconds + SECONDS_PER_MB * size / MB, max(base_seconds, MOST_SECONDS))
    return Allowance(
        memory=int(base_memory * GB) + MEMORY_PER_BYTE * size,
        cpu_seconds=max(1, round(seconds)),
        # Three times as long on the clock: other processes want the cores too.
        wall_seconds=max(seconds, min(3 * seconds, MOST_SECONDS)),
    )


def bind(allowed: Allowance) -> None:
    """Bind this process, for good. Past the memory allocations fail; past the time the kernel ends the process.

    RLIMIT_DATA counts what is really writable; reserved address space (arenas of allocators grow with the number of
    cores) is only bounded loosely by RLIMIT_AS, so that the same file gets the same verdict on every machine.
    """
    used = _used()
    _lower(resource.RLIMIT_DATA, used["VmData"] + allowed.memory)
    _lower(resource.RLIMIT_AS, used["VmSize"] + 4 * allowed.memory)
    _lower(resource.RLIMIT_FSIZE, allowed.memory)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, allowed.cpu_seconds)
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, allowed.wall_seconds)


def _lower(kind: int, value: int) -> None:
    soft, hard = resource.getrlimit(kind)
    for limit in (soft, hard):
        value = value if limit == resource.RLIM_INFINITY else min(value, limit)
    # For CPU time the kernel warns at the soft limit and kills at the hard one; the warning already ends us.
    resource.setrlimit(kind, (value, value + 5 if kind == resource.RLIMIT_CPU and hard == -1 else value))


def _used() -> dict[str, int]:
    """Bytes of address space (VmSize) and of writable memory (VmData) of this process; 0 where /proc is missing."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    sizes = {name: int(value.split()[0]) * 1024 for name, _, value in (line.partition(":") for line in lines)
             if name in ("VmSize", "VmData")}  # fmt: skip
    return {"VmSize": 0, "VmData": 0, **sizes}
