"""Moran's I and local clusters on grids that can be seen through, and beside esda."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from libpysal.weights import lat2W
from scipy.stats import chisquare
from statsmodels.stats.multitest import multipletests

from orchestration.analysis import spatial

SIDE = 8
IDS = [f"{row}{column}" for row in range(SIDE) for column in range(SIDE)]


def rook() -> pd.DataFrame:
    """Both directions of each pair of squares with a common side."""
    pairs = [
        (f"{r}{c}", f"{r + dr}{c + dc}")
        for r in range(SIDE)
        for c in range(SIDE)
        for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0))
        if 0 <= r + dr < SIDE and 0 <= c + dc < SIDE
    ]
    return pd.DataFrame(pairs, columns=["area_id", "neighbour_area_id"])


def found(values: np.ndarray, neighbours: pd.DataFrame | None = None) -> pd.DataFrame:
    rows = pd.DataFrame({"indicator_id": "i", "year": 2023, "area_id": IDS, "value": values})
    return spatial.spatial_pattern(rows, rook() if neighbours is None else neighbours, "k").set_index("area_id")


def test_a_chess_board_is_the_strongest_contrast() -> None:
    board = np.array([(int(one[0]) + int(one[1])) % 2 for one in IDS], dtype=float)
    whole = found(board).loc["k"]
    # Every neighbour is the opposite: I = −1 exactly; expected −1/63.
    assert whole["moran_i"] == pytest.approx(-1)
    assert whole["expected_i"] == pytest.approx(-1 / 63)
    assert whole["p_value"] == pytest.approx(2 / (spatial.PERMUTATIONS + 1))


def test_one_hot_corner_is_found_and_noise_is_not() -> None:
    noise = np.random.default_rng(5).normal(size=SIDE * SIDE)
    assert set(found(noise)["cluster"].dropna()) == {"nicht_signifikant"}
    corner = noise + np.array([8.0 if int(one[0]) < 3 and int(one[1]) < 3 else 0.0 for one in IDS])
    clusters = found(corner)["cluster"]
    assert clusters["11"] == "hoch_hoch"
    assert not clusters.drop("k").loc[[one for one in IDS if int(one[0]) > 4]].str.startswith("hoch").any()


def test_areas_without_a_value_or_without_neighbours_are_left_out() -> None:
    values = np.random.default_rng(5).normal(size=SIDE * SIDE)
    values[IDS.index("00")] = np.nan
    lonely = rook()
    lonely = lonely[(lonely["area_id"] != "77") & (lonely["neighbour_area_id"] != "77")]
    rows = found(values, lonely)
    assert rows.loc[["00", "77"], ["moran_i", "p_value", "cluster"]].isna().all(axis=None)
    assert rows.loc["k", "n_areas"] == SIDE * SIDE - 2


@pytest.mark.parametrize(
    "values", [np.ones(SIDE * SIDE), np.where(np.arange(SIDE * SIDE) < 19, 1.0 * np.arange(64), np.nan)]
)
def test_without_differences_or_with_too_few_areas_nothing_is_computed(values: np.ndarray) -> None:
    assert found(values)[spatial.FIGURES].isna().all(axis=None)


def test_the_result_does_not_depend_on_the_order_of_rows() -> None:
    values = np.random.default_rng(9).gamma(2.0, size=SIDE * SIDE)
    rows = pd.DataFrame({"indicator_id": "i", "year": 2023, "area_id": IDS, "value": values})
    first = spatial.spatial_pattern(rows, rook(), "k")
    again = spatial.spatial_pattern(rows.sample(frac=1, random_state=1), rook().sample(frac=1, random_state=2), "k")
    pd.testing.assert_frame_equal(first, again)


def test_drawn_neighbours_are_different_and_every_choice_is_as_likely() -> None:
    draws = spatial._others(6, 4, 12_000)
    choices, often = np.unique(draws, axis=1, return_counts=True)
    # 5 · 4 · 3 · 2 ways to draw four of five in order.
    assert choices.shape == (4, 120) and all(len(set(one)) == 4 for one in choices.T)
    assert choices.min() == 0 and choices.max() == 4
    assert chisquare(often).pvalue > 0.01


def test_esda_finds_the_same() -> None:
    esda = pytest.importorskip("esda")
    values = np.random.default_rng(9).gamma(2.0, size=SIDE * SIDE) + np.arange(SIDE * SIDE) / 3
    weights = lat2W(SIDE, SIDE)
    weights.transform = "r"
    np.random.seed(1)
    whole = esda.Moran(values, weights, permutations=999)
    local = esda.Moran_Local(values, weights, permutations=999, seed=1, n_jobs=1)
    ours = found(values)
    assert ours.loc["k", "moran_i"] == pytest.approx(whole.I)
    assert ours.loc["k", "p_value"] == pytest.approx(min(1, 2 * whole.p_sim), abs=0.02)
    areas = ours.drop("k").loc[IDS]
    np.testing.assert_allclose(areas["moran_i"], local.Is)
    # esda's p-value is one-sided; both are random to about 0.03.
    assert (areas["p_value"] - np.minimum(1, 2 * local.p_sim)).abs().max() < 0.09
    rejected, corrected, *_ = multipletests(areas["p_value"], alpha=spatial.SIGNIFICANT, method="fdr_bh")
    np.testing.assert_allclose(areas["corrected_p"], corrected)
    assert (areas["p_value"] <= spatial.SIGNIFICANT).sum() > rejected.sum() > 0, "the correction changes nothing here"
    assert (areas["cluster"] != "nicht_signifikant").tolist() == rejected.tolist()
    quadrant = {1: "hoch_hoch", 2: "niedrig_hoch", 3: "niedrig_niedrig", 4: "hoch_niedrig"}
    named = areas["cluster"] != "nicht_signifikant"
    assert named.any()
    assert areas.loc[named, "cluster"].tolist() == [quadrant[q] for q in local.q[named.to_numpy()]]
