"""Hostile and broken bytes: each is rejected with a clear reason, within bounds, archived, and the run goes on.

The list for people is docs/hostile-input.md; a test below holds the two together. Names, links and the disk are in
test_hostile_drop_folder.py, random bytes in test_fuzz_readers.py.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.feeds import guards, reading_room
from orchestration.feeds.declaration import Feed, load_feeds
from orchestration.feeds.intake import receive
from orchestration.feeds.limits import GB, MAX_LINE_BYTES, allowance
from orchestration.feeds.reader import READERS, read_delivery
from orchestration.gates import delivery as gate
from orchestration.gates import judgement, workers
from orchestration.gates.delivery import PARALLEL_FROM, Verdict, judge
from orchestration.home import REPOSITORY, Home
from tests.fixtures.feeds import deliveries as files
from tests.fixtures.hostile import areas
from tests.fixtures.hostile import workbooks as hostile
from tests.fixtures.hostile.samples import declared

REGISTER = "bergisch-gladbach/einwohner_2020.csv"
XLSX = "burscheid/einwohner_2020.xlsx"
AREAS = "kreis/sozialraeume_2015.gpkg"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


@pytest.fixture(autouse=True)
def official(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judgement, "official_population", lambda: {})
    # Workers that another test has started know nothing of what is set here.
    monkeypatch.setattr(workers, "_pool", None)


@pytest.fixture
def own_readers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Any], None]]:
    """Replaces a reader in the companion too, which is then a fork of this process."""

    def replace(name: str, reader: Any) -> None:
        monkeypatch.setitem(READERS, name, reader)
        monkeypatch.setattr(reading_room._Companion, "start", reading_room._Companion.fork)
        reading_room.close()

    yield replace
    reading_room.close()


def drop(home: Home, name: str, data: bytes) -> None:
    path = home.landing / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def deliver(home: Home, name: str, data: bytes) -> Verdict:
    """Through the real drop folder, archive and gate; the bytes are in the archive whatever becomes of them."""
    drop(home, name, data)
    [delivery] = receive(home, settle_seconds=0)
    assert delivery.sha256 == hashlib.sha256(data).hexdigest() and delivery.blob(home).read_bytes() == data
    [verdict] = judge(home, delivery.feed)
    return verdict


def rejected(home: Home, name: str, data: bytes) -> dict[str, str]:
    """Deliver what must be rejected; expectation → what was found, of the errors."""
    verdict = deliver(home, name, data)
    assert not verdict.accepted
    assert (home.rejected / verdict.delivery_id / "rueckmeldung.html").exists()
    return {finding.expectation: str(finding.found) for finding in verdict.findings if finding.is_error}


# --- text ----------------------------------------------------------------------------------------------------------


def test_one_line_without_an_end_is_rejected(home: Home) -> None:
    data = files.REGISTER_HEADER.encode("cp1252") + b"\r\n" + b"a" * (MAX_LINE_BYTES + 10)
    assert "länger als 1 MB" in rejected(home, REGISTER, data)["line_has_sane_length"]


def test_hundreds_of_megabytes_of_one_line_are_held_once_and_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "einwohner_2020.csv"
    path.write_bytes(b"a;" * 150_000_000)
    # Room for the bytes themselves and not for a second copy.
    monkeypatch.setattr("orchestration.feeds.limits.MEMORY_PER_BYTE", 1)
    monkeypatch.setenv("IPSO_READ_MEMORY", "0.2")
    feed = load_feeds()["einwohner"]
    reading = reading_room.read_apart(path, feed, feed.deliverers["bergisch-gladbach"])
    assert [finding.expectation for finding in reading.findings] == ["file_has_sane_width"]
    path.write_bytes(b"a" * 300_000_000)
    reading = reading_room.read_apart(path, feed, feed.deliverers["bergisch-gladbach"])
    assert [finding.expectation for finding in reading.findings] == ["line_has_sane_length"]


def test_a_file_above_its_feeds_limit_is_archived_and_rejected_unread(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judgement, "read_apart", lambda *_: pytest.fail("was read"))
    small = dataclasses.replace(load_feeds()["einwohner"], max_size_mb=0)
    monkeypatch.setattr(gate, "load_feeds", lambda: {**load_feeds(), "einwohner": small})
    found = rejected(home, REGISTER, files.register())
    assert found == {"file_has_sane_size": "Die Datei ist größer als 0 MB"}


@pytest.mark.parametrize("row", [1, 7])
def test_nul_bytes_are_rejected(home: Home, row: int) -> None:
    lines = files.register_lines()
    lines[row - 1] = lines[row - 1].replace("0", "\x00", 1).replace("Ord", "Ord\x00", 1)
    assert "Nullbytes" in rejected(home, REGISTER, files.text_file(lines))["file_is_text"]


def test_sixteen_thousand_columns_of_text_are_rejected(home: Home) -> None:
    header = ";".join(f"s{i}" for i in range(16_384))
    found = rejected(home, REGISTER, files.text_file([header, ";" * 16_383]))
    assert found == {"file_has_sane_width": "Die Datei hat 16.384 Spalten"}


def test_sixteen_thousand_columns_of_a_sheet_are_rejected(home: Home) -> None:
    rows = "".join(hostile.text_row(i, [f"s{j}" for j in range(16_384)]) for i in (1, 2))
    assert rejected(home, XLSX, hostile.workbook(rows)) == {"file_has_sane_width": "Die Datei hat 16.384 Spalten"}


def test_a_header_as_long_as_a_book_is_rejected_and_not_repeated_in_every_row(home: Home) -> None:
    """It would still be the agreed header: blanks do not count in headers."""
    lines = files.unemployed_lines()
    lines[0] = lines[0].replace("Arbeitslose insgesamt", "Arbeitslose" + " " * 100_000 + "insgesamt")
    found = rejected(home, "jobcenter/arbeitslose_2021.csv", files.text_file(lines))
    assert "mehr als 1.000 Zeichen" in found["header_has_sane_length"]


@pytest.mark.parametrize("again", ["AGS", "Gemeindeschlüssel"])
def test_duplicate_headers_of_text_are_rejected(home: Home, again: str) -> None:
    lines = [f"{line};{again if i == 0 else '05378004'}" for i, line in enumerate(files.register_lines())]
    assert "mehrfach" in rejected(home, REGISTER, files.text_file(lines))["column_is_unique"]


def test_duplicate_headers_of_a_sheet_are_rejected(home: Home) -> None:
    header = files.REGISTER_HEADER.split(";")
    rows = hostile.text_row(1, [*header, "AGS"]) + hostile.text_row(2, ["1"] * 12)
    assert "mehrfach" in rejected(home, XLSX, hostile.workbook(rows))["column_is_unique"]


def test_mixed_line_ends_are_rejected(home: Home) -> None:
    data = files.register().replace(b"\r\n", b"\r", 3)
    assert rejected(home, REGISTER, data).keys() & {"header_is_known", "field_count_is_constant"}


def test_a_quote_that_never_closes_is_rejected(home: Home) -> None:
    lines = files.register_lines()
    lines[3] = lines[3].replace("Hauptstraße", '"Hauptstraße')
    assert rejected(home, REGISTER, files.text_file(lines))


# --- archives and workbooks ----------------------------------------------------------------------------------------

ARCHIVES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "bloated": (lambda: hostile.bloated(900_000_000), "file_has_sane_size", "entpackt sich auf mehr als das 200-Fache"),
    "larger than told": (lambda: hostile.lying(100_000_000, 1000), "file_has_sane_size", "als sein Verzeichnis angibt"),
    "overlapping": (hostile.overlapping, "archive_is_plain", "überlappen"),
    "many members": (
        lambda: hostile.packed({f"m{i}": "" for i in range(10_001)}),
        "file_has_sane_size",
        "10.001 Dateien",
    ),
    "leaves its folder": (lambda: hostile.with_member("../../x.csv"), "archive_is_plain", "hinausführen"),
    "no name": (lambda: hostile.with_member(""), "archive_is_plain", "Namen"),
    "absolute": (lambda: hostile.with_member("/etc/cron.d/x"), "archive_is_plain", "hinausführen"),
    "drive": (lambda: hostile.with_member("C:\\x.csv"), "archive_is_plain", "hinausführen"),
    "backslashes": (lambda: hostile.with_member("a\\..\\..\\x.csv"), "archive_is_plain", "hinausführen"),
    "NUL in a name": (lambda: hostile.with_member("a.csv\x00.exe"), "archive_is_plain", "hinausführen"),
    "line end in a name": (lambda: hostile.with_member("a\nb.csv"), "archive_is_plain", "hinausführen"),
    "symbolic link": (lambda: hostile.with_member("link", link=True), "archive_is_plain", "Verknüpfungen"),
    "one name twice": (lambda: hostile.with_member("xl/workbook.xml"), "archive_is_plain", "desselben Namens"),
    "encrypted": (hostile.encrypted, "file_is_not_encrypted", "Kennwort"),
    "version of the future": (
        lambda: hostile.workbook("").replace(b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\xff"),
        "archive_is_plain",
        "unüblich oder beschädigt",
    ),
    "rarely used packing": (
        lambda: hostile.packed(hostile.parts(""), method=14),
        "archive_is_plain",
        "unüblichen Verfahren",
    ),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_hostile_archive_is_rejected_before_its_contents_are_read(home: Home, name: str) -> None:
    make, expectation, words = ARCHIVES[name]
    assert words in rejected(home, XLSX, make())[expectation]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_billion_laughs_in_a_workbook_are_rejected(home: Home, encoding: str) -> None:
    assert "Entitäten" in rejected(home, XLSX, hostile.laughing(encoding))["archive_is_plain"]


def test_billion_laughs_in_an_open_document_are_rejected() -> None:
    content = f"<?xml version='1.0'?>{hostile.LAUGHS}<office:document-content>&a9;</office:document-content>"
    [finding] = guards.suspicious(hostile.open_document(content), "xlsx")
    assert finding.is_error and "Entitäten" in str(finding.found)


def test_two_cells_in_the_corners_of_a_sheet_do_not_take_the_memory_between_them(home: Home) -> None:
    assert rejected(home, XLSX, hostile.corners()).keys() <= {"file_needs_sane_memory", "file_has_sane_size"}


def test_one_long_text_in_every_cell_does_not_take_the_memory(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPSO_READ_MEMORY", "0.5")
    found = rejected(home, XLSX, hostile.echo(letters=1_000_000, cells=20_000))
    assert found.keys() <= {"file_needs_sane_memory", "file_has_sane_size"}


def register_workbook(cell: str) -> bytes:
    """A register whose first person's house number is the given cell (`{r}` is its reference)."""
    header = files.REGISTER_HEADER.split(";")
    person = files.register_lines()[1].split(";")
    row = hostile.text_row(2, person)
    old = re.search(r'<c r="E2".*?</c>', row)
    assert old
    return hostile.workbook(hostile.text_row(1, header) + row.replace(old[0], cell.format(r="E2")))


