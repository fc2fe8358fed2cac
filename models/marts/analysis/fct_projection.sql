with projected as (
    select * from {{ ref('int_projection') }}
),

expected as (
    select * from {{ ref('projection_references') }}
),

final as (
    select
        projected.area_id,
        cast(projected.year as int) as year,
        projected.variant,
        projected.projected_group,
        projected.value_status,
        projected.value,
        cast(projected.base_year as int) as base_year,
        projected.base_value,
        round(100 * (projected.value / nullif(projected.base_value, 0) - 1), 1) as change_percent,
        expected.value as expected_value,
        cast(expected.from_year as int) as expected_from_year,
        expected.from_value as expected_from_value,
        round(100 * (expected.value / nullif(expected.from_value, 0) - 1), 1) as expected_change_percent,
        expected.printed_change_percent as expected_printed_percent,
        expected.source as expected_source
    from projected
    left join expected
        on
            projected.area_id = expected.area_id
            and projected.year = expected.year
            and projected.projected_group = expected.projected_group
)

select * from final
order by area_id, year, variant, projected_group
