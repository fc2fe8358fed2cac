-- One row per indicator and year: in how many Sozialräume with at least 300 inhabitants it is secret.
with inhabited as (
    select
        facts.area_id,
        facts.year
    from fct_indicator as facts
    inner join dim_area as areas
        on facts.area_id = areas.area_id and areas.level = 'sozialraum' and areas.valid_to is null
    where
        facts.boundary = 'current'
        and facts.indicator_id = 'population'
        and (facts.value >= 300 or facts.value_status = 'suppressed')
)

select
    indicators.indicator_id,
    indicators.title,
    themes.title as thema,
    themes.sort_order * 100 + indicators.sort_order as reihenfolge,
    indicators.is_core as ist_kern,
    facts.year,
    count(*) as sozialraeume,
    count(*) filter (where facts.value_status = 'suppressed') as geheim
from fct_indicator as facts
inner join inhabited on facts.area_id = inhabited.area_id and facts.year = inhabited.year
inner join dim_indicator as indicators on facts.indicator_id = indicators.indicator_id
inner join dim_theme as themes on indicators.theme_id = themes.theme_id
where facts.boundary = 'current' and facts.value_status in ('ok', 'zero', 'unreliable', 'break', 'suppressed')
group by all
order by reihenfolge, facts.year
