with cube as (
    select * from {{ ref('int_register_cube') }}
),

age_bands as (
    select * from {{ ref('age_bands') }}
),

final as (
    select
        cube.kommune_id,
        cube.area_id,
        cube.current_area_id,
        cube.year,
        age_bands.age_band,
        cube.sex,
        cube.nationality_group,
        cast(sum(cube.persons) as bigint) as persons
    from cube
    inner join age_bands
        on cube.age >= age_bands.age_from and (age_bands.age_to is null or cube.age <= age_bands.age_to)
    group by
        cube.kommune_id,
        cube.area_id,
        cube.current_area_id,
        cube.year,
        age_bands.age_band,
        cube.sex,
        cube.nationality_group
)

select * from final
order by area_id, current_area_id, year, age_band, sex, nationality_group
