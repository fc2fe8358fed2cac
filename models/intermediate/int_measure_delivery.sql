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

services as (
    select * from {{ ref('int_service_measure') }}
),

pairs as (
    select * from {{ ref('int_area_pair') }}
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
    {% for boundary in ['as_counted', 'current'] %}
        select
            '{{ boundary }}' as boundary,
            as_delivered.*
        from as_delivered
        union all
        select
            '{{ boundary }}' as boundary,
            parts_of_sums.*
        from parts_of_sums
        union all
    {% endfor %}
    select
        boundary,
        area_id,
        year,
        measure_id,
        feed,
        delivery_id
    from services
    where boundary = 'current' and not is_unchanged
),

-- What is converted later rests on the deliveries for all areas that it is made of.
converted as (
    select distinct
        pairs.current_area_id as area_id,
        pairs.year,
        as_delivered.measure_id,
        as_delivered.delivery_id
    from pairs
    inner join as_delivered on pairs.area_id = as_delivered.area_id and pairs.year = as_delivered.year
    left join measures
        on
            pairs.current_area_id = measures.area_id
            and pairs.year = measures.year
            and as_delivered.measure_id = measures.measure_id
            and measures.boundary = 'current'
    where not pairs.is_unchanged and measures.area_id is null
),

final as (
    select
        measures.boundary,
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
        measures.boundary,
        measures.area_id,
        measures.year,
        measures.measure_id,
        rests_on.delivery_id
    from measures
    inner join rests_on
        on
            measures.boundary = rests_on.boundary
            and measures.area_id = rests_on.area_id
            and measures.year = rests_on.year
            and measures.measure_id = rests_on.measure_id
            and measures.feed = rests_on.feed
    union all
    select
        'current' as boundary,
        area_id,
        year,
        measure_id,
        delivery_id
    from converted
)

select * from final
order by boundary, area_id, year, measure_id, delivery_id
