-- What is suppressed has no strength, no smoothed value, no cluster and no part in an index.
-- Nor has a row that says that it has none.
with secret as (
    select
        area_id,
        year,
        indicator_id
    from {{ ref('fct_indicator') }}
    where boundary = 'current' and value_status = 'suppressed'
),

told as (
    select
        area_id,
        year,
        indicator_id,
        value_status,
        coalesce(value, benchmark_kreis, pattern_order, years_in_a_row) as result
    from {{ ref('fct_profile') }}
    union all
    select
        area_id,
        year,
        indicator_id,
        value_status,
        coalesce(value, smoothed, smoothed_lower, smoothed_upper, own_weight, kommune_value) as result
    from {{ ref('fct_smoothed') }}
    union all
    select
        area_id,
        year,
        indicator_id,
        value_status,
        coalesce(local_i, p_value, corrected_p, own_z, neighbours_z) as result
    from {{ ref('fct_cluster') }}
    union all
    select
        fct_index.area_id,
        fct_index.year,
        parts.indicator_id,
        fct_index.value_status,
        coalesce(fct_index.status_sum, fct_index.status_index, fct_index.status_certainty, fct_index.n_areas)
            as result
    from {{ ref('fct_index') }} as fct_index
    inner join {{ ref('index_indicators') }} as parts on fct_index.index_id = parts.index_id
)

select
    told.area_id,
    told.year,
    told.indicator_id
from told
left join secret
    on
        told.area_id = secret.area_id
        and told.year = secret.year
        and told.indicator_id = secret.indicator_id
where (secret.area_id is not null or told.value_status != 'ok') and told.result is not null
