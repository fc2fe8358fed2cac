with persons as (
    select * from {{ ref('stg_kommunen__einwohner') }}
),

final as (
    select
        kommune_id,
        area_id,
        current_area_id,
        year,
        delivery_id,
        age,
        sex,
        nationality_group,
        max(reference_date) as reference_date,
        cast(count(*) as bigint) as persons
    from persons
    group by kommune_id, area_id, current_area_id, year, delivery_id, age, sex, nationality_group
)

select * from final
