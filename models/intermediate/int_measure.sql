with register as (
    select * from {{ ref('int_register_measure') }}
),

register_areas as (
    select * from {{ ref('int_register_area') }}
),

delivered as (
    select * from {{ ref('int_delivered_measure') }}
),

candidates as (
    select
        register.area_id,
        register.year,
        register.measure_id,
        register.value,
        register.value_status,
        register.reference_date,
        'einwohner' as feed,
        register_areas.level,
        register_areas.parent_area_id,
        0 as priority
    from register
    inner join register_areas
        on register.area_id = register_areas.area_id and register.year = register_areas.year
    union all
    select
        area_id,
        year,
        measure_id,
        value,
        value_status,
        reference_date,
        feed,
        level,
        parent_area_id,
        priority
    from delivered
),

final as (
    select
        area_id,
        year,
        measure_id,
        value,
        value_status,
        reference_date,
        feed,
        level,
        parent_area_id
    from candidates
    -- rank, not row_number: the same figure twice in one feed must fail the uniqueness test, not vanish.
    qualify rank() over (partition by area_id, year, measure_id order by priority) = 1
)

select * from final
order by area_id, year, measure_id
