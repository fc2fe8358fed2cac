with areas as (
    select * from {{ ref('int_area') }}
),

cube as (
    select * from {{ ref('int_register_cube') }}
),

years as (
    select
        year,
        cast(cast(year as string) || '-12-31' as date) as last_day
    from {{ ref('int_year') }}
),

as_counted as (
    select
        areas.area_id,
        years.year,
        areas.level,
        areas.parent_area_id,
        areas.valid_from,
        areas.same_since,
        areas.is_redrawn
    from areas
    inner join years
        on
            areas.valid_from <= years.last_day
            and (areas.valid_to is null or areas.valid_to >= years.last_day)
),

today as (
    select
        areas.area_id,
        years.year,
        areas.level,
        areas.parent_area_id,
        areas.valid_from,
        areas.same_since
    from areas
    cross join years
    where areas.valid_to is null
),

-- Somebody may live where a border was drawn more exactly; then both areas are counted anew.
crossed as (
    select
        year,
        area_id
    from cube
    where area_id != current_area_id
    union
    select
        year,
        current_area_id as area_id
    from cube
    where area_id != current_area_id
),

final as (
    select
        'as_counted' as boundary,
        area_id,
        year,
        level,
        parent_area_id,
        valid_from,
        same_since,
        is_redrawn,
        true as is_unchanged
    from as_counted
    union all
    select
        'current' as boundary,
        today.area_id,
        today.year,
        today.level,
        today.parent_area_id,
        today.valid_from,
        today.same_since,
        false as is_redrawn,
        coalesce(as_counted.same_since = today.same_since, false) and crossed.area_id is null as is_unchanged
    from today
    left join as_counted on today.area_id = as_counted.area_id and today.year = as_counted.year
    left join crossed on today.area_id = crossed.area_id and today.year = crossed.year
)

select * from final
order by boundary, area_id, year
