with periods as (
    select * from {{ ref('stg_control__neighbour') }}
),

years as (
    select
        year,
        cast(cast(year as string) || '-12-31' as date) as last_day
    from {{ ref('int_year') }}
),

final as (
    select
        cast(years.year as int) as year,
        periods.area_id,
        periods.neighbour_area_id,
        periods.border_m
    from years
    inner join periods
        on
            years.last_day >= periods.valid_from
            and (periods.valid_to is null or years.last_day <= periods.valid_to)
)

select * from final
order by year, area_id, neighbour_area_id
