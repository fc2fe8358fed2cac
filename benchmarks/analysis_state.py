"""All of NRW as the second dbt call finds it: 5,000 Sozialräume of 396 Kommunen over 15 years, from a county's rates.

Takes the warehouse of a demo county that was run, reads from it how often each count occurs per inhabitant, and puts
drawn counts of a whole state in the place of the county's (`intermediate` and `control`). The state stands where the
Kreis stood. Every tenth Kommune redrew its areas in 2019.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

STATE, KOMMUNEN, SOZIALRAEUME = "05", 396, 5_000
FIRST_YEAR, LAST_YEAR, REDRAWN = 2009, 2023, 2019
INHABITANTS, SPREAD = 3_100, 0.55
NOT_LOCATED = 0.004
MISSING, ALSO_SECRET = 0.01, 0.04
ROW = 100
"""Areas lie in rows of so many; neighbours have a common side."""
YEARS = np.arange(FIRST_YEAR, LAST_YEAR + 1)


def put_state(home: Path, seed: int = 0) -> None:
    """Replace the figures of the county in this state folder by those of a state."""
    rng = np.random.default_rng(seed)
    places = _places(rng)
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute("set schema = 'intermediate'")
        rates = connection.execute(RATES, [FIRST_YEAR]).df()
        cells = connection.execute(CELL_RATES).df()
        goals = connection.execute("from staging.stg_kreis__ziele").df()
        connection.register("places", places)
        connection.execute(AREAS)
        connection.register("drawn", _counts(rng, places, rates))
        connection.register("rates", rates)
        connection.execute(MEASURES)
        connection.register("drawn_cells", _cells(rng, places, cells))
        connection.register("cells", cells)
        connection.execute(POPULATION)
        connection.register("goals", goals)
        connection.execute(GOALS)
        for name, query in CONTROL.items():
            target = home / "control" / f"{name}.parquet"
            connection.execute(f"copy ({query}) to '{target}' (format parquet)")


def _places(rng: np.random.Generator) -> pd.DataFrame:
    """The smallest areas in the order of their ids: place, area_id, old_area_id, kommune_id, level, inhabitants."""
    home = np.sort(np.append(np.arange(KOMMUNEN), rng.integers(0, KOMMUNEN, SOZIALRAEUME - KOMMUNEN)))
    number = pd.Series(home).groupby(home).cumcount() + 1
    areas = pd.DataFrame({"kommune": home, "number": number, "level": "sozialraum"})
    areas["inhabitants"] = rng.lognormal(np.log(INHABITANTS), SPREAD, SOZIALRAEUME)
    lost = areas.groupby("kommune", as_index=False)["inhabitants"].sum().assign(number=0, level="nicht_verortbar")
    places = pd.concat([areas, lost.assign(inhabitants=lost["inhabitants"] * NOT_LOCATED)], ignore_index=True)
    places["kommune_id"] = STATE + places["kommune"].map("{:06d}".format)
    places["area_id"] = places["kommune_id"] + "-" + places["number"].map("{:02d}".format)
    redrawn = (places["kommune"] % 10 == 0) & (places["level"] == "sozialraum")
    places["old_area_id"] = places["area_id"].where(~redrawn, places["area_id"] + "a")
    return places.drop(columns=["kommune", "number"]).rename_axis("place").reset_index()


def _counts(rng: np.random.Generator, places: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """place, measure (row of `rates`), year, value: drawn about the county's rate, which differs by area."""
    shape = len(places), len(rates)
    kommune = places["kommune_id"].astype("category").cat.codes.to_numpy()
    effect = np.exp(rng.normal(0, 0.15, (KOMMUNEN, shape[1]))[kommune] + rng.normal(0, 0.2, shape))
    yearly = 1 + np.outer(rng.normal(0, 0.02, shape[1]), YEARS - YEARS.mean())
    expected = places["inhabitants"].to_numpy()[:, None] * rates["rate"].to_numpy() * effect
    values = rng.poisson(expected[:, :, None] * yearly)
    place, measure, year = (axis.ravel() for axis in np.indices(values.shape, dtype="int32"))
    table = pd.DataFrame({"place": place, "measure": measure, "year": YEARS[year], "value": values.ravel()})
    return table[rng.random(len(table)) >= MISSING]


