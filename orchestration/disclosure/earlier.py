"""What a release tells about each count, and what that means for the next: blanks stay, told counts hide nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from orchestration.disclosure.atoms import CUBE
from orchestration.home import Home
from orchestration.sql import literal, single_threaded

KEY = ["boundary", "area_id", "year", "item"]


def told_by(release: Path, home: Home) -> pa.Table:
    """KEY and value (null: blank); one row per count that a release folder prints or that was kept back from it.

    Which of two counts of a suppressed share is the blank, a release does not say; `control/suppression_*` does. Of the
    figures on today's areas only those count that are others than at the time, and no estimates.
    """
    with single_threaded() as connection:
        for table in ("fct_indicator", "fct_population", "dim_indicator"):
            connection.execute(f"create temp view {table} as from {literal(release / 'parquet' / f'{table}.parquet')}")
        for table in ("suppression_measure", "suppression_population"):
            connection.execute(f"create temp view {table} as from {literal(home.control / f'{table}.parquet')}")
        return connection.execute(
            f"""
            with anew as (
                select distinct area_id, year from fct_indicator
                where boundary = 'current' and conversion_method != 'unveraendert'
            ),
            figure as (
                select * from fct_indicator join dim_indicator using (indicator_id)
                where boundary = 'as_counted' or conversion_method = 'gezaehlt'
            ),
            shown as (
                select numerator_measure as measure_id from dim_indicator
                union
                select denominator_measure from dim_indicator where denominator_measure is not null
            ),
            said as (
                select boundary, area_id, year, numerator_measure as item, numerator as value from figure
                where numerator is not null
                union all
                select boundary, area_id, year, denominator_measure, denominator from figure
                where denominator is not null
                union all
                select boundary, area_id, year, measure_id, null from suppression_measure
                where measure_id in (from shown)
                union all
                select boundary, area_id, year, '{CUBE}' || age_band || '|' || sex || '|' || nationality_group, value
                from (
                    select boundary, area_id, year, age_band, sex, nationality_group, population as value
                    from fct_population where population is not null
                    union all
                    select boundary, area_id, year, age_band, sex, nationality_group, null from suppression_population
                )
            )
            select boundary, area_id, year::int as year, item, max(value)::double as value
            from said
            where boundary = 'as_counted' or (area_id, year) in (from anew)
            group by all
            order by all
            """
        ).to_arrow_table()


def constraints(cells: pd.DataFrame, earlier: pd.DataFrame, block: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Which cells stay blank and which were told, both of shape (len(cells),).

    cells: KEY and value. block: the part of the deliveries that is corrected as one (Kommune, year, universe; and
    boundary, for an area of today may be drawn anew). A told count counts only while nothing in its block differs from
    what the release printed: afterwards it is another one.
    """
    now = cells[KEY].assign(
        value_now=cells["value"].to_numpy(float), block=block.to_numpy(), position=range(len(cells))
    )
    joined = earlier.merge(now, on=KEY)
    was_blank = joined["value"].isna().to_numpy()
    differs = ~was_blank & (joined["value"] != joined["value_now"]).to_numpy()
    corrected = pd.MultiIndex.from_frame(joined.loc[differs, ["release", "block"]])
    stands = ~pd.MultiIndex.from_frame(joined[["release", "block"]]).isin(corrected)
    stays_blank, told = np.zeros(len(cells), bool), np.zeros(len(cells), bool)
    stays_blank[joined.loc[was_blank, "position"]] = True
    told[joined.loc[~was_blank & stands, "position"]] = True
    return stays_blank & ~told, told
