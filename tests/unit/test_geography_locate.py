"""Points find their Sozialraum: unit squares, and no point is ever lost."""

from __future__ import annotations

import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from shapely import Polygon, box

from orchestration.feeds.intake import receive
from orchestration.gates import delivery as gate
from orchestration.gates import judgement
from orchestration.gates.delivery import judge
from orchestration.geography.locate import locate, write_verortung
from orchestration.home import Home
from tests.fixtures.feeds import deliveries as files

KOMMUNEN = [area for area in files.AREAS if len(area) == 8]


def squares(*entries: tuple[str, str, tuple[float, float, float, float]]) -> gpd.GeoDataFrame:
    ids, ags, boxes = zip(*entries, strict=True)
    return gpd.GeoDataFrame({"sozialraum_id": ids, "ags": ags}, geometry=[box(*b) for b in boxes], crs="EPSG:25832")


def points(*entries: tuple[str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(entries, columns=["ags", "ostwert", "nordwert"])


LEFT = ("05378004-01", "05378004", (0, 0, 1, 1))
RIGHT = ("05378004-02", "05378004", (1, 0, 2, 1))
OTHER = ("05378008-01", "05378008", (2, 0, 3, 1))


def test_a_point_gets_the_sozialraum_it_lies_in() -> None:
    located = locate(points(("05378004", 0.5, 0.5), ("05378004", 1.5, 0.5)), squares(RIGHT, LEFT))
    assert list(located["sozialraum_id"]) == ["05378004-01", "05378004-02"]


def test_a_point_in_another_kommunes_area_or_in_none_stays_without() -> None:
    located = locate(points(("05378004", 2.5, 0.5), ("05378004", 9, 9)), squares(LEFT, OTHER))
    assert list(located["sozialraum_id"]) == [None, None]


def test_a_point_on_a_common_border_goes_to_the_lowest_id_once() -> None:
    located = locate(points(("05378004", 1, 0.5)), squares(RIGHT, LEFT))
    assert list(located["sozialraum_id"]) == ["05378004-01"]


def test_no_point_is_lost_and_the_order_stays() -> None:
    some = points(*[("05378004", float(i), 0.5) for i in range(-5, 9)])
    located = locate(some, squares(LEFT, RIGHT, OTHER))
    pd.testing.assert_frame_equal(located[["ags", "ostwert", "nordwert"]], some)


def test_without_areas_nothing_is_located() -> None:
    assert list(locate(points(("05378004", 0, 0)), squares(LEFT).iloc[:0])["sozialraum_id"]) == [None]


def test_areas_in_degrees_are_refused() -> None:
    with pytest.raises(ValueError, match="25832"):
        locate(points(("05378004", 0, 0)), squares(LEFT).to_crs(4326))


def test_75000_points_in_87_areas_take_less_than_three_seconds() -> None:
    areas = squares(*[(f"05378004-{i:02d}", "05378004", (i, 0, i + 1, 1)) for i in range(87)])
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"ags": "05378004", "ostwert": rng.uniform(0, 87, 75_000), "nordwert": 0.5})
    started = time.process_time()
    located = locate(frame, areas)
    assert time.process_time() - started < 3
    assert (located["sozialraum_id"].str[-2:].astype(int) == np.floor(frame["ostwert"])).all()


# --- through the delivery gate -----------------------------------------------------------------------------------


def geopackage(tmp_path: Path, frame: gpd.GeoDataFrame) -> bytes:
    path = tmp_path / "areas.gpkg"
    frame.to_file(path, driver="GPKG")
    return path.read_bytes()


def county(size: float = 1000) -> gpd.GeoDataFrame:
    """One square Sozialraum per Kommune, side by side; the first holds the addresses of the test register."""
    entries = [
        (f"{ags}-01", ags, (365000 + i * size, 5654000, 365000 + (i + 1) * size, 5655000))
        for i, ags in enumerate(KOMMUNEN)
    ]
    return squares(*entries).assign(name="Demo", valid_from="2015-01-01", is_synthetic=True)


def deliver(home: Home, name: str, data: bytes) -> gate.Verdict:
    path = home.landing / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    [delivery] = receive(home, settle_seconds=0)
    [verdict] = judge(home, delivery.feed)
    return verdict


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(judgement, "official_population", lambda: {("05378004", 2020): files.N_PERSONS})
    return Home(tmp_path / "data").create()


