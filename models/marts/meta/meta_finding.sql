with findings as (
    select * from {{ ref('stg_control__finding') }}
),

deliveries as (
    select * from {{ ref('meta_delivery') }}
),

final as (
    select
        findings.gate,
        findings.delivery_id,
        findings.feed,
        findings.deliverer,
        findings.year,
        findings.area_id,
        findings.expectation,
        findings.column_name,
        findings.severity,
        findings.passed,
        findings.message
    from findings
    left join deliveries on findings.delivery_id = deliveries.delivery_id
    where findings.delivery_id is null or deliveries.delivery_id is not null
)

select * from final
order by gate, feed, year, deliverer, delivery_id, area_id, expectation, column_name, message
