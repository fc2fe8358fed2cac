"""The intervals and the index of the analysis in plain pandas: what somebody would write who had only pandas.

    python benchmarks/analysis_pandas.py FOLDER intervals|index

Reads the Parquet files that `analysis.py` puts into FOLDER (`measures`, `areas`, `facts`, …), writes its result
beside them, and prints the seconds from reading to writing, as those of a dbt model: without start and imports.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

Z = 1.959964
KEY = ["boundary", "area_id", "year"]
AREA_YEAR = ["kreis_id", "kommune_id", "area_id", "year"]
LEVELS = {"kreis": 1, "kommune": 2, "sozialraum": 3, "nicht_verortbar": 4}


def wilson(o: pd.Series, n: pd.Series) -> tuple[pd.Series, pd.Series]:
    spread = Z * np.sqrt(Z**2 + 4 * o * (1 - o / n))
    return (2 * o + Z**2 - spread) / (2 * (n + Z**2)), (2 * o + Z**2 + spread) / (2 * (n + Z**2))


def byar(o: pd.Series) -> tuple[pd.Series, pd.Series]:
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = o * (1 - 1 / (9 * o) - Z / (3 * np.sqrt(o))) ** 3
    return lower.where(o > 0, 0.0), (o + 1) * (1 - 1 / (9 * (o + 1)) + Z / (3 * np.sqrt(o + 1))) ** 3


def intervals(folder: Path) -> pd.DataFrame:
    """KEY, indicator_id, value, ci_lower, ci_upper of all indicators with an interval."""
    indicators = pd.read_parquet(folder / "indicators.parquet")
    measures = pd.read_parquet(folder / "measures.parquet")
    minima = pd.read_parquet(folder / "rules.parquet").set_index("measure_id")["minimum_denominator"].fillna(0)
    areas = pd.read_parquet(folder / "areas.parquet")
    level = areas["level"].map(LEVELS)
    usable = measures[measures["value_status"].isin(["ok", "zero"])]
    by_measure = {name: rows.set_index(KEY)["value"] for name, rows in usable.groupby("measure_id", observed=True)}
    parts = []
    for one in indicators[indicators["interval_method"] != "none"].itertuples():
        above, below = by_measure.get(one.numerator_measure), by_measure.get(one.denominator_measure)
        if above is None or below is None:
            continue
        reaches = areas[level.between(LEVELS[one.coarsest_level], LEVELS[one.finest_level])].set_index(KEY).index
        rows = pd.concat({"o": above, "n": below}, axis=1, join="inner")
        rows = rows[rows.index.isin(reaches)]
        least = max(
            one.minimum_denominator,
            minima.get(one.numerator_measure, 0),
            minima.get(one.denominator_measure, 0),
        )
        rows = rows[(rows["n"] > 0) & (rows["n"] >= least)]
        if one.interval_method == "wilson":
            rows = rows[rows["o"] <= rows["n"]]
            lower, upper = wilson(rows["o"], rows["n"])
        else:
            lower, upper = (bound / rows["n"] for bound in byar(rows["o"]))
        figures = {"value": rows["o"] / rows["n"], "ci_lower": lower, "ci_upper": upper}
        parts.append(pd.DataFrame(figures).mul(one.scale).reset_index().assign(indicator_id=one.indicator_id))
    return pd.concat(parts, ignore_index=True)


def index(folder: Path) -> pd.DataFrame:
    """index_id, comparison_area_id, area_id, year, status_class, dynamics_class of the evaluated areas."""
    facts, areas = pd.read_parquet(folder / "facts.parquet"), pd.read_parquet(folder / "dim_area.parquet")
    parent = areas[areas["valid_to"].isna()].set_index("area_id")["parent_area_id"]
    areas = areas[(areas["level"] == "sozialraum") & areas["valid_to"].isna()]
    areas = areas.assign(kommune_id=areas["parent_area_id"], kreis_id=areas["parent_area_id"].map(parent))
    parts = pd.read_parquet(folder / "index_indicators.parquet")
    needed = {"population", *parts["indicator_id"]}
    facts = facts[(facts["boundary"] == "current") & facts["indicator_id"].isin(needed)]
    facts = facts.assign(value=facts["value"].where(facts["value_status"].isin(["ok", "zero"])))
    facts = facts.merge(areas[["area_id", "kommune_id", "kreis_id"]], on="area_id")
    wide = facts.pivot(index=AREA_YEAR, columns="indicator_id", values=["value", "is_break"])
    polarity = pd.read_parquet(folder / "indicators.parquet").set_index("indicator_id")["polarity"]
    parts["weight"] *= parts["indicator_id"].map(polarity).map({"burden": 1, "strength": -1})
    found = []
    for one in pd.read_parquet(folder / "indices.parquet").itertuples():
        weights = parts[parts["index_id"] == one.index_id].set_index("indicator_id")["weight"]
        figures, inhabitants = wide["value"][weights.index].astype(float), wide["value"]["population"]
        values = figures[figures.notna().all(axis=1) & (inhabitants >= one.minimum_population)]
        breaks = wide["is_break"][weights.index].fillna(False).astype(bool).any(axis=1)
        is_broken = pd.Series(False, values.index)
        for step in range(one.dynamics_years):
            is_broken |= _later(breaks, step).reindex(values.index, fill_value=False)
        change = (values - _later(figures, one.dynamics_years).reindex(values.index))[~is_broken].dropna()
        for comparison in ("kreis_id", "kommune_id"):
            status = _scored(values, weights, comparison, one.minimum_areas)
            dynamics = _scored(change, weights, comparison, one.minimum_areas).reindex(status.index)
            cuts = [status < one.status_cut_1, status <= one.status_cut_2, status <= one.status_cut_3]
            signs = [dynamics.isna(), dynamics < one.dynamics_cut_1, dynamics <= one.dynamics_cut_2]
            classes = {
                "status_class": np.select(cuts, ["hoch", "mittel", "niedrig"], "sehr_niedrig"),
                "dynamics_class": np.select(signs, [None, "positiv", "stabil"], "negativ"),
            }
            rows = pd.DataFrame(classes, index=status.index).reset_index()
            found.append(rows.assign(index_id=one.index_id, comparison_area_id=rows[comparison]))
    columns = ["index_id", "comparison_area_id", "area_id", "year", "status_class", "dynamics_class"]
    return pd.concat(found, ignore_index=True)[columns]


def _later(rows: pd.DataFrame, years: int) -> pd.DataFrame:
    """The same figures, told so many years later."""
    return rows.set_axis(rows.index.set_levels(rows.index.levels[-1] + years, level="year"))


def _scored(values: pd.DataFrame, weights: pd.Series, comparison: str, least: int) -> pd.Series:
    groups = values.groupby([comparison, "year"])
    scores = (values - groups.transform("mean")) / groups.transform("std", ddof=0)
    sums = (scores * weights).sum(axis=1, skipna=False).dropna()
    groups = sums.groupby([comparison, "year"])
    index = (sums - groups.transform("mean")) / groups.transform("std", ddof=0)
    return index[groups.transform("size") >= least].dropna()


if __name__ == "__main__":
    where, what = Path(sys.argv[1]), sys.argv[2]
    started = time.perf_counter()
    {"intervals": intervals, "index": index}[what](where).to_parquet(where / f"pandas_{what}.parquet")
    print(time.perf_counter() - started)