def test_accepted_registers_are_located_once_per_coordinate_with_the_same_bytes(home: Home, tmp_path: Path) -> None:
    assert deliver(home, "kreis/sozialraeume_2015.gpkg", geopackage(tmp_path, county())).accepted
    lines = files.with_cell(files.register_lines(), 3, "Ostwert", "1,0")
    lines = files.with_cell(lines, 5, "Ostwert", "365402,50")
    lines = files.with_cell(lines, 5, "Nordwert", "5654402,25")
    assert deliver(home, "bergisch-gladbach/einwohner_2020.csv", files.text_file(lines)).accepted
    assert write_verortung(home) == files.N_PERSONS - 1
    path = home.raw / "verortung" / "verortung.parquet"
    before = path.read_bytes()
    write_verortung(home)
    assert path.read_bytes() == before
    found = pq.read_table(path)["sozialraum_id"].to_pylist()
    assert (found.count("05378004-01"), found.count(None)) == (38, 1)


def test_services_are_located_beside_the_registers(home: Home, tmp_path: Path) -> None:
    assert deliver(home, "kreis/sozialraeume_2015.gpkg", geopackage(tmp_path, county())).accepted
    assert deliver(home, "bergisch-gladbach/einwohner_2020.csv", files.register()).accepted
    persons = write_verortung(home)
    lines = [
        "Stand;Nummer;Angebot;Träger;Thema;Zielgruppe;AGS;Ostwert;Nordwert;seit;bis;Straße;Hausnummer",
        *(
            f"31.12.2021;A{i};Treff;Verein;Bildung;Familien;05378008;{east};{north};01.01.2020;;;"
            for i, (east, north) in enumerate([("366500,5", "5654500"), ("390000", "5654500"), ("", "")] * 4)
        ),
    ]
    verdict = deliver(home, "kreis/angebote_2021.csv", files.text_file(lines, "utf-8"))
    assert verdict.accepted, verdict.reason
    assert write_verortung(home) == persons + 2
    located = pq.read_table(home.raw / "verortung" / "verortung.parquet").to_pylist()
    assert [row["sozialraum_id"] for row in located if row["ags"] == "05378008"] == ["05378008-01", None]


def test_areas_in_another_coordinate_system_arrive_in_metres_of_zone_32(home: Home, tmp_path: Path) -> None:
    data = geopackage(tmp_path, county().to_crs(4326))
    assert deliver(home, "kreis/sozialraeume_2015.gpkg", data).accepted
    [path] = home.raw.glob("sozialraeume/2015/*.parquet")
    assert pq.read_table(path)["area_sqm"].to_pylist()[0] == pytest.approx(1_000_000, rel=1e-3)


def test_overlapping_areas_are_rejected_with_their_ids(home: Home, tmp_path: Path) -> None:
    frame = county()
    frame.loc[0, "geometry"] = frame.geometry[0].buffer(50, join_style="mitre")
    verdict = deliver(home, "kreis/sozialraeume_2015.gpkg", geopackage(tmp_path, frame))
    assert not verdict.accepted and "überlappt" in verdict.reason and "05378004-01" in verdict.reason


def test_a_polygon_that_crosses_itself_is_rejected(home: Home, tmp_path: Path) -> None:
    frame = county()
    frame.loc[0, "geometry"] = Polygon([(365000, 5654000), (366000, 5655000), (366000, 5654000), (365000, 5654300)])
    verdict = deliver(home, "kreis/sozialraeume_2015.gpkg", geopackage(tmp_path, frame))
    assert [f.expectation for f in verdict.findings if f.is_error] == ["polygon_is_valid"]


def test_areas_of_implausible_size_are_rejected(home: Home, tmp_path: Path) -> None:
    verdict = deliver(home, "kreis/sozialraeume_2015.gpkg", geopackage(tmp_path, county(size=1)))
    assert [f.expectation for f in verdict.findings if f.is_error] == ["area_size_is_plausible"]


def test_a_kommune_without_areas_is_rejected(home: Home, tmp_path: Path) -> None:
    verdict = deliver(home, "kreis/sozialraeume_2015.gpkg", geopackage(tmp_path, county().iloc[:7]))
    assert not verdict.accepted and "05378032" in verdict.reason


def test_an_id_of_another_kommune_is_rejected(home: Home, tmp_path: Path) -> None:
    frame = county()
    frame.loc[0, "sozialraum_id"] = "05378008-02"
    verdict = deliver(home, "kreis/sozialraeume_2015.gpkg", geopackage(tmp_path, frame))
    assert [f.expectation for f in verdict.findings if f.is_error] == ["id_fits_kommune"]


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_geopackage_is_rejected(home: Home, tmp_path: Path, share: float) -> None:
    data = geopackage(tmp_path, county())
    verdict = deliver(home, "kreis/sozialraeume_2015.gpkg", data[: int(len(data) * share)])
    assert not verdict.accepted and "abgeschnitten" in verdict.reason
