"""Intervals of smoothed values: a case worked by hand, scipy's own distributions, and how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from orchestration.analysis.smoothing import BOUNDS, intervals, morris_variance


def kommune(events: list[int], persons: list[int], method: str = "wilson", **fixed: object) -> pd.DataFrame:
    """Rows of `int_smoothed` for the areas of one Kommune, by its formulas (docs/methods.md)."""
    o, n = np.array(events, float), np.array(persons, float)
    rate, mean = o / n, o.sum() / n.sum()
    scatter, mean_n = (n * (rate - mean) ** 2).sum() / n.sum(), n.mean()
    if method == "wilson":
        spread = mean * (1 - mean)
        rho = min(max((scatter / spread - 1 / mean_n) / (1 - 1 / mean_n), 0), 1) if spread else 0.0
        true, chance = np.full(n.shape, spread * rho), spread * (1 - rho) / n
    else:
        true, chance = np.full(n.shape, max(scatter - mean / mean_n, 0)), mean / n
    weight = np.divide(true, true + chance, out=np.zeros(n.shape), where=true + chance > 0)
    rows = pd.DataFrame(
        {
            "area_id": [f"a{i:02d}" for i in range(len(n))],
            "value": 100 * rate,
            "n": n,
            "true_variance": true,
            "chance_variance": chance,
            "own_weight": weight,
            "smoothed": mean + weight * (rate - mean),
        }
    )
    key = {"year": 2023, "indicator_id": "i", "kommune_id": "k", **fixed}
    return rows.assign(
        **key, interval_method=method, scale=100.0, mean=mean, n_areas=pd.array([len(n)] * len(n), dtype="Int32")
    )


def test_a_share_worked_by_hand() -> None:
    """0, 5, 5, 5 and 10 of 10, mean 0.5: scatter 0.1, rho (0.4 − 0.1)/0.9 = 1/3, weight (1/12)/(1/12 + 1/60) = 5/6.

    So 0 % becomes 1/12. By chance alone (1/12)(11/12)/(10 + 5/6) = 0.0070513; Morris: 0.0070513·(5/6 + (1/6)/5) +
    (2/2)·(1/36)·1·0.25 = 0.0061111 + 0.0069444 = 0.0130556: worth (11/144)/0.0130556 − 1 = 4.851 persons, fewer than
    the ten that live there, so ten: Beta(10/12, 110/12).
    """
    rows = kommune([0, 5, 5, 5, 10], [10] * 5)
    assert rows["own_weight"].to_numpy() == pytest.approx([5 / 6] * 5)
    found = intervals(rows)
    variance = morris_variance(
        np.array([11 / 144 / (10 + 5 / 6)]), np.array([5 / 6]), np.array([5.0]), np.array([1.0]), np.array([-0.5])
    )
    assert variance[0] == pytest.approx(0.0130556, abs=1e-7)
    assert found.loc[0, BOUNDS].tolist() == pytest.approx(stats.beta(10 / 12, 110 / 12).ppf([0.025, 0.975]).tolist())
    # In the middle nothing was drawn in: 0.25/(10 + 5/6)·(5/6 + 1/30) = 0.02, worth 11.5 persons.
    assert found.loc[1, BOUNDS].tolist() == pytest.approx(stats.beta(5.75, 5.75).ppf([0.025, 0.975]).tolist())
    # A share and its complement have mirrored intervals.
    assert found.loc[4, BOUNDS].tolist() == pytest.approx([1 - x for x in found.loc[0, BOUNDS].tolist()[::-1]])


def test_a_rate_worked_by_hand() -> None:
    """0, 5, 5, 5 and 10 events of 10 persons: scatter 0.1, between areas 0.1 − 0.05 = 0.05, weight 1/2.

    Of 5 of 10 nothing is drawn in: variance 0.05·(0.5 + 0.5/5) = 0.03, so 0.5/0.03 = 16.7 persons: Gamma(8.33)/16.7.
    """
    found = intervals(kommune([0, 5, 5, 5, 10], [10] * 5, "byar"))
    assert found.loc[1, BOUNDS].tolist() == pytest.approx(stats.gamma(25 / 3, scale=0.06).ppf([0.025, 0.975]).tolist())


def test_areas_that_differ_by_chance_only_still_have_a_width() -> None:
    """No scatter, weight 0: with a known prior the posterior is a single number, that of the Kommune.

    Morris: the mean of five areas, 0.25/10/5 = 0.005, so 0.25/0.005 − 1 = 49 persons.
    """
    found = intervals(kommune([5] * 5, [10] * 5))
    assert found[BOUNDS].to_numpy() == pytest.approx(
        np.tile(stats.beta(24.5, 24.5).ppf([0.025, 0.975]), (5, 1)), rel=1e-9
    )


def test_what_was_not_smoothed_has_no_interval() -> None:
    few = intervals(kommune([1, 5, 9], [10] * 3))
    assert few[BOUNDS].isna().all(axis=None), "of three areas nobody knows the scatter"
    nobody, everybody = intervals(kommune([0] * 5, [10] * 5)), intervals(kommune([10] * 5, [10] * 5))
    assert nobody[BOUNDS].isna().all(axis=None) and everybody[BOUNDS].isna().all(axis=None)
    secret = kommune([2, 4, 5, 6, 8], [10] * 5)
    figures = ["value", "n", "n_areas", "true_variance", "chance_variance", "own_weight", "smoothed", "mean"]
    secret.loc[0, figures] = None
    found = intervals(secret)
    assert found.loc[0, BOUNDS].isna().all() and found.loc[1:, BOUNDS].notna().all(axis=None)
    assert intervals(secret.head(0)).empty


@pytest.mark.parametrize("method", ["wilson", "byar"])
def test_an_interval_holds_its_value_and_the_order_of_rows_does_not_matter(method: str) -> None:
    rows = pd.concat(
        [
            kommune([0, 1, 30, 5, 1, 0], [1, 1, 100, 900, 40, 60], method),
            kommune([3, 4, 9, 12, 200], [30, 31, 80, 400, 800], method, kommune_id="l", indicator_id="j"),
        ]
    )
    found = intervals(rows)
    assert found[BOUNDS].notna().all(axis=None)
    merged = found.merge(rows, on=["area_id", "year", "indicator_id"])
    assert (merged["lower_rate"] < merged["smoothed"]).all() and (merged["smoothed"] < merged["upper_rate"]).all()
    assert (merged["lower_rate"] >= 0).all()
    pd.testing.assert_frame_equal(found, intervals(rows.sample(frac=1, random_state=1)))


def test_95_of_100_intervals_hold_the_true_share() -> None:
    """Twelve areas of 50 to 1,000 persons, true shares around 10 % (rho 0.01), 300 times."""
    random = np.random.default_rng(5)
    held = []
    for year in range(300):
        persons = random.integers(50, 1_000, 12)
        truth = random.beta(9.9, 89.1, 12)
        found = intervals(kommune(random.binomial(persons, truth).tolist(), persons.tolist(), year=year))
        held += ((found["lower_rate"] <= truth) & (truth <= found["upper_rate"])).tolist()
    share = float(np.mean(held))
    assert math.isclose(share, 0.95, abs_tol=0.03), share
