"""GeoPackage, zipped Shapefile and GeoJSON: attributes, geometry in EPSG:25832, and what is wrong with a file."""

from __future__ import annotations

import dataclasses
import io
import json
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import pyogrio  # type: ignore[import-untyped]
import pytest
import shapely

from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.formats import vector
from orchestration.feeds.reader import raw_rows, read_delivery
from tests.fixtures.feeds.agreements import agreement, column, fault, rows

AREAS = [
    column("area", "sozialraum_id", "sozialraum"),
    column("text", "name", "name"),
    column("number", "flaeche", "flaeche", required=False),
]
SQUARES = [shapely.box(366000 + 1000 * i, 5650000, 367000 + 1000 * i, 5651000) for i in range(2)]
FRAME = geopandas.GeoDataFrame(
    {"sozialraum": ["05378028-01", "05378012-01"], "name": ["Rösrath Höhe", "Kürten"], "flaeche": [1.5, None]},
    geometry=SQUARES,
    crs="EPSG:25832",
)


def boundaries(kind: str, **deliverer: Any) -> Any:
    """The agreement on a feed of areas."""
    return agreement(kind, AREAS, grain="geography", key=["sozialraum_id"], **deliverer)


def written(frame: geopandas.GeoDataFrame, name: str, **options: Any) -> dict[str, bytes]:
    """File name → bytes of what GDAL writes for the frame."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Normalized/laundered field name")
        pyogrio.write_dataframe(frame, Path(folder) / name, **options)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def zipped(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def geopackage(frame: geopandas.GeoDataFrame = FRAME) -> bytes:
    return written(frame, "areas.gpkg")["areas.gpkg"]


def geojson(frame: geopandas.GeoDataFrame = FRAME, crs: str | None = "EPSG:4326") -> bytes:
    """RFC 7946 in degrees; `crs=None` leaves the coordinates as they are."""
    text = (frame if crs is None else frame.to_crs(crs)).to_json(drop_id=True)
    return json.dumps({k: v for k, v in json.loads(text).items() if k != "crs"}).encode()


def shapefile(without: tuple[str, ...] = (), folder: str = "", **options: Any) -> bytes:
    parts = written(FRAME, "areas.shp", **options)
    return zipped({folder + name: data for name, data in parts.items() if Path(name).suffix not in without})


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("geopackage", geopackage()),
        ("geopackage", geopackage(FRAME.to_crs("EPSG:4326"))),
        ("geopackage", geopackage(FRAME.to_crs("EPSG:31466"))),
        ("geojson", geojson()),
        ("geojson", b"\xef\xbb\xbf" + geojson()),
        ("shapefile", shapefile(encoding="UTF-8")),
        ("shapefile", shapefile(folder="Sozialräume 2023/", encoding="UTF-8")),
        ("shapefile", shapefile(encoding="CP1252")),
    ],
)
def test_areas_read_alike_whatever_the_format_and_reference_system(kind: str, data: bytes) -> None:
    agreed = boundaries(kind)
    first, second = rows(data, agreed)
    assert (first["zeile"], first["sozialraum_id"], first["name"]) == (1, "05378028-01", "Rösrath Höhe")
    assert (first["flaeche"], second["flaeche"]) == (1.5, None)
    assert first["flaeche_gueltig"] and second["flaeche_gueltig"]
    # 1 km² each; a change of datum (EPSG:31466) moves corners by less than a metre.
    assert [row["area_sqm"] for row in (first, second)] == pytest.approx([1e6, 1e6], rel=3e-3)
    assert [row["ueberlappung_qm"] for row in (first, second)] == [0, 0]
    table = read_delivery(data, *agreed).table
    assert table is not None
    centre = shapely.from_wkb(table["geometry_wkb"][0].as_py()).centroid
    assert (centre.x, centre.y) == pytest.approx((366500, 5650500), abs=3)


@pytest.mark.parametrize("encoding", ["CP1252", "UTF-8", "CP850"])
def test_umlauts_of_a_shapefile_without_cpg_are_recognised(encoding: str) -> None:
    """Neither .cpg nor language byte: what the bytes of the table are decides."""
    parts = written(FRAME, "areas.shp", encoding="UTF-8")
    old = "Rösrath Höhe".encode().ljust(80), "Kürten".encode().ljust(80)
    new = "Rösrath Höhe".encode(encoding).ljust(80), "Kürten".encode(encoding).ljust(80)
    table = bytearray(parts["areas.dbf"].replace(old[0], new[0]).replace(old[1], new[1]))
    assert new[0] in table
    table[29] = 0
    data = zipped({**{n: d for n, d in parts.items() if not n.endswith(".cpg")}, "areas.dbf": bytes(table)})
    assert [row["name"] for row in rows(data, agreement("shapefile", AREAS))] == ["Rösrath Höhe", "Kürten"]


def test_the_older_crs_member_of_a_geojson_is_honoured() -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
    first, _ = rows(_with_crs(crs), boundaries("geojson"))
    assert first["area_sqm"] == pytest.approx(1e6)


def _with_crs(crs: dict[str, Any]) -> bytes:
    return json.dumps({**json.loads(geojson(crs=None)), "crs": crs}).encode()


def test_metres_in_a_geojson_that_names_no_reference_system_are_a_finding() -> None:
    rule, message = fault(geojson(crs=None), agreement("geojson", AREAS))
    assert rule == "crs_is_known" and "keine Grad" in message


def test_a_geojson_that_would_fill_the_memory_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector, "MAX_GEOJSON", 100)
    rule, message = fault(geojson(), agreement("geojson", AREAS))
    assert rule == "file_has_sane_size" and "200 MB" in message


def test_a_shapefile_without_prj_is_a_finding() -> None:
    rule, message = fault(shapefile(without=(".prj",)), agreement("shapefile", AREAS))
    assert rule == "crs_is_known" and ".prj" in message


@pytest.mark.parametrize("missing", [".dbf", ".shx"])
def test_a_shapefile_that_lacks_a_part_names_it(missing: str) -> None:
    rule, message = fault(shapefile(without=(missing,)), agreement("shapefile", AREAS))
    assert rule == "file_is_complete" and missing in message


def test_a_zip_without_or_with_two_shapefiles_is_a_finding() -> None:
    rule, message = fault(zipped({"liesmich.txt": b"leer"}), agreement("shapefile", AREAS))
    assert rule == "format_is_agreed" and "eine Textdatei" in message
    parts = written(FRAME, "areas.shp")
    two = {**parts, **{name.replace("areas", "alt"): data for name, data in parts.items()}}
    rule, message = fault(zipped(two), agreement("shapefile", AREAS))
    assert rule == "layer_is_unique" and "2 Ebenen" in message


def test_a_geopackage_with_two_layers_needs_an_agreed_one() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "areas.gpkg"
        pyogrio.write_dataframe(FRAME, path, layer="Sozialraeume 2023")
        pyogrio.write_dataframe(FRAME[:1], path, layer="Kommunen")
        data = path.read_bytes()
    assert fault(data, agreement("geopackage", AREAS))[0] == "layer_is_unique"
    assert len(rows(data, agreement("geopackage", AREAS, sheet="sozialraeume 2023"))) == 2
    rule, message = fault(data, agreement("geopackage", AREAS, sheet="Wohnplätze"))
    assert rule == "layer_exists" and "„Wohnplätze“ fehlt" in message


def test_points_also_give_their_coordinates() -> None:
    points = FRAME.set_geometry(FRAME.geometry.centroid)
    columns = [*AREAS, column("number", "ost", "Ostwert"), column("number", "nord", "Nordwert")]
    first, second = rows(geojson(points), agreement("geojson", columns))
    assert (first["ost"], first["nord"], second["ost"]) == pytest.approx((366500, 5650500, 367500), abs=0.01)


def test_an_invalid_and_an_overlapping_area_read_and_are_marked() -> None:
    bow = shapely.Polygon([(366000, 5650000), (367000, 5651000), (367000, 5650000), (366000, 5651000)])
    invalid = FRAME.set_geometry([bow, SQUARES[1]])
    assert [row["flaeche_gueltig"] for row in rows(geopackage(invalid), boundaries("geopackage"))] == [False, True]
    moved = FRAME.set_geometry([SQUARES[0], shapely.affinity.translate(SQUARES[1], -100)])
    found = rows(geopackage(moved), boundaries("geopackage"))
    assert [row["ueberlappung_qm"] for row in found] == pytest.approx([1e5, 1e5])


def exchanged(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    return frame.set_geometry(shapely.transform(frame.geometry.to_numpy(), lambda x: x[:, ::-1]), crs=frame.crs)


EXCHANGED = exchanged(FRAME)
AT_ZERO = FRAME.translate(-366000, -5650000)


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("geopackage", geopackage(EXCHANGED), "zuerst steht Nordwert, dann Ostwert"),
        ("geojson", geojson(exchanged(FRAME.to_crs("EPSG:4326")), None), "zuerst steht Breite, dann Länge"),
    ],
)
def test_exchanged_axes_are_named(kind: str, data: bytes, words: str) -> None:
    rule, message = fault(data, boundaries(kind))
    assert rule == "axes_are_in_order" and words in message and "tauschen" in message


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (FRAME.set_crs("EPSG:25833", allow_override=True), "Die Zahlen passen zu EPSG:25832"),
        (FRAME.to_crs("EPSG:4647").set_crs("EPSG:25832", allow_override=True), "das ist EPSG:4647"),
        (FRAME.set_geometry(FRAME.translate(500_000)), "866000"),
    ],
)
def test_areas_elsewhere_say_where_and_what_may_be_wrong(frame: geopandas.GeoDataFrame, words: str) -> None:
    rule, message = fault(geopackage(frame), boundaries("geopackage"))
    assert rule == "areas_lie_in_kreis" and words in message


@pytest.mark.parametrize("crs", ["EPSG:4647", "EPSG:4326", "EPSG:3857"])
def test_zone_numbers_and_degrees_that_are_declared_are_converted(crs: str) -> None:
    first, _ = rows(geopackage(FRAME.to_crs(crs)), boundaries("geopackage"))
    assert first["area_sqm"] == pytest.approx(1e6, rel=1e-3)


def without_crs(frame: geopandas.GeoDataFrame = FRAME) -> bytes:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'crs' was not provided")
        return geopackage(frame.set_crs(None, allow_override=True))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (without_crs(), "könnte es EPSG:25832 sein, sicher ist das nicht"),
        (without_crs(EXCHANGED), "EPSG:25832 mit vertauschten Achsen"),
        (without_crs(FRAME.to_crs("EPSG:31466")), "EPSG:31466"),
        (without_crs(FRAME.set_geometry(AT_ZERO)), "sagen auch nicht"),
    ],
)
def test_areas_without_reference_system_are_refused_whatever_the_numbers_look_like(data: bytes, words: str) -> None:
    rule, message = fault(data, boundaries("geopackage"))
    assert rule == "crs_is_known" and words in message


def test_the_declaration_may_say_what_the_file_does_not() -> None:
    first, _ = rows(without_crs(), boundaries("geopackage", crs="EPSG:25832"))
    assert first["area_sqm"] == pytest.approx(1e6)


@pytest.mark.parametrize(
    ("kind", "data"), [("geopackage", geopackage()), ("geojson", geojson()), ("shapefile", shapefile())]
)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_cut_vector_file_is_a_finding(kind: str, data: bytes, share: float) -> None:
    rule, message = fault(data[: int(len(data) * share)], agreement(kind, AREAS))
    assert rule == "file_is_complete" and "abgeschnitten" in message


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b'{"type": "Feature"}', "format_is_geojson"),
        (b'{"type": "FeatureCollection", "features": []}', "file_is_not_empty"),
        (geojson().replace(b"]]]", b", [0, 0]]]", 1), "file_is_complete"),
        (
            b'{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null, "properties": {}}]}',
            "geometry_exists",
        ),
        (b"[1, 2]", "format_is_agreed"),
        (b"Ort;Zahl\n", "format_is_agreed"),
    ],
)
def test_json_that_holds_no_areas_says_so(data: bytes, rule: str) -> None:
    assert fault(data, agreement("geojson", AREAS))[0] == rule


OFFICIAL = FRAME.rename(columns={"sozialraum": "Gebietsschlüssel"}).assign(
    gemeindeschluessel=["05378028", "05378012"], valid_from=["2023-01-01"] * 2
)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("geopackage", geopackage(OFFICIAL)),
        ("geojson", geojson(OFFICIAL)),
        ("shapefile", zipped(written(OFFICIAL, "areas.shp", encoding="UTF-8"))),
    ],
)
def test_boundaries_become_raw_rows_in_every_format(kind: str, data: bytes) -> None:
    """A shapefile cuts `Gebietsschlüssel` and `gemeindeschluessel` to ten bytes."""
    feed = load_feeds()["sozialraeume"]
    columns = [
        dataclasses.replace(c, headers=("Gebietsschlüssel",) if c.name == "sozialraum_id" else c.headers)
        for c in feed.columns
    ]
    feed = dataclasses.replace(feed, columns=tuple(columns), ignored_headers=(".*",))
    reading = read_delivery(data, feed, dataclasses.replace(feed.deliverers["kreis"], format=kind))
    assert reading.table is not None, reading.findings
    raw = raw_rows(reading, feed, "id", "kreis", 2023).to_pylist()
    assert [(row["sozialraum_id"], row["ags"]) for row in raw] == [
        ("05378028-01", "05378028"),
        ("05378012-01", "05378012"),
    ]
    assert all(shapely.from_wkb(row["geometry_wkb"]).area == pytest.approx(row["area_sqm"]) for row in raw)
