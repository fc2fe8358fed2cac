"""Where untrusted bytes are read: a process of its own per delivery, under limits of memory and time.

Parsers are C, C++ and Rust: a hostile file can make them eat the memory, run for ever or crash. So a companion process
that has imported the readers forks one child per delivery; the child binds itself (limits.py), reads, and leaves
the typed table in a shared memory file. Nothing that comes out of the child is executed. What goes wrong in there is a
finding about that file and touches nobody else. The companion goes when its owner goes.

Nothing here knows a file format or a rule.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import importlib
import json
import os
import pickle
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from orchestration.feeds.finding import Finding, counted, german_number, structural
from orchestration.feeds.limits import GB, Allowance, allowance, bind
from orchestration.home import REPOSITORY

if TYPE_CHECKING:
    from orchestration.feeds.cells import Reading
    from orchestration.feeds.declaration import Deliverer, Feed

PRELOADED = ("orchestration.feeds.reader", "pyarrow.dataset", "python_calamine")
"""What the companion has imported before the first job comes."""
LENGTH = struct.Struct("!I")
NO_MEMORY = (b"memory allocation of", b"bad_alloc", b"MemoryError", b"Out of Memory")
"""What Rust, C++ and Python write before they give up for want of memory."""


class ReadingRoomDefect(RuntimeError):
    """The companion cannot run. A defect of this installation, never of a delivery."""


_companion: _Companion | None = None
_lock = threading.Lock()


def read_apart(path: Path, feed: Feed, deliverer: Deliverer) -> Reading:
    """As `reader.read_delivery` for the file at `path`, but whatever a parser does ends in a finding.

    A reader that crashes gets a second try in a fresh process before the file is blamed. Raises ReadingRoomDefect
    where no file at all could be read: that is no delivery's fault.
    """
    allowed = allowance(path.stat().st_size)
    with _lock, path.open("rb") as source:
        outcome = _open().read(source, feed, deliverer, allowed)
        if outcome is None or outcome.is_doubtful:
            close()
            outcome = _open().read(source, feed, deliverer, allowed)
    if outcome is None:
        raise ReadingRoomDefect("the process that reads deliveries does not run")
    return outcome.reading(allowed)


def warm_up() -> None:
    """Let the companion import the readers while the caller does something else."""
    with _lock:
        _open()


def fork_companion() -> None:
    """For a process that has no threads and has imported the readers already: its companion costs a fork."""
    global _companion
    close()
    _companion = _Companion.fork()


def close() -> None:
    """End the companion of this process."""
    global _companion
    if _companion is not None:
        _companion.close()
    _companion = None


def _open() -> _Companion:
    global _companion
    if _companion is None or _companion.owner != os.getpid():
        _companion = _Companion.start()
    return _companion


# --- the owner's side --------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """How the child ended: what it wrote (None: nothing whole), the signal that ended it, whether memory ran out."""

    written: tuple[dict[str, Any], Any] | None
    signal: int = 0
    no_memory: bool = False

    @property
    def is_doubtful(self) -> bool:
        """Ended by something else than a limit on what the file itself takes."""
        return self.written is None and not self.no_memory and self.signal != signal.SIGXCPU

    def reading(self, allowed: Allowance) -> Reading:
        """The reading, or one whose finding says why there is none."""
        from orchestration.feeds.cells import Reading

        if self.written is None:
            out_of_time = self.signal in (signal.SIGXCPU, signal.SIGALRM)
            found = _too_long(allowed) if out_of_time else _too_much(allowed) if self.no_memory else _crash()
            return Reading(None, {}, [found])
        head, table = self.written
        if head["fault"] == "memory":
            return Reading(None, {}, [_too_much(allowed)])
        if head["fault"]:
            return Reading(None, {}, [unreadable(head["fault"])])
        findings = [Finding.from_json(record) for record in head["findings"]]
        return Reading(table if head["has_table"] else None, head["headers"], findings)


class _Companion:
    """The other end of the companion process; used by one thread at a time."""

    def __init__(self, channel: socket.socket, pid: int, process: subprocess.Popen[bytes] | None = None) -> None:
        self.channel, self.pid, self.process, self.owner = channel, pid, process, os.getpid()

    @staticmethod
    def start() -> _Companion:
        ours, theirs = socket.socketpair()
        # Few arenas and threads: what the allocators reserve must not depend on the number of cores.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "4"}
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "orchestration.feeds.reading_room", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment,
                cwd=REPOSITORY,
                # Ctrl-C is for the owner, who then closes the channel.
                start_new_session=True,
            )
        return _Companion(ours, process.pid, process)

    @staticmethod
    def fork() -> _Companion:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            try:
                _serve(theirs)
            finally:
                os._exit(0)
        theirs.close()
        return _Companion(ours, pid)

    def close(self) -> None:
        self.channel.close()
        if self.process is not None:
            self.process.wait()
        else:
            os.waitpid(self.pid, 0)

    def read(self, source: BinaryIO, feed: Feed, deliverer: Deliverer, allowed: Allowance) -> Outcome | None:
        """None when not the child but the companion itself is gone."""
        with _shared_file() as result:
            try:
                job = pickle.dumps((feed, deliverer, allowed))
                fds = [source.fileno(), result.fileno()]
                socket.send_fds(self.channel, [LENGTH.pack(len(job))], fds)
                self.channel.sendall(job)
                answer = _receive(self.channel, LENGTH.size)
            except (BrokenPipeError, ConnectionResetError):
                answer = None
            if answer is None:
                return None
            (code,) = LENGTH.unpack(answer)
            if code == 0:
                return Outcome(_written(result))
            return Outcome(None, code & 0xFF, bool(code >> 8))


def _shared_file() -> BinaryIO:
    """Memory with a file's interface: what is about persons does not touch a disk."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("reading"), "w+b")
    return tempfile.TemporaryFile()


