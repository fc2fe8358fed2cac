with official as (
    select * from {{ ref('bevoelkerung_amtlich') }}
),

counted as (
    select * from {{ ref('int_measure') }}
    where measure_id = 'population' and boundary = 'as_counted'
),

official_by_level as (
    select
        area_id,
        year,
        population,
        basis
    from official
    union all
    select
        '{{ var("kreis_id") }}' as area_id,
        year,
        sum(population) as population,
        max(basis) as basis
    from official
    group by year
),

final as (
    select
        counted.area_id,
        counted.year,
        cast(counted.value as bigint) as population,
        cast(official_by_level.population as bigint) as official,
        official_by_level.basis
    from counted
    inner join official_by_level
        on counted.area_id = official_by_level.area_id and counted.year = official_by_level.year
)

select * from final
order by area_id, year
