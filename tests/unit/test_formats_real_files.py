"""Every real file in shared/data reads, and its values are those of a plain reading of the file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas
import pyogrio  # type: ignore[import-untyped]
import pytest

from orchestration.feeds.declaration import kommunen, load_feeds
from orchestration.feeds.reader import raw_rows, read_delivery
from orchestration.home import REPOSITORY
from tests.fixtures.feeds.agreements import GEBIET, NAME, STICHTAG, agreement, column, rows

DATA = Path(os.environ.get("IPSO_SHARED", REPOSITORY.parent / "shared")) / "data"
KOMMUNEN = sorted(ags for ags, _ in kommunen().values())
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real files are not here")


def plain(name: str, encoding: str = "utf-8") -> list[dict[str, str]]:
    with (DATA / name).open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def number(text: str) -> float | None:
    return float(text) if text else None


def population(data: bytes) -> None:
    columns = [
        column("date", "stichtag", "stichtag"),
        column("area", "gebiet", "ags"),
        column("text", "name", "gemeinde"),
        *(column("measure", name, name, required=False) for name in ("insgesamt", "maennlich", "weiblich")),
        column("text", "basis", "basis"),
    ]
    found = rows(data, agreement("delimited", columns, encoding="utf_8", key=["gebiet", "stichtag"]))
    wanted = plain("rbk_bevoelkerung_gemeinden_2008_2023.csv")
    assert len(found) == len(wanted) == 144
    for row, line in zip(found, wanted, strict=True):
        assert (row["gebiet"], row["stichtag"].isoformat(), row["name"]) == (
            line["ags"],
            line["stichtag"],
            line["gemeinde"],
        )
        assert [row[n] for n in ("insgesamt", "maennlich", "weiblich")] == [
            number(line[n]) for n in ("insgesamt", "maennlich", "weiblich")
        ]
    assert (found[-1]["name"], found[-1]["insgesamt"], found[-1]["basis"]) == ("Wermelskirchen", 34673, "Zensus2011")


def inkar(data: bytes) -> None:
    wanted = plain("rbk_inkar_kreis_1995_2022.csv")
    names = [name for name in wanted[0] if name not in ("county_code", "year")]
    columns = [
        column("area", "gebiet", "county_code"),
        column("number", "jahr", "year"),
        *(column("measure", f"v{i}", name, required=False) for i, name in enumerate(names)),
    ]
    found = rows(data, agreement("delimited", columns, encoding="utf_8", numbers="1234.5"))
    assert len(found) == len(wanted) == 28
    for row, line in zip(found, wanted, strict=True):
        assert (row["gebiet"], row["jahr"]) == ("05378", float(line["year"]))
        assert [row[f"v{i}"] for i in range(len(names))] == [number(line[name]) for name in names]


def codebook(data: bytes) -> None:
    wanted = plain("inkar_codebook.csv")
    columns = [column("text", name, name, required=False) for name in wanted[0]]
    found = rows(data, agreement("delimited", columns, encoding="utf_8", key=["variable"]))
    assert [{name: row[name] or "" for name in wanted[0]} for row in found] == wanted
    assert len(wanted) == 32 and wanted[0]["label"] == "County code (Kreisschlüssel)"


def council_elections(data: bytes) -> None:
    feed = load_feeds()["wahlen"]
    parties = [column("measure", f"p{i}", name, required=False) for i, name in enumerate(("CDU", "SPD", "WGR1"))]
    turnout = column("measure", "beteiligung", "Wahlbeteiligung [%]", required=False)
    columns = [*feed.columns, *parties, turnout, column("measure", "wahlscheine", "B1")]
    found = rows(data, agreement("votemanager", columns, encoding="utf_8", numbers="1234.5"))
    assert sorted((row["stichtag"].year, row["gebiet"]) for row in found) == [
        (year, ags) for year in (2009, 2014, 2020) for ags in KOMMUNEN
    ]
    told = {
        "wahlberechtigte": "Wahlberechtigte insgesamt",
        "waehler": "Wähler",
        "wahlscheine": "Wahlschein",
        "ungueltig": "Ungültige Stimmen",
        "gueltig": "Gültige Stimmen",
        "p0": "CDU",
        "p1": "SPD",
        "p2": "WGR1",
        "beteiligung": "Wahlbeteiligung [%]",
    }
    # 2014 and 2020 call two of the numbers otherwise.
    renamed = {
        "Wähler/-innen insgesamt": "Wähler",
        "dar. Wähler mit Wahlschein": "Wahlschein",
        "darunter Wähler mit Wahlschein": "Wahlschein",
        "darunter mit Wahlbrief": "Wahlschein",
    }
    lines = plain("rbk_ratswahlen_2009_2014_2020.csv")
    wanted = {
        (line["wahltag"], line["ags"], renamed.get(line["merkmal"], line["merkmal"])): number(line["wert"])
        for line in lines
    }
    for row in found:
        for name, label in told.items():
            assert row[name] == wanted.get((row["stichtag"].isoformat(), row["gebiet"], label))
        assert row["gueltig"] + row["ungueltig"] == row["waehler"] > row["wahlscheine"] > 0


def census_flat(data: bytes) -> None:
    columns = [STICHTAG, GEBIET, NAME, column("measure", "personen", "PRS018")]
    found = rows(data, agreement("ffcsv", columns, encoding="utf_8"))
    wanted = plain("zensus2022_1000A-0000_de_flat_rbk.csv", "utf-8-sig")
    assert [(row["gebiet_name"], row["personen"]) for row in found] == [
        (line["1_variable_attribute_label"], float(line["value"])) for line in wanted
    ]
    assert sorted(row["gebiet"] for row in found) == KOMMUNEN
    assert {row["stichtag"] for row in found} == {dt.date(2022, 5, 15)}


def gemeindeverzeichnis(data: bytes) -> None:
    columns = [
        column("text", "satzart", "Satzart"),
        column("date", "stand", "Gebietsstand"),
        column("text", "ags", "AGS"),
        column("text", "name", "Bezeichnung"),
        column("number", "flaeche", "Fläche in ha", required=False),
        column("number", "einwohner", "Bevölkerung insgesamt", required=False),
        column("number", "maennlich", "Bevölkerung männlich", required=False),
        column("text", "plz", "PLZ", required=False),
    ]
    found = rows(data, agreement("gv100ad", columns, grain="person", encoding="utf_8", date_formats=["JJJJMMTT"]))
    assert [row["satzart"] for row in found] == ["20", "40", *["50"] * 8, *["60"] * 8]
    assert {row["stand"] for row in found} == {dt.date(2023, 11, 30)}
    assert (found[1]["ags"], found[1]["name"], found[1]["einwohner"]) == ("05378", "Rheinisch-Bergischer Kreis", None)
    municipalities = {row["ags"]: row for row in found if row["satzart"] == "60"}
    assert sorted(municipalities) == KOMMUNEN
    roesrath = municipalities["05378028"]
    assert (roesrath["name"], roesrath["flaeche"], roesrath["plz"]) == ("Rösrath, Stadt", 3880, "51503")
    # The file's population is that of the end of 2022, which another office publishes with the same value.
    lines = plain("rbk_bevoelkerung_gemeinden_2008_2023.csv")
    official = {x["ags"]: x for x in lines if (x["stichtag"], x["basis"]) == ("2022-12-31", "Zensus2011")}
    for ags, row in municipalities.items():
        assert row["einwohner"] == float(official[ags]["insgesamt"])
    assert (roesrath["einwohner"], roesrath["maennlich"]) == (28889, 14049)


def municipalities_map(data: bytes) -> None:
    columns = [column("area", "ags", "AGS"), column("text", "name", "GEN"), column("text", "art", "BEZ")]
    found = rows(data, agreement("geopackage", columns, key=["ags"], grain="geography"))
    frame = pyogrio.read_dataframe(DATA / "rbk_gemeinden_vg250.gpkg")
    assert [(row["ags"], row["name"], row["art"]) for row in found] == list(
        zip(frame["AGS"], frame["GEN"], frame["BEZ"], strict=True)
    )
    assert sorted(row["ags"] for row in found) == KOMMUNEN
    assert [row["area_sqm"] for row in found] == pytest.approx(list(frame.area))
    # 437 km², as table 11111-01-01-4 says; VG250 is simplified.
    assert sum(row["area_sqm"] for row in found) / 1e6 == pytest.approx(437.3, rel=0.01)
    assert all(row["flaeche_gueltig"] for row in found)


def census_grid(data: bytes) -> None:
    columns = [
        column("text", "id", "id"),
        column("number", "einwohner", "Einwohner"),
        column("number", "alter", "Alter_D", required=False),
    ]
    found = rows(data, agreement("geopackage", columns, key=["id"], grain="geography"))
    frame: geopandas.GeoDataFrame = pyogrio.read_dataframe(DATA / "zensus2011_grid1km_rbk.gpkg")
    assert len(found) == len(frame) == 528
    assert [row["einwohner"] for row in found] == list(frame["Einwohner"])
    assert [row["alter"] for row in found] == [None if v != v else v for v in frame["Alter_D"]]
    # Cells of 1 km² in EPSG:3035 (equal area) come out as squares in EPSG:25832.
    assert [row["area_sqm"] for row in found] == pytest.approx([1e6] * 528, rel=2e-3)


FILES: dict[str, Callable[[bytes], None]] = {
    "rbk_bevoelkerung_gemeinden_2008_2023.csv": population,
    "rbk_inkar_kreis_1995_2022.csv": inkar,
    "inkar_codebook.csv": codebook,
    "rbk_ratswahlen_2009_2014_2020.csv": council_elections,
    "zensus2022_1000A-0000_de_flat_rbk.csv": census_flat,
    "gv100ad_rbk_20231130.txt": gemeindeverzeichnis,
    "rbk_gemeinden_vg250.gpkg": municipalities_map,
    "zensus2011_grid1km_rbk.gpkg": census_grid,
}


def test_no_real_file_is_left_out() -> None:
    """The tables of regionalstatistik/ have a test of their own (test_formats_genesis)."""
    assert {path.name for path in DATA.iterdir() if path.is_file()} == {*FILES, "PROVENANCE.md"}


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_reads_as_it_is_written(name: str) -> None:
    FILES[name]((DATA / name).read_bytes())


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_reads_alike_out_of_a_zip(name: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, (DATA / name).read_bytes())
    FILES[name](packed.getvalue())


def test_inkar_reads_as_the_feed_of_references_declares_it() -> None:
    """The same file as the feed declares it: a year that became a float, blanks, and more variables than are mapped."""
    feed = load_feeds()["referenzwerte"]
    data = (DATA / "rbk_inkar_kreis_1995_2022.csv").read_bytes()
    reading = read_delivery(data, feed, feed.deliverers["bbsr"])
    found = raw_rows(reading, feed, "id", "bbsr", 2022).to_pylist()
    names = [column.name for column in feed.measures]
    assert [(row["stichtag"].year, row["gebiet"], row["merkmal"], row["wert"]) for row in found] == [
        (int(float(line["year"])), "05378", name, float(line[name]))
        for line in plain("rbk_inkar_kreis_1995_2022.csv")
        for name in names
        if line[name]
    ]
    with (REPOSITORY / "seeds" / "indicator_references.csv").open(encoding="utf-8", newline="") as file:
        codes = {row["merkmal"]: row["source"] for row in csv.DictReader(file)}
    told = {line["variable"]: f"INKAR {line['inkar_code']}" for line in plain("inkar_codebook.csv")}
    assert codes == {name: told[name] for name in names}
    # The codebook says median; half of the county was older than 47 in 2015.
    [age] = [row["wert"] for row in found if (row["stichtag"].year, row["merkmal"]) == (2015, "median_age")]
    with (REPOSITORY / "demo" / "data" / "altersstruktur_2015.csv").open(encoding="utf-8", newline="") as file:
        groups = [(int(row["age_from"]), int(row["population"])) for row in csv.DictReader(file)]
    assert age == 45 and sum(n for low, n in groups if low < 45) / sum(n for _, n in groups) < 0.46