def _written(result: BinaryIO) -> tuple[dict[str, Any], Any]:
    import pyarrow as pa

    path = Path(f"/proc/self/fd/{result.fileno()}")
    source = pa.memory_map(str(path)) if path.exists() else pa.PythonFile(result, mode="r")
    table = pa.ipc.open_stream(source).read_all()
    head = json.loads(table.schema.metadata[b"reading"])
    return head, table.replace_schema_metadata(None)


def _receive(channel: socket.socket, size: int) -> bytes | None:
    """Exactly so many bytes; None when the other side is gone."""
    data = b""
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            return None
        data += part
    return data


# --- the companion's side ----------------------------------------------------------------------------------------


def _serve(channel: socket.socket) -> None:
    """One child per job until the owner is gone."""
    for module in PRELOADED:
        importlib.import_module(module)
    # Children share what is there; a collection would copy it.
    gc.freeze()
    while True:
        head, fds, _, _ = socket.recv_fds(channel, LENGTH.size, 2)
        if not head:
            return
        job = _receive(channel, LENGTH.unpack(head)[0])
        if job is None:
            return
        with tempfile.TemporaryDirectory(prefix="ipso-lesen-") as scratch:
            pid = os.fork()
            if pid == 0:
                os.setpgid(0, 0)
                channel.close()
                _child(job, fds[0], fds[1], Path(scratch))
            with contextlib.suppress(OSError):
                # Whoever is first: it is a group of its own before anybody ends it.
                os.setpgid(pid, pid)
            for descriptor in fds:
                os.close(descriptor)
            if not _wait(pid, channel):
                return
            _end_group(pid)
            status = os.waitpid(pid, 0)[1]
            said = Path(scratch, "stderr").read_bytes()[-10_000:] if Path(scratch, "stderr").exists() else b""
        code = status & 0x7F or (signal.SIGKILL if os.waitstatus_to_exitcode(status) else 0)
        no_memory = code != 0 and any(mark in said for mark in NO_MEMORY)
        channel.sendall(LENGTH.pack(code | no_memory << 8))


