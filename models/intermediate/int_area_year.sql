with areas as (
    select * from {{ ref('int_area') }}
),

years as (
    select
        year,
        cast(cast(year as string) || '-12-31' as date) as last_day
    from {{ ref('int_year') }}
),

final as (
    select
        areas.area_id,
        years.year,
        areas.level,
        areas.parent_area_id
    from areas
    inner join years
        on
            areas.valid_from <= years.last_day
            and (areas.valid_to is null or areas.valid_to >= years.last_day)
)

select * from final
order by area_id, year
