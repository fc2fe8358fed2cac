with areas as (
    select
        *,
        case when is_unchanged then 'as_counted' else boundary end as cell_boundary
    from {{ ref('int_area_year') }}
),

counts as (
    select * from {{ ref('int_population') }}
),

suppressed as (
    select * from {{ ref('stg_control__suppression_population') }}
),

cells as (
    select distinct
        counts.year,
        age_bands.age_band,
        counts.sex,
        counts.nationality_group
    from counts
    cross join {{ ref('age_bands') }} as age_bands
),

final as (
    -- A Kommune whose register is not there still has its cells: they are missing, not zero.
    select
        areas.boundary,
        areas.area_id,
        cast(areas.year as int) as year,
        cells.age_band,
        cells.sex,
        cells.nationality_group,
        case when suppressed.area_id is null then counts.population end as population,
        case
            when suppressed.area_id is not null then 'suppressed'
            when counts.population is null then 'missing'
            when counts.population = 0 then 'zero'
            else 'ok'
        end as value_status
    from areas
    inner join cells on areas.year = cells.year
    left join counts
        on
            areas.boundary = counts.boundary
            and areas.area_id = counts.area_id
            and areas.year = counts.year
            and cells.age_band = counts.age_band
            and cells.sex = counts.sex
            and cells.nationality_group = counts.nationality_group
    left join suppressed
        on
            areas.cell_boundary = suppressed.boundary
            and areas.area_id = suppressed.area_id
            and areas.year = suppressed.year
            and cells.age_band = suppressed.age_band
            and cells.sex = suppressed.sex
            and cells.nationality_group = suppressed.nationality_group
)

select * from final
order by boundary, area_id, year, age_band, sex, nationality_group