def _wait(pid: int, channel: socket.socket) -> bool:
    """Until the child has ended; False when the owner went first, and then the child goes too."""
    if not hasattr(os, "pidfd_open"):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return True
    watched = os.pidfd_open(pid)
    try:
        ready, _, _ = select.select([watched, channel], [], [])
    finally:
        os.close(watched)
    if watched in ready:
        return True
    _end_group(pid)
    os.waitpid(pid, 0)
    return False


def _end_group(pid: int) -> None:
    """The child, which nobody has waited for yet, and whatever it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _child(job: bytes, source: int, result: int, scratch: Path) -> None:
    """Read one delivery and end. Never returns."""
    code = 1
    try:
        os.dup2(os.open(scratch / "stderr", os.O_WRONLY | os.O_CREAT, 0o600), 2)
        _retreat(scratch)
        feed, deliverer, allowed = pickle.loads(job)
        bind(allowed)
        with os.fdopen(result, "wb") as file:
            head, table = _read(source, feed, deliverer)
            _write(file, head, table)
        code = 0
    except MemoryError:
        os.write(2, b"MemoryError")
    finally:
        os._exit(code)


def _retreat(scratch: Path) -> None:
    """Temporary files go where the companion clears up; when memory is short the kernel takes this process first."""
    faulthandler.disable()
    os.chdir(scratch)
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _read(source: int, feed: Feed, deliverer: Deliverer) -> tuple[dict[str, Any], Any]:
    import duckdb

    from orchestration.feeds.reader import read_delivery

    try:
        with os.fdopen(source, "rb") as file:
            file.seek(0)
            data = file.read()
        reading = read_delivery(data, feed, deliverer)
    except (MemoryError, duckdb.OutOfMemoryException):
        return {"fault": "memory"}, None
    except Exception as error:
        # The exception's text may quote a cell, its class does not.
        return {"fault": type(error).__name__}, None
    head = {
        "fault": None,
        "has_table": reading.table is not None,
        "headers": reading.headers,
        "findings": [finding.as_json() for finding in reading.findings],
    }
    return head, reading.table


def _write(file: BinaryIO, head: dict[str, Any], table: Any) -> None:
    import pyarrow as pa

    table = pa.table({}) if table is None else table
    table = table.replace_schema_metadata({"reading": json.dumps(head)})
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


# --- findings ----------------------------------------------------------------------------------------------------


def unreadable(kind: str) -> Finding:
    """A reader raised; `kind` is the exception's class (its text may quote a cell)."""
    return structural(
        "file_is_readable",
        f"Die Datei konnte nicht gelesen werden ({kind})",
        "eine Datei in der vereinbarten Form",
        "Bitte die Datei neu ausgeben; bleibt der Fehler, die Stelle Sozialplanung ansprechen",
    )


def _too_much(allowed: Allowance) -> Finding:
    return structural(
        "file_needs_sane_memory",
        f"Die Datei braucht zum Lesen mehr als {german_number(round(allowed.memory / GB, 1))} GB Arbeitsspeicher",
        "eine Datei, die entpackt nicht unplausibel groß wird",
        "Bitte prüfen, ob die richtige Datei geliefert wurde; leere formatierte Bereiche entfernen",
    )


def _too_long(allowed: Allowance) -> Finding:
    return structural(
        "file_needs_sane_time",
        f"Die Datei braucht zum Lesen mehr als {counted(allowed.cpu_seconds, 'Sekunde', 'Sekunden')}",
        "eine Datei, die sich in üblicher Zeit lesen lässt",
        "Bitte prüfen, ob die richtige Datei geliefert wurde",
    )


def _crash() -> Finding:
    return structural(
        "file_is_readable",
        "Die Datei bringt das Leseprogramm zum Absturz, auch beim zweiten Versuch",
        "eine Datei in der vereinbarten Form",
        "Bitte die Datei neu ausgeben; bleibt der Fehler, die Stelle Sozialplanung ansprechen",
    )


def _main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        _serve(channel)


if __name__ == "__main__":
    _main()
