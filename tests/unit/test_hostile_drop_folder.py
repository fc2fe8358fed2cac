"""Hostile things in the drop folder: refused or archived, told, noted; and the other files are taken."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import socket
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from rich.console import Console

from orchestration.feeds import intake, limits
from orchestration.feeds.assets import gate_result
from orchestration.feeds.intake import Delivery, deliveries, receive
from orchestration.feeds.landing import FILE, refused_entries, waiting_files
from orchestration.feeds.names import in_markdown, shown
from orchestration.gates.delivery import judge, write_control
from orchestration.home import Home
from orchestration.status import print_status
from tests.fixtures.feeds import deliveries as files

GOOD = "bergisch-gladbach/einwohner_2020.csv"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


def drop(home: Home, name: str, data: bytes = b"x") -> Path:
    path = home.landing / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(data)
    return path


def take(home: Home) -> tuple[list[Delivery], list[str]]:
    """What was received, and what was said about the files that stay."""
    said: list[str] = []
    return receive(home, settle_seconds=0, warn=said.append), said


def notes(home: Home) -> list[dict[str, str]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in (home.archive / "refused").glob("*.json")]


# --- what is no file ---------------------------------------------------------------------------------------------


def _symlink(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "geheim.csv")


def _linked_folder(path: Path, outside: Path) -> None:
    path.symlink_to(outside)


def _pipe(path: Path, outside: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path, outside: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, contextlib.chdir(path.parent):
        # From within: the path of a socket must be short.
        listener.bind(path.name)


def _device(path: Path, outside: Path) -> None:
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root can make devices")


def _hard_link(path: Path, outside: Path) -> None:
    path.hardlink_to(outside / "geheim.csv")


@pytest.mark.parametrize(
    ("put", "what"),
    [
        (_symlink, "Symlink"),
        (_linked_folder, "Symlink"),
        (_pipe, "Pipe"),
        (_socket, "Socket"),
        (_device, "Gerät"),
        (_hard_link, "harte Verknüpfung"),
    ],
)
def test_what_is_no_ordinary_file_is_refused_told_and_noted_and_the_others_are_taken(
    home: Home, tmp_path: Path, put: object, what: str
) -> None:
    outside = tmp_path / "anderswo"
    outside.mkdir()
    (outside / "geheim.csv").write_bytes(b"geheim")
    drop(home, GOOD)
    put(home.landing / "bergisch-gladbach" / "einwohner_2021.csv", outside)  # type: ignore[operator]
    for _ in range(2):
        _, said = take(home)
        assert len(said) == 1 and what in said[0] and "wird nicht angenommen" in said[0]
    [note] = notes(home)
    assert note["file_name"] == "bergisch-gladbach/einwohner_2021.csv" and what in note["what"]
    assert [d.file_name for d in deliveries(home)] == [GOOD]
    assert [name for name, _ in refused_entries(home)] == ["bergisch-gladbach/einwohner_2021.csv"]
    assert waiting_files(home) == {} and (outside / "geheim.csv").read_bytes() == b"geheim"


def test_a_link_that_is_put_on_the_way_between_looking_and_opening_is_not_followed(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "anderswo"
    outside.mkdir()
    (outside / "einwohner_2020.csv").write_bytes(b"geheim")
    (home.landing / "bergisch-gladbach").symlink_to(outside)
    monkeypatch.setattr(intake, "entries", lambda home: iter([(home.landing / GOOD, FILE)]))
    received, said = take(home)
    assert received == [] and len(said) == 1 and "nicht lesbar" in said[0]
    assert (outside / "einwohner_2020.csv").read_bytes() == b"geheim"


def test_a_file_that_becomes_a_pipe_before_it_is_opened_does_not_hold_the_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.landing / "bergisch-gladbach").mkdir()
    os.mkfifo(home.landing / GOOD)
    monkeypatch.setattr(intake, "entries", lambda home: iter([(home.landing / GOOD, FILE)]))
    received, said = take(home)
    assert received == [] and "Pipe" in said[0]


# --- too much ----------------------------------------------------------------------------------------------------


def test_a_file_above_the_hard_limit_is_not_archived_but_its_hash_is_and_it_is_rejected(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 3_000_000)
    path = drop(home, GOOD, b"")
    # Sparse: as large as can be, it takes no room and would take for ever to hash.
    os.truncate(path, 1 << 40)
    drop(home, "bergisch-gladbach/einwohner_2021.csv", b"gut")
    received, said = take(home)
    large, good = sorted(received, key=lambda delivery: delivery.year or 0)
    assert (large.archived, good.archived) == (False, True)
    assert large.sha256 == hashlib.sha256(bytes(3_000_000)).hexdigest() and large.size_bytes == 1 << 40
    assert not large.blob(home).exists() and not path.exists()
    assert (home.root / "refused" / large.delivery_id).stat().st_size == 1 << 40
    assert "zu groß" in said[0] and "Prüfsumme" in said[0]
    verdicts = {verdict.delivery_id: verdict for verdict in judge(home, "einwohner")}
    assert "zu groß für das Archiv" in str(verdicts[large.delivery_id].reason)
    assert deliveries(home) == sorted(received, key=lambda delivery: delivery.order)
    assert take(home) == ([], [])


def test_receipts_from_before_files_could_be_refused_still_read(home: Home) -> None:
    drop(home, GOOD)
    take(home)
    [path] = (home.archive / "deliveries").glob("*.json")
    receipt = json.loads(path.read_text(encoding="utf-8"))
    del receipt["archived"]
    path.write_text(json.dumps(receipt), encoding="utf-8")
    assert [delivery.archived for delivery in deliveries(home)] == [True]


def test_a_file_for_which_the_disk_has_no_room_stays_and_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drop(home, GOOD)
    monkeypatch.setattr(limits, "FREE_DISK_BYTES", 1 << 60)
    received, said = take(home)
    assert received == [] and path.exists() and deliveries(home) == []
    assert "sind nur" in said[0] and "GB frei" in said[0] and "bleibt im Abgabeordner" in said[0]


def test_a_disk_that_fills_up_while_a_file_is_copied_leaves_nothing_half(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    path = drop(home, GOOD, b"x" * 100_000)
    really = os.open

    def full(name: object, flags: int, *rest: object, **more: object) -> int:
        if str(name).endswith(".tmp"):
            os.close(really(str(name), flags))
            return really("/dev/full", os.O_WRONLY)
        return really(name, flags, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(intake.os, "open", full)
    received, said = take(home)
    assert received == [] and path.exists() and "der Datenträger ist voll" in said[0]
    assert [p for p in (home.archive / "blobs").rglob("*") if p.is_file()] == []


# --- names ---------------------------------------------------------------------------------------------------------

NAMES = [
    "einwohner_2020'; drop table delivery; --.csv",
    'einwohner_2020"; select 1; --.csv',
    "einwohner_2020.csv\n[green]angenommen[/]",
    "[bold red]einwohner[/]_2020.csv",
    "[link=file:__x]einwohner_2020.csv",
    "\x1b[2J\x1b]0;x\x07einwohner_2020.csv",
    "einwohner_2020_\u202evsc.exe",
    "<script>alert(1)<!--.csv",
    "einwohner | 2020 | *fett* `x`.csv",
    "$(touch x); `touch y` && einwohner_2020.csv",
    "C:\\..\\..\\einwohner_2020.csv",
    "%2e%2e%2f..%2feinwohner_2020.csv",
    "{delivery.__class__}%s%n_2020.csv",
    "einwohner_٢٠٢٠.csv",
    "e" * 251 + ".csv",
    os.fsdecode(b"einwohner_\xff\xfe_2020.csv"),
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_hostile_file_name_reaches_neither_sql_nor_html_nor_markdown_nor_the_terminal(home: Home, name: str) -> None:
    drop(home, f"burscheid/{name}", b"inhalt")
    [delivery], said = take(home)
    assert delivery.feed is None and delivery.blob(home).read_bytes() == b"inhalt" and said == []
    assert delivery.file_name.isprintable() and "\n" not in delivery.file_name and len(delivery.file_name) <= 200
    assert sorted(path.name for path in home.root.parent.iterdir()) == ["data"]
    [verdict] = judge(home, None)
    table = write_control(home)
    assert list(table["file_name"]) == [delivery.file_name] and list(table["state"]) == ["rejected"]
    stored = duckdb.execute("select file_name from read_parquet(?)", [str(home.control / "delivery.parquet")])
    assert stored.fetchall() == [(delivery.file_name,)]

    page = (home.rejected / delivery.delivery_id / "rueckmeldung.html").read_text(encoding="utf-8")
    assert "<script" not in page and "\x1b" not in page and "\u202e" not in page

    terminal = io.StringIO()
    print_status(home, console=Console(file=terminal, width=400, force_terminal=True))
    assert delivery.file_name in _without_own_styles(terminal.getvalue())
    result = gate_result(home, dg.AssetKey(["raw", "einwohner"]), [verdict], [verdict])
    for entry in result.metadata.values():
        assert "<" not in str(entry.value)


def _without_own_styles(text: str) -> str:
    for style in ("\x1b[1;31m", "\x1b[0m"):
        text = text.replace(style, "")
    return text


def test_markup_in_names_is_shown_and_not_obeyed() -> None:
    assert shown("a\x1b[2J\u202eb\ud800\nc") == "a\\x1b[2J\\u202eb\\ud800\\x0ac"
    assert shown("Übersicht 2020 – Köln.csv") == "Übersicht 2020 – Köln.csv"
    assert in_markdown("a | <b>*x*\n`y`") == "a \\| &lt;b&gt;\\*x\\* \\`y\\`"


def test_a_good_delivery_beside_hostile_names_is_judged(home: Home) -> None:
    for number, name in enumerate(NAMES):
        drop(home, f"burscheid/{number}/{name}" if number % 2 else f"burscheid/{name}", b"x%d" % number)
    drop(home, GOOD, files.register())
    received, _ = take(home)
    assert len(received) == len(NAMES) + 1
    assert [delivery.file_name for delivery in received if delivery.feed] == [GOOD]
    assert len(judge(home, None)) == len(NAMES)
