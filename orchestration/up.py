"""Starts Dagster's UI with its daemon, and serves the report; both on 127.0.0.1, both end together."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import click

from orchestration.home import REPOSITORY, Home

STOP_SECONDS = 20


def is_free(port: int) -> bool:
    """True if nobody listens on that port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def start(home: Home, port: int, dagster_port: int) -> int:
    """Run until Ctrl-C. Exit status 2 if a port is taken."""
    for wanted in (port, dagster_port):
        if not is_free(wanted):
            click.echo(
                f"Anschluss {wanted} ist belegt. Mit --port oder --dagster-port einen anderen wählen.",
                err=True,
            )
            return 2
    home.create()
    environment = {
        **os.environ,
        "IPSO_HOME": str(home.root),
        "DAGSTER_HOME": os.environ.get("DAGSTER_HOME", str(REPOSITORY)),
    }
    command = [
        str(Path(sys.executable).parent / "dagster"),
        "dev",
        "--module-name",
        "orchestration.definitions",
        "--host",
        "127.0.0.1",
        "--port",
        str(dagster_port),
    ]
    if (home.site / "current").exists():
        from orchestration.report import serve

        threading.Thread(target=serve, args=(home.site / "current", port), daemon=True).start()
        click.echo(f"Bericht:  http://127.0.0.1:{port}")
    else:
        click.echo("Bericht:  noch keiner da (erst `make run`)")
    click.echo(f"Dagster:  http://127.0.0.1:{dagster_port}   (Ende mit Strg-C)")
    # before the child is started: it inherits an ignored SIGINT, but not a handled one
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, start_new_session=True)
    try:
        return process.wait()
    except KeyboardInterrupt:
        click.echo("Beende Dagster und Bericht ...")
        return 0
    finally:
        _stop(process)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End `dagster dev` and everything it has started (its own process group)."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            click.echo("Dagster antwortet nicht und wird abgebrochen.", err=True)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
