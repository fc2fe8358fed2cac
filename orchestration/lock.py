"""One run at a time per installation, whoever starts it: command line, Dagster UI, schedule or sensor."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from orchestration.home import Home


class AlreadyRunning(Exception):
    """Another run of this installation holds the lock."""

    def __init__(self) -> None:
        super().__init__("Es läuft schon eine Verarbeitung dieser Installation. Bitte warten.")


@contextmanager
def exclusive(home: Home) -> Iterator[None]:
    """Hold the lock; it goes with the process, however that ends. Raises AlreadyRunning."""
    home.create()
    with (home.root / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning from error
        yield
