with smoothed as (
    select * from {{ ref('int_smoothed') }}
),

intervals as (
    select * from {{ ref('int_smoothed_interval') }}
),

final as (
    select
        smoothed.area_id,
        smoothed.year,
        smoothed.indicator_id,
        smoothed.value_status,
        smoothed.value,
        round(smoothed.scale * smoothed.smoothed, 9) as smoothed,
        round(smoothed.scale * intervals.lower_rate, 9) as smoothed_lower,
        round(smoothed.scale * intervals.upper_rate, 9) as smoothed_upper,
        smoothed.own_weight,
        smoothed.scale * smoothed.mean as kommune_value,
        case smoothed.interval_method when 'wilson' then 'beta_binomial' else 'poisson_gamma' end as method
    from smoothed
    left join intervals
        on
            smoothed.area_id = intervals.area_id
            and smoothed.year = intervals.year
            and smoothed.indicator_id = intervals.indicator_id
)

select * from final
order by area_id, indicator_id, year
