-- One row per theme (or the population table), level and year: how many figures there are, and how many are secret.
with indicator_cells as (
    select
        themes.title as thema,
        themes.sort_order as reihenfolge,
        areas.level,
        facts.year,
        facts.value_status
    from fct_indicator as facts
    inner join dim_area as areas on facts.area_id = areas.area_id and areas.valid_to is null
    inner join dim_indicator as indicators on facts.indicator_id = indicators.indicator_id
    inner join dim_theme as themes on indicators.theme_id = themes.theme_id
    where facts.boundary = 'current' and facts.value_status in ('ok', 'zero', 'unreliable', 'break', 'suppressed')
),

population_cells as (
    select
        'Einwohner nach Alter, Geschlecht und Staatsangehörigkeit' as thema,
        0 as reihenfolge,
        areas.level,
        facts.year,
        facts.value_status
    from fct_population as facts
    inner join dim_area as areas on facts.area_id = areas.area_id and areas.valid_to is null
    where facts.boundary = 'current' and facts.value_status != 'missing'
),

cells as (
    select * from indicator_cells
    union all
    select * from population_cells
)

select
    thema,
    reihenfolge,
    level,
    year,
    count(*) as werte,
    count(*) filter (where value_status = 'suppressed') as geheim
from cells
group by thema, reihenfolge, level, year
order by reihenfolge, thema, level, year
