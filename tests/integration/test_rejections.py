"""Bad deliveries in the real job: each is rejected with a message to forward, and nothing published changes."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import duckdb
import pytest
from installation import copied, ipso

from demo.corrupt import KINDS
from orchestration.feeds.intake import Delivery, deliveries
from orchestration.home import Home
from orchestration.release.write import current, damaged_files

pytestmark = pytest.mark.integration

# kind of corruption → Kommune whose register of 2022 is corrupted, and what the message must say
CASES = {
    "wrong_encoding": ("bergisch-gladbach", ["windows-1252", "UTF-16"]),
    "wrong_encoding_cp850": ("leichlingen", ["windows-1252", "850"]),
    "missing_column": ("kuerten", ["Spalte"]),
    "letters_in_number": ("overath", ["Zeile", "Spalte"]),
    "wrong_year": ("roesrath", ["31.12.2022", "Spalte"]),
    "other_ags": ("wermelskirchen", ["05378032"]),
    "truncated": ("burscheid", ["abgeschnitten"]),
    "empty": ("odenthal", ["leer"]),
    "last_year_again": ("overath", ["Byte für Byte", "einwohner-overath-2022"]),
}


def year_of(kind: str) -> int:
    """The one corruption that needs its predecessor is delivered for the year after."""
    return 2023 if kind == "last_year_again" else 2022


def delivered(home: Home, deliverer: str, year: int) -> Delivery:
    return next(d for d in deliveries(home) if (d.feed, d.deliverer, d.year) == ("einwohner", deliverer, year))


@pytest.fixture(scope="module")
def rejected_county(own_county: Home, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, dict[str, str], str]:
    """The county after one run over all corrupted files: home, kind → delivery id, output of the run."""
    before = {d.delivery_id for d in deliveries(own_county)}
    originals = tmp_path_factory.mktemp("originals")
    ids: dict[str, str] = {}
    for kind, (deliverer, _) in CASES.items():
        for year in (2022, 2023):
            original = delivered(own_county, deliverer, year)
            (originals / deliverer).mkdir(exist_ok=True)
            shutil.copy(original.blob(own_county), originals / deliverer / Path(original.file_name).name)
        suffix = Path(original.file_name).suffix
        source = originals / deliverer / f"einwohner_{year_of(kind)}{suffix}"
        target = own_county.landing / deliverer / source.name
        target.parent.mkdir(exist_ok=True)
        KINDS[kind](source, target)
    result = ipso(own_county, "run", check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    new = [d for d in deliveries(own_county) if d.delivery_id not in before]
    for kind, (deliverer, _) in CASES.items():
        ids[kind] = next(d.delivery_id for d in new if (d.deliverer, d.year) == (deliverer, year_of(kind)))
    return own_county, ids, result.stdout


@pytest.mark.parametrize("kind", CASES)
def test_the_delivery_is_rejected_with_a_german_report(
    rejected_county: tuple[Home, dict[str, str], str], kind: str
) -> None:
    home, ids, output = rejected_county
    state, reason = duckdb.execute(
        "select state, reason from read_parquet(?) where delivery_id = ?",
        [str(home.control / "delivery.parquet"), ids[kind]],
    ).fetchall()[0]
    assert state == "rejected"
    for word in CASES[kind][1]:
        assert word in reason, reason
    report = (home.rejected / ids[kind] / "rueckmeldung.html").read_text(encoding="utf-8")
    text = html.unescape(re.sub(r"<[^>]+>", " ", report))
    for word in CASES[kind][1]:
        assert word in text, text
    assert delivered(home, CASES[kind][0], year_of(kind)).delivery_id in report, "names what stays in force"
    assert "abgewiesen" in output


@pytest.mark.parametrize("kind", CASES)
def test_what_was_delivered_before_stays_in_force(rejected_county: tuple[Home, dict[str, str], str], kind: str) -> None:
    home, _, _ = rejected_county
    in_force = duckdb.execute(
        "select delivery_id from read_parquet(?)"
        " where state = 'accepted' and feed = 'einwohner' and deliverer = ? and year = ?",
        [str(home.control / "delivery.parquet"), CASES[kind][0], year_of(kind)],
    ).fetchall()
    assert in_force == [(delivered(home, CASES[kind][0], year_of(kind)).delivery_id,)]


def test_the_published_release_does_not_change(rejected_county: tuple[Home, dict[str, str], str], county: Home) -> None:
    home, _, _ = rejected_county
    assert current(home.releases) == current(county.releases)
    assert damaged_files(home.releases / "current") == []


def test_a_rejection_report_tells_nothing_about_a_person(
    rejected_county: tuple[Home, dict[str, str], str],
) -> None:
    home, ids, output = rejected_county
    told = output + "".join((home.rejected / i / "rueckmeldung.html").read_text(encoding="utf-8") for i in ids.values())
    people = duckdb.execute(
        "select distinct ordnungsmerkmal from read_parquet(?) union select distinct strasse || ' ' || hausnummer"
        " from read_parquet(?)",
        [str(home.raw / "einwohner/2022/*.parquet"), str(home.raw / "einwohner/2022/*.parquet")],
    ).fetchall()
    assert len(people) > 100_000
    words = set(told.replace("<", " ").replace(">", " ").split())
    assert not {person for (person,) in people if person in words}


def test_a_corrected_file_supersedes_and_the_bad_one_is_kept(
    rejected_county: tuple[Home, dict[str, str], str], tmp_path: Path
) -> None:
    county, ids, _ = rejected_county
    home = copied(county, tmp_path / "data")
    original = delivered(home, "roesrath", 2022)
    lines = original.blob(home).read_bytes().splitlines(keepends=True)
    corrected = b"".join([lines[0], *reversed(lines[1:])])  # the same people in another order
    target = home.landing / "roesrath" / "einwohner_2022.csv"
    target.write_bytes(corrected)
    before = current(home.releases)
    result = ipso(home, "run")
    states = dict(
        duckdb.execute(
            "select delivery_id, state from read_parquet(?)"
            " where feed = 'einwohner' and deliverer = 'roesrath' and year = 2022",
            [str(home.control / "delivery.parquet")],
        ).fetchall()
    )
    assert states[original.delivery_id] == "superseded"
    assert states[ids["wrong_year"]] == "rejected"
    assert sorted(states.values()) == ["accepted", "rejected", "superseded"]
    assert current(home.releases) != before
    assert "Freigegeben" in result.stdout
    blob = next(d for d in deliveries(home) if d.delivery_id == ids["wrong_year"]).blob(home)
    assert blob.exists(), "a rejected file is not lost"
