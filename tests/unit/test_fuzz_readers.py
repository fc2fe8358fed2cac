"""Damaged deliveries of every format, at random but the same every time: a finding, never an exception.

An exception in a reader costs one delivery no more than a finding (reading_room.py), but its German would be poor:
„konnte nicht gelesen werden (ValueError)“. Damage that coverage guides is in tests/fuzz/fuzz_readers.py.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.feeds import reading_room
from orchestration.feeds.declaration import Deliverer, Feed
from orchestration.feeds.finding import Finding
from orchestration.feeds.limits import GB, Allowance, bind
from orchestration.feeds.reader import READERS, gate_frame, raw_rows, read_delivery
from orchestration.home import REPOSITORY
from tests.fixtures.hostile.samples import declared, samples

EXAMPLES = int(os.environ.get("IPSO_FUZZ_EXAMPLES", "100"))
"""Per format and kind of damage."""


def bounded(examples: int) -> settings:
    return settings(
        max_examples=max(examples, 1),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


TOKENS = [
    b"", b"\x00", b"\n", b"\r", b"\r\n", b'"', b"'", b";", b",", b"\t", b"|", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf",
    b"\x1a", b"__________", b"GENESIS-Tabelle: ", b"DG;", b"-", b"...", b"31.12.99999", b"00.00.0000", b"1e999",
    b"9" * 400, b"\xc3", "ä".encode("cp850"), b"PK\x03\x04", b"<![CDATA[", b"&a;",
    b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff",
]  # fmt: skip

places = st.floats(0, 1, exclude_max=True)
edits = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), places, st.integers(0, 7)),
        st.tuples(st.just("cut"), places, places),
        st.tuples(st.just("end"), places, st.none()),
        st.tuples(st.just("twice"), places, places),
        st.tuples(st.just("insert"), places, st.one_of(st.sampled_from(TOKENS), st.binary(max_size=20))),
        st.tuples(st.just("overwrite"), places, st.one_of(st.sampled_from(TOKENS), st.binary(max_size=20))),
    ),
    min_size=1,
    max_size=6,
)


def damaged(data: bytes, changes: list[tuple[str, float, object]]) -> bytes:
    """The bytes after each change; places are shares of the length."""
    for kind, where, what in changes:
        at = int(where * len(data))
        if kind == "flip" and data:
            assert isinstance(what, int)
            data = data[:at] + bytes([data[at] ^ 1 << what]) + data[at + 1 :]
        elif kind == "end":
            data = data[:at]
        elif kind in ("cut", "twice"):
            assert isinstance(what, float)
            start, end = sorted((at, int(what * len(data))))
            data = data[:start] + data[end:] if kind == "cut" else data[:end] + data[start:]
        elif isinstance(what, bytes):
            data = data[:at] + what + data[at + (len(what) if kind == "overwrite" else 0) :]
    return data


def inside(data: bytes, changes: list[tuple[str, float, object]], which: float) -> bytes:
    """The archive with one member damaged and packed anew: what a checksum would hide from the reader."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    chosen = sorted(members)[int(which * len(members))]
    members[chosen] = damaged(members[chosen], changes)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def apart(run: Callable[[], None]) -> None:
    """All examples of one test in a child under limits: damage that makes a parser eat the memory, or abort, fails the
    test and not the machine. What went wrong is in the captured output."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            bind(Allowance(memory=4 * GB, cpu_seconds=600, wall_seconds=600))
            run()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def read(feed: Feed, deliverer: Deliverer, data: bytes) -> list[Finding]:
    """As the gate reads: whatever can be read must also become a frame and raw rows."""
    reading = read_delivery(data, feed, deliverer)
    assert reading.table is not None or any(finding.is_error for finding in reading.findings)
    if not any(finding.is_error for finding in reading.findings):
        gate_frame(reading, feed, 100)
        assert raw_rows(reading, feed, "x", deliverer.slug, 2020).num_rows >= 0
    return reading.findings


CASES = [(name, number) for name, cases in samples().items() for number in range(len(cases))]
PACKED = [(name, number) for name, number in CASES if samples()[name][number][2].startswith(b"PK")]


@pytest.mark.parametrize(("format_name", "number"), CASES)
def test_samples_are_read_without_an_error(format_name: str, number: int) -> None:
    """Damage to a file that is rejected anyway would test nothing."""
    assert [finding for finding in read(*samples()[format_name][number]) if finding.is_error] == []


@pytest.mark.parametrize(("format_name", "number"), [case for case in CASES if case[0] != "xls"])
def test_a_damaged_delivery_never_breaks_its_reader(format_name: str, number: int) -> None:
    feed, deliverer, data = samples()[format_name][number]

    @bounded(EXAMPLES // len(samples()[format_name]))
    @given(edits)
    def run(changes: list[tuple[str, float, object]]) -> None:
        read(feed, deliverer, damaged(data, changes))

    apart(run)


def test_a_damaged_xls_never_breaks_the_reading_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its parser eats any memory where sectors run in a ring: every example is a process of its own."""
    monkeypatch.setenv("IPSO_READ_MEMORY", "0.3")
    feed, deliverer, data = samples()["xls"][0]
    path = tmp_path / "damaged.xls"

    @bounded(EXAMPLES // 4)
    @given(edits)
    def run(changes: list[tuple[str, float, object]]) -> None:
        path.write_bytes(damaged(data, changes))
        reading = reading_room.read_apart(path, feed, deliverer)
        assert reading.table is not None or any(finding.is_error for finding in reading.findings)

    run()


@pytest.mark.parametrize(("format_name", "number"), PACKED)
def test_a_delivery_damaged_inside_its_archive_never_breaks_its_reader(format_name: str, number: int) -> None:
    feed, deliverer, data = samples()[format_name][number]

    @bounded(EXAMPLES // len(samples()[format_name]))
    @given(edits, places)
    def run(changes: list[tuple[str, float, object]], which: float) -> None:
        read(feed, deliverer, inside(data, changes, which))

    apart(run)


@pytest.mark.parametrize("format_name", sorted(READERS))
def test_bytes_that_never_were_a_delivery_never_break_a_reader(format_name: str) -> None:
    feed, deliverer = declared(format_name)

    @bounded(EXAMPLES)
    @given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
    def run(data: bytes) -> None:
        assert read_delivery(data, feed, deliverer).findings

    apart(run)


def test_damage_guided_by_coverage_never_breaks_a_reader(tmp_path: Path) -> None:
    """A bounded run of the fuzzer that otherwise runs for hours: its seed is fixed, its number of runs too."""
    pytest.importorskip("atheris")
    script = REPOSITORY / "tests" / "fuzz" / "fuzz_readers.py"
    command = [sys.executable, str(script), "-runs=1500", "-seed=1", "-max_len=20000", "-rss_limit_mb=6000"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-3000:]
    assert "Done 1500 runs" in result.stderr and list(tmp_path.iterdir()) == []
