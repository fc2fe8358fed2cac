with sozialraeume as (
    select * from {{ ref('stg_kreis__sozialraeume') }}
),

starts as (
    select distinct
        kommune_id,
        valid_from
    from sozialraeume
),

final as (
    select
        kommune_id,
        valid_from,
        cast(
            lead(valid_from) over (partition by kommune_id order by valid_from) - interval 1 day as date
        ) as valid_to
    from starts
)

select * from final
