-- One row per level and state of a value: how many published cells there are.
select
    areas.level,
    facts.value_status,
    count(*) as zellen
from fct_indicator as facts
inner join dim_area as areas on facts.area_id = areas.area_id and areas.valid_to is null
where
    facts.boundary = 'current'
    and (
        areas.level in ('kreis', 'kommune')
        or facts.year >= (select min(extract(year from valid_from)) from dim_area where level = 'sozialraum')
    )
group by areas.level, facts.value_status
order by areas.level, facts.value_status
