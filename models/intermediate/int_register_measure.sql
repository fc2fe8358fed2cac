with counts as (
    select * from {{ ref('int_register_count') }}
),

areas as (
    select * from {{ ref('int_register_area') }}
),

measures as (
    select * from {{ ref('register_measures') }}
),

by_level as (
    select
        'as_counted' as boundary,
        area_id,
        year,
        measure_id,
        units
    from counts
    union all
    select
        'current' as boundary,
        current_area_id as area_id,
        year,
        measure_id,
        units
    from counts
    {% for boundary in ['as_counted', 'current'] %}
        union all
        select
            '{{ boundary }}' as boundary,
            kommune_id as area_id,
            year,
            measure_id,
            units
        from counts
        union all
        select
            '{{ boundary }}' as boundary,
            '{{ var("kreis_id") }}' as area_id,
            year,
            measure_id,
            units
        from counts
    {% endfor %}
),

summed as (
    select
        boundary,
        area_id,
        year,
        measure_id,
        sum(units) as units
    from by_level
    group by boundary, area_id, year, measure_id
),

final as (
    select
        areas.boundary,
        areas.area_id,
        areas.year,
        measures.measure_id,
        cast(coalesce(summed.units, 0) as double) as value,
        case when coalesce(summed.units, 0) = 0 then 'zero' else 'ok' end as value_status,
        areas.reference_date
    from areas
    cross join measures
    left join summed
        on
            areas.boundary = summed.boundary
            and areas.area_id = summed.area_id
            and areas.year = summed.year
            and measures.measure_id = summed.measure_id
)

select * from final
order by boundary, area_id, year, measure_id
