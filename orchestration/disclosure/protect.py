"""The warehouse's counts as a problem for the suppressor: areas of both boundary versions, costs, earlier releases.

Tables in, a mask out; no file. What must be blank is decided in `pattern.py`, which sums hold in `atoms.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from orchestration.disclosure.atoms import CUBE, WITHOUT, Declaration, load_declaration, relate
from orchestration.disclosure.cost import Share, costs
from orchestration.disclosure.earlier import constraints
from orchestration.disclosure.pattern import Counts, Each, GivenAway, suppress
from orchestration.feeds.declaration import kommunen

TODAY, CURRENT, OVERLAP = "@heute", "current", "overlap"
MOST_NAMED = 5


def blank_cells(
    cells: pd.DataFrame,
    areas: pd.DataFrame,
    core: Sequence[Share] = (),
    earlier: pd.DataFrame | None = None,
    declaration: Declaration | None = None,
    each: Each = map,
) -> np.ndarray:
    """Shape (len(cells),), True where the cell must be blank.

    cells: boundary (as_counted, current, overlap), area_id, parent_area_id, level, year, item, value (NaN if it
    arrived suppressed), arrived_blank; and the rules of its measure: feed, minimum, zeros_shown, must_blank
    (whatever the value), width (how far apart its possible values have to be). Current are only cells of their own,
    counted anew; an overlap's area_id is `old|new`, and it is never published.
    areas: boundary, area_id, parent_area_id, level, year, is_unchanged. core: (numerator, denominator) of the core
    indicators. earlier: as `records.read_records` gives it. Raises Unprotectable.
    """
    universes = declaration or load_declaration()
    n_published = len(cells)
    cells = pd.concat([cells, small_rests(cells, universes)], ignore_index=True)
    is_rest = np.arange(len(cells)) >= n_published
    is_overlap = (cells["boundary"] == OVERLAP).to_numpy()
    keyed = cells.assign(area_id=area_names(cells))
    overlaps = keyed[is_overlap]
    pieces = overlaps["area_id"].str.split("&", expand=True).reindex(columns=range(2))
    pairs = pieces.set_axis(["old", "new"], axis=1).assign(year=overlaps["year"]).drop_duplicates()
    blank = np.zeros(len(cells), dtype=bool)
    # Of what is never published only a small count needs protection.
    chosen = ~is_overlap | (cells["value"] < cells["minimum"]).to_numpy()
    cells, keyed, is_secret = cells[chosen], keyed[chosen], (is_overlap | is_rest)[chosen]
    relations = relate(keyed, area_tree(areas), universes, pairs if len(pairs) else None)
    kommune = cells["parent_area_id"].where(~cells["level"].isin(["kommune", "kreis"]), cells["area_id"])
    kommune = kommune.fillna(cells["area_id"].str.split("-").str[0])
    stays_blank, told = np.zeros(len(cells), bool), np.zeros(len(cells), bool)
    if earlier is not None and len(earlier):
        universe = cells["item"].map({item: universes.universe_of(item) for item in cells["item"].unique()})
        block = cells["boundary"] + "|" + kommune + "|" + cells["year"].astype(str) + "|" + universe
        stays_blank, told = constraints(cells, earlier, block)
    stays_blank |= (cells["arrived_blank"] | cells["must_blank"]).to_numpy(bool)
    counts = Counts(
        values=cells["value"].to_numpy(float),
        minimum=cells["minimum"].to_numpy(float),
        zeros_shown=cells["zeros_shown"].to_numpy(bool),
        width=cells["width"].to_numpy(float),
        cost=np.ones(len(cells)),
        stays_blank=stays_blank | is_secret,
        told=told,
    )
    counts = replace(counts, cost=costs(cells, counts.is_small | stays_blank, core))
    try:
        blank[chosen] = suppress(counts, relations, each)
    except GivenAway as error:
        raise Unprotectable(_named(cells.assign(kommune=kommune).iloc[error.cells])) from None
    return blank[:n_published]


def small_rests(cells: pd.DataFrame, declaration: Declaration) -> pd.DataFrame:
    """Rows as cells: small counts of who is in a whole and not in its part, where both may be printed.

    `youth_aid ohne youth_aid_stationaer` is no published count, but a reader subtracts.
    """
    found: list[pd.DataFrame] = []
    place = ["boundary", "area_id", "year"]
    counted = cells[(cells["boundary"] != OVERLAP) & ~cells["item"].str.startswith(CUBE)]
    names = sorted(counted["item"].unique())
    for universe in declaration.universes.values():
        for part, whole in universe.nested([name for name in names if name in universe.items]):
            both = counted[counted["item"] == whole].merge(
                counted.loc[counted["item"] == part, [*place, "value"]], on=place, suffixes=("", "_part")
            )
            both["value"] -= both.pop("value_part")
            small = both[(both["value"] > 0) & (both["value"] < both["minimum"])]
            # Nobody knows of it that it is at least one.
            rows = small.assign(item=f"{whole}{WITHOUT}{part}", zeros_shown=False, must_blank=False)
            found += [rows] if len(rows) else []
    return pd.concat(found, ignore_index=True) if found else cells.iloc[:0]


class Unprotectable(ValueError):
    """Earlier releases have told so much that a count can no longer be kept secret; says where, never how large."""


def _named(cells: pd.DataFrame) -> str:
    """Deliverers' figures by feed, year and Kommune, in German; no count, and no area smaller than that."""
    names = dict(kommunen().values())
    places = cells[["feed", "year", "kommune"]].drop_duplicates().sort_values(["feed", "year", "kommune"])
    named = [f"{feed} {year} {names.get(ags, ags)}" for feed, year, ags in places.itertuples(index=False)]
    more = f" und {len(named) - MOST_NAMED} weitere" if len(named) > MOST_NAMED else ""
    return (
        "Kleine Anzahlen lassen sich nicht mehr schützen, weil frühere Veröffentlichungen sie schon gezeigt haben oder "
        f"errechnen lassen: {'; '.join(named[:MOST_NAMED])}{more}. Zu prüfen sind die jüngsten Lieferungen hierzu und "
        "die Regeln unter `confidentiality` in der Deklaration."
    )


def area_names(cells: pd.DataFrame) -> pd.Series:
    """The area of each cell: today's areas that were counted anew are others, and so is what two areas share."""
    named = cells["area_id"].where(cells["boundary"] != CURRENT, cells["area_id"] + TODAY)
    return named.where(cells["boundary"] != OVERLAP, cells["area_id"].str.replace("|", "&", regex=False) + TODAY)


def area_tree(areas: pd.DataFrame) -> pd.DataFrame:
    """Areas as counted, and today's where they were not the same; columns area_id, parent_area_id, year."""
    anew = (areas["boundary"] == CURRENT) & ~areas["is_unchanged"].astype(bool)
    chosen = areas[(areas["boundary"] != CURRENT) | anew]
    name = chosen["area_id"].where(chosen["boundary"] != CURRENT, chosen["area_id"] + TODAY)
    return chosen.assign(area_id=name)[["area_id", "parent_area_id", "year"]].reset_index(drop=True)
