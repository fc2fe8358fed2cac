-- Nobody is lost or doubled on the way from the delivery to the Kommune: rows of the raw file = population.
with delivered as (
    select
        raw.delivery_id,
        raw.ags as area_id,
        raw.delivery_year as year,
        count(*) as persons
    from {{ source('kommunen', 'einwohner') }} as raw
    inner join {{ ref('stg_control__delivery') }} as deliveries on raw.delivery_id = deliveries.delivery_id
    where deliveries.state = 'accepted'
    group by raw.delivery_id, raw.ags, raw.delivery_year
)

select
    delivered.area_id,
    delivered.year
from delivered
left join {{ ref('int_measure') }} as counted
    on
        delivered.area_id = counted.area_id
        and delivered.year = counted.year
        and counted.measure_id = 'population'
where counted.value is null or counted.value != delivered.persons
