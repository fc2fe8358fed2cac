with delivered as (
    select * from {{ ref('int_delivered_value') }}
),

areas as (
    select * from {{ ref('int_area_year') }}
    where boundary = 'as_counted'
),

measures as (
    select * from {{ ref('delivered_measures') }}
),

-- counted from a list, which is a delivery too
services as (
    select * from {{ ref('int_service_measure') }}
    where boundary = 'as_counted'
),

as_delivered as (
    select
        delivered.area_id,
        delivered.year,
        measures.measure_id,
        delivered.feed,
        delivered.delivery_id,
        measures.priority,
        measures.kreis_from,
        areas.level,
        areas.parent_area_id,
        delivered.reference_date,
        delivered.value * measures.factor as value,
        delivered.value_status
    from delivered
    inner join measures on delivered.feed = measures.feed and delivered.merkmal = measures.merkmal
    inner join areas on delivered.area_id = areas.area_id and delivered.year = areas.year
),

kommunen_due as (
    select
        parent_area_id,
        year,
        count(*) as n_kommunen
    from areas
    where level = 'kommune'
    group by parent_area_id, year
),

kreis_summed as (
    select
        as_delivered.parent_area_id as area_id,
        as_delivered.year,
        as_delivered.measure_id,
        as_delivered.feed,
        -- A sum may rest on several deliveries; int_measure_delivery lists them all.
        cast(null as string) as delivery_id,
        as_delivered.priority,
        as_delivered.kreis_from,
        'kreis' as level,
        cast(null as string) as parent_area_id,
        max(as_delivered.reference_date) as reference_date,
        sum(as_delivered.value) as value,
        case when sum(as_delivered.value) = 0 then 'zero' else 'ok' end as value_status
    from as_delivered
    inner join kommunen_due
        on as_delivered.parent_area_id = kommunen_due.parent_area_id and as_delivered.year = kommunen_due.year
    where
        as_delivered.kreis_from = 'sum'
        and as_delivered.level = 'kommune'
        and as_delivered.value is not null
    group by
        as_delivered.parent_area_id,
        as_delivered.year,
        as_delivered.measure_id,
        as_delivered.feed,
        as_delivered.priority,
        as_delivered.kreis_from,
        kommunen_due.n_kommunen
    having count(distinct as_delivered.area_id) = kommunen_due.n_kommunen
),

final as (
    select * from as_delivered
    where not (level = 'kreis' and kreis_from = 'sum')
    union all
    select * from kreis_summed
    union all
    select
        area_id,
        year,
        measure_id,
        feed,
        delivery_id,
        priority,
        kreis_from,
        level,
        parent_area_id,
        reference_date,
        value,
        value_status
    from services
)

select * from final
order by area_id, year, measure_id, feed, delivery_id
