-- A cell that is secret as counted and shown on today's areas (or vice versa) would give itself away.
select
    counted.area_id,
    counted.year,
    counted.indicator_id
from {{ ref('fct_indicator') }} as counted
inner join {{ ref('fct_indicator') }} as today
    on
        counted.area_id = today.area_id
        and counted.year = today.year
        and counted.indicator_id = today.indicator_id
inner join {{ ref('int_area_year') }} as areas
    on today.area_id = areas.area_id and today.year = areas.year and today.boundary = areas.boundary
where
    counted.boundary = 'as_counted'
    and today.boundary = 'current'
    and areas.is_unchanged
    and (
        counted.value_status != today.value_status
        or coalesce(counted.value, -1) != coalesce(today.value, -1)
    )
