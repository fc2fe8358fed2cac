"""What a release folder tells a reader about each count: the number, an interval, a blank, or nothing.

Reads the release's Parquet files only. Whatever is printed beside a blank (value, interval, change, the Kreis's
value on every row) is turned back into what it says about the count.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from orchestration.sql import single_threaded

Z = 1.959964
MAX_DECIMALS = 6
KEY = ["area", "year", "item"]
CUBE = "cube|"
TODAY = "@heute"
NO_COUNTS = ("mean", "balance", "amount")
ESTIMATED = ("flaechengewichtet", "einwohnergewichtet")
SEEDS = Path(__file__).parents[2] / "seeds"
USUAL_MINIMUM = 3


@dataclass(frozen=True)
class Published:
    """A release as a reader sees it."""

    cells: pd.DataFrame
    """area, year, item, low, high (NaN if nothing is printed), is_blank, is_unclear (it or its partner is blank)"""
    shares: pd.DataFrame
    """area, year, numerator, denominator, low, high: low ≤ numerator / denominator ≤ high, where one is not printed"""
    areas: pd.DataFrame
    """area, parent, level, year, is_today (only since a later change of boundaries), is_replaced (until then), group
    (of areas that exchanged anything)"""
    pairs: pd.DataFrame
    """area, year, numerator, denominator of suppressed rows that print neither: at least one of the two is blank"""
    estimates: pd.DataFrame
    """area, year, item, low, high: figures converted by weights; over a group they sum to what was counted"""
    rules: pd.DataFrame
    """item, minimum (0: no count is small), zeros_shown, is_judged: where another rule than the usual one holds"""


def read_release(release: Path) -> Published:
    """All that `release` says about counts of persons, households and whatever else indicators rest on."""
    folder = release / "parquet"
    names = ("fct_indicator", "fct_population", "dim_area", "dim_indicator")
    with single_threaded() as connection:
        tables = {
            name: connection.execute(
                "select * from read_parquet(?) order by all", [str(folder / f"{name}.parquet")]
            ).df()
            for name in names
        }
    facts, indicators = tables["fct_indicator"], of_counts(tables["dim_indicator"])
    bridge, rules = (
        pd.read_parquet(folder / f"{name}.parquet") if (folder / f"{name}.parquet").exists() else None
        for name in ("bridge_area_version", "meta_disclosure_rule")
    )
    areas = area_years(tables["dim_area"], facts, bridge)
    is_estimate = facts["conversion_method"].isin(ESTIMATED) if "conversion_method" in facts else facts["year"].isna()
    rows = indicator_rows(facts[~is_estimate], indicators, areas)
    special = special_rules(rules)
    guessed = estimated_counts(facts[is_estimate], indicators, areas, special)
    # Register counts are counted anew on today's areas, also where they stand beside an estimate.
    is_counted = guessed["item"].isin(pd.read_csv(SEEDS / "register_measures.csv")["measure_id"])
    counted = guessed[is_counted & (guessed["low"] == guessed["high"])].assign(is_blank=False, is_unclear=False)
    population = population_cells(tables["fct_population"], areas)
    return Published(
        one_row_per_cell(pd.concat([indicator_cells(rows), counted, population], ignore_index=True)),
        shares(rows),
        areas,
        unclear_pairs(rows),
        guessed[~is_counted].reset_index(drop=True),
        special,
    )


def of_counts(indicators: pd.DataFrame) -> pd.DataFrame:
    """Without means over persons (rounded), balances of moves and rents: they are no counts (decision 0026)."""
    return indicators[~indicators["kind"].isin(NO_COUNTS)] if "kind" in indicators else indicators


def special_rules(rules: pd.DataFrame | None) -> pd.DataFrame:
    """The release's own table of rules; none where it has no such table.

    A measure that has neither a minimum nor a rule of dominance keeps no secret: its blanks are the deliverer's.
    """
    names = ["measure_id", "minimum", "zeros_shown", "dominance_percent"]
    chosen = rules.reindex(columns=names) if rules is not None else pd.DataFrame(columns=names)
    is_judged = (chosen["minimum"] > 0) | chosen["dominance_percent"].notna()
    named = chosen.assign(is_judged=is_judged).rename(columns={"measure_id": "item"})
    return named.drop(columns="dominance_percent").drop_duplicates("item").reset_index(drop=True)


def area_years(dim_area: pd.DataFrame, facts: pd.DataFrame, bridge: pd.DataFrame | None) -> pd.DataFrame:
    """Areas valid at the end of each year, and today's areas that were different then, as `<area_id>@heute`.

    An area was different if the release says that its figures were counted anew, or if a later re-cut touched it.
    """
    known = dim_area.assign(
        first=pd.to_datetime(dim_area["valid_from"]), last=pd.to_datetime(dim_area["valid_to"]).fillna(pd.Timestamp.max)
    )
    newest = known[known["valid_to"].isna()]
    anew = set()
    if "conversion_method" in facts:
        chosen = facts[(facts["boundary"] == "current") & facts["conversion_method"].notna()]
        chosen = chosen[chosen["conversion_method"] != "unveraendert"]
        anew = set(zip(chosen["area_id"], chosen["year"], strict=True))
    group = exchange_groups(bridge)
    frames = []
    for year in sorted(facts["year"].unique()):
        day = pd.Timestamp(int(year), 12, 31)
        then = known[(known["first"] <= day) & (known["last"] >= day)]
        later = bridge[pd.to_datetime(bridge["valid_from"]) > day] if bridge is not None else None
        new, old = (
            set() if later is None else set(later[column].dropna()) for column in ("new_area_id", "old_area_id")
        )
        recut = new | {area for area, of in anew if of == year}
        changed = newest[newest["area_id"].isin(recut)]
        replaced = then["area_id"].isin(old | recut).to_numpy()
        frames.append(
            pd.DataFrame(
                {
                    "area": [*then["area_id"], *(changed["area_id"] + TODAY)],
                    "parent": [*then["parent_area_id"], *changed["parent_area_id"]],
                    "level": [*then["level"], *changed["level"]],
                    "year": int(year),
                    "is_today": [*np.zeros(len(then), bool), *np.ones(len(changed), bool)],
                    "is_replaced": [*replaced, *np.zeros(len(changed), bool)],
                    "group": [group.get(area, area) for area in (*then["area_id"], *changed["area_id"])],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def exchange_groups(bridge: pd.DataFrame | None) -> dict[str, str]:
    """Area -> the first area of those with which it exchanged anything, directly or through others."""
    if bridge is None or bridge.empty:
        return {}
    pairs = bridge[["old_area_id", "new_area_id"]].dropna()
    names, position = np.unique(pairs.to_numpy(str).ravel(), return_inverse=True)
    old, new = position.reshape(-1, 2).T
    label = connected_components(sp.coo_array((np.ones(old.size), (old, new)), (names.size,) * 2), directed=False)[1]
    first: dict[int, str] = {}
    for name, number in zip(names, label, strict=True):
        first.setdefault(number, str(name))
    return {str(name): first[number] for name, number in zip(names, label, strict=True)}


def area_keys(table: pd.DataFrame, areas: pd.DataFrame) -> pd.Series:
    """The area of each row: `<area_id>@heute` where today's area was a different one in that year."""
    if "boundary" not in table:
        return table["area_id"]
    today = pd.MultiIndex.from_frame(areas.loc[areas["is_today"], ["area", "year"]])
    recut = pd.MultiIndex.from_arrays([table["area_id"] + TODAY, table["year"]]).isin(today)
    return table["area_id"].where(~(recut & (table["boundary"] == "current")), table["area_id"] + TODAY)


