"""From the warehouse's rows to blanks: two boundary versions, headline figures, earlier releases."""

import numpy as np
import pandas as pd
import pytest

from orchestration.disclosure import cells
from orchestration.disclosure.protect import blank_cells
from orchestration.home import Home

LEVELS = {"05": "kreis", "05A": "kommune", "05B": "kommune"}


def table(counts, item="deaths", boundary="as_counted", year=2020):
    rows = [(boundary, area, item, value) for area, value in counts.items()]
    frame = pd.DataFrame(rows, columns=["boundary", "area_id", "item", "value"]).assign(year=year)
    level = frame["area_id"].map(LEVELS).fillna("overlap" if boundary == "overlap" else "sozialraum")
    parent = frame["area_id"].str[:3].where(level == "sozialraum", "05").where(frame["area_id"] != "05")
    return frame.assign(level=level, parent_area_id=parent, arrived_blank=frame["value"].isna())


def areas_of(counts, recut=(), year=2020):
    then = counts[counts["boundary"] == "as_counted"].drop_duplicates("area_id")
    tree = then[["boundary", "area_id", "parent_area_id", "level"]].assign(is_unchanged=True)
    anew = tree[tree["area_id"].isin(recut)].assign(boundary="current", is_unchanged=False)
    return pd.concat([tree, anew], ignore_index=True).assign(year=year)


COUNTS = {"05": 62.0, "05A": 30.0, "05A-1": 2.0, "05A-2": 20.0, "05A-3": 8.0, "05B": 32.0, "05B-1": 12.0, "05B-2": 20.0}


def blank_areas(cells, areas, **more):
    blank = blank_cells(cells, areas, 3, **more)
    return set(cells.loc[blank, "area_id"])


def test_a_small_count_takes_one_neighbour_with_it_and_leaves_the_totals():
    cells = table(COUNTS)
    found = blank_areas(cells, areas_of(cells))
    assert "05A-1" in found and len(found) == 2 and found < {"05A-1", "05A-2", "05A-3"}


def test_a_count_that_arrived_suppressed_is_protected_like_a_small_one():
    cells = table(COUNTS | {"05A-1": np.nan})
    assert len(blank_areas(cells, areas_of(cells))) == 2


def test_headline_figures_go_last():
    kinds = {"youth_aid": 1, "youth_aid_ambulant": 0, "youth_aid_teilstationaer": 0, "youth_aid_stationaer": 0}
    parts = pd.DataFrame(
        {"05A-1": [18.0, 2, 7, 9], "05A-2": [26.0, 8, 8, 10], "05A": [44.0, 10, 15, 19]}, index=list(kinds)
    )
    cells = pd.concat([table(parts.loc[kind].to_dict(), kind) for kind in kinds], ignore_index=True)
    blank = blank_cells(cells, areas_of(cells), 3, headline={"youth_aid": 1, "youth_aid_stationaer": 1})
    assert set(cells.loc[blank, "item"]) == {"youth_aid_ambulant", "youth_aid_teilstationaer"}


def test_one_person_who_a_new_border_moved_does_not_show_in_the_difference():
    then = table({"05A": 60.0, "05A-1": 30.0, "05A-2": 20.0, "05A-3": 10.0})
    now = table({"05A-1": 29.0, "05A-2": 21.0}, boundary="current")
    shared = table({"05A-1|05A-1": 29.0, "05A-1|05A-2": 1.0, "05A-2|05A-2": 20.0}, boundary="overlap")
    cells = pd.concat([then, now, shared], ignore_index=True)
    blank = blank_cells(cells, areas_of(then, recut=["05A-1", "05A-2"]), 3)
    hidden = set(zip(cells["boundary"][blank], cells["area_id"][blank], strict=True))
    for area in ("05A-1", "05A-2"):
        assert {("as_counted", area), ("current", area)} & hidden


def earlier_from(cells, blank):
    said = cells[["boundary", "area_id", "year", "item"]].assign(value=np.where(blank, np.nan, cells["value"]))
    return said.assign(release=0)


def test_a_corrected_delivery_keeps_the_blanks_and_a_told_count_hides_nothing():
    cells = table(COUNTS)
    areas = areas_of(cells)
    first = blank_cells(cells, areas, 3)
    again = blank_cells(cells, areas, 3, earlier=earlier_from(cells, first))
    assert again.tolist() == first.tolist()
    corrected = table(COUNTS | {"05A-1": 5.0, "05A": 33.0, "05": 65.0})
    assert set(corrected.loc[blank_cells(corrected, areas, 3), "area_id"]) == set()
    kept = blank_cells(corrected, areas, 3, earlier=earlier_from(cells, first))
    assert kept.tolist() == first.tolist()


def test_a_release_that_cannot_be_made_safe_any_more_is_refused():
    cells = table(COUNTS)
    told = earlier_from(cells, (cells["area_id"] == "05A-1").to_numpy())
    with pytest.raises(ValueError, match="frühere Veröffentlichungen"):
        blank_cells(cells, areas_of(cells), 3, earlier=told)


def test_the_pattern_of_the_same_counts_is_worked_out_once(tmp_path, monkeypatch):
    home = Home(tmp_path / "data").create()
    counts = table(COUNTS)
    areas = areas_of(counts)
    first = cells.pattern(home, counts, areas, 3, {})
    assert first.tolist() == blank_cells(counts, areas, 3).tolist()
    asked = []
    monkeypatch.setattr(cells, "blank_cells", lambda *question: asked.append(question) or np.ones(len(counts), bool))
    assert cells.pattern(home, counts, areas, 3, {}).tolist() == first.tolist() and not asked
    other = counts.assign(value=counts["value"].replace({2.0: 1.0, 20.0: 21.0}))
    for question in ((other, areas, 3, {}), (counts, areas, 5, {}), (counts, areas, 3, {"deaths": 1})):
        assert cells.pattern(home, *question).all()
    assert len(asked) == 3
