with patterns as (
    select * from {{ ref('int_spatial_pattern') }}
),

inputs as (
    select * from {{ ref('int_spatial_input') }}
),

final as (
    select
        inputs.area_id,
        cast(inputs.year as int) as year,
        inputs.indicator_id,
        case
            when patterns.moran_i is not null then 'ok'
            when inputs.value_status = 'suppressed' then 'suppressed'
            else 'not_computable'
        end as value_status,
        patterns.cluster,
        round(patterns.moran_i, 9) as local_i,
        patterns.p_value,
        round(patterns.corrected_p, 9) as corrected_p,
        round(patterns.own_z, 9) as own_z,
        round(patterns.neighbours_z, 9) as neighbours_z
    from inputs
    left join patterns
        on
            inputs.indicator_id = patterns.indicator_id
            and inputs.year = patterns.year
            and inputs.area_id = patterns.area_id
)

select * from final
order by area_id, indicator_id, year
