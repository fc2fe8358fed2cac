-- One row per Sozialraum of today and indicator that is better or worse, in the newest year with a judgement anywhere.
with newest as (
    select
        indicator_id,
        max(year) as jahr
    from fct_profile
    where value_status = 'ok'
    group by indicator_id
)

select
    entries.area_id,
    themes.title as thema,
    entries.indicator_id,
    entries.year,
    entries.value_status,
    case when entries.kind in ('schwaeche', 'staerke') then entries.pattern_title end as pattern_title,
    case entries.kind when 'schwaeche' then 1 when 'staerke' then 2 end as gruppe,
    case entries.kind when 'schwaeche' then 'Schwächen' when 'staerke' then 'Stärken' end
        as art,
    entries.pattern_order,
    entries.sentence
from fct_profile as entries
inner join newest on entries.indicator_id = newest.indicator_id and entries.year = newest.jahr
inner join dim_theme as themes on entries.theme_id = themes.theme_id
order by entries.area_id, gruppe, entries.pattern_order, entries.indicator_id