@pytest.mark.parametrize(
    "cell",
    ['<c r="{r}"><f>1+1</f></c>', '<c r="{r}"><f>1+1</f><v></v></c>', '<c r="{r}"><f t="shared" si="0"/><v/></c>'],
)
def test_formulas_without_a_stored_result_are_rejected(home: Home, cell: str) -> None:
    assert "ohne gespeichertes Ergebnis" in rejected(home, XLSX, register_workbook(cell))["formulas_have_values"]


@pytest.mark.parametrize(
    "cell", ['<c r="{r}"><f>1+1</f><v>2</v></c>', '<c r="{r}" t="str"><f aca="false">A1&amp;""</f><v></v></c>']
)
def test_formulas_with_a_stored_result_are_read_and_remarked_upon(tmp_path: Path, cell: str) -> None:
    feed = load_feeds()["einwohner"]
    reading = read_delivery(register_workbook(cell), feed, feed.deliverers["burscheid"])
    assert [(f.expectation, f.severity) for f in reading.findings] == [("workbook_has_no_formulas", "warning")]
    assert reading.table is not None and reading.table.num_rows == 1


@pytest.mark.parametrize(
    ("member", "expectation"),
    [
        ("xl/externalLinks/externalLink1.xml", "workbook_has_no_external_links"),
        ("xl/vbaProject.bin", "workbook_has_no_macros"),
    ],
)
def test_external_links_and_macros_are_rejected(home: Home, member: str, expectation: str) -> None:
    dde = f'<externalLink xmlns="{hostile.MAIN}"><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'
    assert expectation in rejected(home, XLSX, hostile.workbook(hostile.text_row(1, ["OM"]), more={member: dde}))


