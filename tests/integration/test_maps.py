"""The maps and the tables about neighbours and services in the release of the demo county, as GIS and BI open them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pyogrio
import pytest
import shapely
from installation import release_connection

from orchestration.home import REPOSITORY, Home
from orchestration.release.geometry import GEOMETRY_FILES, LARGEST_GEOJSON_BYTES
from orchestration.release.write import CHECKSUMS

pytestmark = pytest.mark.integration
QGIS_PYTHON = Path("/usr/bin/python3")
"""Debian's, which sees the package python3-qgis."""


def has_qgis() -> bool:
    call = [str(QGIS_PYTHON), "-c", "import qgis.core"]
    return QGIS_PYTHON.exists() and subprocess.run(call, capture_output=True, check=False).returncode == 0


@pytest.fixture
def release(county: Home) -> Path:
    return (county.releases / "current").resolve()


def test_the_maps_are_part_of_the_release_and_light(release: Path) -> None:
    listed = (release / CHECKSUMS).read_text(encoding="utf-8")
    assert all(f"  {name}\n" in listed for name in GEOMETRY_FILES)
    assert (release / "areas.geojson").stat().st_size <= LARGEST_GEOJSON_BYTES


def test_every_version_of_every_area_joins_to_the_marts(county: Home, release: Path) -> None:
    shapes = pyogrio.read_dataframe(release / "areas.gpkg", layer="sozialraeume")
    on_map = {(row.area_id, str(row.valid_from)[:10]) for row in shapes.itertuples()}
    with release_connection(county) as marts:
        in_table = marts.execute(
            "select area_id, valid_from::varchar from dim_area where level = 'sozialraum'"
        ).fetchall()
        centres = marts.execute("select area_id, valid_from::varchar from fct_area_centre").fetchall()
    assert on_map == set(in_table) == set(centres)
    assert shapes.crs.to_epsg() == 25832


def test_each_state_of_the_borders_is_a_coverage_without_gaps(release: Path) -> None:
    shapes = pyogrio.read_dataframe(release / "areas.gpkg", layer="sozialraeume")
    kreis = pyogrio.read_dataframe(release / "areas.gpkg", layer="kreis").geometry.to_numpy()[0]
    for day in shapes["valid_from"].unique():
        state = shapes[(shapes["valid_from"] <= day) & (shapes["valid_to"].isna() | (shapes["valid_to"] >= day))]
        geometry = state.geometry.to_numpy()
        assert shapely.coverage_is_valid(geometry)
        assert shapely.area(geometry).sum() == pytest.approx(kreis.area, rel=1e-6)


def test_the_layer_of_values_has_the_latest_value_and_status_of_the_marts(county: Home, release: Path) -> None:
    layer = pyogrio.read_dataframe(release / "areas.gpkg", layer="sozialraeume_werte").set_index("area_id")
    with release_connection(county) as marts:
        facts = marts.execute(
            """
            select f.area_id, f.indicator_id, f.year, f.value, f.value_status
            from fct_indicator as f
            join dim_area as a on f.area_id = a.area_id and a.valid_to is null and a.level = 'sozialraum'
            where f.indicator_id in ('population', 'sgb2_under_15_share') and f.year = 2023
            qualify row_number() over (partition by f.area_id, f.indicator_id order by f.boundary = 'current' desc) = 1
            """
        ).fetchall()
    assert len(facts) == 2 * len(layer) > 0
    for area, indicator, year, value, status in facts:
        assert layer.loc[area, f"{indicator}_status"] == status
        assert layer.loc[area, f"{indicator}_year"] == year
        assert layer.loc[area, indicator] == pytest.approx(float("nan") if value is None else value, nan_ok=True)


def test_neighbours_are_symmetrical_and_no_area_is_lost_in_any_year(county: Home) -> None:
    with release_connection(county) as marts:
        one_way = marts.execute(
            """
            select count(*) from bridge_neighbour as a
            left join bridge_neighbour as b
                on a.year = b.year and a.area_id = b.neighbour_area_id and a.neighbour_area_id = b.area_id
                and a.border_m = b.border_m
            where a.neighbour_area_id is not null and b.area_id is null
            """
        ).fetchall()
        lost = marts.execute(
            """
            select y.year, a.area_id from dim_area as a
            join dim_year as y
                on a.valid_from <= make_date(y.year, 12, 31)
                and (a.valid_to is null or a.valid_to >= make_date(y.year, 12, 31))
            where a.level = 'sozialraum'
            except
            select year, area_id from bridge_neighbour
            """
        ).fetchall()
        across = marts.execute(
            "select count(*) from bridge_neighbour where left(area_id, 8) != left(neighbour_area_id, 8)"
        ).fetchall()
    assert one_way == [(0,)]
    assert lost == []
    assert across[0][0] > 0


def test_access_is_there_for_every_area_and_leads_to_services_on_offer(county: Home) -> None:
    with release_connection(county) as marts:
        rows = marts.execute("select count(*), count(distinct area_id || year) from fct_access").fetchall()[0]
        unknown = marts.execute(
            """
            select count(*) from fct_access as a
            left join fct_service as s on a.nearest_service_id = s.service_id and a.year = s.year
                and a.theme_id = s.theme_id and a.target_group = s.target_group
                and coalesce(s.valid_to, date '9999-12-31') >= make_date(a.year, 12, 31)
            where a.value_status = 'ok' and s.service_id is null
            """
        ).fetchall()
        broken = marts.execute(
            """
            select count(*) from fct_access
            where (value_status = 'ok') != (distance_m is not null)
                or (share_status = 'ok') != (share_500m_percent is not null)
                or share_500m_percent > share_1000m_percent or share_1000m_percent > share_2000m_percent
                or share_2000m_percent > 100 or share_500m_percent != round(share_500m_percent)
            """
        ).fetchall()
        small = marts.execute(
            """
            select count(*) from fct_access as a
            join fct_indicator as p on a.area_id = p.area_id and a.year = p.year and p.boundary = 'as_counted'
            where p.indicator_id = 'population' and p.value < 100 and a.share_500m_percent is not null
            """
        ).fetchall()
    assert rows[1] > 0 and rows[0] % rows[1] == 0, "every kind of service in every area and year"
    assert (unknown, broken, small) == ([(0,)], [(0,)], [(0,)])


@pytest.mark.skipif(not has_qgis(), reason="QGIS is not installed")
def test_qgis_opens_every_layer_with_its_style(release: Path) -> None:
    layers = ("kreis", "kommunen", "sozialraeume", "kommunen_werte", "sozialraeume_werte", "mittelpunkte")
    script = REPOSITORY / "tests" / "fixtures" / "qgis_opens.py"
    result = subprocess.run(
        [str(QGIS_PYTHON), str(script), str(release / "areas.gpkg"), *layers],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert "Warning" not in result.stderr
    seen = json.loads(result.stdout.strip().splitlines()[-1])
    assert all(layer["valid"] and layer["features"] and layer["crs"] == "EPSG:25832" for layer in seen.values())
    values = seen["sozialraeume_werte"]
    assert {"sgb2_under_15_share", "sgb2_under_15_share_status", "sgb2_under_15_share_year"} <= set(values["fields"])
    assert values["rules"][0][1].startswith('"sgb2_under_15_share" >= ')
    assert values["rules"][-1][1] == '"sgb2_under_15_share" is null'
    assert len(values["styles"]) > 10
    assert [rule[2] for rule in seen["sozialraeume"]["rules"]] == [True, False], "older versions are off"
