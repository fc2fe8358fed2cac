"""Several releases as one reader sees them: what an earlier one printed is known, what it hid must stay hidden.

Figures of a Kommune, a year and a universe are the same in two releases unless a number printed in both differs: then a
corrected delivery came between them. A reader will still suppose that nothing has changed but what was seen to change,
and is refuted only if the new numbers do not allow it.
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
        # The old blank was no zero: what is printed as one now has changed.
        differs |= (
            _is(both["is_blank_old"]) & _is(both["is_printed"]) & (both["low"] < both["low_old"].fillna(1)).to_numpy()
        )
        corrected = set(both.loc[differs, "block"])
        # The Kreis is the sum of its Kommunen: corrected with any of them.
        corrected |= {("", year, universe) for _, year, universe in corrected}
        stands = both[~differs]
        refuted = {
            block
            for block in sorted(corrected)
            if not _fits(
                stands[stands["block"] == block],
                replace(newest, cells=_near(cells, block, kommune, knowledge)),
                knowledge,
            )
        }
        same = stands[~stands["block"].isin(refuted)]
        revealed.append(same.loc[_is(same["is_blank_old"]) & _is(same["is_printed"]), KEY])
        cells = _with_earlier(cells, same)
        shares.append(release.shares[~_blocks(release.shares, kommune, knowledge, "numerator").isin(corrected)])
    merged = pd.concat(shares, ignore_index=True).drop_duplicates(ignore_index=True)
    return replace(newest, cells=cells, shares=merged), pd.concat(revealed).drop_duplicates(ignore_index=True)


def _near(
    cells: pd.DataFrame, block: tuple[str, int, str], kommune: dict[str, str], knowledge: Knowledge
) -> pd.DataFrame:
    """The cells whose sums hold in the block: those of a Kommune, or all areas' for the Kreis."""
    where, year, universe = block
    chosen = cells[(cells["year"] == year) & (knowledge.universe_of(cells["item"]) == universe)]
    return chosen[(chosen["area"].map(kommune) == where).to_numpy()] if where else chosen


def _fits(old: pd.DataFrame, newest: Published, knowledge: Knowledge) -> bool:
    """Can what was printed before and did not visibly change be true together with the new numbers of that block?"""
    if old.empty:
        return True
    merged = _with_earlier(newest.cells, old)
    areas = newest.areas[newest.areas["year"].isin(old["year"])]
    nothing = {name: getattr(newest, name).iloc[:0] for name in ("shares", "pairs", "estimates")}
    return is_possible(build(replace(newest, cells=merged, areas=areas, **nothing), knowledge)[0])


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