def test_links_and_formulas_of_an_open_document_are_told() -> None:
    content = '<table:dde-link><office:dde-source/></table:dde-link><table:table-cell table:formula="of:=1+1"/>'
    findings = guards.suspicious(hostile.open_document(content), "xlsx")
    assert [(f.expectation, f.is_error) for f in findings] == [
        ("workbook_has_no_external_links", True),
        ("workbook_has_no_formulas", False),
    ]


# --- names that are SQL --------------------------------------------------------------------------------------------


def test_headers_that_are_sql_are_headers(home: Home) -> None:
    lines = files.unemployed_lines()
    header = '"Arbeitslose\'); ""insgesamt"";--"'
    lines[0] = lines[0].replace("Arbeitslose insgesamt", header) + ';"a""; drop table wide; --"'
    lines[1:] = [f"{line};1" for line in lines[1:]]
    verdict = deliver(home, "jobcenter/arbeitslose_2021.csv", files.text_file(lines))
    assert verdict.accepted, verdict.reason
    [path] = home.raw.rglob("arbeitslose-*.parquet")
    assert 'Arbeitslose\'); "insgesamt";--' in pq.read_table(path)["spalte"].to_pylist()
    assert any("drop table wide" in str(finding.found) for finding in verdict.findings if finding.is_warning)


