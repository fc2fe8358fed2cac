-- One row per indicator, in the order of the catalogue.
with newest as (
    select
        facts.indicator_id,
        max(facts.year) as jahr,
        min(facts.year) as erstes_jahr
    from fct_indicator as facts
    inner join dim_area as areas on facts.area_id = areas.area_id and areas.valid_to is null
    where areas.level in ('kreis', 'kommune') and facts.value is not null and facts.boundary = 'current'
    group by facts.indicator_id
)

select
    indicators.indicator_id,
    indicators.title,
    indicators.short_description,
    themes.theme_id,
    themes.title as thema,
    indicators.unit,
    indicators.polarity,
    indicators.cadence,
    indicators.finest_level,
    indicators.denominator_measure is not null as ist_anteil,
    indicators.source,
    indicators.caveat,
    themes.sort_order * 100 + indicators.sort_order as reihenfolge,
    newest.jahr,
    newest.erstes_jahr
from dim_indicator as indicators
inner join dim_theme as themes on indicators.theme_id = themes.theme_id
left join newest on indicators.indicator_id = newest.indicator_id
order by reihenfolge