def _cells(rng: np.random.Generator, places: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """place, cell (row of `cells`), year, value of the population table."""
    values = rng.poisson(
        np.multiply.outer(places["inhabitants"].to_numpy(), cells["rate"].to_numpy())[:, :, None] + 0 * YEARS
    )
    place, cell, year = (axis.ravel() for axis in np.indices(values.shape, dtype="int32"))
    return pd.DataFrame({"place": place, "cell": cell, "year": YEARS[year], "value": values.ravel()})


# Per measure: how often per inhabitant, the finest level and the years in which it comes, and what else is said of it.
RATES = """
    with whole as (
        select *, level = 'kreis' as is_kreis from int_measure where boundary = 'as_counted' and value is not null
    ),
    inhabitants as (
        select year, max(value) as persons from whole where measure_id = 'population' and is_kreis group by 1
    )
    select
        row_number() over (order by measure_id) - 1 as measure,
        measure_id,
        any_value(whole.feed) as feed,
        any_value(unit) as unit,
        min_by(level, case level when 'kreis' then 3 when 'kommune' then 2 else 1 end) as finest,
        -- Means are drawn in thousandths.
        coalesce(avg(value / persons) filter (is_kreis), avg(value) / 1000) as rate,
        max(month(reference_date) * 100 + day(reference_date)) as day,
        case when count(distinct whole.year) >= 8 then [] else list(distinct whole.year) end as only_years
    from whole join seeds.measures using (measure_id) left join inhabitants using (year)
    where whole.year >= ?
    group by measure_id order by measure_id
"""
CELL_RATES = """
    select age_band, sex, nationality_group, population / sum(population) over () as rate from int_population
    where level = 'kreis' and boundary = 'current' and year = (select max(year) from int_population)
    order by all
"""
AREAS = f"""
    create or replace table int_year as
        select *, 'Zensus' || case when year < 2011 then '1987' when year < 2022 then '2011' else '2022' end
            as population_basis
        from (select unnest(range({FIRST_YEAR}, {LAST_YEAR + 1}))::int as year);
    create or replace table int_area as
        select
            area_id, level, area_id as name, area_id as short_name, parent_area_id, valid_from, valid_to,
            3::double as area_sqkm, true as is_synthetic, null::varchar as geometry_source, valid_from as same_since,
            valid_from = date '{REDRAWN}-01-01' as is_redrawn
        from (
            select '{STATE}' as area_id, 'kreis' as level, null as parent_area_id, date '1975-01-01' as valid_from,
                null::date as valid_to
            union all
            select distinct kommune_id, 'kommune', '{STATE}', date '1975-01-01', null from places
            union all
            select area_id, level, kommune_id,
                if(area_id = old_area_id, date '2000-01-01', date '{REDRAWN}-01-01'), null
            from places
            union all
            select old_area_id, level, kommune_id, date '2000-01-01', date '{REDRAWN - 1}-12-31'
            from places where area_id != old_area_id
        ) order by area_id;
    create or replace table int_area_year as
        select 'as_counted' as boundary, area_id, year, level, parent_area_id, valid_from, same_since, is_redrawn,
            true as is_unchanged
        from int_area join int_year on year(valid_from) <= year and coalesce(year(valid_to) >= year, true)
        union all
        select 'current', area_id, year, level, parent_area_id, valid_from, same_since, false,
            year(valid_from) <= year or level != 'sozialraum'
        from int_area cross join int_year where valid_to is null
        order by all;
    create or replace table int_area_pair as
        with parts as (
            select area_id, old_area_id, kommune_id,
                coalesce(lead(area_id) over kommune, first_value(area_id) over kommune) as next_area_id
            from places where area_id != old_area_id
            window kommune as (partition by kommune_id order by area_id rows between unbounded preceding
                and unbounded following)
        )
        select distinct year, old_area_id as area_id, unnest([area_id, next_area_id]) as current_area_id,
            kommune_id as parent_area_id, 'sozialraum' as level, false as is_unchanged, 0.5::double as area_share
        from parts join int_year on year < {REDRAWN} order by all;
    create or replace table int_register_count as
        select parent_area_id as kommune_id, area_id, current_area_id, year, measure_id,
            (300 + hash(current_area_id || measure_id) % 1000)::double as units
        from int_area_pair
        cross join (select distinct weight_measure as measure_id from seeds.measures where weight_measure is not null)
        order by all;
"""
MEASURES = f"""
    create or replace temp table counted as
        select place, rates.*, year, value * if(unit = 'eur_per_sqm', 0.001, 1) as value
        from drawn join rates using (measure) where len(only_years) = 0 or list_contains(only_years, year);
    create or replace temp table by_level as
        select if(year < {REDRAWN}, old_area_id, area_id) as area_id, level, kommune_id as parent_area_id,
            area_id = old_area_id or year >= {REDRAWN} as is_unchanged, measure_id, year, value::double as value
        from counted join places using (place) where finest in ('sozialraum', 'nicht_verortbar')
        union all
        select kommune_id, 'kommune', '{STATE}', true, measure_id, year,
            if(any_value(unit) = 'eur_per_sqm', avg(value), sum(value))
        from counted join places using (place) where finest != 'kreis' group by kommune_id, measure_id, year
        union all
        select '{STATE}', 'kreis', null, true, measure_id, year, sum(value)
        from counted where unit != 'eur_per_sqm' group by measure_id, year;
    create or replace table int_measure as
        with told as (
            select area_id, year, measure_id, value, if(value = 0, 'zero', 'ok') as value_status,
                make_date(year, day // 100, day % 100) as reference_date, feed, level, parent_area_id, is_unchanged
            from by_level join rates using (measure_id)
        )
        select 'as_counted' as boundary, 'as_counted' as cell_boundary, 'gezaehlt' as conversion_method,
            told.* exclude (is_unchanged) from told
        union all
        select 'current', 'as_counted', 'unveraendert', told.* exclude (is_unchanged) from told where is_unchanged
        union all
        -- The register is counted anew.
        select 'current', 'current', 'gezaehlt', told.* exclude (is_unchanged) replace (
            regexp_replace(area_id, 'a$', '') as area_id) from told where not is_unchanged and feed = 'einwohner'
        order by boundary, area_id, year, measure_id;
"""
POPULATION = f"""
    create or replace table int_population as
        with smallest as (
            select area_id, old_area_id, level, kommune_id, year, age_band, sex, nationality_group, value
            from drawn_cells join places using (place) join (select *, row_number() over () - 1 as cell from cells)
                using (cell)
        ),
        by_level as (
            select area_id, old_area_id, level, kommune_id as parent_area_id, * exclude (area_id, old_area_id, level,
                kommune_id) from smallest
            union all
            select kommune_id, kommune_id, 'kommune', '{STATE}', year, age_band, sex, nationality_group, sum(value)
            from smallest group by all
            union all
            select '{STATE}', '{STATE}', 'kreis', null, year, age_band, sex, nationality_group, sum(value)
            from smallest group by all
        )
        select 'current' as boundary, area_id, level, parent_area_id, year, age_band, sex, nationality_group,
            value::bigint as population
        from by_level
        union all
        select 'as_counted', if(year < {REDRAWN}, old_area_id, area_id), level, parent_area_id, year, age_band, sex,
            nationality_group, value::bigint
        from by_level order by all;
"""
GOALS = f"""
    -- The Kreis's goals are the state's, and each Kommune has the same ones.
    drop view staging.stg_kreis__ziele;
    create table staging.stg_kreis__ziele as
        with everybody as (select '{STATE}' as area_id union all select distinct kommune_id from places)
        select goals.* replace (everybody.area_id as area_id, goal_id || everybody.area_id as goal_id)
        from goals cross join everybody where goals.area_id = '05378' order by all;
"""
_SECRET = f"""between 1 and 2 or hash(area_id || year) % 1000 < {int(1000 * ALSO_SECRET)})
    and level in ('sozialraum', 'nicht_verortbar')"""
CONTROL = {
    "suppression_measure": f"""select cell_boundary as boundary, area_id, year, measure_id
        from int_measure join seeds.measures using (measure_id)
        where boundary = 'as_counted' and counts_persons and measure_id != 'population' and (value {_SECRET}
        order by all""",
    "suppression_population": f"""select boundary, area_id, year, age_band, sex, nationality_group
        from int_population where boundary = 'as_counted' and (population {_SECRET} order by all""",
    "neighbour": f"""with grid as (
            select area_id, place // {ROW} as y, place % {ROW} as x from places where level = 'sozialraum'
        )
        select date '2000-01-01' as valid_from, null::date as valid_to, one.area_id,
            other.area_id as neighbour_area_id, 1000::double as border_m
        from grid as one join grid as other on abs(one.x - other.x) + abs(one.y - other.y) = 1
        order by all""",
}