def test_area_ids_that_are_sql_are_no_area_ids(home: Home) -> None:
    lines = files.unemployed_lines()
    lines[2] = '31.12.2021;"05378004\'; drop table wide; --";Bergisch Gladbach;1.200;100;200;300;*'
    verdict = deliver(home, "jobcenter/arbeitslose_2021.csv", files.text_file(lines))
    assert not verdict.accepted and "kein Gebietsschlüssel" in str(verdict.reason)


def test_a_sheet_whose_name_is_sql_is_a_sheet(home: Home) -> None:
    name = "'; drop table wide; --&quot;"
    assert "header_is_known" in rejected(home, XLSX, hostile.workbook(hostile.text_row(1, ["x"]), sheet=name))


def test_layers_and_attributes_whose_names_are_sql_are_layers_and_attributes(home: Home, tmp_path: Path) -> None:
    frame = areas.county()
    frame['a"; drop table source; --'] = "x"
    data = areas.geopackage(tmp_path / "a.gpkg", frame, layer='"; drop table x; --')
    verdict = deliver(home, AREAS, data)
    assert verdict.accepted, verdict.reason
    assert verdict.row_count == len(frame)
    assert any("drop table source" in str(finding.found) for finding in verdict.findings if finding.is_warning)


def test_headers_cannot_steer_the_terminal(home: Home) -> None:
    lines = [f"{line};\x1b[2Jx\u202e" for line in files.register_lines()]
    verdict = deliver(home, "kuerten/einwohner_2020.csv", files.text_file(lines, "utf-8"))
    assert any("\\x1b[2Jx\\u202e" in str(finding.found) for finding in verdict.findings)
    text = "".join(f"{f.message}{f.found}{f.hint}" for f in verdict.findings)
    assert "\x1b" not in text and "\u202e" not in text


