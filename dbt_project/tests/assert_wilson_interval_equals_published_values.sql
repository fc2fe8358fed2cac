-- Against statsmodels.stats.proportion.proportion_confint(method='wilson').
with cases as (
    select
        cast(0 as double) as events,
        cast(10 as double) as total,
        0.0 as expected_lower,
        0.27753279986288936 as expected_upper
    union all
    select
        1.0 as events,
        1.0 as total,
        0.2065493143772374 as expected_lower,
        1.0 as expected_upper
    union all
    select
        4240.0 as events,
        37988.0 as total,
        0.10848683824067215 as expected_lower,
        0.11482009116985192 as expected_upper
),

computed as (
    select
        *,
        {{ wilson('lower', 'events', 'total') }} as lower_bound,
        {{ wilson('upper', 'events', 'total') }} as upper_bound
    from cases
)

select *
from computed
where
    coalesce(abs(lower_bound - expected_lower) > 0.0000001, true)
    or coalesce(abs(upper_bound - expected_upper) > 0.0000001, true)
