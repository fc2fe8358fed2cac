with areas as (
    select * from {{ ref('int_area_year') }}
    where level in ('sozialraum', 'nicht_verortbar')
),

correspondence as (
    select * from {{ ref('stg_geography__correspondence') }}
    where is_newest and new_area_id is not null
),

as_counted as (
    select * from areas
    where boundary = 'as_counted'
),

today as (
    select * from areas
    where boundary = 'current'
),

final as (
    select
        as_counted.year,
        as_counted.area_id,
        today.area_id as current_area_id,
        as_counted.parent_area_id,
        as_counted.level,
        today.is_unchanged,
        cast(1 as double) as area_share
    from as_counted
    inner join today on as_counted.area_id = today.area_id and as_counted.year = today.year
    where today.is_unchanged or today.level = 'nicht_verortbar'
    union all
    select
        as_counted.year,
        as_counted.area_id,
        today.area_id as current_area_id,
        as_counted.parent_area_id,
        as_counted.level,
        false as is_unchanged,
        correspondence.area_share
    from as_counted
    inner join correspondence
        on
            as_counted.area_id = correspondence.old_area_id
            and as_counted.valid_from = correspondence.old_valid_from
    inner join today
        on correspondence.new_area_id = today.area_id and as_counted.year = today.year
    -- An unchanged area has the one row above; slivers of its neighbours do not count.
    where not today.is_unchanged
)

select * from final
order by year, area_id, current_area_id