# --- bounds --------------------------------------------------------------------------------------------------------


def test_a_layer_that_never_ends_is_rejected_when_its_time_is_up(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPSO_READ_SECONDS", "1")
    found = rejected(home, AREAS, areas.endless(tmp_path / "a.gpkg"))
    assert found == {"file_needs_sane_time": "Die Datei braucht zum Lesen mehr als 1 Sekunde"}


def test_a_reader_that_takes_more_memory_than_allowed_rejects_its_file(
    home: Home, own_readers: Callable[[str, Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPSO_READ_MEMORY", "0.2")
    own_readers("xlsx", lambda *_: bytearray(2 * GB))
    assert "0,2 GB" in rejected(home, XLSX, files.register_xlsx())["file_needs_sane_memory"]


def test_a_reader_that_hangs_is_ended_though_it_uses_no_core(
    home: Home, own_readers: Callable[[str, Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPSO_READ_SECONDS", "0.2")
    own_readers("xlsx", lambda *_: time.sleep(1000))
    assert "file_needs_sane_time" in rejected(home, XLSX, files.register_xlsx())


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_a_reader_that_crashes_gets_a_second_try_and_then_rejects_its_file_alone(
    home: Home, own_readers: Callable[[str, Any], None], tmp_path: Path, how: signal.Signals
) -> None:
    def crash(*_: object) -> None:
        with (tmp_path / "tries").open("a") as file:
            file.write("x")
        os.kill(os.getpid(), how)

    own_readers("xlsx", crash)
    assert "Absturz" in rejected(home, XLSX, files.register_xlsx())["file_is_readable"]
    assert (tmp_path / "tries").read_text() == "xx"
    lines = files.text_file(files.unemployed_lines())
    assert deliver(home, "jobcenter/arbeitslose_2021.csv", lines).accepted


def test_what_a_reader_has_started_ends_with_it(
    home: Home, own_readers: Callable[[str, Any], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start_and_hang(*_: object) -> None:
        helper = subprocess.Popen(["sleep", "1000"])
        (tmp_path / "helper").write_text(str(helper.pid))
        helper.wait()

    monkeypatch.setenv("IPSO_READ_SECONDS", "0.5")
    own_readers("xlsx", start_and_hang)
    assert "file_needs_sane_time" in rejected(home, XLSX, files.register_xlsx())
    helper, patience = int((tmp_path / "helper").read_text()), time.monotonic() + 30
    while _is_alive(helper) and time.monotonic() < patience:
        time.sleep(0.05)
    assert not _is_alive(helper)


def test_a_reader_that_crashed_once_is_forgiven(
    home: Home, own_readers: Callable[[str, Any], None], tmp_path: Path
) -> None:
    def crash_once(data: bytes, feed: Feed, deliverer: Any) -> Any:
        if not (tmp_path / "tried").exists():
            (tmp_path / "tried").touch()
            os.kill(os.getpid(), signal.SIGSEGV)
        return original(data, feed, deliverer)

    original = READERS["xlsx"]
    own_readers("xlsx", crash_once)
    assert "file_is_readable" not in {f.expectation for f in deliver(home, XLSX, files.register_xlsx()).findings}


def test_ordinary_files_stay_far_below_their_allowance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the memory that a register of 35,000 persons is allowed is enough to read it."""
    lines = files.register_lines(n=28)
    path = tmp_path / "einwohner_2020.csv"
    path.write_bytes(files.text_file([lines[0], *lines[1:] * 1250]))
    monkeypatch.setenv("IPSO_READ_MEMORY", str(allowance(path.stat().st_size).memory / GB / 10))
    feed = load_feeds()["einwohner"]
    reading = reading_room.read_apart(path, feed, feed.deliverers["bergisch-gladbach"])
    assert reading.table is not None and reading.table.num_rows == 35_000


def test_a_bomb_among_many_deliveries_is_rejected_in_a_worker_and_the_others_are_judged(home: Home) -> None:
    drop(home, XLSX, hostile.corners())
    years = range(2015, 2015 + PARALLEL_FROM)
    for year in years:
        drop(home, f"bergisch-gladbach/einwohner_{year}.csv", files.register(year))
    receive(home, settle_seconds=0)
    verdicts = judge(home, "einwohner")
    assert workers._pool is not None
    workers._pool.shutdown()
    assert len(verdicts) == len(years) + 1
    bomb, *others = sorted(verdicts, key=lambda verdict: verdict.row_count)
    assert bomb.deliverer == "burscheid" and not bomb.accepted and bomb.row_count == 0
    assert [verdict.row_count for verdict in others] == [files.N_PERSONS] * len(years)


def test_the_reading_process_goes_when_its_owner_is_killed() -> None:
    code = (
        "from orchestration.feeds import reading_room as r; r.warm_up(); print(r._companion.pid, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
    ) as owner:
        assert owner.stdout
        companion = int(owner.stdout.readline())
        owner.kill()
    patience = time.monotonic() + 30
    while _is_alive(companion) and time.monotonic() < patience:
        time.sleep(0.05)
    assert not _is_alive(companion)


def _is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


# --- any format ----------------------------------------------------------------------------------------------------

JUNK: dict[str, bytes] = {
    "random": random.Random(1).randbytes(5000),
    "NUL bytes": b"\x00" * 5000,
    "one byte": b"x",
    "line ends": b"\r\n" * 5000,
    "open quotes": b'"' * 5001,
    "nested brackets": b"[" * 200_000,
    "nested objects": b'{"a":' * 50_000,
    "nested elements": b"<a>" * 50_000,
    "virtual data source": b'<OGRVRTDataSource><OGRVRTLayer name="passwd"><SrcDataSource>/etc/passwd'
    b"</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
    "empty archive": b"PK\x05\x06" + b"\x00" * 18,
    "start of an archive": b"PK\x03\x04" + b"\xff" * 100,
    "start of a database": b"SQLite format 3\x00" + b"\xff" * 5000,
    "start of a Parquet file": b"PAR1" + b"\xff" * 100 + b"PAR1",
    "start of an old workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 5000,
    "a program": b"MZ" + b"\x90" * 5000,
    "archive of itself": hostile.packed({"a.zip": hostile.packed({"a.zip": b"PK"})}),
}


@pytest.mark.parametrize("format_name", sorted(READERS))
@pytest.mark.parametrize("name", JUNK)
def test_junk_in_any_format_is_a_finding(tmp_path: Path, format_name: str, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(JUNK[name])
    reading = reading_room.read_apart(path, *declared(format_name))
    errors = [finding for finding in reading.findings if finding.is_error]
    assert errors and not any(f.expectation == "file_is_readable" for f in errors), errors
    assert "root:" not in "".join(finding.message for finding in errors)


# --- the list ------------------------------------------------------------------------------------------------------


def test_every_row_of_the_list_names_tests_that_exist() -> None:
    text = (REPOSITORY / "docs" / "hostile-input.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "`test_" in line]
    named = [re.findall(r"`(test_\w+)`", row) for row in rows]
    assert len(rows) >= 30 and all(named)
    defined = {
        name
        for path in (REPOSITORY / "tests" / "unit").glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert {name for names in named for name in names} <= defined


def test_every_test_of_hostile_input_is_in_the_list() -> None:
    text = (REPOSITORY / "docs" / "hostile-input.md").read_text(encoding="utf-8")
    for name in ("test_hostile_input.py", "test_hostile_drop_folder.py"):
        source = (REPOSITORY / "tests" / "unit" / name).read_text(encoding="utf-8")
        defined = set(re.findall(r"^def (test_\w+)", source, re.MULTILINE))
        assert {test for test in defined if f"`{test}`" not in text} <= {
            "test_every_row_of_the_list_names_tests_that_exist",
            "test_every_test_of_hostile_input_is_in_the_list",
        }
