with cube as (
    select * from {{ ref('int_register_cube') }}
),

areas as (
    select * from {{ ref('int_register_area') }}
),

age_bands as (
    select * from {{ ref('age_bands') }}
),

sexes as (
    select 'm' as sex
    union all
    select 'w' as sex
),

nationality_groups as (
    select 'deutsch' as nationality_group
    union all
    select 'nichtdeutsch' as nationality_group
),

banded as (
    select
        cube.kommune_id,
        cube.area_id,
        cube.year,
        age_bands.age_band,
        cube.sex,
        cube.nationality_group,
        sum(cube.persons) as persons
    from cube
    inner join age_bands
        on cube.age >= age_bands.age_from and (age_bands.age_to is null or cube.age <= age_bands.age_to)
    group by
        cube.kommune_id, cube.area_id, cube.year, age_bands.age_band, cube.sex, cube.nationality_group
),

by_level as (
    select
        area_id,
        year,
        age_band,
        sex,
        nationality_group,
        persons
    from banded
    union all
    select
        kommune_id as area_id,
        year,
        age_band,
        sex,
        nationality_group,
        persons
    from banded
    union all
    select
        '{{ var("kreis_id") }}' as area_id,
        year,
        age_band,
        sex,
        nationality_group,
        persons
    from banded
),

summed as (
    select
        area_id,
        year,
        age_band,
        sex,
        nationality_group,
        sum(persons) as persons
    from by_level
    group by area_id, year, age_band, sex, nationality_group
),

final as (
    select
        areas.area_id,
        areas.level,
        areas.parent_area_id,
        areas.year,
        age_bands.age_band,
        sexes.sex,
        nationality_groups.nationality_group,
        cast(coalesce(summed.persons, 0) as bigint) as population
    from areas
    cross join age_bands
    cross join sexes
    cross join nationality_groups
    left join summed
        on
            areas.area_id = summed.area_id
            and areas.year = summed.year
            and age_bands.age_band = summed.age_band
            and sexes.sex = summed.sex
            and nationality_groups.nationality_group = summed.nationality_group
)

select * from final
order by area_id, year, age_band, sex, nationality_group
