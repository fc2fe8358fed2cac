-- One row per Sozialraum of today and theme, in the newest year with a priority anywhere.
with newest as (
    select max(year) as jahr from fct_priority
    where priority is not null
)

select
    facts.kommune_id,
    kommunen.short_name as kommune,
    facts.area_id,
    areas.name,
    facts.year,
    facts.theme_id,
    themes.title as thema,
    themes.sort_order as reihenfolge,
    facts.theme_weight as gewicht,
    facts.value_status,
    facts.score as punkte,
    facts.mean_gap_percent as abstand,
    facts.priority as rang,
    facts.n_weaknesses as schwaechen,
    facts.n_evaluated as bewertbar,
    facts.n_indicators as indikatoren,
    facts.sentence
from fct_priority as facts
inner join newest on facts.year = newest.jahr
inner join dim_theme as themes on facts.theme_id = themes.theme_id
inner join dim_area as areas on facts.area_id = areas.area_id and areas.valid_to is null
inner join dim_area as kommunen on facts.kommune_id = kommunen.area_id and kommunen.valid_to is null
order by facts.kommune_id, facts.priority, facts.area_id, reihenfolge
