with measures as (
    select * from {{ ref('int_measure') }}
),

cube as (
    select * from {{ ref('int_register_cube') }}
),

delivered as (
    select * from {{ ref('int_delivered_measure') }}
),

register_deliveries as (
    select distinct
        kommune_id,
        year,
        delivery_id
    from cube
),

final as (
    select
        measures.area_id,
        measures.year,
        measures.measure_id,
        register_deliveries.delivery_id
    from measures
    inner join register_deliveries
        on
            measures.year = register_deliveries.year
            and (
                measures.level = 'kreis'
                or register_deliveries.kommune_id
                = case when measures.level = 'kommune' then measures.area_id else measures.parent_area_id end
            )
    where measures.feed = 'einwohner'
    union all
    select
        measures.area_id,
        measures.year,
        measures.measure_id,
        delivered.delivery_id
    from measures
    inner join delivered
        on
            measures.area_id = delivered.area_id
            and measures.year = delivered.year
            and measures.measure_id = delivered.measure_id
            and measures.feed = delivered.feed
)

select * from final
order by area_id, year, measure_id, delivery_id
