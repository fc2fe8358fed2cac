"""What earlier releases have told about each count, for the suppressor: blanks stay, told counts hide nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from orchestration.disclosure.atoms import CUBE
from orchestration.sql import literal, single_threaded

KEY = ["boundary", "area_id", "year", "item"]


def read_earlier(releases: Sequence[Path]) -> pd.DataFrame:
    """Columns release, boundary, area_id, year, item, value (null: blank); one row per count that a release speaks of.

    Of a suppressed row that shows neither count the numerator is taken to be the blank; had it been the denominator,
    the blanks around it keep it open.
    """
    frames = [_read(folder).assign(release=number) for number, folder in enumerate(releases)]
    names = ["release", *KEY, "value"]
    return pd.concat(frames, ignore_index=True)[names] if frames else pd.DataFrame(columns=names)


def _read(release: Path) -> pd.DataFrame:
    parquet = release / "parquet"
    with single_threaded() as connection:
        for table in ("fct_indicator", "fct_population", "dim_indicator"):
            connection.execute(
                f"create view {table} as select * from read_parquet({literal(parquet / f'{table}.parquet')})"
            )
        columns = {row[0] for row in connection.execute("describe fct_population").fetchall()}
        boundary = "boundary" if "boundary" in columns else "'as_counted'"
        return connection.execute(
            f"""
            with said as (
                select boundary, area_id, year, numerator_measure as item, numerator as value, value_status
                from fct_indicator join dim_indicator using (indicator_id)
                where numerator is not null or value_status = 'suppressed'
                union all
                select boundary, area_id, year, denominator_measure, denominator, value_status
                from fct_indicator join dim_indicator using (indicator_id)
                where denominator is not null
                union all
                select {boundary}, area_id, year,
                    '{CUBE}' || age_band || '|' || sex || '|' || nationality_group, population, value_status
                from fct_population
                where population is not null or value_status = 'suppressed'
            )
            select boundary, area_id, year::int as year, item, max(value)::double as value
            from said
            group by all
            order by all
            """
        ).df()


def constraints(cells: pd.DataFrame, earlier: pd.DataFrame, block: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Which cells stay blank and which were told, both of shape (len(cells),).

    cells: KEY and value. block: the part of the deliveries that is corrected as one (Kommune, year, universe). A told
    count counts only while nothing in its block differs from what the release printed: afterwards it is another one.
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
