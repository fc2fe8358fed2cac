-- An area of the Kreis that a feed names and the boundaries do not would be left out of every figure.
select distinct
    delivered.feed,
    delivered.year,
    delivered.area_id
from {{ ref('int_delivered_value') }} as delivered
left join {{ ref('int_area_year') }} as areas
    on delivered.area_id = areas.area_id and delivered.year = areas.year and areas.boundary = 'as_counted'
where delivered.area_id like '{{ var("kreis_id") }}%' and areas.area_id is null
