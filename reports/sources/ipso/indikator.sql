-- One row per indicator: by theme, those of the core set first, in the order of the catalogue; with the spatial pattern
-- of its newest year.
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
    indicators.kind,
    indicators.unit,
    indicators.polarity,
    indicators.cadence,
    indicators.finest_level,
    indicators.denominator_measure is not null as ist_anteil,
    indicators.interval_method <> 'none' as hat_bereich,
    indicators.is_core as ist_kern,
    indicators.source,
    indicators.caveat,
    themes.sort_order * 10000 + case when indicators.is_core then 0 else 5000 end + indicators.sort_order as reihenfolge,
    newest.jahr,
    newest.erstes_jahr,
    maps.value_status as muster_status,
    maps.pattern as muster,
    maps.moran_i,
    maps.p_value as moran_p,
    maps.n_areas as moran_gebiete
from dim_indicator as indicators
inner join dim_theme as themes on indicators.theme_id = themes.theme_id
left join newest on indicators.indicator_id = newest.indicator_id
left join fct_spatial as maps on indicators.indicator_id = maps.indicator_id and newest.jahr = maps.year
order by reihenfolge
