with areas as (
    select * from {{ ref('int_area') }}
),

kommunen as (
    select * from {{ ref('kommunen') }}
),

final as (
    select
        md5(areas.area_id || '|' || cast(areas.valid_from as string)) as area_key,
        areas.area_id,
        areas.level,
        areas.name,
        areas.short_name,
        areas.parent_area_id,
        areas.valid_from,
        areas.valid_to,
        areas.area_sqkm,
        areas.is_synthetic,
        areas.geometry_source,
        coalesce(kommunen.sort_order, 0) as kommune_sort_order
    from areas
    left join kommunen
        on
            case when areas.level = 'kommune' then areas.area_id else areas.parent_area_id end
            = kommunen.area_id
)

select * from final
order by area_id, valid_from
