-- Nobody is lost or doubled on the way from the delivery to the Kommune: rows of the raw file = population.
with delivered as (
    select
        register.delivery_id,
        register.ags as area_id,
        register.delivery_year as year,
        count(*) as persons
    from {{ source('kommunen', 'einwohner') }} as register
    inner join {{ ref('stg_control__delivery') }} as deliveries
        on register.delivery_id = deliveries.delivery_id
    where deliveries.state = 'accepted'
    group by register.delivery_id, register.ags, register.delivery_year
),

boundaries as (
    select distinct boundary from {{ ref('int_area_year') }}
)

select
    boundaries.boundary,
    delivered.area_id,
    delivered.year
from delivered
cross join boundaries
left join {{ ref('int_measure') }} as counted
    on
        boundaries.boundary = counted.boundary
        and delivered.area_id = counted.area_id
        and delivered.year = counted.year
        and counted.measure_id = 'population'
where counted.value is null or counted.value != delivered.persons
