with correspondence as (
    select * from {{ ref('stg_geography__correspondence') }}
    where is_next
),

rounded as (
    -- To fives: a share of printed inhabitants tells how many changed the area, perhaps one or two.
    select
        *,
        round(persons / 5.0) * 5 as fives
    from correspondence
),

shared as (
    select
        *,
        sum(fives) over (partition by kommune_id, new_valid_from, old_area_id) as all_fives
    from rounded
),

final as (
    select
        kommune_id,
        old_area_id,
        new_area_id,
        old_valid_from,
        new_valid_from as valid_from,
        kind,
        case when population_share is not null then round(fives / nullif(all_fives, 0), 2) end
            as population_share,
        round(area_share, 2) as area_share
    from shared
    where kind != 'unveraendert'
)

select * from final
order by valid_from, kommune_id, old_area_id, new_area_id
