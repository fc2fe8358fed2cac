"""How sure the classes of a composite index are: the share of random draws of its indicators that give the same class.

The classes themselves come from SQL (`int_index`); `classes` repeats its arithmetic for many draws at once. Reads
protected figures only. How an index is defined is in `seeds/indices.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from orchestration.analysis.seeds import generator

DRAWS = 1_000
KEY = ["index_id", "comparison_area_id", "area_id", "year"]
SHARES = ["status_certainty", "dynamics_certainty", "combined_certainty"]
STATUS, DYNAMICS = ["status_cut_1", "status_cut_2", "status_cut_3"], ["dynamics_cut_1", "dynamics_cut_2"]


@dataclass(frozen=True)
class Draws:
    """Random values of one index and year. Shapes: draws × areas × indicators; `change` NaN where none is known."""

    areas: np.ndarray
    weights: np.ndarray
    value: np.ndarray
    change: np.ndarray


def certainty(inputs: pd.DataFrame, indices: pd.DataFrame, draws: int = DRAWS) -> pd.DataFrame:
    """One row per evaluated area of `int_index_input`: KEY and SHARES (0 to 1; NaN where there is no class)."""
    evaluated = inputs[inputs["area_status"] == "ok"]
    parts = []
    for (index_id, year), of_year in evaluated.groupby(["index_id", "year"]):
        drawn = draw(of_year.drop_duplicates(["area_id", "indicator_id"]), generator("index", index_id, year), draws)
        definition = indices[indices["index_id"] == index_id].iloc[0]
        for comparison, compared in of_year.groupby("comparison_area_id"):
            inside = np.isin(drawn.areas, compared["area_id"].unique())
            shares = _shares(drawn, inside, definition)
            if shares is not None:
                key = {"index_id": index_id, "comparison_area_id": comparison, "area_id": drawn.areas[inside]}
                parts.append(pd.DataFrame({**key, "year": year, **dict(zip(SHARES, shares, strict=True))}))
    empty = pd.DataFrame(
        {**{name: pd.Series(dtype=str) for name in KEY}, **{n: pd.Series(dtype=float) for n in SHARES}}
    )
    found = pd.concat(parts) if parts else empty
    return found.astype({"year": "int32"}).sort_values(KEY, ignore_index=True)[[*KEY, *SHARES]]


def draw(rows: pd.DataFrame, random: np.random.Generator, draws: int) -> Draws:
    """The point values (draw 0) and `draws` random ones of each area and indicator.

    A proportion o of n is drawn from Beta(o + ½, n − o + ½), another rate from Gamma(o + ½) ÷ n (Jeffreys' priors), a
    value without interval stays as it is. The two years of a change are drawn as if independent.
    """
    rows = rows.sort_values(["area_id", "indicator_id"])
    areas = rows["area_id"].unique()
    shape = (len(areas), rows["indicator_id"].nunique())

    def column(name: str) -> np.ndarray:
        return rows[name].to_numpy(float).reshape(shape)

    method = rows["interval_method"].to_numpy(str).reshape(shape)
    scale, value, change = column("scale"), column("value"), column("change")
    now = _random(column("numerator"), column("denominator"), method, scale, value, random, draws)
    before = column("previous_numerator"), column("previous_denominator")
    then = _random(*before, method, scale, value - change, random, draws)
    return Draws(
        areas,
        column("weight")[0],
        np.concatenate([value[None], now]),
        np.concatenate([change[None], np.where(np.isnan(change), np.nan, now - then)]),
    )


def _random(
    events: np.ndarray,
    total: np.ndarray,
    method: np.ndarray,
    scale: np.ndarray,
    value: np.ndarray,
    random: np.random.Generator,
    draws: int,
) -> np.ndarray:
    drawn = np.broadcast_to(value, (draws, *value.shape)).copy()
    known = ~np.isnan(events) & (total > 0)
    shares, rates = known & (method == "wilson"), known & (method == "byar")
    rest = np.maximum(total - events, 0)
    drawn[:, shares] = random.beta(events[shares] + 0.5, rest[shares] + 0.5, (draws, shares.sum())) * scale[shares]
    drawn[:, rates] = random.gamma(events[rates] + 0.5, size=(draws, rates.sum())) / total[rates] * scale[rates]
    return drawn


def classes(values: np.ndarray, weights: np.ndarray, cuts: list[float]) -> np.ndarray:
    """Class numbers from 1; shape draws × areas from draws × areas × indicators. Values up to a cut belong below it,
    but for the first cut, which belongs above (Berlin MSS); 0 where all areas have the same."""
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
        sums = (scores * weights).sum(axis=2)
        index = (sums - sums.mean(axis=1, keepdims=True)) / sums.std(axis=1, keepdims=True)
    above = (index >= cuts[0]).astype(int) + sum((index > cut).astype(int) for cut in cuts[1:])
    return np.where(np.isnan(index), 0, above + 1)


def _shares(drawn: Draws, inside: np.ndarray, definition: pd.Series) -> list[np.ndarray] | None:
    """Shares of draws with the class of the point values: status, dynamics, both; None with too few areas."""
    least = definition["minimum_areas"]
    if inside.sum() < least:
        return None
    status = classes(drawn.value[:, inside], drawn.weights, definition[STATUS].tolist())
    same_status = _same(status)
    changed = inside & ~np.isnan(drawn.change[0]).any(axis=1)
    same_dynamics = np.full(same_status.shape, np.nan)
    if changed.sum() >= least:
        found = classes(drawn.change[:, changed], drawn.weights, definition[DYNAMICS].tolist())
        same_dynamics[:, changed[inside]] = _same(found)
    both = np.where(np.isnan(same_dynamics), np.nan, same_status * same_dynamics)
    return [same.mean(axis=0) for same in (same_status, same_dynamics, both)]


def _same(found: np.ndarray) -> np.ndarray:
    same = (found[1:] == found[0]).astype(float)
    return np.where(found[0] == 0, np.nan, same)
