"""The maps of a release, written from the tables of two Kommunen: bytes, layers, styles, and what the gate sees."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from shapely import box, transform

from orchestration.gates.plausibility import judge_frame
from orchestration.gates.release_geometry import geometry_frame
from orchestration.home import REPOSITORY
from orchestration.release import geometry
from orchestration.release.geometry import GEOMETRY_FILES, LAYERS, write_geometry

EARLY, LATE = dt.date(2015, 1, 1), dt.date(2019, 1, 1)
SINCE = dt.date(1975, 1, 1)
EAST, NORTH = 366_000.0, 5_650_000.0
LEVELS = {5: "kreis", 8: "kommune", 11: "sozialraum"}


def square(column: int, width: int = 1):
    return box(EAST + 1000 * column, NORTH, EAST + 1000 * (column + width), NORTH + 1000)


def versions() -> gpd.GeoDataFrame:
    """Overath has one area, Rösrath two that were merged in 2019."""
    end = LATE - dt.timedelta(days=1)
    rows = [
        ("05378024-01", EARLY, None, square(0)),
        ("05378028-01", EARLY, end, square(1)),
        ("05378028-02", EARLY, end, square(2)),
        ("05378028-03", LATE, None, square(1, 2)),
    ]
    frame = pd.DataFrame(rows, columns=["sozialraum_id", "valid_from", "valid_to", "geometry"])
    return gpd.GeoDataFrame(frame.assign(ags=frame["sozialraum_id"].str[:8]), crs="EPSG:25832")


def tables() -> dict[str, pd.DataFrame]:
    areas = [("05378", SINCE, None), ("05378024", SINCE, None), ("05378028", SINCE, None), ("05378028-00", EARLY, None)]
    areas += [(row.sozialraum_id, row.valid_from, row.valid_to) for row in versions().itertuples()]
    area = pd.DataFrame(areas, columns=["area_id", "valid_from", "valid_to"])
    area["valid_to"] = pd.to_datetime(area["valid_to"])
    area["level"] = area["area_id"].str.len().map(LEVELS).where(~area["area_id"].str.endswith("-00"), "nicht_verortbar")
    area = area.assign(area_key=area["area_id"] + area["valid_from"].astype(str), is_synthetic=True, area_sqkm=1.0)
    area = area.assign(name=area["area_id"], short_name=area["area_id"], parent_area_id=area["area_id"].str[:8])
    facts = [
        ("05378024-01", 2022, "population", 110.0, "ok"),
        ("05378024-01", 2023, "population", 120.0, "ok"),
        ("05378028-03", 2023, "population", None, "suppressed"),
        ("05378024", 2023, "population", 120.0, "ok"),
        ("05378024-01", 2023, "sgb2_under_15_share", None, "missing"),
    ]
    return {
        "dim_area": area,
        "dim_indicator": pd.DataFrame(
            {
                "indicator_id": ["population", "sgb2_under_15_share"],
                "title": ["Einwohner", "Anteil"],
                "unit": ["count", "percent"],
            }
        ),
        "fct_indicator": pd.DataFrame(
            facts, columns=["area_id", "year", "indicator_id", "value", "value_status"]
        ).assign(boundary="as_counted"),
        "fct_area_centre": pd.DataFrame(
            {
                "area_id": ["05378024-01"],
                "valid_from": [pd.Timestamp(EARLY)],
                "east_m": [EAST],
                "north_m": [NORTH],
                "centre_method": ["geometrisch"],
                "population_year": pd.array([None], dtype="Int32"),
            }
        ),
        "meta_release": pd.DataFrame({"created": [pd.Timestamp("2024-03-01 12:30:00")]}),
    }


@pytest.fixture
def release(tmp_path: Path) -> Path:
    (tmp_path / "parquet").mkdir()
    for name, table in tables().items():
        table.to_parquet(tmp_path / "parquet" / f"{name}.parquet", index=False)
    write_geometry(versions(), tmp_path)
    return tmp_path


def complaints(release: Path) -> list[str]:
    return [
        f.message for f in judge_frame("freigabe_geometrie", geometry_frame(release), gate="release") if not f.passed
    ]


def test_the_layers_hold_every_version_and_the_latest_values_with_their_status(release: Path) -> None:
    assert {name for name, _ in pyogrio.list_layers(release / "areas.gpkg")} >= set(LAYERS)
    every = pyogrio.read_dataframe(release / "areas.gpkg", layer="sozialraeume")
    assert every["area_id"].tolist() == ["05378024-01", "05378028-01", "05378028-02", "05378028-03"]
    assert every["valid_to"].notna().tolist() == [False, True, True, False]
    assert every.crs.to_epsg() == 25832
    values = pyogrio.read_dataframe(release / "areas.gpkg", layer="sozialraeume_werte").set_index("area_id")
    assert values["population"].to_dict() == {
        "05378024-01": 120,
        "05378028-03": pytest.approx(float("nan"), nan_ok=True),
    }
    assert values["population_status"].to_dict() == {"05378024-01": "ok", "05378028-03": "suppressed"}
    assert set(values["population_year"]) == {2023}
    assert values["sgb2_under_15_share"].isna().all(), "no value in any year"


def test_geojson_has_the_areas_of_today_in_both_systems(release: Path) -> None:
    today = ["05378", "05378024", "05378028", "05378024-01", "05378028-03"]
    for name, crs in (("areas.geojson", None), ("areas_25832.geojson", "urn:ogc:def:crs:EPSG::25832")):
        content = json.loads((release / name).read_text(encoding="utf-8"))
        assert [feature["properties"]["area_id"] for feature in content["features"]] == today
        assert content["features"][3]["properties"]["valid_from"] == "2015-01-01"
        assert content.get("crs", {}).get("properties", {}).get("name") == crs
    assert pyogrio.read_dataframe(release / "areas_25832.geojson").crs.to_epsg() == 25832


def test_a_process_of_its_own_writes_the_same_bytes_on_another_day(release: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(release / "parquet", again / "parquet")
    code = (
        "import sys; sys.path.insert(0, 'tests/unit'); from pathlib import Path; import test_release_geometry as t;"
        f"t.write_geometry(t.versions(), Path({str(again)!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)
    for name in GEOMETRY_FILES:
        assert (again / name).read_bytes() == (release / name).read_bytes(), name
    with sqlite3.connect(release / "areas.gpkg") as database:
        moments = {row[0] for row in database.execute("select last_change from gpkg_contents")}
    assert moments == {"2024-03-01T12:30:00.000Z"}, "the moment of the release, not of writing"


def test_styles_lie_where_qgis_looks_for_them(release: Path) -> None:
    with sqlite3.connect(release / "areas.gpkg") as database:
        columns = [row[1] for row in database.execute("pragma table_info(layer_styles)")]
        styles = database.execute(
            "select f_table_name, f_geometry_column, styleName, styleQML, useAsDefault from layer_styles order by id"
        ).fetchall()
    assert columns == [
        *("id", "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "styleName", "styleQML"),
        *("styleSLD", "useAsDefault", "description", "owner", "ui", "update_time"),
    ]
    defaults = [layer for layer, _, _, _, is_default in styles if is_default]
    assert defaults == ["kreis", "kommunen", "sozialraeume", "kommunen_werte", "sozialraeume_werte"]
    assert {column for _, column, _, _, _ in styles} == {"geom"}
    for layer, _, title, qml, _ in styles:
        rules = ET.fromstring(qml.split("\n", 1)[1]).findall("renderer-v2/rules/rule")
        if layer.endswith("_werte"):
            assert title == "Einwohner", "no style for what has no values"
            assert rules[-1].get("filter") == '"population" is null'


def test_the_gate_lets_good_maps_pass(release: Path) -> None:
    assert complaints(release) == []


def test_a_county_without_sozialraeume_has_empty_maps_and_may_publish(release: Path) -> None:
    table = tables()["dim_area"]
    table[table["level"] != "sozialraum"].to_parquet(release / "parquet" / "dim_area.parquet")
    tables()["fct_area_centre"][:0].to_parquet(release / "parquet" / "fct_area_centre.parquet")
    (release / "areas.gpkg").unlink()
    write_geometry(versions()[:0], release)
    assert pyogrio.read_info(release / "areas.gpkg", layer="sozialraeume_werte")["features"] == 0
    assert complaints(release) == []


def test_the_gate_sees_a_missing_file_and_a_missing_layer(release: Path) -> None:
    (release / "areas_25832.geojson").unlink()
    (release / "areas.gpkg").unlink()
    shutil.copy(release / "areas.geojson", release / "areas.gpkg")
    found = complaints(release)
    assert any("areas_25832.geojson fehlt" in message for message in found)
    assert any("areas.gpkg fehlt, oder ihre Ebene sozialraeume_werte" in message for message in found)


def test_the_gate_sees_areas_that_are_not_in_the_tables(release: Path) -> None:
    table = tables()["dim_area"]
    table[table["area_id"] != "05378028-03"].to_parquet(release / "parquet" / "dim_area.parquet")
    found = complaints(release)
    assert any("nicht dieselben Gebiete: 05378028-03 (2019-01-01)" in message for message in found)


@pytest.mark.parametrize("shift", [30.0, -30.0], ids=["gap", "overlap"])
def test_the_gate_sees_a_gap_and_an_overlap(release: Path, shift: float) -> None:
    path = release / "areas_25832.geojson"
    content = json.loads(path.read_text(encoding="utf-8"))
    for feature in content["features"]:
        if feature["properties"]["area_id"] == "05378024-01":
            ring = feature["geometry"]["coordinates"][0]
            feature["geometry"]["coordinates"][0] = [[x - shift if x > EAST + 500 else x, y] for x, y in ring]
    path.write_text(json.dumps(content), encoding="utf-8")
    found = complaints(release)
    assert any("zusammen nicht den Kreis" in message for message in found)
    assert any("passen Nachbarn nicht aneinander" in message for message in found) == (shift < 0)


def test_the_gate_sees_a_wrong_system_and_a_heavy_file(release: Path) -> None:
    path = release / "areas_25832.geojson"
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["crs"]
    path.write_text(json.dumps(content), encoding="utf-8")
    page = release / "areas.geojson"
    page.write_text(page.read_text(encoding="utf-8") + " " * 300_000, encoding="utf-8")
    found = complaints(release)
    assert any("steht nicht in EPSG:25832" in message for message in found)
    assert any("für den Bericht zu groß" in message for message in found)


def test_finer_areas_are_simplified_more_until_the_page_can_carry_them(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wave(points: np.ndarray) -> np.ndarray:
        return np.column_stack([points[:, 0] + 40 * (points[:, 1] // 20 % 2), points[:, 1]])

    fine = versions()
    fine["geometry"] = [transform(shape.segmentize(20), wave) for shape in fine.geometry]
    (release / "areas.gpkg").unlink()
    write_geometry(fine, release)
    size = (release / "areas.geojson").stat().st_size
    monkeypatch.setattr(geometry, "LARGEST_GEOJSON_BYTES", size // 2)
    (release / "areas.gpkg").unlink()
    write_geometry(fine, release)
    assert (release / "areas.geojson").stat().st_size <= size // 2
    assert complaints(release) == []
