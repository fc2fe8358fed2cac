with patterns as (
    select * from {{ ref('int_spatial_pattern') }}
    where area_id = '{{ var("kreis_id") }}'
),

final as (
    select
        indicator_id,
        cast(year as int) as year,
        case when moran_i is null then 'not_computable' else 'ok' end as value_status,
        round(moran_i, 9) as moran_i,
        round(expected_i, 9) as expected_i,
        p_value,
        case
            when p_value > 0.05 then 'kein_muster'
            when moran_i > expected_i then 'aehnliche_nachbarn'
            when moran_i <= expected_i then 'verschiedene_nachbarn'
        end as pattern,
        cast(n_areas as int) as n_areas
    from patterns
)

select * from final
order by indicator_id, year
