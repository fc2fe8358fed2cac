-- Byar's approximation; the exact Poisson interval of 10 is 4.7954 to 18.3904. For 0 it starts at 0.
with cases as (
    select
        cast(0 as double) as events,
        cast(0 as double) as expected_lower,
        3.66801 as expected_upper
    union all
    select
        10.0 as events,
        4.78745 as expected_lower,
        18.39146 as expected_upper
),

computed as (
    select
        *,
        {{ byar('lower', 'events') }} as lower_bound,
        {{ byar('upper', 'events') }} as upper_bound
    from cases
)

select *
from computed
where
    coalesce(abs(lower_bound - expected_lower) > 0.00001, true)
    or coalesce(abs(upper_bound - expected_upper) > 0.00001, true)
