"""The processes beside the main one: they end when it is killed, whatever they are doing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

BUSY = """
import os, sys, time
from orchestration.gates import workers

def work():
    started = time.monotonic()
    while time.monotonic() - started < 120:
        pass

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    import busy
    futures = [workers.submit(busy.work) for _ in range(2)]
    while not all(future.running() for future in futures):
        time.sleep(0.1)
    time.sleep(1)
    print("at work", flush=True)
    time.sleep(120)
"""


def of_session(session: int) -> list[int]:
    """Processes of that session that are alive."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _parent, _group, of = stat.read_text().rpartition(")")[2].split()[:4]
            if int(of) == session and state != "Z":
                found.append(int(stat.parent.name))
    return found


def test_a_killed_main_process_leaves_no_workers(tmp_path: Path) -> None:
    (tmp_path / "busy.py").write_text(BUSY, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    main = subprocess.Popen(
        [sys.executable, str(tmp_path / "busy.py"), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment,
    )
    try:
        assert main.stdout is not None and main.stdout.readline() == "at work\n"
        assert len(of_session(main.pid)) > 3, "main process, server, workers"
        main.send_signal(signal.SIGKILL)
        main.wait()
        deadline = time.monotonic() + 30
        while of_session(main.pid) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert of_session(main.pid) == []
    finally:
        for process in of_session(main.pid):
            os.kill(process, signal.SIGKILL)
        assert main.stdout is not None
        main.stdout.close()
