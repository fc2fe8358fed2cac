"""Processes beside the main one, for what keeps a core busy: reading deliveries and running suites on them.

They are forked from a server that has imported Great Expectations once. Nothing here knows a rule or a file format.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

from orchestration.feeds import reading_room

PRELOADED = ["orchestration.gates.worker_imports"]
MOST_WORKERS = 4

_pool: ProcessPoolExecutor | None = None


def submit(function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Run a module-level function in a worker."""
    global _pool
    if _pool is None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        _pool = ProcessPoolExecutor(
            max_workers=min(os.cpu_count() or 1, MOST_WORKERS),
            mp_context=context,
            initializer=_start_worker,
            initargs=(os.getpid(),),
        )
    return _pool.submit(function, *arguments)


def warm_up() -> None:
    """Let the server import its libraries while the caller does something else."""
    submit(os.getpid)


def are_running() -> bool:
    """Whether a suite would find Great Expectations imported in a worker."""
    return _pool is not None


def _start_worker(main: int) -> None:
    # Before this process has threads: a fork is then safe, and costs nothing of what is imported already.
    reading_room.fork_companion()
    threading.Thread(target=_end_with, args=(main,), daemon=True).start()


def _end_with(main: int) -> None:
    """A killed main process takes its workers along, also amid a delivery; the server they were forked from follows."""
    while _is_alive(main):
        time.sleep(1)
    os._exit(1)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
