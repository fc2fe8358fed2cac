"""The projection on populations that can be followed by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from orchestration.analysis.projection import OLDEST, Movement, break_down, project, single_ages
from orchestration.analysis.projection_tables import _movement, projection

BANDS = [(0, 17), (18, 64), (65, 79), (80, None)]
STILL = Movement(births=0, deaths=0, net_moves=0)


def population(**ages: int) -> np.ndarray:
    """Women of the named ages: population(a30=100)."""
    start = np.zeros((2, OLDEST + 1))
    for name, persons in ages.items():
        start[1, int(name[1:])] = persons
    return start


def test_without_events_everybody_grows_older() -> None:
    states = project(population(a30=100, a99=7, a100=3), STILL, 2)
    assert states[1][1, 31] == pytest.approx(100)
    assert states[1][1, OLDEST] == pytest.approx(10), "the last age is open"
    assert states[2].sum() == pytest.approx(110)


def test_the_first_year_has_the_delivered_events() -> None:
    start = single_ages(BANDS, np.array([[1800.0, 4700, 900, 400], [1700.0, 4600, 1000, 600]]))
    states = project(start, Movement(births=90, deaths=110, net_moves=40), 1)
    assert states[1][:, 0].sum() == pytest.approx(90)
    assert states[1].sum() - start.sum() == pytest.approx(90 - 110 + 40, abs=0.01)
    fewer = project(start, Movement(90, 110, 40, fertility_factor=0.5), 1)
    assert fewer[1][:, 0].sum() == pytest.approx(45)


def test_falling_mortality_lets_more_grow_old() -> None:
    start = single_ages(BANDS, np.array([[1800.0, 4700, 900, 400], [1700.0, 4600, 1000, 600]]))
    same, falling = (project(start, Movement(90, 110, 0, mortality_change=c), 10)[10][:, 80:].sum() for c in (0, -0.02))
    assert falling > same


def test_bands_keep_their_counts_and_are_smooth() -> None:
    counts = np.array([[180.0, 940, 150, 40], [0.0, 940, 0, 0]])
    ages = single_ages(BANDS, counts)
    for column, (start, end) in enumerate(BANDS):
        found = ages[:, start : OLDEST + 1 if end is None else end + 1].sum(axis=1)
        np.testing.assert_allclose(found, counts[:, column], atol=1e-9)
    assert (ages >= 0).all()
    even = single_ages([(0, 9), (10, 19), (20, None)], np.array([[100.0, 100, 0]] * 2))
    np.testing.assert_allclose(even[:, :20], 10)


def test_parts_that_sum_to_the_kommune_do_so_in_every_year() -> None:
    start = single_ages(BANDS, np.array([[1800.0, 4700, 900, 400], [1700.0, 4600, 1000, 600]]))
    shares = np.random.default_rng(3).dirichlet([1, 2, 3], size=start.shape)
    parts = np.moveaxis(shares, 2, 0) * start
    whole = project(start, Movement(90, 110, -30, mortality_change=-0.01), 17)
    np.testing.assert_allclose(break_down(parts, whole).sum(axis=0), whole, atol=1e-9)


def frames(secret: bool = False) -> dict[str, pd.DataFrame]:
    """Two Kommunen; the first has two Sozialräume of 60 and 40 percent, `secret` hides one figure of the second."""
    cells, counts = [], []
    for kommune in ("k1", "k2"):
        for sex in ("m", "w"):
            for (start, end), persons in zip(BANDS, (900, 2400, 500, 200), strict=True):
                cells.append((kommune, 2023, start, end, sex, persons, "ok"))
        for year, net in ((2022, -10), (2023, 30)):
            for role, value in (("geburten", 60), ("sterbefaelle", 70), ("zuzuege", 300 + net), ("fortzuege", 300)):
                counts.append((kommune, "kommune", None, year, role, value, "ok"))
    counts.append(("kreis", "kreis", None, 2023, "pflege", 1200, "ok"))
    for area, share in (("k1-01", 0.6), ("k1-02", 0.4)):
        for role, value in (("gesamt", 8000), ("unter_18", 1800), ("ab_65", 1400), ("ab_80", 400)):
            hidden = secret and area == "k1-02" and role == "ab_80"
            counts.append(
                (
                    area,
                    "sozialraum",
                    "k1",
                    2023,
                    role,
                    None if hidden else value * share,
                    "suppressed" if hidden else "ok",
                )
            )
    return {
        "cells": pd.DataFrame(
            cells, columns=["area_id", "year", "age_from", "age_to", "sex", "population", "value_status"]
        ),
        "counts": pd.DataFrame(
            counts, columns=["area_id", "level", "kommune_id", "year", "role", "value", "value_status"]
        ).astype({"value": float}),
        "variants": pd.DataFrame(
            {
                "variant": ["niedrig", "mittel", "hoch"],
                "fertility_factor": [0.9, 1.0, 1.1],
                "mortality_change_percent": [-0.5, -1.0, -1.5],
                "moves_change_percent": [-33.0, 0.0, 41.0],
            }
        ),
        "care_rates": pd.DataFrame(
            {"age_from": [0, 80], "age_to": [79, None], "sex": ["m", "m"], "percent": [1.0, 40.0]}
        ),
    }


def run(given: dict[str, pd.DataFrame]) -> pd.DataFrame:
    found = projection(years=[2030, 2035], kreis="kreis", **given)
    return found.set_index(["area_id", "year", "variant", "projected_group"]).sort_index()


def test_kreis_and_sozialraeume_fit_the_kommunen() -> None:
    found = run(frames())
    assert (found["value_status"] == "ok").all()
    at = (2030, "mittel", "gesamt")
    assert abs(found.loc[("kreis", *at), "value"] - 2 * found.loc[("k1", *at), "value"]) <= 10
    parts = found.loc[[("k1-01", *at), ("k1-02", *at)], "value"].sum()
    assert abs(parts - found.loc[("k1", *at), "value"]) <= 10, "rounding to tens only"
    assert found.loc[("kreis", 2030, "mittel", "pflegebeduerftig"), "base_value"] == 1200, (
        "the level is what was delivered"
    )
    low, mid, high = (
        found.loc[("kreis", 2035, variant, "gesamt"), "value"] for variant in ("niedrig", "mittel", "hoch")
    )
    assert low < mid < high
    assert (found["value"] % 10 == 0).all()


def test_a_secret_figure_stops_its_area_only() -> None:
    found = run(frames(secret=True))
    hidden = found.loc["k1-02"]
    assert hidden["value"].isna().all() and hidden["base_value"].isna().all()
    assert set(hidden["value_status"]) == {"suppressed"}
    pd.testing.assert_frame_equal(found.drop("k1-02"), run(frames()).drop("k1-02"))


def test_a_kommune_without_its_movements_stops_the_kreis() -> None:
    given = frames()
    counts = given["counts"]
    given["counts"] = counts[(counts["area_id"] != "k2") | (counts["role"] != "geburten")]
    found = run(given)
    for area in ("k2", "kreis"):
        assert set(found.loc[area, "value_status"]) == {"not_computable"} and found.loc[area, "value"].isna().all()
    assert (found.loc[("k1", 2030, "mittel", "gesamt"), "value_status"]) == "ok"
    # Without the Kreis nobody knows the level of care.
    assert found.loc[("k1", 2030, "mittel", "pflegebeduerftig"), "value_status"] == "not_computable"


def test_nothing_at_all_gives_no_zero() -> None:
    given = frames()
    given["cells"] = given["cells"].assign(population=np.nan, value_status="missing")
    found = run(given)
    assert found["value"].isna().all() and set(found["value_status"]) == {"not_computable"}
    assert "kreis" in found.index


def test_people_in_need_of_care_follow_their_ages() -> None:
    """700 men of 73 to 79, and women, for whom there is no rate; no events: in seven years all the men are 80 or older.

    Rates of 1 and 40 percent, 70 delivered persons: 7 by the rates, so the county's level is tenfold; then
    700 · 40 % · 10.
    """
    given = frames()
    ages = [(0, 72, 0, 900), (73, 79, 700, 0), (80, None, 0, 0)]
    cells = [("k1", 2023, a, b, sex, n, "ok") for a, b, *persons in ages for sex, n in zip("mw", persons, strict=True)]
    given["cells"] = pd.DataFrame(cells, columns=given["cells"].columns)
    counts = given["counts"][given["counts"]["area_id"].isin(["k1", "kreis"])]
    is_event = counts["role"].isin(["geburten", "sterbefaelle", "zuzuege", "fortzuege"])
    given["counts"] = counts.assign(value=np.where(is_event, 0.0, 70.0))
    found = run(given)
    for area in ("k1", "kreis"):
        care = found.loc[(area, 2030, "mittel", "pflegebeduerftig")]
        assert (care["base_value"], care["value"]) == (70, 2800)
        assert found.loc[(area, 2030, "mittel", "ab_80"), "value"] == 700
        assert found.loc[(area, 2030, "mittel", "gesamt"), "value"] == 1600


def test_one_person_and_nobody_in_an_area_are_carried_along() -> None:
    whole = project(population(a30=4, a31=1), STILL, 2)
    # One of the four 30-year-olds lives here; nobody of 31.
    part = np.zeros((1, 2, OLDEST + 1))
    part[0, 1, 30] = 1
    states = break_down(part, whole)[0]
    assert states[2][1, 32] == pytest.approx(1) and states[2].sum() == pytest.approx(1)
    nobody = break_down(0 * part, whole)[0]
    assert (nobody == 0).all()


@pytest.mark.parametrize(("arrivals", "net"), [([290, 330], 10 * 0.67), ([290, 290], -10 * 1.33)])
def test_a_variant_changes_births_deaths_and_moves_by_its_own_percentages(arrivals: list[float], net: float) -> None:
    """Ten more a year in the mean, a third fewer of them; ten fewer, and a third more leave: lower both times."""
    flows = pd.DataFrame({"geburten": [50, 70], "sterbefaelle": [70, 70], "zuzuege": arrivals, "fortzuege": [300, 300]})
    low = SimpleNamespace(fertility_factor=0.9, mortality_change_percent=-0.5, moves_change_percent=-33.0)
    assert _movement(flows, low) == Movement(60, 70, pytest.approx(net), 0.9, pytest.approx(-0.005))
