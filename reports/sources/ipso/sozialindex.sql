-- One row per Sozialraum of today, index and comparison, in the newest year with an index anywhere.
with newest as (
    select
        index_id,
        max(year) as jahr
    from fct_index
    where value_status = 'ok'
    group by index_id
)

select
    facts.area_id,
    facts.index_id,
    indices.title as index_titel,
    indices.description as beschreibung,
    facts.year as jahr,
    areas.level as ebene,
    areas.name as verglichen_mit,
    facts.value_status,
    facts.status_class as klasse,
    case facts.value_status
        when 'ok' then replace(facts.status_class, '_', ' ')
        when 'suppressed' then 'geheim gehalten'
        when 'not_applicable' then 'nicht bewertet'
        else 'nicht berechenbar'
    end as status,
    coalesce(cast(cast(round(100 * facts.status_certainty) as int) as varchar) || ' %', '') as status_sicherheit,
    case facts.dynamics_value_status
        when 'ok' then facts.dynamics_class
        when 'suppressed' then 'geheim gehalten'
        when 'not_applicable' then 'nicht bewertet'
        else 'nicht berechenbar'
    end as dynamik,
    coalesce(cast(cast(round(100 * facts.dynamics_certainty) as int) as varchar) || ' %', '') as dynamik_sicherheit,
    facts.n_areas as gebiete
from fct_index as facts
inner join newest on facts.index_id = newest.index_id and facts.year = newest.jahr
inner join dim_index as indices on facts.index_id = indices.index_id
inner join dim_area as areas on facts.comparison_area_id = areas.area_id and areas.valid_to is null
order by facts.area_id, index_titel, facts.comparison_area_id
