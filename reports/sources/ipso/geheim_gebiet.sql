-- One row per Sozialraum of today: of its indicators in all years, how many values are secret.
select
    facts.area_id,
    areas.name as sozialraum,
    kommunen.name as kommune,
    count(*) as werte,
    count(*) filter (where facts.value_status = 'suppressed') as geheim
from fct_indicator as facts
inner join dim_area as areas
    on facts.area_id = areas.area_id and areas.level = 'sozialraum' and areas.valid_to is null
inner join dim_area as kommunen on areas.parent_area_id = kommunen.area_id and kommunen.valid_to is null
where facts.boundary = 'current' and facts.value_status in ('ok', 'zero', 'unreliable', 'break', 'suppressed')
group by facts.area_id, areas.name, kommunen.name
order by facts.area_id
