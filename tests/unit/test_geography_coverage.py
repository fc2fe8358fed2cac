"""Areas among themselves: squares in metres; what is little is mended and told, what is not has its place."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from demo.geography import sozialraeume
from orchestration.geography import places, tolerances
from orchestration.geography.coverage import Examined, examine
from orchestration.geography.tolerances import NARROW_M, SMALL_SQM
from orchestration.home import REPOSITORY


def examined(*shapes: shapely.Geometry | None) -> Examined:
    return examine(np.array(shapes, dtype=object), [f"area {number}" for number in range(len(shapes))])


def kinds(result: Examined) -> list[str]:
    return [place.kind for place in result.places]


LEFT, RIGHT = box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000)


def test_areas_that_fit_stay_as_they_are() -> None:
    result = examined(LEFT, RIGHT)
    assert shapely.equals_identical(result.shapes, [LEFT, RIGHT]).all()
    assert not result.places and not result.moved_sqm.any() and not result.broken.any()


def test_the_demo_county_is_not_touched() -> None:
    delivered = sozialraeume().geometry.to_numpy()
    started = time.process_time()
    result = examine(delivered, list(sozialraeume()["sozialraum_id"]))
    assert time.process_time() - started < 2
    assert shapely.equals_identical(result.shapes, delivered).all() and not result.places


@pytest.mark.parametrize(
    ("overlap", "form"),
    [(box(999.97, 0, 1000, 1000), "3 cm along the common line"), (box(995, 400, 1000, 406), "5 m by 6 m")],
)
def test_an_overlap_of_30_sqm_is_mended_whatever_its_form(overlap: Polygon, form: str) -> None:
    result = examined(LEFT, RIGHT.union(overlap))
    assert not result.places, form
    assert shapely.area(result.shapes).sum() == pytest.approx(2e6) and shapely.coverage_is_valid(result.shapes)
    assert result.moved_sqm.sum() == pytest.approx(30, abs=0.1), "of the one that lost it"


def test_an_overlap_too_large_and_too_wide_is_a_place_of_both() -> None:
    result = examined(LEFT, RIGHT.union(box(990, 400, 1000, 406)))
    [place] = result.places
    assert (place.kind, place.area, place.other, place.sqm) == (places.OVERLAP, 0, 1, pytest.approx(60))
    assert 990 < place.spot[0] < 1000 and 400 < place.spot[1] < 406
    assert not result.moved_sqm.any(), "what is rejected is not mended"
    columns = places.columns_of(places.OVERLAP, result.places, ["a", "b"])
    assert list(columns["ueberlappung_qm"]) == pytest.approx([60, 60])
    assert "60 m² gemeinsam mit b bei Ost" in columns["ueberlappung_stelle"][0]
    assert "60 m² gemeinsam mit a bei Ost" in columns["ueberlappung_stelle"][1]


@pytest.mark.parametrize("width", [0.3, NARROW_M * 0.9])
def test_a_long_narrow_overlap_or_gap_is_a_line_drawn_twice(width: float) -> None:
    for moved in (-width, width):
        result = examined(LEFT, shapely.affinity.translate(RIGHT, moved))
        assert not result.places and shapely.coverage_is_valid(result.shapes)
        assert result.moved_sqm.max() == pytest.approx(1000 * width, rel=0.02)


def test_a_wide_or_endless_one_is_not() -> None:
    assert kinds(examined(LEFT, shapely.affinity.translate(RIGHT, -1.2))) == [places.OVERLAP]
    left, right = shapely.affinity.scale(LEFT, 1, 2), shapely.affinity.scale(RIGHT, 1, 2)
    for moved, kind in ((-0.8, places.OVERLAP), (0.8, places.GAP)):
        assert kinds(examined(left, shapely.affinity.translate(right, moved))) == [kind], "1,600 m²"


def test_a_small_hole_is_closed_and_a_large_one_is_a_gap() -> None:
    small = examined(LEFT.difference(box(995, 500, 1000, 506)), RIGHT)
    assert not small.places and shapely.area(small.shapes).sum() == pytest.approx(2e6)
    assert small.moved_sqm.sum() == pytest.approx(30)
    large = examined(LEFT.difference(box(500, 500, 530, 530)), RIGHT)
    [place] = large.places
    assert (place.kind, place.area, place.sqm, place.spot) == (places.GAP, 0, pytest.approx(900), (515, 515))


def test_a_corner_on_the_neighbours_line_is_no_fault() -> None:
    right = Polygon([(1000, 0), (2000, 0), (2000, 1000), (1000, 1000), (1000.01, 400)])
    result = examined(LEFT, right)
    assert not result.places and shapely.coverage_is_valid(result.shapes)


def test_a_bow_tie_is_broken_where_its_lines_cross() -> None:
    result = examined(Polygon([(0, 0), (1000, 1000), (1000, 0), (0, 1000)]), RIGHT)
    [place] = result.places
    assert list(result.broken) == [True, False]
    assert (place.kind, place.spot) == (places.INVALID, (500, 500))
    assert place.told(None).endswith("bei Ost 500, Nord 500")


def test_a_loop_smaller_than_a_house_is_mended() -> None:
    looped = Polygon([(0, 0), (1000, 0), (1000, 1000), (500, 1000), (496, 1003), (496, 1000), (500, 1003), (0, 1000)])
    assert not looped.is_valid
    result = examined(looped, RIGHT)
    assert not result.broken.any() and not result.places


def test_what_is_no_area_is_broken() -> None:
    result = examined(shapely.Point(5, 5), None, Polygon(), shapely.LineString([(0, 0), (1, 1)]), LEFT)
    assert list(result.broken) == [True, True, True, True, False]


def test_pieces_apart_are_crumbs_splinters_or_islands_by_their_size() -> None:
    def with_piece(side: float) -> Examined:
        piece = box(1500, 500, 1500 + side, 500 + side)
        return examined(shapely.union(LEFT, piece), RIGHT.difference(piece))

    crumb = with_piece(SMALL_SQM**0.5 - 1)
    assert not crumb.places and shapely.get_num_geometries(crumb.shapes).tolist() == [1, 1]
    assert shapely.area(crumb.shapes).tolist() == pytest.approx([1e6, 1e6])
    assert crumb.moved_sqm.tolist() == pytest.approx([(SMALL_SQM**0.5 - 1) ** 2] * 2)
    assert kinds(with_piece(50)) == [places.SPLINTER]
    island = with_piece(150)
    assert kinds(island) == [places.ISLAND] and island.places[0].sqm == pytest.approx(22_500)


def test_the_same_area_twice_is_one_overlap() -> None:
    assert kinds(examined(LEFT, LEFT)) == [places.OVERLAP]


def test_lines_drawn_freely_twice_become_one_coverage() -> None:
    """Every area's corners are moved by some centimetres for itself."""
    rng = np.random.default_rng(7)

    def shaken(coordinates: np.ndarray) -> np.ndarray:
        moved = coordinates + rng.normal(0, 0.05, coordinates.shape)
        moved[-1] = moved[0]
        return moved

    delivered = sozialraeume().geometry.to_numpy()
    result = examine(np.array([shapely.transform(shape, shaken) for shape in delivered]), [""] * len(delivered))
    assert not result.places and shapely.coverage_is_valid(result.shapes)
    whole = shapely.union_all(result.shapes)
    assert whole.geom_type == "Polygon" and not whole.interiors
    assert whole.area == pytest.approx(shapely.area(delivered).sum(), rel=1e-5)


def test_places_are_numbered_from_west_to_east_and_travel_as_a_column() -> None:
    found = examined(LEFT.difference(box(700, 500, 730, 530)).difference(box(200, 500, 230, 530)), RIGHT).places
    assert [(p.number, p.spot[0]) for p in found] == [(1, 215), (2, 715)]
    import pyarrow as pa

    again = places.from_column(pa.chunked_array([places.as_column(found, 2)]))
    assert [(p.number, p.kind, p.area, p.spot) for p in again] == [(p.number, p.kind, p.area, p.spot) for p in found]


def test_the_tolerances_that_the_steward_reads_are_those_in_force() -> None:
    told = dict(
        re.findall(r"\| `([A-Z_]+)` \| ([\d.,]+) ", (REPOSITORY / "docs" / "sozialraeume.md").read_text("utf-8"))
    )
    written = {name: float(text.replace(".", "").replace(",", ".")) for name, text in told.items()}
    values = {name: value for name, value in vars(tolerances).items() if isinstance(value, float)}
    assert written == {name: value for name, value in values.items() if name != "NEGLIGIBLE_SQM"}
