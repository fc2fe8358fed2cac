"""Areas through the delivery gate: what is rejected, what is mended and told, what is seen beside borders."""

from __future__ import annotations

import base64
import html
import os
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any
from warnings import catch_warnings

import geopandas as gpd
import pyarrow.parquet as pq
import pytest
import shapely

from demo.geography import write_borders
from orchestration.feeds.declaration import load_feeds, official_areas
from orchestration.feeds.intake import deliveries, receive
from orchestration.gates.delivery import check_file, judge
from orchestration.gates.judgement import waivable_rules
from orchestration.gates.verdicts import Verdict, raw_path
from orchestration.home import REPOSITORY, Home
from tests.fixtures.feeds import broken_areas as broken
from tests.fixtures.feeds.broken_areas import areas, geopackage

SHARED = Path(os.environ.get("IPSO_SHARED", REPOSITORY.parent / "shared")) / "data"
OVERATH = "05378024"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Borders are in force."""
    home = Home(tmp_path / "data").create()
    path = tmp_path / "borders.gpkg"
    write_borders(path)
    assert deliver(home, "kreis/gemeindegrenzen_2015.gpkg", path.read_bytes()).accepted
    return home


def deliver(home: Home, name: str, data: bytes) -> Verdict:
    path = home.landing / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    [delivery] = receive(home, settle_seconds=0)
    [verdict] = judge(home, delivery.feed)
    return verdict


def errors(verdict: Verdict) -> list[str]:
    return [finding.expectation for finding in verdict.findings if finding.is_error]


def warnings(verdict: Verdict) -> dict[str, str]:
    return {finding.expectation: finding.message for finding in verdict.findings if finding.is_warning}


def test_the_demo_county_fills_its_borders_without_a_word(home: Home) -> None:
    verdict = deliver(home, "kreis/sozialraeume_2015.gpkg", geopackage(areas()))
    assert verdict.accepted and warnings(verdict) == {}


def test_a_kommune_may_deliver_its_own_areas_and_only_those(home: Home) -> None:
    assert deliver(home, "overath/sozialraeume_2015.gpkg", geopackage(areas(OVERATH))).accepted
    verdict = deliver(home, "roesrath/sozialraeume_2015.gpkg", geopackage(areas(OVERATH)))
    assert not verdict.accepted and {"area_is_known", "areas_are_complete"} <= set(errors(verdict))


@pytest.mark.parametrize(
    ("fault", "rule", "on_map"),
    [
        (broken.overlap(900), "areas_do_not_overlap", True),
        (broken.gap(30), "areas_leave_no_gap", True),
        (broken.bow_tie, "polygon_is_valid", True),
        (broken.piece_in_neighbour(50), "area_has_no_splinter", True),
        (broken.outside, "area_lies_in_kommune", True),
        (broken.incomplete, "kommune_is_covered", True),
        (broken.exchanged_axes, "axes_are_in_order", False),
        (broken.no_crs, "crs_is_known", False),
    ],
)
def test_what_is_broken_beyond_the_tolerance_is_rejected_with_its_place(
    home: Home, fault: broken.Fault, rule: str, on_map: bool
) -> None:
    verdict = deliver(home, "overath/sozialraeume_2015.gpkg", geopackage(fault(areas(OVERATH))))
    assert errors(verdict) == [rule], verdict.reason
    page = (home.rejected / verdict.delivery_id / "rueckmeldung.html").read_text(encoding="utf-8")
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    assert bool(re.search(r"Stelle 1: .*bei Ost 3\d{5}, Nord 56\d{5}", text)) == on_map
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert len(pictures) == on_map
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    assert not re.search(r'(?:src|href)="(?!data:)', page), "the page needs nothing from elsewhere"


def test_an_overlap_of_30_sqm_is_mended_and_told_per_area(home: Home) -> None:
    frame = broken.overlap(30)(areas(OVERATH))
    data = geopackage(frame)
    verdict = deliver(home, "overath/sozialraeume_2015.gpkg", data)
    assert verdict.accepted and list(warnings(verdict)) == ["area_was_mended"]
    [moved] = re.findall(r"(05378024-\d\d) / ([\d,]+)", warnings(verdict)["area_was_mended"])
    assert float(moved[1].replace(",", ".")) == pytest.approx(30, abs=1)
    [path] = home.raw.glob("sozialraeume/2015/*.parquet")
    shapes = shapely.from_wkb(pq.read_table(path)["geometry_wkb"].to_numpy())
    assert shapely.coverage_is_valid(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(areas(OVERATH).area.sum())
    [delivery] = [d for d in deliveries(home) if d.feed == "sozialraeume"]
    assert delivery.blob(home).read_bytes() == data, "the archive keeps what came"


@pytest.mark.parametrize(
    ("name", "written"),
    [("sozialraeume_2015.geojson", "GeoJSON"), ("sozialraeume_2015.zip", "ESRI Shapefile")],
)
def test_areas_come_in_any_format_and_reference_system(home: Home, tmp_path: Path, name: str, written: str) -> None:
    folder = tmp_path / "written"
    folder.mkdir()
    frame = areas(OVERATH).to_crs("EPSG:4326" if written == "GeoJSON" else "EPSG:31466")
    suffix = "geojson" if written == "GeoJSON" else "shp"
    with catch_warnings(action="ignore"):
        frame.to_file(folder / f"areas.{suffix}", driver=written)
    if suffix == "shp":
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for part in folder.iterdir():
                archive.write(part, part.name)
    else:
        shutil.copy(folder / "areas.geojson", tmp_path / name)
    verdict = deliver(home, f"overath/{name}", (tmp_path / name).read_bytes())
    assert verdict.accepted, verdict.reason
    [path] = home.raw.glob("sozialraeume/2015/*.parquet")
    assert sum(pq.read_table(path)["area_sqm"].to_pylist()) == pytest.approx(areas(OVERATH).area.sum(), rel=1e-3)


def test_an_island_is_asked_about(home: Home) -> None:
    verdict = deliver(
        home, "overath/sozialraeume_2015.gpkg", geopackage(broken.piece_in_neighbour(150)(areas(OVERATH)))
    )
    assert verdict.accepted and list(warnings(verdict)) == ["area_is_in_one_piece"]
    assert "22.500 m² bei Ost" in warnings(verdict)["area_is_in_one_piece"]


def test_ids_that_vanish_are_named_and_those_of_other_kommunen_are_not_missed(home: Home) -> None:
    assert deliver(home, "kreis/sozialraeume_2015.gpkg", geopackage(areas())).accepted
    one, other, _ = broken.neighbours(areas(OVERATH))
    merged = areas(OVERATH)
    gone, kept = merged["sozialraum_id"][other], merged["sozialraum_id"][one]
    merged = broken.with_shape(merged, one, shapely.union(merged.geometry[one], merged.geometry[other]))
    merged = merged.drop(index=other)
    verdict = deliver(home, "overath/sozialraeume_2019.gpkg", geopackage(merged))
    assert verdict.accepted and list(warnings(verdict)) == ["ids_persist"]
    assert gone in warnings(verdict)["ids_persist"] and kept not in warnings(verdict)["ids_persist"]
    again = deliver(home, "overath/sozialraeume_2020.gpkg", geopackage(merged.assign(name=merged["name"] + " neu")))
    assert warnings(again) == {}, "the version before is the Kommune's own of 2019"


def test_a_name_twice_in_a_kommune_is_a_hint_and_none_at_all_an_error(home: Home) -> None:
    frame = areas(OVERATH)
    frame.loc[1, "name"] = frame["name"][0].upper()
    assert list(warnings(deliver(home, "overath/sozialraeume_2015.gpkg", geopackage(frame)))) == ["name_is_unique"]
    frame.loc[1, "name"] = None
    assert errors(deliver(home, "overath/sozialraeume_2015.gpkg", geopackage(frame))) == ["cell_is_readable"]


def test_a_duplicate_id_is_rejected(home: Home) -> None:
    frame = areas(OVERATH)
    frame.loc[1, "sozialraum_id"] = frame["sozialraum_id"][0]
    assert errors(deliver(home, "overath/sozialraeume_2015.gpkg", geopackage(frame))) == ["key_is_unique"]


def test_without_borders_that_rule_says_so_and_everything_else_is_judged(tmp_path: Path) -> None:
    home = Home(tmp_path / "data").create()
    verdict = deliver(home, "overath/sozialraeume_2015.gpkg", geopackage(broken.gap(30)(areas(OVERATH))))
    assert errors(verdict) == ["areas_leave_no_gap"]
    assert "Nicht prüfbar" in warnings(verdict)["kommune_has_border"]
    verdict = deliver(home, "overath/sozialraeume_2015.gpkg", geopackage(broken.incomplete(areas(OVERATH))))
    assert verdict.accepted and {"kommune_has_border", "area_agrees_with_official"} == set(warnings(verdict))


def test_check_names_the_place_in_the_terminal(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "overath" / "sozialraeume_2015.gpkg"
    path.parent.mkdir()
    path.write_bytes(geopackage(broken.gap(30)(areas(OVERATH))))
    verdict = check_file(path, home=home)
    [finding] = [finding for finding in verdict.findings if finding.is_error]
    assert re.search(r"05378024-01 / Stelle 1: 900 m² bei Ost 3\d{5}, Nord 56\d{5}", finding.full_message)


def test_rules_on_overlaps_and_gaps_may_be_waived_that_on_broken_polygons_not() -> None:
    rules = waivable_rules(load_feeds()["sozialraeume"])
    assert {"areas_leave_no_gap", "areas_do_not_overlap", "kommune_is_covered"} <= set(rules)
    assert "polygon_is_valid" not in rules
    assert "50 m²" in rules["areas_leave_no_gap"]


@pytest.mark.skipif(not SHARED.exists(), reason="real borders are not here")
def test_the_real_borders_of_the_eight_kommunen_pass_and_agree_with_official_areas(tmp_path: Path) -> None:
    home = Home(tmp_path / "data").create()
    data = (SHARED / "rbk_gemeinden_vg250.gpkg").read_bytes()
    verdict = deliver(home, "kreis/gemeindegrenzen_2015.gpkg", data)
    assert verdict.accepted and warnings(verdict) == {}
    assert [f.passed for f in verdict.findings if f.expectation == "area_agrees_with_official"] == [True]
    delivered = {row["ags"]: row["area_sqm"] / 1e6 for row in raw_rows(home)}
    assert delivered == pytest.approx(official_areas(), rel=0.02)
    beside = deliver(home, "kreis/sozialraeume_2015.gpkg", geopackage(areas()))
    assert beside.accepted and list(warnings(beside)) == ["area_follows_border"], "the demo follows generalised borders"


def raw_rows(home: Home) -> list[dict[str, Any]]:
    [delivery] = [d for d in deliveries(home) if d.feed == "gemeindegrenzen"]
    return pq.read_table(raw_path(home, delivery)).to_pylist()


@pytest.mark.skipif(not SHARED.exists(), reason="the official directory is not here")
def test_official_areas_are_those_of_the_directory() -> None:
    lines = (SHARED / "gv100ad_rbk_20231130.txt").read_text(encoding="utf-8").splitlines()
    hectares = {line[10:15] + line[15:18]: int(line[128:139]) for line in lines if line.startswith("60")}
    assert {ags: round(sqkm * 100) for ags, sqkm in official_areas().items()} == hectares


def test_a_border_of_another_size_than_official_is_rejected(tmp_path: Path) -> None:
    home = Home(tmp_path / "data").create()
    path = tmp_path / "borders.gpkg"
    write_borders(path)
    frame = gpd.read_file(path)
    smaller = frame.set_geometry(frame.scale(0.98, 0.98, origin=(370000, 5650000)))
    verdict = deliver(home, "kreis/gemeindegrenzen_2015.gpkg", geopackage(smaller))
    assert errors(verdict) == ["area_agrees_with_official"]
