"""How sure an index's class is: hand-worked cases, and the very classes that Berlin published."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from orchestration.analysis.index import certainty, classes, draw
from orchestration.analysis.seeds import generator

REPOSITORY = Path(__file__).resolve().parents[2]
BERLIN = Path(os.environ.get("IPSO_SHARED", REPOSITORY.parent / "shared")) / "conformance" / "berlin_mss_2021"
INDICES = pd.DataFrame(
    {
        "index_id": ["x"],
        "minimum_areas": [5],
        "status_cut_1": [-1.0],
        "status_cut_2": [1.0],
        "status_cut_3": [1.5],
        "dynamics_cut_1": [-1.0],
        "dynamics_cut_2": [1.0],
    }
)


def inputs(persons: int, events: list[int], before: list[int] | None = None) -> pd.DataFrame:
    """One indicator, one area per number of events."""
    rows = pd.DataFrame({"area_id": [f"a{i:02d}" for i in range(len(events))], "numerator": [float(e) for e in events]})
    rows["denominator"] = rows["previous_denominator"] = float(persons)
    rows["previous_numerator"] = [float(e) for e in before] if before else np.nan
    rows["value"] = 100 * rows["numerator"] / persons
    rows["change"] = 100 * (rows["numerator"] - rows["previous_numerator"]) / persons
    fixed = {"index_id": "x", "comparison_area_id": "k", "year": 2023, "indicator_id": "i", "weight": 1.0}
    return rows.assign(**fixed, interval_method="wilson", scale=100.0, area_status="ok")


def test_a_class_far_from_its_cuts_is_sure_and_one_beside_a_cut_is_not() -> None:
    far = certainty(inputs(1_000_000, [100_000] * 9 + [500_000]), INDICES)
    # Nine areas alike and one far away: −1/3 and 3, whatever chance adds.
    assert far["status_certainty"].tolist() == [1.0] * 10
    small = certainty(inputs(20, [2, 2, 2, 2, 2, 2, 2, 3, 3, 4]), INDICES)
    assert small["status_certainty"].max() < 0.9


def test_the_same_inputs_give_the_same_shares_in_any_order() -> None:
    rows = inputs(200, [10, 12, 14, 16, 18, 30], before=[11, 11, 11, 11, 11, 11])
    first = certainty(rows, INDICES)
    pd.testing.assert_frame_equal(first, certainty(rows.sample(frac=1, random_state=3), INDICES))
    assert first["combined_certainty"].notna().all()
    assert (first["combined_certainty"] <= first[["status_certainty", "dynamics_certainty"]].min(axis=1)).all()


def test_what_has_no_class_has_no_certainty() -> None:
    few = certainty(inputs(200, [10, 12, 14, 16]), INDICES)
    assert few.empty
    no_change = certainty(inputs(200, [10, 12, 14, 16, 18]), INDICES)
    assert no_change["dynamics_certainty"].isna().all() and no_change["combined_certainty"].isna().all()
    alike = certainty(inputs(200, [10] * 5), INDICES)
    assert alike["status_certainty"].isna().all()
    secret = inputs(200, [10, 12, 14, 16, 18, 20])
    secret.loc[0, "area_status"] = "suppressed"
    assert "a00" not in certainty(secret, INDICES)["area_id"].tolist()


def test_draws_scatter_as_the_counts_say() -> None:
    """Beta(o + ½, n − o + ½) for 30 of 100: mean 30.5/101, variance by its formula; one person of one stays below 1."""
    rows = pd.concat([inputs(100, [30]), inputs(1, [1]).assign(area_id="one")])
    drawn = draw(rows, generator("test"), 20_000).value[1:, :, 0] / 100
    a, b = 30.5, 70.5
    assert drawn[:, 0].mean() == pytest.approx(a / (a + b), abs=0.002)
    assert drawn[:, 0].var() == pytest.approx(a * b / (a + b) ** 2 / (a + b + 1), rel=0.05)
    assert drawn[:, 1].min() > 0 and drawn[:, 1].max() <= 1
    means = draw(rows.assign(interval_method="none"), generator("test"), 5).value
    assert (means == means[0]).all(), "a mean has no interval, so it does not scatter"


def test_the_classes_of_the_draws_are_those_that_berlin_published() -> None:
    if not BERLIN.exists():
        pytest.skip("published classes are not on this machine")
    shares = pd.read_csv(BERLIN / "mss2021-2-1.csv", dtype={"id": str}).set_index("id")
    printed = pd.read_csv(BERLIN / "mss2021-1.csv", dtype={"id": str}).set_index("id").loc[shares.index]
    assert len(printed) == 536
    for letter, cuts, column, names in (
        ("s", [-1.0, 1.0, 1.5], "status_index_klasse", ["hoch", "mittel", "niedrig", "sehr niedrig"]),
        ("d", [-1.0, 1.0], "dynamik_index_klasse", ["positiv", "stabil", "negativ"]),
    ):
        values = shares.filter(regex=f"^{letter}[0-9]_").to_numpy(float)
        found = classes(values[None], np.ones(values.shape[1]), cuts)[0]
        assert [names[number - 1] for number in found] == printed[column].tolist()


def test_cuts_and_the_least_number_of_areas_are_those_of_the_index() -> None:
    # 0, 0, 0, 0 and 10 of 10,000: index −0.5 and 2; with a cut at −0.5 chance alone decides about the four.
    rows = inputs(10_000, [100, 100, 100, 100, 1_000])
    assert certainty(rows, INDICES)["status_certainty"].tolist() == [1.0] * 5
    narrow = certainty(rows, INDICES.assign(status_cut_1=-0.5))["status_certainty"]
    assert (narrow[:4] < 0.9).all() and narrow[4] == 1
    assert certainty(rows, INDICES.assign(minimum_areas=6)).empty


def test_one_person_and_nobody_are_drawn_within_what_is_possible() -> None:
    rows = pd.concat([inputs(1, [1, 0]), inputs(10, [0, 10, 5]).assign(area_id=["b0", "b1", "b2"])])
    drawn = draw(rows, generator("test"), 2_000).value[1:, :, 0]
    assert drawn.min() >= 0 and drawn.max() <= 100 and not np.isnan(drawn).any()
    rates = draw(rows.assign(interval_method="byar", scale=1000.0), generator("test"), 2_000).value[1:, :, 0]
    assert rates.min() >= 0 and rates.max() > 1000, "more events than persons are possible of a rate"
