-- A Kommune whose register is there has every register measure in itself and in each of its parts.
with expected as (
    select
        areas.boundary,
        areas.area_id,
        areas.year,
        measures.measure_id
    from {{ ref('int_register_area') }} as areas
    cross join {{ ref('register_measures') }} as measures
)

select expected.*
from expected
left join {{ ref('int_measure') }} as found
    on
        expected.boundary = found.boundary
        and expected.area_id = found.area_id
        and expected.year = found.year
        and expected.measure_id = found.measure_id
where found.area_id is null
