"""From the drop folder into the archive: nothing lost, nothing twice, nothing followed that should not be."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orchestration.feeds import intake
from orchestration.feeds.intake import deliveries, receive
from orchestration.home import Home

NAME = "bergisch-gladbach/einwohner_2020.csv"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


def drop(home: Home, name: str, data: bytes) -> Path:
    path = home.landing / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def take(home: Home) -> list[intake.Delivery]:
    return receive(home, settle_seconds=0)


def archive_files(home: Home) -> list[str]:
    return sorted(str(p.relative_to(home.archive)) for p in home.archive.rglob("*") if p.is_file())


def test_a_file_moves_from_the_drop_folder_into_the_archive_with_a_receipt(home: Home) -> None:
    path = drop(home, NAME, b"inhalt")
    [delivery] = take(home)
    assert not path.exists()
    assert delivery.blob(home).read_bytes() == b"inhalt"
    assert delivery.blob(home).stat().st_mode & 0o777 == 0o600
    assert delivery.delivery_id == f"einwohner-bergisch-gladbach-2020-{delivery.sha256[:10]}"
    assert (delivery.file_name, delivery.size_bytes) == (NAME, 6)
    assert deliveries(home) == [delivery]


def test_the_same_bytes_at_the_same_address_are_no_new_delivery(home: Home) -> None:
    drop(home, NAME, b"inhalt")
    [first] = take(home)
    path = drop(home, NAME, b"inhalt")
    messages: list[str] = []
    assert receive(home, messages.append, settle_seconds=0) == []
    assert not path.exists() and deliveries(home) == [first]
    assert "liegt schon vor" in messages[0]


def test_the_same_bytes_for_another_year_are_another_delivery_of_one_blob(home: Home) -> None:
    drop(home, NAME, b"inhalt")
    drop(home, NAME.replace("2020", "2021"), b"inhalt")
    assert [delivery.year for delivery in take(home)] == [2020, 2021]
    assert len([name for name in archive_files(home) if name.startswith("blobs")]) == 1


@pytest.mark.parametrize("step", ["_copy_aside", "_write_receipt", "_sync_folder", "write_atomic"])
def test_killed_at_any_point_the_next_call_finishes_with_nothing_lost_and_nothing_twice(
    home: Home, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The process dies right after the step; what it wrote stays."""
    drop(home, NAME, b"inhalt")
    whole = getattr(intake, step)

    def dies(*arguments: object) -> None:
        whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(intake, step, dies)
        take(home)
    received = deliveries(home)
    take(home)
    [delivery] = deliveries(home)
    assert received in ([], [delivery])
    assert delivery.blob(home).read_bytes() == b"inhalt"
    assert len(archive_files(home)) == 2 and not any(home.landing.rglob("*.csv"))


def test_a_receipt_never_changes(home: Home) -> None:
    drop(home, NAME, b"inhalt")
    take(home)
    [receipt] = (home.archive / "deliveries").iterdir()
    before = receipt.read_bytes()
    drop(home, NAME, b"inhalt")
    take(home)
    assert receipt.read_bytes() == before
    assert json.loads(before)["received"].endswith("+00:00")


@pytest.mark.parametrize("name", [".versteckt", "einwohner_2020.csv.part", "einwohner_2020.tmp"])
def test_hidden_and_partial_files_stay(home: Home, name: str) -> None:
    path = drop(home, f"bergisch-gladbach/{name}", b"x")
    assert take(home) == [] and path.exists()


def test_a_file_that_is_still_being_written_stays(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drop(home, NAME, b"anfang")

    def meanwhile(_: float) -> None:
        with path.open("ab") as file:
            file.write(b"mehr")

    monkeypatch.setattr(intake.time, "sleep", meanwhile)
    messages: list[str] = []
    assert receive(home, messages.append, settle_seconds=60) == []
    assert path.exists() and "noch geschrieben" in messages[0]


def test_links_and_devices_are_refused_and_not_followed(home: Home, tmp_path: Path) -> None:
    secret = tmp_path / "geheim.csv"
    secret.write_bytes(b"geheim")
    folder = home.landing / "bergisch-gladbach"
    folder.mkdir()
    (folder / "einwohner_2020.csv").symlink_to(secret)
    os.mkfifo(folder / "einwohner_2021.csv")
    (home.landing / "burscheid").symlink_to(tmp_path)
    messages: list[str] = []
    assert receive(home, messages.append, settle_seconds=0) == []
    assert len(messages) == 3 and secret.exists()
    assert deliveries(home) == [] and not (home.archive / "blobs").exists()


def test_a_misnamed_file_is_archived_without_feed(home: Home) -> None:
    drop(home, "irgendwer/irgendwas.csv", b"x")
    [delivery] = take(home)
    assert delivery.feed is None and delivery.delivery_id.startswith("unbekannt-")


def test_files_of_other_years_wait_in_the_drop_folder(home: Home) -> None:
    for year in (2019, 2020):
        path = home.landing / "bergisch-gladbach" / f"einwohner_{year}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"register")
    received = receive(home, settle_seconds=0, leave_years={2019})
    assert [delivery.year for delivery in received] == [2020]
    assert [path.name for path in home.landing.rglob("*.csv")] == ["einwohner_2019.csv"]
