with correspondence as (
    select * from {{ ref('stg_geography__correspondence') }}
    where is_next
),

judged as (
    select
        *,
        max(case when persons > 0 and persons < {{ var("minimum_count") }} then 1 else 0 end)
            over (partition by kommune_id, new_valid_from, old_area_id)
            as has_small_part
    from correspondence
),

final as (
    select
        kommune_id,
        old_area_id,
        new_area_id,
        old_valid_from,
        new_valid_from as valid_from,
        kind,
        -- Where one or two persons changed the area, no share tells it.
        case when has_small_part = 0 then round(population_share, 2) end as population_share,
        round(area_share, 2) as area_share
    from judged
    where kind != 'unveraendert'
)

select * from final
order by valid_from, kommune_id, old_area_id, new_area_id
