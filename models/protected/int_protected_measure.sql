with measures as (
    select * from {{ ref('int_measure') }}
),

suppressed as (
    select * from {{ ref('stg_control__suppression_measure') }}
),

final as (
    select
        measures.boundary,
        measures.area_id,
        measures.year,
        measures.measure_id,
        case when suppressed.area_id is null and measures.value_status != 'suppressed' then measures.value end
            as value,
        case when suppressed.area_id is null then measures.value_status else 'suppressed' end as value_status,
        measures.reference_date,
        measures.feed,
        measures.level,
        measures.parent_area_id,
        measures.conversion_method
    from measures
    left join suppressed
        on
            measures.cell_boundary = suppressed.boundary
            and measures.area_id = suppressed.area_id
            and measures.year = suppressed.year
            and measures.measure_id = suppressed.measure_id
)

select * from final
order by boundary, area_id, year, measure_id