def indicator_rows(facts: pd.DataFrame, indicators: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """One row per area, year and indicator with the interval of its value, printed or worked back."""
    wanted = ["indicator_id", "numerator_measure", "denominator_measure", "scale", "interval_method"]
    rows = facts.merge(indicators[wanted], on="indicator_id")
    low, high = printed_interval(rows["value"].to_numpy(float))
    rows = rows.assign(low=low, high=high, area=area_keys(rows, areas))
    return worked_back(rows.assign(is_top=rows["area"].isin(areas.loc[areas["parent"].isna(), "area"])))


def estimated_counts(
    facts: pd.DataFrame, indicators: pd.DataFrame, areas: pd.DataFrame, rules: pd.DataFrame
) -> pd.DataFrame:
    """Columns area, year, item, low, high: numerators and denominators of rows that were converted by weights.

    What came out below the minimum is not shown (docs/methods.md), but that it did is.
    """
    rows = facts.merge(indicators[["indicator_id", "numerator_measure", "denominator_measure"]], on="indicator_id")
    rows = rows.assign(area=area_keys(rows, areas))
    # Nothing but the count itself can be too small here.
    is_small = (rows["value_status"] == "unreliable") & rows["denominator_measure"].isna() & rows["numerator"].isna()
    frames = []
    for side in ("numerator", "denominator"):
        low, high = rows[side], rows[side]
        if side == "numerator":
            named = dict(zip(rules["item"], rules["minimum"], strict=True))
            minimum = rows["numerator_measure"].map(named).astype(float)
            low, high = low.mask(is_small, 1.0), high.mask(is_small, minimum.fillna(USUAL_MINIMUM) - 1)
        frames.append(
            pd.DataFrame(
                {"area": rows["area"], "year": rows["year"], "item": rows[f"{side}_measure"], "low": low, "high": high}
            ).dropna(subset=["item"])
        )
    return pd.concat(frames).groupby(KEY, as_index=False, sort=True).agg(low=("low", "max"), high=("high", "min"))


def printed_interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a printed number stands for: half a unit of its last decimal either way; with many decimals, itself."""
    half = np.full(values.shape, np.nan)
    for decimals in range(MAX_DECIMALS, 0, -1):
        half[np.isclose(values, np.round(values, decimals), rtol=0, atol=1e-9)] = 0.5 * 10.0**-decimals
    tiny = 1e-9 * np.maximum(np.abs(values), 1)
    whole = np.isclose(values, np.round(values), rtol=0, atol=1e-9)
    half = np.where(whole, 0.05, half)
    half = np.where(np.isnan(half), tiny, half)
    return values - half, values + half


def worked_back(rows: pd.DataFrame) -> pd.DataFrame:
    """Values that are not printed but follow from the Kreis's column on other rows or from a printed change."""
    low, high = rows["low"].to_numpy(float).copy(), rows["high"].to_numpy(float).copy()
    series = pd.MultiIndex.from_frame(rows[["area", "indicator_id", "boundary"]]).factorize()[0].astype(np.int64)
    year = rows["year"].to_numpy(np.int64)
    benchmark = rows.groupby(["year", "indicator_id"])["benchmark_kreis"].transform("max").to_numpy(float)
    from_benchmark = printed_interval(np.where(rows["is_top"], benchmark, np.nan))
    low, high = _filled(low, from_benchmark[0]), _filled(high, from_benchmark[1])
    since = rows["change_since_year"] if "change_since_year" in rows else rows["year"] - 1
    position = pd.Series(np.arange(len(rows)), index=pd.MultiIndex.from_arrays([series, year]))
    position = position[~position.index.duplicated()]
    before = position.reindex(pd.MultiIndex.from_arrays([series, since.fillna(-1).astype(np.int64)])).to_numpy(float)
    now = np.flatnonzero(~np.isnan(before))
    then = before[now].astype(np.int64)
    change = printed_interval(rows["change_absolute"].to_numpy(float)[now])
    percent = [1 + c / 100 for c in printed_interval(rows["change_percent"].to_numpy(float)[now])]
    while True:
        unknown = np.isnan(low).sum()
        for at, new in (
            (now, (low[then] + change[0], high[then] + change[1])),
            (now, (low[then] * percent[0], high[then] * percent[1])),
            (then, (low[now] - change[1], high[now] - change[0])),
            (then, _divided(low[now], high[now], percent[0], percent[1])),
        ):
            low[at], high[at] = _filled(low[at], new[0]), _filled(high[at], new[1])
        if np.isnan(low).sum() == unknown:
            return rows.assign(low=low, high=high)


def _divided(
    low: np.ndarray, high: np.ndarray, low_factor: np.ndarray, high_factor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    usable = low_factor > 1e-6
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(usable, low / high_factor, np.nan), np.where(usable, high / low_factor, np.nan)


def _filled(known: np.ndarray, new: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(known), new, known)


def indicator_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """What each row says about its numerator and its denominator."""
    suppressed = (rows["value_status"] == "suppressed").to_numpy()
    frames = []
    own, other = rows["numerator"].to_numpy(float), rows["denominator"].to_numpy(float)
    own = np.where((rows["value_status"] == "zero") & np.isnan(own), 0.0, own)
    has_denominator = rows["denominator_measure"].notna().to_numpy()
    scale = rows["scale"].to_numpy(float)
    factor = np.where(has_denominator, other, 1.0) / scale
    low, high = rows["low"].to_numpy(float) * factor, rows["high"].to_numpy(float) * factor
    for from_interval in counts_behind_interval(rows, other, scale):
        low, high = _filled(low, from_interval[0]), _filled(high, from_interval[1])
    for item, printed, partner, low_of, high_of in (
        ("numerator_measure", own, other, low, high),
        ("denominator_measure", other, own, np.nan, np.nan),
    ):
        hidden = suppressed & np.isnan(printed)
        alone = ~np.isnan(partner) | ~has_denominator
        frames.append(
            pd.DataFrame(
                {
                    "area": rows["area"],
                    "year": rows["year"],
                    "item": rows[item],
                    "low": np.where(np.isnan(printed), low_of, np.floor(printed)),
                    "high": np.where(np.isnan(printed), high_of, np.ceil(printed)),
                    "is_blank": hidden & alone,
                    "is_unclear": hidden & ~alone,
                }
            ).dropna(subset=["item"])
        )
    return pd.concat(frames, ignore_index=True)


def counts_behind_interval(
    rows: pd.DataFrame, denominator: np.ndarray, scale: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The numerator from a printed confidence bound and the denominator: Wilson solved for it, Byar by search."""
    results = []
    for column, sign in (("ci_lower", 1.0), ("ci_upper", -1.0)):
        low, high = (bound / scale for bound in printed_interval(rows[column].to_numpy(float)))
        method = rows["interval_method"].to_numpy()
        ends = []
        for p in (np.clip(low, 0, None), high):
            with np.errstate(invalid="ignore"):
                q = np.clip(p, 0, 1)
                wilson = denominator * q + sign * Z * np.sqrt(denominator * q * (1 - q))
            byar = byar_count(p * denominator, sign)
            ends.append(np.where(method == "wilson", wilson, np.where(method == "byar", byar, np.nan)))
        results.append((np.minimum(*ends) - 1e-6, np.maximum(*ends) + 1e-6))
    return results


def byar_count(bound: np.ndarray, sign: float) -> np.ndarray:
    """The count whose Byar bound (lower for sign 1, upper for -1) is `bound`; NaN where it is NaN. By bisection."""
    low, high = np.zeros(bound.shape), np.full(bound.shape, 1e7)
    for _ in range(80):
        middle = (low + high) / 2
        o = np.maximum(middle + (sign < 0), 1e-9)
        value = o * np.maximum(1 - 1 / (9 * o) - sign * Z / (3 * np.sqrt(o)), 0) ** 3
        is_less = value < bound
        low, high = np.where(is_less, middle, low), np.where(is_less, high, middle)
    return np.where(np.isnan(bound), np.nan, high)


def population_cells(facts: pd.DataFrame, areas: pd.DataFrame) -> pd.DataFrame:
    """The population table; a printed zero is a number."""
    printed = facts["population"].to_numpy(float)
    return pd.DataFrame(
        {
            "area": area_keys(facts, areas),
            "year": facts["year"],
            "item": CUBE + facts["age_band"] + "|" + facts["sex"] + "|" + facts["nationality_group"],
            "low": printed,
            "high": printed,
            "is_blank": (facts["value_status"] == "suppressed").to_numpy() & np.isnan(printed),
            "is_unclear": False,
        }
    )


def one_row_per_cell(cells: pd.DataFrame) -> pd.DataFrame:
    """Everything said about one count in one row: the narrowest interval; blank if any place says so alone."""
    merged = cells.groupby(KEY, as_index=False, sort=True).agg(
        low=("low", "max"), high=("high", "min"), is_blank=("is_blank", "max"), is_unclear=("is_unclear", "max")
    )
    exact = (merged["low"] == merged["high"]).to_numpy()
    blank = merged["is_blank"].to_numpy(bool)
    return merged.assign(is_printed=exact & ~blank, is_unclear=merged["is_unclear"].to_numpy(bool) & ~blank & ~exact)


def shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with a value where the counts behind it are not both printed."""
    hidden = rows["numerator"].isna() | rows["denominator"].isna()
    chosen = rows[hidden & rows["denominator_measure"].notna() & rows["low"].notna()]
    return pd.DataFrame(
        {
            "area": chosen["area"],
            "year": chosen["year"],
            "numerator": chosen["numerator_measure"],
            "denominator": chosen["denominator_measure"],
            "low": chosen["low"] / chosen["scale"],
            "high": chosen["high"] / chosen["scale"],
        }
    ).reset_index(drop=True)


def unclear_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Suppressed rows that show neither of their two counts."""
    hidden = rows["numerator"].isna() & rows["denominator"].isna() & rows["denominator_measure"].notna()
    chosen = rows[hidden & (rows["value_status"] == "suppressed")]
    named = {"numerator_measure": "numerator", "denominator_measure": "denominator"}
    return chosen[["area", "year", *named]].rename(columns=named).reset_index(drop=True)
