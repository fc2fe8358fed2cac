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

as_delivered as (
    select
        area_id,
        year,
        measure_id,
        feed,
        delivery_id
    from delivered
    where not (level = 'kreis' and kreis_from = 'sum')
),

-- a Kreis that is a sum rests on the deliveries of all its Kommunen, be they one or eight
parts_of_sums as (
    select distinct
        parent_area_id as area_id,
        year,
        measure_id,
        feed,
        delivery_id
    from delivered
    where level = 'kommune' and kreis_from = 'sum'
),

rests_on as (
    select * from as_delivered
    union all
    select * from parts_of_sums
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
        rests_on.delivery_id
    from measures
    inner join rests_on
        on
            measures.area_id = rests_on.area_id
            and measures.year = rests_on.year
            and measures.measure_id = rests_on.measure_id
            and measures.feed = rests_on.feed
)

select * from final
order by area_id, year, measure_id, delivery_id
