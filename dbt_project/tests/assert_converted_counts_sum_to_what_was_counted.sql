-- Nobody is lost or doubled when figures are converted to today's areas (Kommunen of which all is published).
with converted as (
    select distinct
        parent_area_id,
        year,
        measure_id
    from {{ ref('int_converted_measure') }}
),

figures as (
    select
        'as_counted' as boundary,
        parent_area_id,
        year,
        measure_id,
        value
    from {{ ref('int_protected_measure') }}
    where boundary = 'as_counted' and level in ('sozialraum', 'nicht_verortbar')
    union all
    select
        'current' as boundary,
        parent_area_id,
        year,
        measure_id,
        value
    from {{ ref('int_protected_measure') }}
    where boundary = 'current' and level in ('sozialraum', 'nicht_verortbar')
    union all
    select
        'current' as boundary,
        parent_area_id,
        year,
        measure_id,
        value
    from {{ ref('int_converted_measure') }}
),

summed as (
    select
        figures.parent_area_id,
        figures.year,
        figures.measure_id,
        sum(case when figures.boundary = 'as_counted' then figures.value else 0 end) as as_counted,
        sum(case when figures.boundary = 'current' then figures.value else 0 end) as on_current,
        count(*) filter (where figures.value is null) as n_without_value
    from figures
    inner join converted
        on
            figures.parent_area_id = converted.parent_area_id
            and figures.year = converted.year
            and figures.measure_id = converted.measure_id
    group by figures.parent_area_id, figures.year, figures.measure_id
)

select
    parent_area_id,
    year,
    measure_id
from summed
where n_without_value = 0 and as_counted != on_current
