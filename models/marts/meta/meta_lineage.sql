with facts as (
    select * from {{ ref('fct_indicator') }}
    where value_status != 'not_applicable'
),

indicators as (
    select * from {{ ref('indicators') }}
),

deliveries as (
    select * from {{ ref('int_measure_delivery') }}
),

composition as (
    select * from {{ ref('composed_measures') }}
),

named_measures as (
    select
        indicator_id,
        'numerator' as role,
        numerator_measure as measure_id
    from indicators
    union all
    select
        indicator_id,
        'denominator' as role,
        denominator_measure as measure_id
    from indicators
    where denominator_measure is not null
),

indicator_measures as (
    select
        named_measures.indicator_id,
        named_measures.role,
        named_measures.measure_id,
        coalesce(composition.part_measure, named_measures.measure_id) as counted_measure
    from named_measures
    left join composition on named_measures.measure_id = composition.measure_id
),

final as (
    -- The parts of a composed measure mostly come in one delivery.
    select distinct
        facts.boundary,
        facts.area_id,
        facts.year,
        facts.indicator_id,
        indicator_measures.role,
        indicator_measures.measure_id,
        deliveries.delivery_id
    from facts
    inner join indicator_measures on facts.indicator_id = indicator_measures.indicator_id
    inner join deliveries
        on
            facts.boundary = deliveries.boundary
            and facts.area_id = deliveries.area_id
            and facts.year = deliveries.year
            and indicator_measures.counted_measure = deliveries.measure_id
)

select * from final
order by boundary, area_id, year, indicator_id, role, delivery_id
