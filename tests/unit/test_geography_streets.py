"""Sozialräume from a street list: which addresses a rule means, the areas that follow, and what the gate says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from demo.geography import addresses, write_borders
from demo.themes.planung import FEEDS as PLANNING
from orchestration.feeds.intake import receive
from orchestration.gates.delivery import judge
from orchestration.gates.verdicts import Verdict
from orchestration.geography.areas import load_areas
from orchestration.geography.locate import locate
from orchestration.geography.street_areas import derived_areas, write_street_areas
from orchestration.home import Home
from tests.fixtures.feeds import broken_areas
from tests.fixtures.feeds.street_lists import HEADER, ROESRATH, as_file, street_list


def deliver(home: Home, name: str, data: bytes) -> Verdict:
    path = home.landing / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    [delivery] = receive(home, settle_seconds=0)
    [verdict] = judge(home, delivery.feed)
    return verdict


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Borders and address register are in force."""
    folder = tmp_path_factory.mktemp("surveyed")
    home = Home(folder / "data").create()
    write_borders(folder / "borders.gpkg")
    assert deliver(home, "kreis/gemeindegrenzen_2015.gpkg", (folder / "borders.gpkg").read_bytes()).accepted
    [register] = PLANNING["adressen"].write(2015, [])
    assert deliver(home, "kreis/adressen_2015.txt", register.content).accepted
    return home


@pytest.fixture
def home(surveyed: Home, tmp_path: Path) -> Home:
    """A copy of its own."""
    shutil.copytree(surveyed.root, tmp_path / "data")
    return Home(tmp_path / "data")


def told(verdict: Verdict) -> dict[str, str]:
    return {finding.expectation: finding.message for finding in verdict.findings if not finding.passed}


def test_every_place_belongs_to_the_nearest_address() -> None:
    meant = pd.DataFrame(
        {"ostwert": [25.0, 75.0, 75.0], "nordwert": [50.0, 50.0, 60.0], "sozialraum_id": ["a", "b", "b"]}
    )
    ids, shapes = derived_areas(meant, shapely.box(0, 0, 100, 100))
    assert ids == ["a", "b"] and shapely.coverage_is_valid(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(10_000)
    assert shapes[0].contains(shapely.Point(10, 10)) and shapes[1].contains(shapely.Point(90, 90))


def test_a_street_list_of_the_demo_gives_every_address_its_area_again(home: Home) -> None:
    verdict = deliver(home, "roesrath/sozialraum_strassen_2015.csv", street_list())
    assert verdict.accepted and told(verdict) == {}, told(verdict)
    assert write_street_areas(home) == []
    areas = load_areas(home)
    assert shapely.coverage_is_valid(areas.geometry.to_numpy())
    delivered = broken_areas.areas(ROESRATH)
    assert set(areas["sozialraum_id"]) == set(delivered["sozialraum_id"])
    assert areas.area.sum() == pytest.approx(delivered.area.sum(), rel=1e-6), "the Kommune is filled"
    places = addresses(ROESRATH)
    usable = places.located
    points = pd.DataFrame({"ags": ROESRATH, "ostwert": places.east[usable], "nordwert": places.north[usable]})
    found = locate(points, areas)["sozialraum_id"].to_numpy()
    wanted = np.array(places.sozialraum_ids)[places.area[usable]]
    # Some addresses were built after the register of 2015.
    assert (found == wanted).mean() > 0.995


def test_what_is_delivered_as_area_goes_before_what_is_derived(home: Home) -> None:
    assert deliver(home, "roesrath/sozialraum_strassen_2015.csv", street_list()).accepted
    write_street_areas(home)
    derived = load_areas(home).set_index("sozialraum_id").geometry
    data = broken_areas.geopackage(broken_areas.areas(ROESRATH))
    assert deliver(home, "roesrath/sozialraeume_2015.gpkg", data).accepted
    delivered = load_areas(home).set_index("sozialraum_id").geometry
    assert not gpd.GeoSeries(derived).geom_equals(delivered).all()
    assert gpd.GeoSeries(delivered).area.tolist() == pytest.approx(broken_areas.areas(ROESRATH).area.tolist())


def test_sides_and_spans_of_house_numbers_are_kept_apart(home: Home) -> None:
    street = addresses(ROESRATH).street[0]
    others = [line for line in street_list().decode("utf-8").splitlines()[1:] if f";{street};" not in line]
    split = [
        f"{ROESRATH};{street};1;9;gerade;05378028-01;Eins",
        f"{ROESRATH};{street};1;9;ungerade;05378028-02;Zwei",
        f"{ROESRATH};{street};10;;;05378028-01;Eins",
    ]
    names = [line.rsplit(";", 2) for line in others]
    others = [";".join([head, area, {"01": "Eins", "02": "Zwei"}.get(area[-2:], name)]) for head, area, name in names]
    verdict = deliver(home, "roesrath/sozialraum_strassen_2015.csv", as_file([HEADER, *others, *split]))
    assert verdict.accepted and told(verdict) == {}, told(verdict)


def moved_twice(lines: list[str]) -> list[str]:
    """The first street also belongs to the last street's area."""
    return [*lines, ";".join([*lines[1].split(";")[:5], *lines[-1].split(";")[5:]])]


def unknown_street(lines: list[str]) -> list[str]:
    return [*lines, f"{ROESRATH};Gibtesnichtgasse;;;;{';'.join(lines[1].split(';')[5:])}"]


@pytest.mark.parametrize(
    ("change", "rule", "accepted"),
    [
        (moved_twice, "address_has_one_rule", False),
        (lambda lines: [lines[0], *lines[2:]], "address_has_a_rule", True),
        (unknown_street, "rule_means_an_address", True),
        (lambda lines: [*lines, lines[1].replace(";;;;", ";9;3;;")], "house_numbers_are_in_order", False),
    ],
)
def test_what_a_list_lacks_is_found(
    home: Home, change: Callable[[list[str]], list[str]], rule: str, accepted: bool
) -> None:
    lines = change(street_list().decode("utf-8").splitlines())
    verdict = deliver(home, "roesrath/sozialraum_strassen_2015.csv", as_file(lines))
    assert verdict.accepted == accepted, verdict.reason
    assert rule in told(verdict), told(verdict)


def test_without_register_or_border_the_list_waits(tmp_path: Path) -> None:
    home = Home(tmp_path / "data").create()
    verdict = deliver(home, "roesrath/sozialraum_strassen_2015.csv", street_list())
    assert verdict.accepted and "Nicht prüfbar" in told(verdict)["address_has_one_rule"]
    [line] = write_street_areas(home)
    assert "Adressverzeichnis" in line and load_areas(home).empty
