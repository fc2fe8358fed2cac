-- The cross of age band, sex and nationality adds up to the population of every area.
with crossed as (
    select
        boundary,
        area_id,
        year,
        sum(population) as population
    from {{ ref('int_population') }}
    group by boundary, area_id, year
)

select
    crossed.boundary,
    crossed.area_id,
    crossed.year
from crossed
left join {{ ref('int_register_measure') }} as counted
    on
        crossed.boundary = counted.boundary
        and crossed.area_id = counted.area_id
        and crossed.year = counted.year
        and counted.measure_id = 'population'
where counted.value is null or counted.value != crossed.population
