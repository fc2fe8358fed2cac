with counts as (
    select * from {{ ref('int_population_count') }}
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

by_level as (
    select
        'as_counted' as boundary,
        area_id,
        year,
        age_band,
        sex,
        nationality_group,
        persons
    from counts
    union all
    select
        'current' as boundary,
        current_area_id as area_id,
        year,
        age_band,
        sex,
        nationality_group,
        persons
    from counts
    {% for boundary in ['as_counted', 'current'] %}
        union all
        select
            '{{ boundary }}' as boundary,
            kommune_id as area_id,
            year,
            age_band,
            sex,
            nationality_group,
            persons
        from counts
        union all
        select
            '{{ boundary }}' as boundary,
            '{{ var("kreis_id") }}' as area_id,
            year,
            age_band,
            sex,
            nationality_group,
            persons
        from counts
    {% endfor %}
),

summed as (
    select
        boundary,
        area_id,
        year,
        age_band,
        sex,
        nationality_group,
        sum(persons) as persons
    from by_level
    group by boundary, area_id, year, age_band, sex, nationality_group
),

final as (
    select
        areas.boundary,
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
            areas.boundary = summed.boundary
            and areas.area_id = summed.area_id
            and areas.year = summed.year
            and age_bands.age_band = summed.age_band
            and sexes.sex = summed.sex
            and nationality_groups.nationality_group = summed.nationality_group
)

select * from final
order by boundary, area_id, year, age_band, sex, nationality_group
