with persons as (
    select * from {{ ref('stg_kommunen__einwohner') }}
),

households as (
    select
        kommune_id,
        year,
        household_key,
        -- A household whose persons lie in two areas counts once; -00 sorts first, so a located area wins.
        max(area_id) as area_id,
        max_by(current_area_id, area_id || current_area_id) as current_area_id,
        cast(count(*) as int) as household_size
    from persons
    where household_key is not null
    group by kommune_id, year, household_key
),

final as (
    select
        kommune_id,
        area_id,
        current_area_id,
        year,
        household_size,
        cast(count(*) as bigint) as households
    from households
    group by kommune_id, area_id, current_area_id, year, household_size
)

select * from final
