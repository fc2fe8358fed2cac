-- One row per Kommune and year with a register: percentage of the residents who lie in no Sozialraum.
select
    kommunen.name as kommune,
    facts.year,
    round(100.0 * facts.value / nullif(whole.value, 0), 1) as anteil,
    facts.value_status
from fct_indicator as facts
inner join dim_area as areas
    on facts.area_id = areas.area_id and areas.level = 'nicht_verortbar' and areas.valid_to is null
inner join dim_area as kommunen on areas.parent_area_id = kommunen.area_id and kommunen.valid_to is null
inner join fct_indicator as whole
    on
        areas.parent_area_id = whole.area_id
        and facts.year = whole.year
        and facts.indicator_id = whole.indicator_id
        and facts.boundary = whole.boundary
where facts.indicator_id = 'population' and facts.boundary = 'as_counted' and facts.value_status != 'missing'
order by kommunen.name, facts.year
