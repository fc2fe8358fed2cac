-- One row per area of today, year and indicator, as published; of Sozialräume no years before there were any, and no
-- indicators that end above them.
select
    facts.area_id,
    areas.level,
    areas.name,
    areas.parent_area_id,
    facts.year,
    facts.indicator_id,
    indicators.unit,
    facts.value,
    facts.value_status,
    facts.numerator,
    facts.denominator,
    facts.ci_lower,
    facts.ci_upper,
    facts.numerator_date,
    facts.denominator_date,
    facts.has_mixed_dates,
    facts.vs_kreis,
    facts.vs_kommune,
    facts.benchmark_goal,
    facts.vs_goal,
    facts.value_rank,
    facts.value_rank_lower,
    facts.value_rank_upper,
    facts.n_ranked,
    facts.change_absolute,
    facts.change_percent,
    facts.change_since_year,
    coalesce(facts.is_break, false) as is_break,
    facts.trend,
    facts.conversion_method,
    facts.conversion_error
from fct_indicator as facts
inner join dim_area as areas on facts.area_id = areas.area_id and areas.valid_to is null
inner join dim_indicator as indicators on facts.indicator_id = indicators.indicator_id
where
    facts.boundary = 'current'
    and (
        areas.level in ('kreis', 'kommune')
        or (
            facts.year >= (select min(extract(year from valid_from)) from dim_area where level = 'sozialraum')
            and indicators.finest_level = 'sozialraum'
        )
    )
order by facts.indicator_id, facts.area_id, facts.year
