with official as (
    select * from {{ ref('bevoelkerung_amtlich') }}
),

delivered as (
    select * from {{ ref('int_delivered_measure') }}
    where measure_id = 'population_official' and value is not null
),

counted as (
    select * from {{ ref('int_measure') }}
    where measure_id = 'population' and boundary = 'as_counted'
),

years as (
    select * from {{ ref('int_year') }}
),

known_by_level as (
    select
        area_id,
        year,
        population
    from official
    union all
    select
        '{{ var("kreis_id") }}' as area_id,
        year,
        sum(population) as population
    from official
    group by year
),

final as (
    select
        counted.area_id,
        counted.year,
        cast(counted.value as bigint) as population,
        -- What was delivered goes before what we know of it ourselves.
        cast(coalesce(delivered.value, known_by_level.population) as bigint) as official,
        delivered.value is not null as is_delivered,
        years.population_basis as basis
    from counted
    left join delivered on counted.area_id = delivered.area_id and counted.year = delivered.year
    left join known_by_level
        on counted.area_id = known_by_level.area_id and counted.year = known_by_level.year
    left join years on counted.year = years.year
    where coalesce(delivered.value, known_by_level.population) is not null
)

select * from final
order by area_id, year
