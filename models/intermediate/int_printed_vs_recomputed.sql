with delivered as (
    select * from {{ ref('stg_delivered__aggregate') }}
    where feed = 'kinder_sgb2'
),

counts as (
    select
        area_id,
        year,
        max(value) filter (where merkmal = 'einwohner_u15') as population_under_15,
        max(value) filter (where merkmal = 'sgb2_u15') as sgb2_under_15,
        max(value) filter (where merkmal = 'anteil_u15_percent') as printed_share,
        max(value) filter (where merkmal = 'veraenderung_sgb2_percent') as printed_change
    from delivered
    group by area_id, year
),

with_previous as (
    select
        *,
        lag(sgb2_under_15) over (partition by area_id order by year) as previous_sgb2_under_15
    from counts
),

final as (
    select
        area_id,
        year,
        'kinder_sgb2' as feed,
        'anteil_u15_percent' as item,
        printed_share as printed,
        round(100 * sgb2_under_15 / nullif(population_under_15, 0), 1) as recomputed
    from with_previous
    where printed_share is not null
    union all
    select
        area_id,
        year,
        'kinder_sgb2' as feed,
        'veraenderung_sgb2_percent' as item,
        printed_change as printed,
        round(100 * (sgb2_under_15 / nullif(previous_sgb2_under_15, 0) - 1), 1) as recomputed
    from with_previous
    where printed_change is not null
)

select * from final
order by area_id, year, item
