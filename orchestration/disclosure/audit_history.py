"""Several releases as one reader sees them: what an earlier one printed is known, what it hid must stay hidden.

Figures of a Kommune, a year and a universe are the same in two releases unless a number printed in both differs: then a
corrected delivery came between them, and the blanks of both are not put together. But a blank of the earlier one that
is printed now is supposed to have been the same, unless its sums do not allow it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from orchestration.disclosure.audit_bounds import is_possible
from orchestration.disclosure.audit_read import KEY, Published
from orchestration.disclosure.audit_sums import Knowledge, build


def earlier_releases(folder: Path) -> list[Path]:
    """The releases beside it that were published before, oldest first.

    What was switched live has its list of changes; a candidate that the gate held back was seen by nobody.
    """

    def made(release: Path) -> tuple[int, str, str]:
        row = pq.read_table(release / "parquet" / "meta_release.parquet").to_pylist()[0]
        return int(row.get("release_number") or 0), str(row["created"]), release.name

    beside = [
        other
        for other in folder.parent.iterdir()
        if not other.is_symlink()
        and not other.name.startswith(".")
        and (other / "parquet" / "meta_release.parquet").is_file()
        and (folder.parent / "changes" / f"{other.name}.json").is_file()
    ]
    return sorted((other for other in beside if made(other) < made(folder)), key=made)


def together(newest: Published, earlier: Iterable[Published], knowledge: Knowledge) -> tuple[Published, pd.DataFrame]:
    """The newest release with all that earlier ones add, and the cells (KEY) that it shows although one hid them."""
    cells, shares = newest.cells, [newest.shares]
    revealed = [newest.cells.iloc[:0][KEY]]
    kommune = _kommune_of(newest.areas)
    for release in earlier:
        old = release.cells.assign(block=_blocks(release.cells, kommune, knowledge))
        both = old.merge(cells, on=KEY, how="left", suffixes=("_old", ""))
        differs = _is(both["is_printed_old"]) & _is(both["is_printed"]) & (both["low_old"] != both["low"])
        corrected = set(both.loc[differs, "block"])
        # The Kreis is the sum of its Kommunen: corrected with any of them.
        corrected |= {("", year, universe) for _, year, universe in corrected}
        same = both[~both["block"].isin(corrected)]
        shown = both[_is(both["is_blank_old"]) & _is(both["is_printed"])]
        supposed = [
            block
            for block, table in shown[shown["block"].isin(corrected)].groupby("block", sort=True)
            if _could_be(table, _near(release, block, kommune, knowledge), knowledge)
        ]
        revealed.append(shown.loc[~shown["block"].isin(corrected) | shown["block"].isin(supposed), KEY])
        cells = _with_earlier(cells, same)
        shares.append(release.shares[~_blocks(release.shares, kommune, knowledge, "numerator").isin(corrected)])
    merged = pd.concat(shares, ignore_index=True).drop_duplicates(ignore_index=True)
    return replace(newest, cells=cells, shares=merged), pd.concat(revealed).drop_duplicates(ignore_index=True)


def _near(release: Published, block: tuple[str, int, str], kommune: dict[str, str], knowledge: Knowledge) -> Published:
    """The cells of a release whose sums hold in the block: those of a Kommune, or all areas' for the Kreis."""
    where, year, universe = block
    cells = release.cells[release.cells["year"] == year]
    cells = cells[(knowledge.universe_of(cells["item"]) == universe).to_numpy()]
    if where:
        cells = cells[(cells["area"].map(kommune) == where).to_numpy()]
    nothing = {name: getattr(release, name).iloc[:0] for name in ("shares", "pairs", "estimates")}
    return replace(release, cells=cells, areas=release.areas[release.areas["year"] == year], **nothing)


def _could_be(shown: pd.DataFrame, before: Published, knowledge: Knowledge) -> bool:
    """Do the numbers that are printed now fit the sums of the release that hid them?"""
    if (shown["low"] < shown["low_old"].fillna(1)).any():
        # A blank was no zero.
        return False
    known = shown[[*KEY, "low", "high"]].assign(is_blank=False, is_unclear=False, is_printed=True)
    cells = pd.concat([known, before.cells]).drop_duplicates(KEY)
    return is_possible(build(replace(before, cells=cells), knowledge)[0])


def _with_earlier(cells: pd.DataFrame, same: pd.DataFrame) -> pd.DataFrame:
    """The narrowest of both intervals; printed wins over blank, blank over nothing."""
    names = ["low", "high", "is_blank", "is_unclear", "is_printed"]
    old = same[[*KEY, *(f"{name}_old" for name in names)]].rename(columns={f"{name}_old": name for name in names})
    joined = pd.concat([cells, old], ignore_index=True)
    merged = joined.groupby(KEY, as_index=False, sort=True).agg(
        low=("low", "max"),
        high=("high", "min"),
        is_blank=("is_blank", "max"),
        is_unclear=("is_unclear", "max"),
        is_printed=("is_printed", "max"),
    )
    printed, blank = _is(merged["is_printed"]), _is(merged["is_blank"])
    return merged.assign(
        is_printed=printed, is_blank=blank & ~printed, is_unclear=_is(merged["is_unclear"]) & ~blank & ~printed
    )


def _kommune_of(areas: pd.DataFrame) -> dict[str, str]:
    """Area -> its Kommune; the Kreis has none."""
    pairs = areas[["area", "parent", "level"]].drop_duplicates("area")
    return {
        area: "" if level == "kreis" else area if level == "kommune" else str(parent)
        for area, parent, level in zip(pairs["area"], pairs["parent"], pairs["level"], strict=True)
    }


def _blocks(table: pd.DataFrame, kommune: dict[str, str], knowledge: Knowledge, item: str = "item") -> pd.Series:
    """(Kommune, year, universe) of each row."""
    universe = knowledge.universe_of(table[item])
    keys = zip(table["area"].map(kommune).fillna(table["area"]), table["year"], universe, strict=True)
    return pd.Series(list(keys), index=table.index, dtype=object)


def _is(flags: pd.Series) -> np.ndarray:
    return flags.eq(True).fillna(False).to_numpy(bool)
