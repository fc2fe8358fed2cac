with boundaries as (
    select * from {{ source('kreis', 'sozialraeume') }}
),

accepted as (
    select delivery_id from {{ ref('stg_control__delivery') }}
    where state = 'accepted' and feed in ('sozialraeume', 'sozialraum_strassen')
),

final as (
    select
        boundaries.delivery_id,
        boundaries.sozialraum_id as area_id,
        boundaries.name,
        boundaries.ags as kommune_id,
        boundaries.valid_from,
        boundaries.area_sqm,
        boundaries.is_synthetic,
        boundaries.geometry_source
    from boundaries
    inner join accepted on boundaries.delivery_id = accepted.delivery_id
    -- As in orchestration/geography/areas.py: the version of a Kommune is what was delivered last for it.
    qualify
        rank() over (
            partition by boundaries.ags, boundaries.valid_from
            order by
                boundaries.delivery_year desc,
                case when boundaries.deliverer = 'kreis' then 0 else 1 end desc,
                boundaries.deliverer desc,
                boundaries.geometry_source desc
        ) = 1
)

select * from final
