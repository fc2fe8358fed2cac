"""Bad deliveries in the real job: each is rejected with a message to forward, and nothing published changes."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import duckdb
import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from installation import copied, ipso, release_connection

from demo.corrupt import KINDS
from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.intake import Delivery, deliveries
from orchestration.home import Home
from orchestration.release.write import current, damaged_files
from tests.fixtures.feeds import broken_areas
from tests.fixtures.feeds.street_lists import ROESRATH, street_list

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

# Kommune that delivers its own areas → what is wrong with them, the rule, whether a map shows where
BROKEN_AREAS = {
    "bergisch-gladbach": (broken_areas.overlap(900), "areas_do_not_overlap", True),
    "burscheid": (broken_areas.gap(30), "areas_leave_no_gap", True),
    "kuerten": (broken_areas.exchanged_axes, "axes_are_in_order", False),
    "leichlingen": (broken_areas.no_crs, "crs_is_known", False),
    "odenthal": (broken_areas.bow_tie, "polygon_is_valid", True),
    "overath": (broken_areas.piece_in_neighbour(50), "area_has_no_splinter", True),
    "roesrath": (broken_areas.outside, "area_lies_in_kommune", True),
    "wermelskirchen": (broken_areas.incomplete, "kommune_is_covered", True),
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
    for slug, (fault, _, _) in BROKEN_AREAS.items():
        ags = load_feeds()["sozialraeume"].deliverers[slug].ags
        target = own_county.landing / slug / "sozialraeume_2015.gpkg"
        target.write_bytes(broken_areas.geopackage(fault(broken_areas.areas(ags))))
    result = ipso(own_county, "run", check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    new = [d for d in deliveries(own_county) if d.delivery_id not in before]
    for kind, (deliverer, _) in CASES.items():
        address = "einwohner", deliverer, year_of(kind)
        ids[kind] = next(d.delivery_id for d in new if (d.feed, d.deliverer, d.year) == address)
    for slug in BROKEN_AREAS:
        ids[slug] = next(d.delivery_id for d in new if (d.feed, d.deliverer) == ("sozialraeume", slug))
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


@pytest.mark.parametrize("slug", BROKEN_AREAS)
def test_broken_areas_are_rejected_and_a_map_shows_where(
    rejected_county: tuple[Home, dict[str, str], str], slug: str
) -> None:
    home, ids, output = rejected_county
    _, rule, on_map = BROKEN_AREAS[slug]
    rejecting = duckdb.execute(
        "select expectation from read_parquet(?) where delivery_id = ? and severity = 'error' and not passed",
        [str(home.control / "finding_delivery.parquet"), ids[slug]],
    ).fetchall()
    assert rejecting == [(rule,)]
    report = (home.rejected / ids[slug] / "rueckmeldung.html").read_text(encoding="utf-8")
    assert ("data:image/png;base64," in report) == on_map
    assert ("Stelle 1" in report) == on_map
    assert f"{slug}/sozialraeume_2015.gpkg: abgewiesen" in output


def test_the_published_release_does_not_change(
    rejected_county: tuple[Home, dict[str, str], str], small_county: Home
) -> None:
    home, _, _ = rejected_county
    assert current(home.releases) == current(small_county.releases)
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
    # Areas anew, with an overlap of 30 m² to mend, and for another Kommune with a piece that lies apart.
    whole = broken_areas.areas()
    parts = [whole[~whole["ags"].isin(["05378012", "05378024"])]]
    parts.append(broken_areas.overlap(30)(broken_areas.areas("05378024")))
    parts.append(broken_areas.piece_in_neighbour(150)(broken_areas.areas("05378012")))
    areas = gpd.GeoDataFrame(pd.concat(parts), crs=whole.crs)
    (home.landing / "kreis" / "sozialraeume_2016.gpkg").write_bytes(broken_areas.geopackage(areas))
    # And a street list from which the areas of Rösrath are derived.
    (home.landing / "roesrath" / "sozialraum_strassen_2016.csv").write_bytes(street_list(ROESRATH))
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
    in_force = next(d for d in deliveries(home) if (d.feed, d.year) == ("sozialraeume", 2016))
    told = duckdb.execute(
        "select expectation, severity from read_parquet(?) where delivery_id = ? and not passed order by all",
        [str(home.control / "finding_delivery.parquet"), in_force.delivery_id],
    ).fetchall()
    assert told == [("area_is_in_one_piece", "warning"), ("area_was_mended", "warning")]
    raw = home.raw / "sozialraeume" / "2016" / f"{in_force.delivery_id}.parquet"
    shapes = shapely.from_wkb(pq.read_table(raw)["geometry_wkb"].to_numpy())
    with release_connection(home) as release:
        sources = release.execute(
            "select left(area_id, 8), geometry_source, count(*) from dim_area"
            " where level = 'sozialraum' and valid_from = date '2016-01-01' group by all"
        ).fetchall()
    assert sources == [(ROESRATH, "aus Straßenverzeichnis", len(broken_areas.areas(ROESRATH)))]
    assert shapely.coverage_is_valid(shapes) and sorted(shapely.get_num_geometries(shapes))[-2:] == [1, 2]
